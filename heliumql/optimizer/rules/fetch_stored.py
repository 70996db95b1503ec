"""Rule: a Generate of which answers are stored becomes a CacheFetch, in whole or in part."""

from __future__ import annotations

from dataclasses import replace

from heliumql.optimizer.blocks import calls_in
from heliumql.optimizer.plan import Plan
from heliumql.optimizer.rule import RuleContext


def fetch_stored(plan: Plan, context: RuleContext) -> Plan:
    """Look calls up in the answer store where it holds answers of their kind, else do not look.

    The calls of such an operator are looked up in bulk when they are named, under names that are
    known before any call above or below has run: what is found needs nothing below it. Those that
    are not found run (Helium splits such an operator by row in the same way; arXiv 2603.16104,
    section 4). An operator of which nothing is stored is not looked up.

        before  Generate g (nothing looked up)
        after   CacheFetch g, Generate for what is not found

    It must not fire where the call says cache => 'refresh' or 'off', or is drawn at random.

    >>> shown(fetch_stored, "SELECT llm(body) FROM t", stored=3)
    llm is looked up in the answer store
    >>> shown(fetch_stored, "SELECT llm(body) FROM t", stored=0)
    nothing
    """
    found = set()
    for number in sorted(set(calls_in(plan.tree)) - plan.fetched):
        generate = plan.generates[number]
        if generate.cache == "use" and generate.stored:
            found.add(number)
            context.did(f"{generate.name} is looked up in the answer store")
    return replace(plan, fetched=plan.fetched | found) if found else plan
