"""The schedule as a part of the page: tables, and bars of the orders that were compared."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from heliumql.explain.schedule import GroupShown, ScheduleShown
from heliumql.explain.text import covered, seconds_text
from heliumql.explain.words import percent

_MOST_WORKERS = 32
_MOST_ORDERS = 12

STYLE = """
.schedule table { margin-bottom: 1rem; white-space: nowrap; }
.schedule td.bar { width: 14rem; min-width: 6rem; }
.schedule td.bar span { display: block; height: .8rem; margin-top: .35rem; border-radius: 2px;
  background: var(--soft); opacity: .45; }
.schedule tr.chosen td { font-weight: 600; }
.schedule tr.chosen td.bar span { background: var(--role); opacity: 1; }
"""


def as_html(schedule: ScheduleShown) -> str:
    """What was chosen, the workers, the heaviest prefixes, the orders that were compared."""
    parts = [
        f"<p><strong>{escape(schedule.policy)}</strong>: {escape(schedule.order)};"
        f" {escape(covered(schedule))}.</p>",
        _table(
            ("worker", "calls", "prefix groups", "prompt tokens", "repeated"),
            [
                (w.name, f"{w.calls:,}", f"{w.groups:,}", f"~{w.prompt_tokens:,}",
                 f"~{percent(w.repeated_tokens, w.prompt_tokens)}")
                for w in schedule.workers[:_MOST_WORKERS]
            ],
        ),
        _left(len(schedule.workers) - _MOST_WORKERS, "workers"),
    ]  # fmt: skip
    if schedule.groups:
        parts.append(_groups("shared prefix", schedule.groups))
        parts.append(_left(schedule.more_groups, "prefix groups"))
    if schedule.kept:
        parts.append(_groups("computed first and kept", schedule.kept))
    if schedule.others and schedule.seconds is not None:
        parts.append(_compared(schedule, schedule.seconds))
    return f'<div class="schedule">{"".join(parts)}</div>'


def _groups(head: str, groups: Sequence[GroupShown]) -> str:
    rows = [
        (f"~{g.tokens:,} tokens", f"{g.calls:,}", ", ".join(g.operators), ", ".join(g.workers))
        for g in groups
    ]
    return _table((head, "calls", "operators", "workers"), rows, numbers=2)


def _compared(schedule: ScheduleShown, chosen: float) -> str:
    """The best first; a bar is as long as the order takes."""
    orders = [(schedule.order, chosen, True), *((n, s, False) for n, s in schedule.others)]
    orders.sort(key=lambda order: (order[1], not order[2]))
    longest = max(seconds for _, seconds, _ in orders) or 1.0
    rows = []
    for name, seconds, taken in orders[:_MOST_ORDERS]:
        kind = ' class="chosen"' if taken else ""
        more = seconds / chosen - 1 if chosen else 0.0
        rows.append(
            f'<tr{kind}><td class="n">{seconds_text(seconds)}</td>'
            f'<td class="n">{"chosen" if taken else f"{100 * more:+.1f} %"}</td>'
            f'<td class="bar"><span style="width:{100 * seconds / longest:.1f}%"></span></td>'
            f"<td>{escape(name)}</td></tr>"
        )
    head = "<tr><th>expected</th><th></th><th></th><th>order</th></tr>"
    table = f'<div class="wide"><table>{head}{"".join(rows)}</table></div>'
    return table + _left(len(orders) - _MOST_ORDERS, "orders")


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]], numbers: int = 5) -> str:
    """The first column and those from `numbers` on are text, the others numbers."""
    head = "".join(f"<th>{h}</th>" for h in heads)
    body = "".join(
        "<tr>"
        + "".join(
            f'<td class="n">{escape(cell)}</td>' if 0 < n < numbers else f"<td>{escape(cell)}</td>"
            for n, cell in enumerate(row)
        )
        + "</tr>"
        for row in rows
    )
    return f'<div class="wide"><table><tr>{head}</tr>{body}</table></div>'


def _left(number: int, what: str) -> str:
    return f"<p>.. {number:,} more {what}</p>" if number > 0 else ""
