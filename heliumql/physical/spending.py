"""Spending: the budgets of statements, at the calls that are sent for them.

The dispatcher asks before it sends a call, and tells what came of it. What a call may cost at most
is its prompt, estimated from its bytes, and `max_tokens` of output; what it did cost is what the
engine says, else the estimate. Calls that are fetched or shared are never sent, and cost nothing.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from heliumql.calls.account import Account
from heliumql.calls.answers import Answer
from heliumql.calls.budget import Cost, Limits
from heliumql.calls.graph import CallGraph, ReadyCall
from heliumql.calls.learnt import OperatorStats
from heliumql.engines.engine import CallSpec
from heliumql.errors import BudgetError, ExecutionError
from heliumql.physical.site import Site

_TOKENS_PER_BYTE = 0.5  # of prompts that nobody has measured: about twice what is usual
_OVERHEAD = 16  # tokens that a chat template adds to those
_MILLION = 1_000_000


@dataclass
class _Measured:
    """Prompts of a site, as far as the engine has said how long they are."""

    bytes: int = 0
    tokens: int = 0


class Spending:
    """What the calls of one dispatcher cost. Not safe for threads."""

    def __init__(
        self,
        graph: CallGraph,
        sites: Mapping[int, Site],
        known: Callable[[bytes], OperatorStats | None],
    ) -> None:
        self._graph = graph
        self._sites = sites
        self._known = known
        self._measured: dict[int, _Measured] = {}
        self._learnt: dict[int, float | None] = {}  # tokens a byte, from earlier runs
        self._paying: dict[bytes, tuple[Account, int]] = {}  # with the estimate of the prompt
        self._warming: dict[bytes, tuple[Account, Site, Cost]] = {}

    def payer(self, call: bytes) -> Account | None:
        """Whose budget a call in the hands of the dispatcher is to come from; None: nobody's."""
        askers = (account for _, account in self._graph.askers(call))
        return next((account for account in askers if account.failure is None), None)

    def lacking(self, call: ReadyCall, spec: CallSpec, account: Account) -> str | None:
        """Reserves what the call may cost; the setting that does not allow it now, if one does."""
        budget = account.budget
        if not budget.limits.any:
            return None
        now = time.monotonic()
        cost, prompt = self._most(call, spec)
        setting = budget.lacking(cost, now)
        if setting is None:
            budget.reserve(call.identity, cost, now)
            self._paying[call.identity] = account, prompt
        return setting

    def settle(self, call: ReadyCall, answer: Answer | None = None) -> None:
        """The call is over; without an answer it has cost nothing."""
        account, estimated = self._paying.pop(call.identity, (None, 0))
        if account is None:
            return
        account.budget.settle(call.identity)
        if answer is None:
            return
        site = self._sites[call.messages.site]
        prompt, output = answer.prompt_tokens, answer.output_tokens
        if prompt:
            measured = self._measured.setdefault(site.number, _Measured())
            measured.bytes += call.messages.bytes
            measured.tokens += prompt
        elif answer.text is not None:  # an engine that does not say
            prompt = estimated
            most = site.spec.sampling.max_tokens
            output = output or min(most, math.ceil(len(answer.text.encode()) * _TOKENS_PER_BYTE))
        account.budget.spend(_cost(site, 1, prompt, output))

    def warms(self, key: bytes, engine: int, tokens: int, account: Account) -> bool:
        """Spends what computing a prefix takes; False where the budget does not allow it.

        It is spent at once, as an engine says nothing of one that it passes over.
        """
        budget = account.budget
        if not budget.limits.any:
            return True
        site = next(s for s in self._sites.values() if id(s.engine) == engine)
        cost = _cost(site, 0, tokens, 1)
        if budget.lacking(cost, time.monotonic()) is not None:
            return False
        budget.spend(cost)
        self._warming[key] = account, site, cost
        return True

    def warmed(self, key: bytes, prompt_tokens: int) -> None:
        """A prefix has been computed; it took this."""
        warming = self._warming.pop(key, None)
        if warming is not None:
            account, site, cost = warming
            account.budget.spend(_cost(site, 0, prompt_tokens, 1) - cost)

    def _most(self, call: ReadyCall, spec: CallSpec) -> tuple[Cost, int]:
        """What the call may cost, and the tokens of its prompt in it."""
        site = self._sites[call.messages.site]
        size, measured = call.messages.bytes, self._measured.get(site.number)
        if site.number not in self._learnt:
            stats = self._known(site.template)
            self._learnt[site.number] = None if stats is None else stats.tokens_per_byte
        learnt = self._learnt[site.number]
        if measured is not None and measured.bytes:
            prompt = math.ceil(size * measured.tokens / measured.bytes)
        elif learnt:
            prompt = math.ceil(size * learnt)
        else:
            prompt = math.ceil(size * _TOKENS_PER_BYTE) + _OVERHEAD
        return _cost(site, 1, prompt, spec.sampling.max_tokens), prompt

    # what is said ---------------------------------------------------------------------------

    def foreseen(self, account: Account, elsewhere: Callable[[bytes], bool]) -> BudgetError | None:
        """The error of a statement that is certain to need more calls than it may run.

        Only before its first call. `elsewhere`: the call is being run for somebody else.
        """
        limits, graph = account.budget.limits, self._graph
        if not account.budget.foresees_too_many(graph.open_calls):
            return None
        calls = len([
            i
            for i in graph.certain(account)
            if not self._sites[graph.minted.site(i)].aggregate and not elsewhere(i)
        ])  # fmt: skip
        if not account.budget.foresees_too_many(calls):
            return None
        exactly = account.names_no_more and calls == graph.open_of(account)
        return BudgetError(
            f"llm_max_calls = {limits.calls} does not allow that many calls: "
            f"{'' if exactly else 'at least '}{calls:,} are to be run, none was",
            hint="SET llm_max_calls to more, or to NULL for no limit; with "
            "SET llm_on_budget = 'partial' as many are run as are allowed",
        )

    def used_up(self, account: Account, setting: str) -> BudgetError:
        """The error of a statement whose budget allows no more."""
        limits, spent = account.budget.limits, account.budget.spent
        left = self._graph.open_of(account)
        done = f"{spent.calls:,} calls were run"
        if limits.tokens is not None:
            done += f" with {spent.tokens:,} tokens"
        if limits.money is not None:
            done += f" for {_plain(spent.money)}"
        kept = all(site.cache != "off" and not site.sampled for site in self._sites.values())
        hint = f"SET {setting} to more, or to NULL for no limit"
        if spent.calls and kept:
            hint = f"run it again and it goes on: answers are kept; or {hint}"
        what = "is over" if setting == "llm_max_seconds" else "does not allow another call"
        return BudgetError(
            f"{setting} = {_limit(limits, setting)} {what}: {done}, at least {left:,} are left",
            hint=hint,
        )

    def not_run(self, setting: str, account: Account) -> Answer:
        """What stands for the answer of a call that is not run, where the others go on."""
        limit = _limit(account.budget.limits, setting)
        return Answer(None, f"not run: {setting} = {limit} is used up", "cancelled")


def too_many_failed(account: Account) -> ExecutionError | None:
    """The error of a statement of which more calls failed than llm_max_error_ratio allows."""
    limits = account.budget.limits
    if not limits.too_many_failed(account.failed, account.run):
        return None
    first = next(iter(account.failures))
    return ExecutionError(
        f"{account.failed:,} of {account.run:,} calls failed, "
        f"more than llm_max_error_ratio = {limits.error_ratio:g} allows; the first: {first}",
        hint="the answers that had arrived are kept; SET llm_max_error_ratio = 1 goes on",
    )


def _cost(site: Site, calls: int, prompt: int, output: int) -> Cost:
    money = prompt * Decimal(str(site.price_in)) + output * Decimal(str(site.price_out))
    return Cost(calls, prompt + output, money / _MILLION)


def _limit(limits: Limits, setting: str) -> str:
    match setting:
        case "llm_max_calls":
            return str(limits.calls)
        case "llm_max_tokens":
            return str(limits.tokens)
        case "llm_max_cost":
            return _plain(limits.money or Decimal(0))
        case _:
            return f"{limits.seconds:g}"


def _plain(money: Decimal) -> str:
    return f"{money.normalize():f}"
