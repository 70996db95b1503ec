"""A call of an AI function of another dialect, and what is made of it: a call of an LLM verb."""

from __future__ import annotations

import json as reader
import re
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from sqlglot import exp

from heliumql.dialects.mistakes import mistake

Constant: TypeAlias = "str | int | float | bool | list[Constant] | dict[str, Constant] | None"

_PLAIN_NAME = re.compile(r"[A-Za-z_]\w*")


class Given:
    """The arguments of a call; each is taken once, and what is left over is a mistake."""

    def __init__(self, name: str, call: exp.Expr, parameters: Sequence[str]) -> None:
        self.name = name
        self.call = call
        self._left: dict[str, exp.Expr] = {}
        for index, argument in enumerate(call.expressions):
            if isinstance(argument, exp.Kwarg | exp.PropertyEQ):
                key, value = argument.this.name, argument.expression
            elif index < len(parameters):
                key, value = parameters[index], argument
            else:
                raise mistake(f"{name} has no argument at this place", argument, None)
            self._left[key.lower()] = value

    def take(self, *names: str) -> exp.Expr | None:
        """The argument of one of the names, in any case."""
        for name in names:
            value = self._left.pop(name.lower(), None)
            if value is not None and not isinstance(value, exp.Null):
                return value
        return None

    def need(self, *names: str) -> exp.Expr:
        value = self.take(*names)
        if value is None:
            raise mistake(f"{self.name} needs {names[0]}", self.call, None)
        return value

    def text(self, *names: str) -> str | None:
        """A constant text."""
        value = self.take(*names)
        if value is None:
            return None
        found = constant(value, f"{names[0]} of {self.name}")
        if not isinstance(found, str):
            raise mistake(f"{names[0]} of {self.name} must be a text", value, None)
        return found

    def flag(self, *names: str) -> bool | None:
        value = self.take(*names)
        if value is None:
            return None
        found = constant(value, f"{names[0]} of {self.name}")
        if not isinstance(found, bool):
            raise mistake(f"{names[0]} of {self.name} must be TRUE or FALSE", value, None)
        return found

    def ignore(self, *names: str) -> None:
        """Where a call goes, not what it says: the catalog's entry of the model says that here."""
        self.take(*names)

    def refuse(self, hint: str, *names: str) -> None:
        for name in names:
            value = self.take(name)
            if value is not None:
                raise mistake(f"{name} of {self.name} cannot be carried over", value, hint)

    def finished(self) -> None:
        """Raises BindError where an argument is left that nobody has asked for."""
        for name, value in self._left.items():
            raise mistake(
                f"{name} of {self.name} cannot be carried over",
                value,
                "leave it out, or write the call in HQL",
            )


def constant(node: exp.Expr, what: str) -> Constant:
    """The constant that the node is; raises BindError where it is none."""
    match node:
        case exp.Paren():
            return constant(node.this, what)
        case exp.Literal(is_string=True):
            return str(node.this)
        case exp.Literal():
            return float(node.this) if re.search(r"[.eE]", node.this) else int(node.this)
        case exp.Neg(this=exp.Literal() as number):
            value = constant(number, what)
            return -value if isinstance(value, int | float) else value
        case exp.Boolean():
            return bool(node.this)
        case exp.Null():
            return None
        case exp.Array():
            return [constant(item, what) for item in node.expressions]
        case exp.Struct() if all(isinstance(item, exp.PropertyEQ) for item in node.expressions):
            return {item.this.name: constant(item.expression, what) for item in node.expressions}
        case exp.VarMap():
            keys, values = node.args["keys"].expressions, node.args["values"].expressions
            return {k.name: constant(v, what) for k, v in zip(keys, values, strict=True)}
        case exp.ParseJSON(this=exp.Literal(is_string=True) as text):
            return constant_json(text, what)
        case _:
            raise mistake(f"{what} must be a constant", node, None)


def constant_json(text: exp.Literal, what: str) -> Constant:
    """The value that the text is as JSON."""
    try:
        found: Constant = reader.loads(text.this)
        return found
    except ValueError as error:
        raise mistake(f"{what} is not JSON: {error}", text, None) from None


# What is made of it ---------------------------------------------------------------------------


