"""A planned query: what `Session.planned` gives, and what an evaluation begins with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from heliumql.binder.copied import Copied
from heliumql.syntax import Core
from heliumql.trace import Track

if TYPE_CHECKING:
    from heliumql.binder.bind import Bound
    from heliumql.binder.cuts import Carried
    from heliumql.optimizer import Optimized
    from heliumql.physical.site import Site


@dataclass(frozen=True)
class Planned:
    """A query ready to run: bound and rewritten, or to be run call by call."""

    core: Core
    sites: Mapping[int, Site]
    names: tuple[str, ...]
    types: tuple[str, ...]
    bound: Bound | None = None
    optimized: Optimized | None = None
    carried: Carried | None = None
    reason: str = ""  # why it runs call by call
    disabled_rules: str = ""
    copied: Copied | None = None  # copies of Python objects that it reads
    track: Track | None = field(default=None, compare=False)  # in a trace
