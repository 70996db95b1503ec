"""What people get wrong, said kindly: syntax errors with a span and the next thing to try."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches

from heliumql.errors import ParseError
from heliumql.source import Span
from heliumql.syntax.tokens import Token

_OPENING = {"RPAR": "(", "RSQB": "[", "RBRACE": "{"}
_PAIRS = {"LPAR": "RPAR", "LSQB": "RSQB", "LBRACE": "RBRACE"}
_READABLE = {
    "NAME": "a name",
    "QUOTED_NAME": "a name",
    "STRING": "a string",
    "ESCAPED_STRING": "a string",
    "DOLLAR_STRING": "a string",
    "NUMBER": "a number",
    "LPAR": "'('",
    "RPAR": "')'",
    "LSQB": "'['",
    "RSQB": "']'",
    "LBRACE": "'{'",
    "RBRACE": "'}'",
    "COMMA": "','",
    "EQUAL": "'='",
    "COLON": "':'",
    "ARROW": "'=>'",
    "$END": "the end of the statement",
}


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that was probably meant."""
    by_lower = {candidate.lower(): candidate for candidate in known}
    found = get_close_matches(name.lower(), by_lower, n=1, cutoff=0.6)
    return by_lower[found[0]] if found else None


def suggestion(name: str, known: Iterable[str], what: str) -> str:
    """A hint that names what there is, the likely one first."""
    known = sorted(known)
    listed = f"{what} are {', '.join(known)}" if known else f"there are no {what}"
    meant = nearest(name, known)
    return f"did you mean {meant}? {listed}" if meant else listed


def unexpected(tokens: Sequence[Token], index: int, expected: Iterable[str]) -> ParseError:
    """The error for the token at `index` (or the end of the statement), which nothing can take."""
    expected = set(expected)
    found = tokens[index] if index < len(tokens) else None
    before = tokens[index - 1] if index else None
    opener = _unclosed(tokens[:index])
    call = _enclosing_call(tokens[:index])
    if found is not None and found.type == "ERROR":
        hint = "inside a string write '' for an apostrophe, or put the string between $$ and $$"
        return ParseError(
            "a quote or comment that begins here is never closed",
            span=_first(found.span),
            hint=hint if found.text[0] == "'" else None,
        )
    for error in (
        _bracket(found, opener),
        _missing_comma(found, before, call),
        _argument(tokens, index, call),
        _model(tokens, found, before, expected),
        _prompt(tokens, found, before, expected),
    ):
        if error is not None:
            return error
    span = found.span if found else Span(before.end - 1, before.end) if before else Span(0, 1)
    shown = f"unexpected {found.text[:40]!r}" if found else "the statement ends too early"
    readable = sorted({_READABLE.get(name, name) for name in expected})
    return ParseError(shown, span=span, hint=f"expected {' or '.join(readable)}")


def _unclosed(tokens: Sequence[Token]) -> Token | None:
    """The innermost bracket that is still open."""
    stack: list[Token] = []
    for token in tokens:
        if token.type in _PAIRS:
            stack.append(token)
        elif token.type in _OPENING and stack:
            stack.pop()
    return stack[-1] if stack else None


def _enclosing_call(tokens: Sequence[Token]) -> Token | None:
    """The verb of the call whose arguments we are directly in."""
    opener = _unclosed(tokens)
    if opener is None:
        return None
    index = tokens.index(opener)
    return tokens[index - 1] if index and tokens[index - 1].type == "VERB" else None


def _bracket(found: Token | None, opener: Token | None) -> ParseError | None:
    if found is None and opener is not None:
        return ParseError(f"this {opener.text!r} is never closed", span=opener.span)
    if found is not None and found.type in _OPENING:
        if opener is None:
            return ParseError(f"this {found.text!r} closes nothing", span=found.span)
        if _PAIRS[opener.type] != found.type:
            return ParseError(
                f"{found.text!r} does not close the {opener.text!r} before it", span=found.span
            )
    return None


