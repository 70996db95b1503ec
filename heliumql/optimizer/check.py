"""Checks that hold for every plan a rule may return: the runner calls it after each firing.

What fails is a rule that is wrong; the runner says which one.
"""

from __future__ import annotations

from heliumql.binder.cuts import LLM, LLM_INFO
from heliumql.binder.tree import Node, arguments, constant_integer, walk
from heliumql.optimizer.plan import Plan


def check(before: Plan, after: Plan) -> None:
    """Raises ValueError where the plans cannot give the same rows.

    The columns are the same, every call belongs to a known Generate, and none that was not there
    has come in.
    """
    if output_names(before.tree) != output_names(after.tree):
        raise ValueError("the columns of the query have changed")
    new = sites(after.tree) - sites(before.tree)
    if new:
        raise ValueError(f"calls of sites {sorted(new)} have come in")


def output_names(query: Node) -> list[str]:
    """The names of the columns of a query node."""
    while query["type"] == "SET_OPERATION_NODE":
        query = (query["children"] or [query["left"]])[0]
    return [e["alias"] or e.get("column_names", [""])[-1] for e in query.get("select_list", ())]


def sites(query: Node) -> set[int]:
    """The sites whose calls stand in the query."""
    found = set()
    for node in walk(query):
        if node.get("class") == "FUNCTION" and node["function_name"] in (LLM, LLM_INFO):
            number = constant_integer(arguments(node)[0])
            if number is not None:
                found.add(number)
    return found
