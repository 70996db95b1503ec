"""Texts inside of markup, which is HTML and well-formed XML at once.

Everything that a user, a model or a file has a say in goes through `text`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from html import escape

LONGEST = 20_000  # characters of a text that are shown
COLOURS = 12  # operators after these have the first ones' colours again

# What cannot be seen, turns the direction of what follows, or is no character of a document.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff"
    "\ud800-\udfff\ufffe\uffff]"
)


def text(value: object, most: int = LONGEST) -> str:
    """The value, escaped for contents and attributes; its middle left out where it is longer."""
    return escape(seen(shortened(str(value), most)), quote=True)


def seen(value: str) -> str:
    """What nobody would see, or would see in the wrong place, as its number."""
    return _UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", value.replace("\r\n", "\n"))


def shortened(value: str, most: int) -> str:
    """`most` characters at most, beside a note of how many are left out."""
    if len(value) <= most:
        return value
    if most < 100:
        return value[: most - 1].rstrip() + "\N{HORIZONTAL ELLIPSIS}"
    left = f" \N{HORIZONTAL ELLIPSIS} {len(value) - most:,} characters \N{HORIZONTAL ELLIPSIS} "
    return value[: most * 2 // 3] + left + value[len(value) - most // 3 :]


def one_line(value: str, most: int) -> str:
    """Escaped, on one line, cut off at its end."""
    flat = " ".join(value.split())
    return text(flat if len(flat) <= most else flat[: most - 1] + "\N{HORIZONTAL ELLIPSIS}", most)


def fitting(value: str, room: float) -> str:
    """Escaped, on one line, cut off where it is wider than `room` letters of average width."""
    flat = seen(" ".join(value.split()))
    used, dots = 0.0, 1.5
    for place, letter in enumerate(flat):
        used += _width(letter)
        if used > room:
            while place and used > room - dots:
                place -= 1
                used -= _width(flat[place])
            return escape(flat[:place].rstrip()) + "\N{HORIZONTAL ELLIPSIS}"
    return escape(flat, quote=True)


def _width(letter: str) -> float:
    """Roughly, in average small letters of a wide font without serifs."""
    if unicodedata.combining(letter):
        return 0.0
    if unicodedata.east_asian_width(letter) in "WF":
        return 2.1
    if letter in "iljtfrI.,:;|!'()[]{} ":
        return 0.62
    return 1.35 if letter.isupper() or letter in "mw@%_" else 1.0


def section(key: str, title: str, body: str, hint: str = "") -> str:
    """A part of the page with a heading; `hint` says in a sentence how to read it."""
    told = f'<p class="hint">{hint}</p>' if hint else ""
    return (
        f'<section id="{key}" aria-labelledby="{key}-title"><h2 id="{key}-title">{title}</h2>'
        f"{told}{body}</section>"
    )


def frame(body: str, label: str, kind: str = "") -> str:
    """A part that scrolls in itself, with the keyboard too."""
    return (
        f'<div class="frame {kind}" role="region" aria-label="{text(label)}"'
        f' tabindex="0">{body}</div>'
    )


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], numbers: range, label: str) -> str:
    """`heads` and cells are markup already; the columns in `numbers` stand to the right."""

    def cell(tag: str, place: int, body: str) -> str:
        kind = ' class="n"' if place in numbers else ""
        scope = ' scope="col"' if tag == "th" else ""
        return f"<{tag}{scope}{kind}>{body}</{tag}>"

    head = "".join(cell("th", n, h) for n, h in enumerate(heads))
    body = "".join(
        f"<tr>{''.join(cell('td', n, c) for n, c in enumerate(row))}</tr>" for row in rows
    )
    return frame(f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>", label)