def _missing_comma(
    found: Token | None, before: Token | None, call: Token | None
) -> ParseError | None:
    if call is None or found is None or before is None:
        return None
    if found.type == "ARROW" and before.type == "NAME":
        return ParseError(
            f"a comma is missing before {before.text}",
            span=before.span,
            hint=f"arguments are separated by commas: .., {before.text} {found.text} ..",
        )
    return None


def _argument(tokens: Sequence[Token], index: int, call: Token | None) -> ParseError | None:
    if call is None or index >= len(tokens):
        return None
    found, before = tokens[index], tokens[index - 1]
    verb = call.text.upper()
    if found.type == "COMMA" and before.type in ("LPAR", "COMMA"):
        return ParseError(f"an argument of {verb} is missing before this comma", span=found.span)
    if found.type == "RPAR" and before.type == "COMMA":
        return ParseError(f"an argument of {verb} is missing after this comma", span=before.span)
    if before.type == "ARROW":
        return ParseError("the argument has no value", span=before.span)
    return None


def _model(
    tokens: Sequence[Token], found: Token | None, before: Token | None, expected: set[str]
) -> ParseError | None:
    if before is None or _subject(tokens) != "MODEL":
        return None
    if "WITH" in expected and found is not None and found.type == "LPAR":
        return ParseError(
            "WITH is missing before the options",
            span=found.span,
            hint="CREATE MODEL name WITH (engine = 'vllm', model = '..')",
        )
    if before.word == "WITH" and "LPAR" in expected:
        span = found.span if found else before.span
        return ParseError(
            "the options stand in parentheses",
            span=span,
            hint="CREATE MODEL name WITH (engine = 'vllm', model = '..')",
        )
    return _name_or_option(found, before, expected, "MODEL")


def _prompt(
    tokens: Sequence[Token], found: Token | None, before: Token | None, expected: set[str]
) -> ParseError | None:
    if before is None or _subject(tokens) != "PROMPT":
        return None
    span = found.span if found else before.span
    if before.word == "AS" and "STRING" in expected:
        return ParseError(
            "the body of a prompt is one string literal",
            span=span,
            hint="CREATE PROMPT p(x VARCHAR) AS 'Explain {x}'",
        )
    if "AS" in expected and found is not None and "STRING" in found.type:
        return ParseError("AS is missing before the template", span=span, hint="AS 'Explain {x}'")
    if "LPAR" in expected and found is not None and found.word in ("AS", "RETURNS", "WITH"):
        return ParseError(
            "a prompt has parameters, or () for none",
            span=span,
            hint=f"CREATE PROMPT {before.text}() {found.text} ..",
        )
    if "AS" in expected and found is None:
        return ParseError(
            "the prompt has no template", span=span, hint="end it with AS 'the template {x}'"
        )
    return _name_or_option(found, before, expected, "PROMPT")


def _name_or_option(
    found: Token | None, before: Token, expected: set[str], what: str
) -> ParseError | None:
    span = found.span if found else before.span
    if found is not None and found.type == "VERB":
        return ParseError(
            f"{found.text} is the name of an LLM function",
            span=span,
            hint=f"give the {what.lower()} another name",
        )
    if before.word == what and "NAME" in expected:
        return ParseError(
            f"the name of the {what.lower()} is missing",
            span=span,
            hint="a name is a word, or in double quotes",
        )
    if "EQUAL" in expected and found is not None:
        return ParseError(
            f"'=' is missing after {before.text}", span=span, hint=f"{before.text} = {found.text}"
        )
    if expected == {"COMMA", "RPAR"} and found is not None:
        return ParseError(f"a comma is missing before {found.text}", span=span)
    return None


def _subject(tokens: Sequence[Token]) -> str:
    """MODEL or PROMPT, where the statement is about one."""
    return next((t.word for t in tokens[:5] if t.word in ("MODEL", "PROMPT")), "")


def _first(span: Span) -> Span:
    return Span(span.start, span.start + 1)
