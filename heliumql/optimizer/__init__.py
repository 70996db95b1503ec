"""The optimizer: plans, rules, the order in which they run."""

from heliumql.optimizer.phases import APPROXIMATE, PHASES, RULES
from heliumql.optimizer.plan import Generate, Plan
from heliumql.optimizer.rule import Firing, Knowledge, Optimized, Rule, RuleContext, Selectivities
from heliumql.optimizer.runner import optimize

__all__ = [
    "APPROXIMATE",
    "PHASES",
    "RULES",
    "Firing",
    "Generate",
    "Knowledge",
    "Optimized",
    "Plan",
    "Rule",
    "RuleContext",
    "Selectivities",
    "optimize",
]
