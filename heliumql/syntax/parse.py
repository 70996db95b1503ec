"""A file as statements; the session calls `parse`.

A statement is recognised by its first words. One without LLM parts is never looked into: its
tokens are enough to know where it ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from heliumql.errors import BindError, ParseError
from heliumql.source import Span
from heliumql.syntax import statements as s
from heliumql.syntax.mistakes import suggestion
from heliumql.syntax.tokens import QUERY_STARTS, Token, identifier, split, tokenize
from heliumql.syntax.tree import Constant, parse_hql, parse_soup
from heliumql.types import SqlType, parse_type

_WORDS = ("NAME", "QUOTED_NAME", "VERB")
_FORMATS = ("text", "json", "html", "mermaid", "stages")


def parse(text: str, *, llm_names: frozenset[str] = frozenset()) -> tuple[s.Statement, ...]:
    """The statements of a file. `llm_names` (lower case) are the views, macros, prompts and
    prepared statements that hold LLM parts: a statement that names one has LLM parts too."""
    reader = _Reader(text, llm_names)
    return tuple(reader.statement(tokens) for tokens in split(tokenize(text)))


def answer_type(text: str, span: Span) -> SqlType:
    """The type that stands at `span` of the text; an error points into the text."""
    try:
        return parse_type(text[span.start : span.end])
    except BindError as error:
        place = error.span.shifted(span.start) if error.span else span
        raise BindError(error.message, span=place, hint=error.hint) from None


@dataclass(frozen=True)
class _Reader:
    """Makes statements of tokens of one text."""

    text: str
    llm_names: frozenset[str]

    def statement(self, tokens: Sequence[Token]) -> s.Statement:
        """The statement that the tokens are."""
        if len(tokens) == 2 and tokens[0].word == "SHOW" and tokens[1].word.startswith("LLM_"):
            span = _span(tokens)
            return s.Show(self._slice(span), span, identifier(tokens[1]).lower())
        if _is_hql(tokens):
            return self._hql(tokens)
        span = _span(tokens)
        head = tokens[0].word
        if head == "PROFILE" and _starts_statement(tokens, 1):
            return s.Profile(self._slice(span), span, self.statement(tokens[1:]))
        verbs = frozenset(t.text.upper() for t in tokens if t.type == "VERB")
        names = self._llm_names_in(tokens)
        if not verbs and not names:
            if head == "EXPLAIN":
                _check_explain(tokens)
            return s.Sql(self._slice(span), span)
        match head:
            case "EXPLAIN":
                return self._explain(tokens)
            case "PREPARE" if (inner := _after_as(tokens)) is not None:
                return s.Prepare(
                    self._slice(span), span, identifier(tokens[1]), self.statement(inner)
                )
            case "EXECUTE" if len(tokens) > 1 and self._is_llm_name(tokens[1]):
                arguments = Span(tokens[3].start, tokens[-1].start) if len(tokens) > 4 else None
                inside = self._slice(arguments).strip() if arguments else ""
                return s.Execute(self._slice(span), span, identifier(tokens[1]), inside)
            case "DEALLOCATE" if self._is_llm_name(tokens[-1]):
                return s.Deallocate(self._slice(span), span, identifier(tokens[-1]))
            case "DROP" if (dropped := self._drop(tokens)) is not None:
                return dropped
            case "CREATE" if (created := self._create(tokens)) is not None:
                return created
        if verbs:
            parse_soup(tokens)  # a mistake in a call is told before anything runs
        return s.LlmSql(self._slice(span), span, verbs, names)

    def _llm_names_in(self, tokens: Sequence[Token]) -> frozenset[str]:
        if not self.llm_names:
            return frozenset()
        found = {identifier(token).lower() for token in tokens if token.type in _WORDS}
        return self.llm_names & found

    def _is_llm_name(self, token: Token) -> bool:
        return token.type in _WORDS and identifier(token).lower() in self.llm_names

    def _slice(self, span: Span) -> str:
        return self.text[span.start : span.end]

    def _hql(self, tokens: Sequence[Token]) -> s.Statement:
        rule, parts = parse_hql(tokens)
        span = _span(tokens)
        text = self._slice(span)
        name: Any = parts.get("name")
        match rule:
            case "create_model":
                return s.CreateModel(
                    text, span, identifier(name), name.span, **_options(parts), **_flags(parts)
                )
            case "create_prompt":
                returns = parts["returns"]
                return s.CreatePrompt(
                    text,
                    span,
                    identifier(name),
                    name.span,
                    parameters=self._parameters(parts["parameters"]),
                    returns=answer_type(self.text, returns) if returns else None,
                    body=parts["body"].text,
                    body_span=parts["body"].span,
                    **_options(parts),
                    **_flags(parts),
                )
            case "drop_model":
                return s.DropModel(
                    text, span, identifier(name), name.span, bool(parts["if_exists"])
                )
            case "drop_prompt":
                return s.DropPrompt(
                    text, span, identifier(name), name.span, bool(parts["if_exists"])
                )
            case "show":
                return s.Show(text, span, parts["what"].text.lower())
            case "describe":
                what = parts["what"].text.lower()
                return s.Describe(text, span, what, identifier(name), name.span)
            case "clear_cache":
                return self._clear_cache(tokens)
            case "set_option":
                value = parts["value"]
                setting = identifier(name).lower()
                return s.SetOption(text, span, setting, name.span, value.value, value.span)
            case _:
                return s.ResetOption(text, span, identifier(name).lower(), name.span)

    def _parameters(
        self, parameters: Sequence[tuple[Token, Span | None]]
    ) -> tuple[tuple[str, str], ...]:
        seen: set[str] = set()
        for token, _ in parameters:
            if identifier(token).lower() in seen:
                raise ParseError(f"the parameter {token.text} is there twice", span=token.span)
            seen.add(identifier(token).lower())
        return tuple(
            (identifier(token), self._slice(type_span) if type_span else "")
            for token, type_span in parameters
        )

    def _clear_cache(self, tokens: Sequence[Token]) -> s.ClearCache:
        span = _span(tokens)
        where = Span(tokens[3].start, span.end) if len(tokens) > 3 else None
        if where is None and len(tokens) == 3:
            raise ParseError("WHERE has no condition", span=tokens[2].span)
        return s.ClearCache(self._slice(span), span, self._slice(where) if where else None, where)

    def _explain(self, tokens: Sequence[Token]) -> s.Statement:
        span = _span(tokens)
        analyze = False
        form: s.ExplainFormat = "text"
        index = 1
        if index < len(tokens) and tokens[index].word in ("ANALYZE", "ANALYSE"):
            analyze, index = True, 2
        if _opens_options(tokens, index):
            close = next((i for i in range(index, len(tokens)) if tokens[i].type == "RPAR"), None)
            if close is None:
                raise ParseError("this '(' is never closed", span=tokens[index].span)
            for option in _by_comma(tokens[index + 1 : close]):
                words = [token.word for token in option]
                match words:
                    case ["ANALYZE" | "ANALYSE"] | ["ANALYZE" | "ANALYSE", "TRUE"]:
                        analyze = True
                    case ["ANALYZE" | "ANALYSE", "FALSE"]:
                        analyze = False
                    case ["FORMAT", _]:
                        form = _format(option[1])
                    case _:
                        known = "EXPLAIN of LLM calls knows ANALYZE and FORMAT"
                        place = option[0].span if option else tokens[index].span
                        raise ParseError("unknown option of EXPLAIN", span=place, hint=known)
            index = close + 1
        if index >= len(tokens):
            raise ParseError("EXPLAIN of nothing", span=span, hint="EXPLAIN SELECT ..")
        inner = self.statement(tokens[index:])
        if not isinstance(inner, s.LlmSql | s.Execute | s.CreateView | s.CreateMacro):
            raise ParseError("EXPLAIN takes a query", span=inner.span)
        return s.Explain(self._slice(span), span, inner, analyze, form)

    def _drop(self, tokens: Sequence[Token]) -> s.Statement | None:
        words = [token.word for token in tokens[:4]]
        kind: Literal["view", "macro"]
        if words[1:2] == ["VIEW"]:
            kind, index = "view", 2
        elif words[1:2] in (["MACRO"], ["FUNCTION"]):
            kind, index = "macro", 3 if words[2:3] == ["TABLE"] else 2
        else:
            return None
        if_exists = [token.word for token in tokens[index : index + 2]] == ["IF", "EXISTS"]
        names = [t for t in tokens[index + 2 * if_exists :] if self._is_llm_name(t)]
        if not names:
            return None
        span = _span(tokens)
        return s.DropNamed(
            self._slice(span), span, kind, identifier(names[0]), names[0].span, if_exists
        )

    def _create(self, tokens: Sequence[Token]) -> s.Statement | None:
        """CREATE VIEW or CREATE MACRO; None where it is another CREATE."""
        index = 1
        flags = {"or_replace": False, "temp": False, "if_not_exists": False}
        while index < len(tokens):
            word = tokens[index].word
            if word == "OR":
                flags["or_replace"], index = True, index + 2
            elif word in ("TEMP", "TEMPORARY"):
                flags["temp"], index = True, index + 1
            elif word in ("RECURSIVE", "PERSISTENT"):
                index += 1
            else:
                break
        what = tokens[index].word if index < len(tokens) else ""
        if what not in ("VIEW", "MACRO", "FUNCTION"):
            return None
        index += 1
        if [token.word for token in tokens[index : index + 3]] == ["IF", "NOT", "EXISTS"]:
            flags["if_not_exists"], index = True, index + 3
        while index + 2 < len(tokens) and tokens[index + 1].text == ".":
            index += 2
        if index >= len(tokens) or tokens[index].type not in _WORDS:
            return None
        name = tokens[index]
        opened = index + 1
        as_at = opened
        if opened < len(tokens) and tokens[opened].type == "LPAR":
            close = closing(tokens, opened)
            if close is None:
                raise ParseError("this '(' is never closed", span=tokens[opened].span)
            as_at = close + 1
        while as_at < len(tokens) and tokens[as_at].word != "AS":
            as_at += 1
        if as_at + 1 >= len(tokens):
            return None
        inside = Span(tokens[opened].start, tokens[as_at - 1].end) if as_at > opened else None
        header = Span(tokens[0].start, name.end)
        body = tokens[as_at + 1 :]
        if any(token.type == "VERB" for token in body):
            parse_soup(body)
        span = _span(tokens)
        common: dict[str, Any] = {
            "text": self._slice(span),
            "span": span,
            "name": identifier(name),
            "name_span": name.span,
            **flags,
        }
        if what == "VIEW":
            return s.CreateView(
                **common,
                header=self._slice(header),
                columns=self._slice(inside) if inside else "",
                body=self._slice(_span(body)),
                body_span=_span(body),
            )
        is_table = body[0].word == "TABLE" and len(body) > 1
        body = body[1:] if is_table else body
        return s.CreateMacro(
            **common,
            header=self._slice(header),
            parameters=self._slice(inside) if inside else "()",
            body=self._slice(_span(body)),
            body_span=_span(body),
            kind="table" if is_table else "scalar",
        )


def closing(tokens: Sequence[Token], opened: int) -> int | None:
    """The index of the bracket that closes the one at `opened`."""
    depth = 0
    for index in range(opened, len(tokens)):
        if tokens[index].type in ("LPAR", "LSQB", "LBRACE"):
            depth += 1
        elif tokens[index].type in ("RPAR", "RSQB", "RBRACE"):
            depth -= 1
            if depth == 0:
                return index
    return None


def _span(tokens: Sequence[Token]) -> Span:
    return Span(tokens[0].start, tokens[-1].end)


def _is_hql(tokens: Sequence[Token]) -> bool:
    """Whether the statement is one that only HQL has."""
    words = [token.word for token in tokens[:6]]
    match words:
        case ["CREATE", *rest]:
            if rest[:2] == ["OR", "REPLACE"]:
                rest = rest[2:]
            if rest[:1] in (["TEMP"], ["TEMPORARY"]):
                rest = rest[1:]
            return rest[:1] in (["MODEL"], ["PROMPT"])
        case ["DROP", "MODEL" | "PROMPT", *_]:
            return True
        case ["SHOW", "MODELS" | "PROMPTS" | "CACHE"]:
            return True
        case ["DESCRIBE" | "DESC", "MODEL" | "PROMPT", _, *_]:
            return tokens[2].type in _WORDS
        case ["CLEAR", "CACHE", *_]:
            return True
        case ["SET" | "RESET", "SESSION" | "GLOBAL" | "LOCAL", name, *_]:
            return name.startswith("LLM_")
        case ["SET" | "RESET", name, *_]:
            return name.startswith("LLM_")
        case _:
            return False


def _starts_statement(tokens: Sequence[Token], index: int) -> bool:
    return index < len(tokens) and (bool(tokens[index].word) or tokens[index].type == "LPAR")


def _opens_options(tokens: Sequence[Token], index: int) -> bool:
    """Whether the parenthesis at `index` holds options of EXPLAIN and not a query."""
    if index + 1 >= len(tokens) or tokens[index].type != "LPAR":
        return False
    return tokens[index + 1].type != "LPAR" and tokens[index + 1].word not in QUERY_STARTS


def _check_explain(tokens: Sequence[Token]) -> None:
    """EXPLAIN of a statement without LLM parts is DuckDB's; what DuckDB knows nothing of is not."""
    index = 2 if tokens[1:2] and tokens[1].word in ("ANALYZE", "ANALYSE") else 1
    if _opens_options(tokens, index):
        close = next((i for i in range(index, len(tokens)) if tokens[i].type == "RPAR"), index)
        for option in _by_comma(tokens[index + 1 : close]):
            if [t.text.strip("'\"").upper() for t in option] == ["FORMAT", "STAGES"]:
                hint = "FORMAT json, html and mermaid give DuckDB's own plan"
                message = "EXPLAIN (FORMAT stages) is for statements with LLM calls"
                raise ParseError(message, span=option[1].span, hint=hint)
        index = close + 1
    if _is_hql(tokens[index:]):
        raise ParseError("EXPLAIN takes a query", span=_span(tokens[index:]))


