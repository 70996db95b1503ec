"""HQL to plain DuckDB SQL, and its evaluation: the other opinion on what the rows of a query are.

Nothing of HeliumQL's own parser or evaluation is used: calls become a Python function that DuckDB
runs where it likes. The translation is mechanical and knows the forms that the tests use.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import duckdb
from scripted_model import HashModel

_HISTORY = "STRUCT(role VARCHAR, content VARCHAR)[]"
_VERBS = "GENERATE|FILTER|SCORE|EMBED|SIMILARITY"
_CALL = re.compile(rf"(?P<lateral>LATERAL\s+)?\bLLM_(?P<verb>{_VERBS})\s*\(")
_KINDS = {"GENERATE": "VARCHAR", "FILTER": "BOOLEAN", "SCORE": "DOUBLE", "EMBED": "FLOAT[]"}
_PLACEHOLDER = re.compile(r"\{\{|\}\}|\{([^{}]*)\}")
_STRING = re.compile(r"'(?:[^']|'')*'")
_OPTION = re.compile(r"\s*(\w+)\s*=>\s*(.*)", re.DOTALL)
_TYPE = re.compile(r"(.*?)\s+RETURNS\s+(.*)", re.DOTALL)
_ALIAS = re.compile(r"\s+(?:AS\s+)?(?!ON\b|WHERE\b|JOIN\b|LEFT\b|GROUP\b|ORDER\b|LIMIT\b)(\w+)")


def evaluated(query: str, setup: Sequence[str], model: HashModel) -> list[tuple[object, ...]]:
    """The rows that plain DuckDB gives for the HQL query."""
    with duckdb.connect(config={"threads": 1}) as connection:
        for statement in setup:
            connection.execute(statement)
        connection.create_function(
            "llm", _function(model), ["VARCHAR", "VARCHAR", _HISTORY, "VARCHAR"], "VARCHAR",
            null_handling="special",
        )  # fmt: skip
        return connection.execute(translated(query)).fetchall()


def _function(model: HashModel) -> Callable[..., str | None]:
    def llm(
        prompt: str | None, system: str | None, history: list[dict[str, str]] | None, kind: str
    ) -> str | None:
        before = [(m["role"], m["content"]) for m in history or ()]
        if prompt is None or any(content is None for _, content in before):
            return None
        if system is not None:
            before = [("system", system), *((r, c) for r, c in before if r != "system")]
        return model.value([*before, ("user", prompt)], kind)

    return llm


def translated(query: str) -> str:
    """The query with every LLM call in terms of the function `llm`."""
    done, position = "", 0
    while found := _next_call(query, position):
        end = _closing(query, found.end())
        inside = query[found.end() : end - 1]
        done += query[position : found.start()]
        if found["lateral"]:
            text, end = _lateral(inside, query, end)
            done += text
        elif re.match(r"\s*(\(|TABLE\b)", inside):
            done += _table(inside)
        else:
            done += _scalar(found["verb"], inside)
        position = end
    return done + query[position:]


def _next_call(query: str, position: int) -> re.Match[str] | None:
    """The next call that does not stand inside a string."""
    while found := _CALL.search(query, position):
        string = next(
            (s for s in _STRING.finditer(query) if s.start() < found.start() < s.end()), None
        )
        if string is None:
            return found
        position = string.end()
    return None


def _closing(text: str, position: int) -> int:
    """The end of the parentheses whose inside begins at `position`."""
    depth = 1
    while depth:
        string = _STRING.match(text, position)
        if string:
            position = string.end()
            continue
        depth += {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}.get(text[position], 0)
        position += 1
    return position


def _split(text: str) -> list[str]:
    """The arguments, at commas outside of strings and brackets."""
    parts, start, position = [], 0, 0
    while position < len(text):
        string = _STRING.match(text, position)
        if string:
            position = string.end()
        elif text[position] in "([{":
            position = _closing(text, position + 1)
        else:
            if text[position] == ",":
                parts.append(text[start:position])
                start = position + 1
            position += 1
    return [*parts, text[start:]]


def _scalar(verb: str, inside: str) -> str:
    if verb == "SIMILARITY":
        one, other = (_scalar("EMBED", part.strip()) for part in _split(inside))
        return f"list_cosine_similarity(CAST({one} AS DOUBLE[]), CAST({other} AS DOUBLE[]))"
    value, kind, _, _ = _parts(inside, _KINDS[verb])
    return _typed(value, kind)


def _parts(inside: str, kind: str) -> tuple[str, str, str, dict[str, str]]:
    """The call as a value of text, its type, its prompt and its other arguments."""
    typed = _TYPE.fullmatch(inside)
    if typed:
        inside, kind = typed[1], typed[2].strip()
    first, *rest = _split(inside)
    options: dict[str, str] = {}
    values = []
    for part in rest:
        option = _OPTION.fullmatch(part)
        if option:
            options[option[1]] = _text(option[2].strip(), [])
        else:
            values.append(translated(part.strip()))
    if "returns" in options:
        kind = options["returns"][1:-1].replace("''", "'").removeprefix("'").removesuffix("'")
    prompt = _text(first.strip(), values)
    system, history = options.get("system", "NULL"), options.get("history", "NULL")
    shown = kind.replace("'", "''")
    return f"llm({prompt}, {system}, {history}, '{shown}')", kind, prompt, options


def _text(argument: str, values: Sequence[str]) -> str:
    """A template as an expression; any other expression as it is."""
    if not _STRING.fullmatch(argument):
        return f"({translated(argument)})"
    pieces, position = [], 0
    body = argument[1:-1]
    literal = ""
    for found in _PLACEHOLDER.finditer(body):
        literal += body[position : found.start()]
        position = found.end()
        if found.group() in ("{{", "}}"):
            literal += found.group()[0]
            continue
        name = found[1]
        pieces += [
            f"'{literal}'",
            f"CAST({values[int(name)] if name.isdigit() else name} AS VARCHAR)",
        ]
        literal = ""
    pieces.append(f"'{literal + body[position:]}'")
    return pieces[0] if len(pieces) == 1 else "(" + " || ".join(pieces) + ")"


def _typed(value: str, kind: str) -> str:
    if kind.upper() == "VARCHAR":
        return value
    if kind == "JSON" or kind.endswith("[]") or kind.upper().startswith("STRUCT"):
        return f"CAST(CAST({value} AS JSON) AS {kind})"
    return f"CAST({value} AS {kind})"


def _fields(kind: str) -> list[str] | None:
    """The names of the fields of a struct type."""
    if not kind.upper().startswith("STRUCT"):
        return None
    return [part.split()[0] for part in _split(kind[kind.index("(") + 1 : -1])]


def _lateral(inside: str, query: str, end: int) -> tuple[str, int]:
    value, kind, prompt, options = _parts(inside, "VARCHAR")
    item = kind.removesuffix("[]")
    typed = _typed(value, kind)
    if item != kind:
        typed = f"unnest(CASE WHEN {value} IS NULL THEN [NULL] ELSE {typed} END)"
    fields = _fields(item)
    columns = ["v AS text"] if fields is None else [f"v.{f} AS {f}" for f in fields]
    system, history = options.get("system", "NULL"), options.get("history", "NULL")
    before = f"coalesce(CAST({history} AS {_HISTORY}), [])"
    if system != "NULL":
        before = (
            f"CASE WHEN {system} IS NULL THEN {before} ELSE list_concat([{{'role': 'system', "
            f"'content': {system}}}], list_filter({before}, lambda m: m.role <> 'system')) END"
        )
    messages = (
        f"list_concat({before}, [{{'role': 'user', 'content': {prompt}}}, "
        f"{{'role': 'assistant', 'content': {value}}}])"
    )
    alias = _ALIAS.match(query, end)
    name = "LLM_GENERATE" if alias is None else alias[1]
    asked = f", {messages} AS m" if re.search(rf"\b{name}\.messages\b", query) else ""
    named = ", m AS messages" if asked else ""
    text = (
        f"LATERAL (SELECT {', '.join(columns)}{named} FROM (SELECT {typed} AS v{asked})) AS {name}"
    )
    return text, end if alias is None else alias.end()


def _table(inside: str) -> str:
    source, *rest = _split(inside)
    prompt = next(p.split("=>", 1)[1].strip() for p in rest if p.strip().startswith("prompt"))
    source = source.strip().replace("TABLE ", "FROM ", 1).removeprefix("(").removesuffix(")")
    call = f"llm({_text(prompt, [])}, NULL, NULL, 'VARCHAR') AS text"
    return f"(SELECT *, {call} FROM ({translated(source)}))"
