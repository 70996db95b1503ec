"""The values of a statement's parameters, as DuckDB takes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Parameters = Mapping[str, Any] | list[Any] | tuple[Any, ...] | None