def _by_comma(tokens: Sequence[Token]) -> list[list[Token]]:
    parts: list[list[Token]] = [[]]
    for token in tokens:
        if token.type == "COMMA":
            parts.append([])
        else:
            parts[-1].append(token)
    return parts


def _format(token: Token) -> s.ExplainFormat:
    match token.text.strip("'\"").lower():
        case "text":
            return "text"
        case "json":
            return "json"
        case "html":
            return "html"
        case "mermaid":
            return "mermaid"
        case "stages":
            return "stages"
        case other:
            hint = suggestion(other, _FORMATS, "formats")
            raise ParseError(f"unknown format {token.text}", span=token.span, hint=hint)


def _after_as(tokens: Sequence[Token]) -> Sequence[Token] | None:
    """What follows the first AS outside of parentheses."""
    depth = 0
    for index, token in enumerate(tokens):
        if token.type == "LPAR":
            depth += 1
        elif token.type == "RPAR":
            depth -= 1
        elif depth == 0 and token.word == "AS":
            return tokens[index + 1 :] or None
    return None


def _flags(parts: dict[str, Any]) -> dict[str, Any]:
    return {flag: bool(parts[flag]) for flag in ("or_replace", "if_not_exists", "temp")}


def _options(parts: dict[str, Any]) -> dict[str, Any]:
    """The options by lower-case key, with the places of keys and values."""
    pairs: list[tuple[Token, Constant]] = parts["options"] or []
    options, option_spans, value_spans = {}, {}, {}
    for token, constant in pairs:
        key = identifier(token).lower()
        if key in options:
            raise ParseError(f"the option {key} is there twice", span=token.span)
        options[key] = constant.value
        option_spans[key] = token.span
        value_spans[key] = constant.span
    return {"options": options, "option_spans": option_spans, "value_spans": value_spans}
