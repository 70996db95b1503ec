"""The rules in their order, with the reasons for it: the table of contents of the optimizer."""

from __future__ import annotations

from heliumql.optimizer.phase import Phase
from heliumql.optimizer.rule import Rule
from heliumql.optimizer.rules.ask_early import ask_early
from heliumql.optimizer.rules.fetch_stored import fetch_stored
from heliumql.optimizer.rules.group_then_ask import group_then_ask
from heliumql.optimizer.rules.hoist_ctes import hoist_ctes
from heliumql.optimizer.rules.join_then_ask import join_then_ask
from heliumql.optimizer.rules.keep_above import keep_above
from heliumql.optimizer.rules.limit_stops_early import limit_stops_early
from heliumql.optimizer.rules.merge_equal_generates import merge_equal_generates
from heliumql.optimizer.rules.merge_equal_subplans import merge_equal_subplans
from heliumql.optimizer.rules.order_llm_predicates import order_llm_predicates
from heliumql.optimizer.rules.pull_up_llm_predicate import pull_up_llm_predicate
from heliumql.optimizer.rules.push_down_limit import push_down_limit
from heliumql.optimizer.rules.swap_semi_join import swap_semi_join

PHASES: tuple[Phase, ...] = (
    # First what is the same is made to look the same: later rules then do things once.
    Phase(
        "share",
        (
            Rule(hoist_ctes),  # CTEs are compared with those of the same WITH
            Rule(swap_semi_join),  # one way to write a semi join, so that equal plans are equal
            Rule(merge_equal_generates),  # before subplans: their calls are compared by site
            Rule(merge_equal_subplans),  # until stable: plans over merged plans become equal too
        ),
        until_stable=True,
    ),
    # Then predicates that ask a model go up, one operator after another. A phase of its own: what
    # is moved out of a subplan would keep it from being equal to its twin.
    Phase(
        "ask late",
        (
            Rule(join_then_ask),  # gives WHERE predicates that the others move on
            Rule(pull_up_llm_predicate),
            Rule(group_then_ask),
        ),
        until_stable=True,
    ),
    # What the store knows is cheap, which the order of predicates takes into account.
    Phase("fetch", (Rule(fetch_stored),)),
    # Once, when every predicate is where it stays.
    Phase(
        "stop early",
        (
            Rule(order_llm_predicates),  # before a LIMIT wraps them
            Rule(push_down_limit),  # to where the next rule looks for it
            Rule(limit_stops_early),  # before keep_above, whose LIMIT would hide the joins
            Rule(ask_early),  # after the LIMITs: under one that stops early nothing runs early
            Rule(keep_above),  # last: after it nothing moves past its LIMIT
        ),
    ),
)

APPROXIMATE: tuple[Rule, ...] = ()  # none yet; what is here never runs by itself

RULES = tuple(dict.fromkeys(r.name for phase in PHASES for r in phase.rules))
