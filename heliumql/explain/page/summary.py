"""The head of the page: what the statement is, and in large figures what it takes."""

from __future__ import annotations

from dataclasses import dataclass

from heliumql import syntax
from heliumql.explain.explanation import Explanation, Figure, Happened, total
from heliumql.explain.page.markup import one_line, text
from heliumql.explain.text import duration, money
from heliumql.explain.words import counted, percent

_KINDS = {
    "select": "Query",
    "create_table_as": "CREATE TABLE",
    "insert": "INSERT",
    "copy_to": "COPY",
}


@dataclass(frozen=True)
class Card:
    """A large figure, what it is, and a line below it. `tone` colours it: good, bad."""

    name: str
    value: str
    note: str = ""
    tone: str = ""


@dataclass(frozen=True)
class Share:
    """How many of the asked calls found their answer in one way."""

    kind: str  # run, merged, stored, refused
    name: str
    calls: Figure


def kind(explanation: Explanation) -> str:
    """Query, or what else the statement is."""
    return _KINDS.get(syntax.shell(explanation.statement).kind, "Statement")


def title(explanation: Explanation) -> str:
    """What the statement is, in a line."""
    models = list(dict.fromkeys(o.model for o in explanation.operators))
    where = f" on {', '.join(models[:3])}" + (" .." if len(models) > 3 else "") if models else ""
    return f"{kind(explanation)} with {counted(len(explanation.operators), 'LLM operator')}{where}"


def head(explanation: Explanation) -> str:
    """The heading, the beginning of the statement, what went wrong, figures and their bar."""
    did = explanation.happened
    parts = [
        f'<p class="brand">HeliumQL <span>{"EXPLAIN ANALYZE" if did else "EXPLAIN"}</span></p>',
        f"<h1>{text(title(explanation))}</h1>",
        f'<p class="lede"><code>{one_line(explanation.statement, 160)}</code></p>',
    ]
    if explanation.plan is None:
        parts.append(
            f'<p class="alert">It is evaluated call by call, because of:'
            f" {text(explanation.call_by_call)}.</p>"
        )
    if did is not None:
        parts += _alerts(did)
    cards = happened_cards(explanation, did) if did is not None else expected_cards(explanation)
    parts.append(f'<dl class="cards">{"".join(map(_card, cards))}</dl>')
    parts.append(_bar(shares(explanation)))
    notes = "".join(f"<li>{text(note)}</li>" for note in explanation.notes)
    if notes and did is None:
        parts.append(f'<ul class="notes">{notes}</ul>')
    return "".join(parts)


def expected_cards(explanation: Explanation) -> list[Card]:
    """What is known or estimated before a run."""
    operators = explanation.operators
    if explanation.plan is None:
        return [Card("LLM operators", f"{len(operators):,}", "calls are known when they run")]
    calls = total(o.calls or Figure(0) for o in operators)
    asked = total(o.rows or Figure(0) for o in operators)
    prompt = total(o.prompt_tokens or Figure(0) for o in operators)
    answers = total(o.output_tokens or Figure(0) for o in operators)
    cards = [
        Card("calls to run", str(calls), f"{asked} asked for by rows"),
        _saved(shares(explanation)),
        Card("prompt tokens", compact(prompt), _hits_expected(explanation)),
        Card("answer tokens", compact(answers)),
        Card("time", *_time(explanation)),
    ]
    if explanation.price is not None:
        cards.append(Card("price", money(explanation.price)))
    return [*cards, _passes(str(explanation.passes))]


def happened_cards(explanation: Explanation, did: Happened) -> list[Card]:
    """What a run did, beside what was expected of it."""
    stats = did.stats
    expected = ""
    if explanation.plan is not None:
        calls = total(o.calls or Figure(0) for o in explanation.operators)
        expected = f"{calls} expected"
    cards = [
        Card("calls run", f"{stats.calls_run:,}", expected),
        _saved(shares(explanation)),
        Card(
            "prompt tokens",
            compact(Figure(stats.prompt_tokens)),
            f"{percent(stats.prefix_hit_tokens, stats.prompt_tokens)} prefix hits",
        ),
        Card("answer tokens", compact(Figure(stats.output_tokens))),
        Card(
            "time", seconds_text(stats.seconds),
            f"first row: {seconds_text(stats.first_row_seconds)}",
        ),
    ]  # fmt: skip
    if explanation.price is not None:
        cards.append(Card("price", money(explanation.price), "expected"))
    if stats.calls_failed:
        share = percent(stats.calls_failed, stats.calls_run)
        cards.insert(1, Card("failed", f"{stats.calls_failed:,}", f"{share} of them", "bad"))
    if kind(explanation) == "Query":
        return [*cards, Card("rows", f"{did.rows:,}", counted(stats.passes, "pass", "passes"))]
    return [*cards, _passes(f"{stats.passes:,}")]


