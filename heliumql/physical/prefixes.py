"""Prefixes that the schedule has engines keep: computed ahead, counted, and let go."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TypeAlias

from heliumql.calls.account import Account
from heliumql.engines.engine import Engine, ScheduledEngine
from heliumql.physical.delivery import Warmed
from heliumql.physical.flights import Inbox
from heliumql.physical.kept import KeptPrefixes
from heliumql.physical.scheduler import Scheduler
from heliumql.physical.spending import Spending

Surviving: TypeAlias = Callable[[Engine], AbstractContextManager[None]]


class Prefixes:
    """What one dispatcher's schedule keeps. The first of the accounts stands for all statements."""

    def __init__(
        self,
        scheduler: Scheduler,
        kept: KeptPrefixes,
        spending: Spending,
        accounts: Sequence[Account],
        inbox: Inbox,
    ) -> None:
        self._scheduler = scheduler
        self._kept = kept
        self._spending = spending
        self._accounts = accounts
        self._inbox = inbox

    def keep(self, engines: Mapping[int, Engine], surviving: Surviving) -> None:
        """Has the engines compute what is to be kept, and let go what is not needed any more."""
        scheduler = self._scheduler
        if not scheduler.to_warm and not scheduler.to_release:
            return
        for key, engine in engines.items():
            wanted = [(w, tokens, uses) for e, w, tokens, uses in scheduler.to_warm if e == key]
            over = [prefix for e, prefix in scheduler.to_release if e == key]
            if not isinstance(engine, ScheduledEngine):
                continue
            with surviving(engine):
                released = self._kept.unused(
                    key, over, [c.kv_cache_tokens for c in engine.workers] if over else ()
                )
                if released:
                    engine.release(released)
                tokens_of = {warmup.key: tokens for warmup, tokens, _ in wanted}
                fresh = [
                    warmup
                    for warmup in self._kept.missing(key, wanted)
                    for account in self._accounts[:1]  # nobody in particular has asked for it
                    if self._spending.warms(warmup.key, key, tokens_of[warmup.key], account)
                ]
                if fresh:
                    engine.warm(fresh, self._told)
        scheduler.to_warm.clear()
        scheduler.to_release.clear()

    def warmed(self, warmed: Warmed) -> None:
        """An engine has computed one: it took this."""
        self._spending.warmed(warmed.key, warmed.prompt_tokens)
        for account in self._accounts[:1]:
            account.prompt_tokens += warmed.prompt_tokens
            account.prefix_hit_tokens += warmed.cached_tokens

    def _told(self, key: bytes, prompt_tokens: int, cached_tokens: int) -> None:
        self._inbox.put(Warmed(key, prompt_tokens, cached_tokens))