def call(verb: str, *positional: exp.Expr, **named: exp.Expr | None) -> exp.Anonymous:
    """`LLM_GENERATE('..', model => 'm')`; arguments that are None are left out."""
    arguments = [
        exp.Kwarg(this=exp.var(name), expression=value)
        for name, value in named.items()
        if value is not None
    ]
    return exp.Anonymous(this=verb, expressions=[*positional, *arguments])


def literal(value: Constant) -> exp.Expr:
    """The constant as SQL."""
    match value:
        case None:
            return exp.null()
        case bool():
            return exp.Boolean(this=value)
        case str():
            return exp.Literal.string(value)
        case int() | float():
            number = exp.Literal.number(repr(abs(value)))
            return exp.Neg(this=number) if value < 0 else number
        case list():
            return exp.Array(expressions=[literal(item) for item in value])
        case dict():
            return exp.Struct(
                expressions=[
                    exp.PropertyEQ(this=exp.to_identifier(key, quoted=True), expression=literal(v))
                    for key, v in value.items()
                ]
            )


def optional(value: Constant) -> exp.Expr | None:
    """The constant as SQL, nothing where there is none."""
    return None if value is None else literal(value)


def braced(text: str) -> str:
    """The text as a template that says just that."""
    return text.replace("{", "{{").replace("}", "}}")


class Message:
    """A prompt while it is put together of texts and expressions: a template and its values."""

    def __init__(self) -> None:
        self._template = ""
        self._values: list[exp.Expr] = []

    def say(self, text: str) -> Message:
        self._template += braced(text)
        return self

    def put(self, value: exp.Expr) -> Message:
        """The value of an expression; a column by its name, a constant text as it is."""
        match value:
            case exp.Literal(is_string=True):
                return self.say(value.this)
            case exp.Column() if (path := _path(value)) is not None:
                self._template += "{" + path + "}"
            case _:
                self._template += "{" + str(len(self._values)) + "}"
                self._values.append(value)
        return self

    def arguments(self) -> list[exp.Expr]:
        return [exp.Literal.string(self._template), *self._values]


def _path(column: exp.Column) -> str | None:
    """`t.name`, where nothing in it is quoted."""
    if any(
        part.args.get("quoted") or not _PLAIN_NAME.fullmatch(part.name) for part in column.parts
    ):
        return None
    return ".".join(part.name for part in column.parts)


def prompt(value: exp.Expr) -> list[exp.Expr]:
    """A prompt as the first arguments of a verb: one text is a template there, so its braces
    are doubled; any other expression is taken as it is."""
    match value:
        case exp.Paren():
            return prompt(value.this)
        case exp.Literal(is_string=True):
            return [exp.Literal.string(braced(value.this))]
        case exp.Tuple():
            message = Message()
            for part in value.expressions:
                message.put(part)
            return message.arguments()
        case _:
            return [value]


def json(value: exp.Expr) -> exp.Expr:
    """A struct as the JSON object that other dialects have in its place."""
    return exp.cast(value, exp.DType.JSON)


def sampling(
    given: Constant, name: str, place: exp.Expr, keys: Mapping[str, str]
) -> dict[str, exp.Expr]:
    """Options of sampling by their HQL names; `keys` has those by the names given."""
    if not isinstance(given, dict):
        raise mistake(f"the parameters of {name} must be an object", place, None)
    found = {}
    for key, value in given.items():
        if key not in keys:
            known = ", ".join(dict.fromkeys(keys))
            raise mistake(
                f"the parameter {key} of {name} cannot be carried over",
                place,
                f"what can be: {known}",
            )
        if value is not None:
            found[keys[key]] = literal(value)
    return found


def one_text(value: exp.Expr) -> exp.Expr:
    """A text as an argument of a verb: a literal is a template there, so its braces are doubled."""
    if isinstance(value, exp.Literal) and value.is_string:
        return literal(braced(value.this))
    return value


def name_of(name: str) -> exp.Identifier:
    """The name of a field, in quotes where it needs them."""
    plain = re.fullmatch(r"[a-z_][a-z0-9_]*", name) is not None
    return exp.to_identifier(name, quoted=not plain)
