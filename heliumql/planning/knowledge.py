"""What the optimizer is told of a query: its Generates, what DuckDB and runs know, the rules.

`Session` asks for it before `optimize`.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping

import duckdb

from heliumql.binder.bind import column_types, estimated_rows
from heliumql.catalog import Settings
from heliumql.catalog.techniques import TECHNIQUES
from heliumql.errors import CatalogError
from heliumql.optimizer import RULES, Generate, Knowledge
from heliumql.physical.site import Site
from heliumql.physical.snapshot import in_transaction
from heliumql.shared import Shared

_known_aggregates: dict[tuple[str, ...], frozenset[str]] = {}  # by the extensions that are loaded


def aggregates(connection: duckdb.DuckDBPyConnection) -> frozenset[str]:
    """The names of DuckDB's aggregate functions; users cannot make any."""
    extensions = _extensions(connection)
    if extensions is not None and extensions in _known_aggregates:
        return _known_aggregates[extensions]
    rows = connection.execute(  # it lists all functions, which takes longer than a small query
        "SELECT DISTINCT function_name FROM duckdb_functions() WHERE function_type = 'aggregate'"
    ).fetchall()
    names = frozenset(row[0] for row in rows)
    if extensions is not None:
        _known_aggregates[extensions] = names
    return names


def _extensions(connection: duckdb.DuckDBPyConnection) -> tuple[str, ...] | None:
    """Those that are loaded; None where they cannot be had.

    DuckDB looks at files for them, which may be forbidden, and the error would abort a transaction.
    """
    if in_transaction(connection):
        return None
    loaded = "SELECT extension_name FROM duckdb_extensions() WHERE loaded ORDER BY 1"
    try:
        return tuple(row[0] for row in connection.execute(loaded).fetchall())
    except duckdb.PermissionException:
        return None


def knowledge(
    connection: duckdb.DuckDBPyConnection, shared: Shared, aggregates: frozenset[str]
) -> Knowledge:
    """What was learnt from runs, and what DuckDB says of queries."""
    return Knowledge(
        shared.learnt,
        aggregates,
        lambda query: estimated_rows(connection, query),
        lambda query: column_types(connection, query),
    )


def generates_of(
    sites: Mapping[int, Site], names: Mapping[int, str], shared: Shared
) -> dict[int, Generate]:
    """The Generate of each site, with what is known of it."""
    stored = {
        **stored_kinds(sites, shared),
        **shared.store.stored({s.template for s in sites.values()}),
    }
    return {n: _generate(s, names[n], stored, shared) for n, s in sites.items()}


def stored_kinds(sites: Mapping[int, Site], shared: Shared) -> Mapping[bytes, int]:
    """How many answers the store has for each kind of call."""
    return shared.store.stored_kinds({s.kind for s in sites.values()})


def _generate(site: Site, name: str, stored: Mapping[bytes, int], shared: Shared) -> Generate:
    stats = shared.learnt.operator(site.template)
    return Generate(
        site.number,
        name,
        site.model,
        site.kind,
        site.template,
        site.spec.returns.hql(),
        site.cache,
        site.on_error,
        site.spec.retries,
        seconds=1.0 if stats is None else stats.mean_seconds,
        price=site.price(stats),
        stored=stored.get(site.kind, 0),
        answers=stored.get(site.template, 0),
    )


def disabled_rules(settings: Settings) -> list[str]:
    """The rules and techniques that `SET llm_disabled_rules` names.

    Raises CatalogError where one does not exist.
    """
    known = (*RULES, *TECHNIQUES)
    names = [r.strip() for r in settings.disabled_rules.split(",") if r.strip()]
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            hint = f"did you mean {near[0]}?" if near else "rules: " + ", ".join(known)
            raise CatalogError(f"llm_disabled_rules: no rule {name}", hint=hint)
    return names