def shares(explanation: Explanation) -> list[Share]:
    """Where the answers that rows ask for come from."""
    did = explanation.happened
    if did is not None:
        stats = did.stats
        found = [
            Share("run", "run", Figure(stats.calls_run)),
            Share("merged", "equal to others", _merged(explanation, did)),
            Share("stored", "remembered", Figure(stats.calls_cached)),
            Share("refused", "refused", Figure(stats.calls_refused)),
        ]
    else:
        asked = total(o.rows or Figure(0) for o in explanation.operators)
        run = total(o.calls or Figure(0) for o in explanation.operators)
        stored = total(o.fetched or Figure(0) for o in explanation.operators)
        merged = Figure(
            max(0.0, asked.value - run.value - stored.value),
            asked.exact and run.exact and stored.exact,
        )
        found = [
            Share("run", "to run", run),
            Share("merged", "equal to others", merged),
            Share("stored", "remembered", stored),
        ]
    return [s for s in found if s.calls.value >= 0.5 or s.kind == "run"]


def _merged(explanation: Explanation, did: Happened) -> Figure:
    """Calls that rows asked for and that others were equal to, as far as rows are known.

    `calls_shared` counts more: also each time that another prompt mentions an answer.
    """
    if explanation.plan is None:
        return Figure(did.stats.calls_shared)
    found = Figure(-did.stats.calls_refused)
    for o in explanation.operators:
        if o.rows is not None and o.fetched is not None and o.spent is not None:
            equal = max(0.0, o.rows.value - o.spent.run - o.fetched.value)
            found += Figure(equal, not equal or (o.rows.exact and o.fetched.exact))
    return Figure(max(0.0, found.value), found.exact)


def _saved(found: list[Share]) -> Card:
    """Calls that need not run, as others are equal or their answers are there."""
    saved = [s for s in found if s.kind in ("merged", "stored")]
    calls = total(s.calls for s in saved)
    note = ", ".join(f"{s.calls} {s.name}" for s in saved) or "no equal or remembered ones"
    return Card("calls saved", str(calls), note, "good" if calls.value else "")


def _hits_expected(explanation: Explanation) -> str:
    schedule = explanation.schedule
    if schedule is None or not schedule.hit_tokens:
        return ""
    return f"~{percent(schedule.hit_tokens, schedule.prompt_tokens)} prefix hits"


def _time(explanation: Explanation) -> tuple[str, str]:
    """By what earlier runs took, else by the schedule."""
    if explanation.seconds is not None:
        return duration(explanation.seconds), "expected"
    if explanation.schedule is not None and explanation.schedule.seconds is not None:
        return duration(explanation.schedule.seconds), "by the event model"
    return "?", "not known before a run"


def _passes(value: str) -> Card:
    return Card("passes", value, "of the relational part")


def compact(figure: Figure) -> str:
    """`12.3k`: tokens as people say them."""
    value, sign = figure.value, "" if figure.exact else "~"
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if value >= size:
            return f"{sign}{value / (1e3 if unit == 'k' else size):.3g}{unit}"
    return str(figure)


def seconds_text(seconds: float) -> str:
    if seconds >= 120:
        return f"{seconds / 60:.1f} min"
    return f"{seconds:.2g} s" if seconds < 10 else f"{seconds:.0f} s"


def _alerts(did: Happened) -> list[str]:
    """What went wrong, so that nobody has to look for it."""
    stats, told = did.stats, []
    if stats.calls_failed:
        reasons = "".join(f"<li>{text(f, 400)}</li>" for f in stats.failures)
        told.append(
            f'<div class="alert bad" role="note"><strong>{counted(stats.calls_failed, "call")}'
            f" failed</strong><ul>{reasons}</ul></div>"
        )
    if stats.calls_refused:
        told.append(
            '<div class="alert bad" role="note"><strong>A budget was used up:</strong>'
            f" {counted(stats.calls_refused, 'call')} not run; their values are NULL.</div>"
        )
    told += [f'<div class="alert" role="note">{text(i, 400)}</div>' for i in stats.incidents]
    return told


def _card(card: Card) -> str:
    tone = f" {card.tone}" if card.tone else ""
    note = f"<dd>{text(card.note)}</dd>" if card.note else ""
    return (
        f'<div class="card{tone}"><dt>{text(card.name)}</dt>'
        f'<dd class="figure">{text(card.value)}</dd>{note}</div>'
    )


def _bar(found: list[Share]) -> str:
    """The shares side by side, as long as they are."""
    whole = sum(s.calls.value for s in found)
    if not whole:
        return ""
    pieces = "".join(
        f'<span class="{s.kind}" style="flex-grow:{s.calls.value / whole:.4f}"></span>'
        for s in found
    )
    keys = "".join(
        f'<li><i class="{s.kind}"></i><b>{s.calls}</b> {text(s.name)}</li>' for s in found
    )
    label = ", ".join(f"{s.calls} {s.name}" for s in found)
    return (
        f'<figure class="shares"><div role="img" aria-label="calls: {text(label)}">{pieces}</div>'
        f"<figcaption><ul>{keys}</ul></figcaption></figure>"
    )
