"""What `import heliumql` offers: names, and docstrings that run."""

from __future__ import annotations

import doctest
import importlib
import pydoc

import pytest

import heliumql

DOCUMENTED = [
    "heliumql", "heliumql.connection", "heliumql.dbapi", "heliumql.extensions.dbapi.connection",
    "heliumql.extensions.dbapi.cursor", "heliumql.extensions.dbapi.types",
    "heliumql.relations.asynchronous", "heliumql.relations.composable",
    "heliumql.relations.relation", "heliumql.statements.executing",
    "heliumql.statements.observing",
]  # fmt: skip


@pytest.mark.parametrize("name", DOCUMENTED)
def test_examples_in_docstrings(name: str) -> None:
    done = doctest.testmod(importlib.import_module(name))
    assert done.attempted > 0
    assert done.failed == 0


def test_every_public_name_says_what_it_is() -> None:
    from heliumql import dbapi

    for module in (heliumql, dbapi):
        for name in module.__all__:
            assert name in dir(module)
            assert getattr(module, name).__doc__, name
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        heliumql.nothing  # noqa: B018
    for kind in (heliumql.Connection, heliumql.Relation, heliumql.AsyncRelation):
        for name, method in vars(kind).items():
            if not name.startswith("_"):
                inherited = [getattr(c, name, None) for c in kind.__mro__]
                assert any(i.__doc__ for i in (method, *inherited)), f"{kind.__name__}.{name}"


def test_help_reads_well() -> None:
    text = pydoc.plain(pydoc.render_doc(heliumql))
    for part in ("class Connection", "class Relation", "connect(", "Makes Python data a table"):
        assert part in text
