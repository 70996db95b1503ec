"""The schedule as a part of the page: tables, and bars of the orders that were compared."""

from __future__ import annotations

from collections.abc import Sequence

from heliumql.explain.page.markup import frame, table, text
from heliumql.explain.schedule import GroupShown, ScheduleShown
from heliumql.explain.text import covered, seconds_text
from heliumql.explain.words import percent

_MOST_WORKERS = 32
_MOST_ORDERS = 12


def as_html(schedule: ScheduleShown) -> str:
    """What was chosen, the workers, the heaviest prefixes, the orders that were compared."""
    rows = [
        (text(w.name), f"{w.calls:,}", f"{w.groups:,}", f"~{w.prompt_tokens:,}",
         f"~{percent(w.repeated_tokens, w.prompt_tokens)}")
        for w in schedule.workers[:_MOST_WORKERS]
    ]  # fmt: skip
    heads = ("worker", "calls", "prefix groups", "prompt tokens", "repeated")
    parts = [
        f"<p><strong>{text(schedule.policy)}</strong>: {text(schedule.order)};"
        f" {text(covered(schedule))}.</p>",
        table(heads, rows, range(1, 5), "workers"),
        _left(len(schedule.workers) - _MOST_WORKERS, "workers"),
    ]
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
        (f"~{g.tokens:,} tokens", f"{g.calls:,}", text(", ".join(g.operators), 400),
         text(", ".join(g.workers), 400))
        for g in groups
    ]  # fmt: skip
    return table((head, "calls", "operators", "workers"), rows, range(1, 2), head)


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
            f'<td class="length"><i style="width:{100 * seconds / longest:.1f}%"></i></td>'
            f"<td>{text(name)}</td></tr>"
        )
    head = (
        '<tr><th scope="col" class="n">expected</th><td></td><td></td>'
        '<th scope="col">orders that were compared</th></tr>'
    )
    made = frame(
        f"<table><thead>{head}</thead><tbody>{''.join(rows)}</tbody></table>", "orders compared"
    )
    return made + _left(len(orders) - _MOST_ORDERS, "orders")


def _left(number: int, what: str) -> str:
    return f"<p>.. {number:,} more {what}</p>" if number > 0 else ""
