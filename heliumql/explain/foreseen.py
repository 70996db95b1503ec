"""What a statement is expected to cost, and which budgets it would exceed: a dry run.

It is the part of an explanation that is about money. `Figure.exact` tells what is known of what is
estimated: rows and calls of the first pass are counted, those behind answers are not.
"""

from __future__ import annotations

from dataclasses import dataclass

from heliumql.calls.budget import Limits
from heliumql.explain.explanation import Explanation, Figure, OperatorShown, total
from heliumql.explain.text import duration, money, wrapped

_NOTHING = Figure(0)


@dataclass(frozen=True)
class Estimate:
    """What a statement is expected to do; None is what nothing is known about.

    `asked` are pairs of a row and a call; `calls` of these are run, `remembered` ones are in the
    answer store, the others are equal to one of them. `price` is in the unit of the models' prices,
    None where no model has one. `exceeded` has a sentence for every budget that is too small.
    """

    operators: tuple[OperatorShown, ...] = ()
    asked: Figure | None = _NOTHING
    calls: Figure | None = _NOTHING
    remembered: Figure | None = _NOTHING
    prompt_tokens: Figure | None = _NOTHING
    output_tokens: Figure | None = _NOTHING
    price: float | None = None
    seconds: float | None = 0.0
    exceeded: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        """A few lines for people."""
        if not self.operators:
            return "no calls"
        if self.calls is None or self.remembered is None:
            return "\n".join(["calls are not known before they run", *self._remarks()])
        lines = [_operator_line(o) for o in self.operators] if len(self.operators) > 1 else []
        lines += [
            f"calls to run: {self.calls}; rows that ask: {self.asked};"
            f" remembered: {self.remembered}; {_merged(self.asked, self.calls, self.remembered)}",
            f"tokens: {self.prompt_tokens} in, {self.output_tokens} out",
            f"time: {duration(self.seconds)}",
        ]
        if self.price is not None:
            lines.append(f"price: {money(self.price)}")
        return "\n".join([*lines, *self._remarks()])

    def _remarks(self) -> list[str]:
        notes = [line for note in self.notes for line in wrapped(note)]
        return [*(f"over budget: {sentence}" for sentence in self.exceeded), *notes]


def foreseen(explanation: Explanation, limits: Limits) -> Estimate:
    """The estimate of an explained statement under the limits of its budget."""
    operators = explanation.operators
    if explanation.plan is None:
        note = f"It is evaluated call by call, because of: {explanation.call_by_call}."
        return Estimate(
            operators, None, None, None, None, None, None, None, (), (note,) if operators else ()
        )
    calls = total(o.calls or Figure(0) for o in operators)
    prompt = total(o.prompt_tokens or Figure(0) for o in operators)
    output = total(o.output_tokens or Figure(0) for o in operators)
    return Estimate(
        operators,
        total(o.rows or Figure(0) for o in operators),
        calls,
        total(o.fetched or Figure(0) for o in operators),
        prompt,
        output,
        explanation.price,
        explanation.seconds,
        _exceeded(limits, calls, prompt + output, explanation.price, explanation.seconds),
        explanation.notes,
    )


def _exceeded(
    limits: Limits, calls: Figure, tokens: Figure, price: float | None, seconds: float | None
) -> tuple[str, ...]:
    found = []
    if limits.calls is not None and calls.value > limits.calls:
        found.append(f"llm_max_calls = {limits.calls}, and {calls} calls are to be run")
    if limits.tokens is not None and tokens.value > limits.tokens:
        found.append(f"llm_max_tokens = {limits.tokens}, and {tokens} tokens are expected")
    if limits.money is not None and price is not None and price > limits.money:
        found.append(f"llm_max_cost = {limits.money:f}, and {money(price)} are expected")
    if limits.seconds is not None and seconds is not None and seconds > limits.seconds:
        found.append(f"llm_max_seconds = {limits.seconds:g}, and {duration(seconds)} are expected")
    return tuple(found)


def _operator_line(operator: OperatorShown) -> str:
    return (
        f"{operator.name} ({operator.model}): calls to run: {operator.calls};"
        f" remembered: {operator.fetched}"
    )


def _merged(asked: Figure | None, calls: Figure, remembered: Figure) -> str:
    """How many of the rows ask what others ask too."""
    rows = asked or Figure(0)
    same = max(0.0, rows.value - calls.value - remembered.value)
    exact = rows.exact and calls.exact and remembered.exact
    return f"equal to others: {Figure(same, exact)}"
