"""The policies, each a pure function of calls and workers: `SET llm_scheduler` names one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from types import MappingProxyType

from heliumql.scheduling.schedule import Schedule
from heliumql.scheduling.workload import Worker, Workload

Policy = Callable[[Workload, Sequence[Worker]], Schedule]

_NAMES = (
    "cache_aware", "query_wise", "op_wise", "random", "fcfs", "lspf", "helium", "parrot",
)  # fmt: skip


def _policy(name: str) -> Policy:
    policy: Policy = getattr(import_module(f"{__name__}.{name}"), name)
    return policy


POLICIES: Mapping[str, Policy] = MappingProxyType({name: _policy(name) for name in _NAMES})
