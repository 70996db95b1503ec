"""System messages: roles, rules of a shop, and both mixed; `dialogs.py` puts them first."""

from __future__ import annotations

from catalog.demo.draw import Draw

_HABITS = (
    "strict", "careful", "friendly", "senior", "junior", "critical", "patient", "curious", "blunt",
    "experienced", "cautious", "cheerful", "sceptical", "helpful", "precise", "honest", "thrifty",
)  # fmt: skip
_TRADES = (
    "editor", "analyst", "engineer", "buyer", "product manager", "teacher", "critic", "journalist",
    "shop owner", "customer", "designer", "lawyer", "student", "doctor", "marketing manager",
    "accountant", "support agent", "judge", "reviewer", "tester", "scientist", "investor", "parent",
    "salesperson", "economist", "trader", "risk manager", "data scientist", "librarian", "chef",
    "consultant", "moderator", "summarizer", "writer", "fact checker", "assistant", "copy editor",
    "market researcher", "quality inspector", "retail expert", "historian", "physicist",
)  # fmt: skip
_RULES = (
    "You read product reviews for an online shop.",
    "You read reviews for a shop.",
    "You work for a web shop that sells things for home and travel.",
    "Customers write to us in their own words.",
    "Answer briefly.",
    "Be brief and precise.",
    "Answer in one line.",
    "Use only what the text says.",
    "Do not guess.",
    "Answer only with what is asked for.",
    "A review is mixed where it names both good and bad points.",
    "A review is a complaint where the bad outweighs the good.",
    "Topics are single words such as battery, price or delivery.",
    "Five stars mean that all is well, one star that nothing is.",
    "Think about the customer first.",
    "Keep a friendly tone.",
    "Never make things up.",
    "Your answers are read by a program.",
    "Stick to the form that is asked for.",
    "Today is a working day like any other.",
)


def role(draw: Draw) -> str:
    """`a strict editor`; a role may be an expert for one aspect."""
    trade = draw.choice(_TRADES)
    if draw.chance(0.35):
        trade = f"{draw.choice(_HABITS)} {trade}"
    return f"{'an' if trade[0] in 'aeiou' else 'a'} {trade}"


def expert(draw: Draw, aspect: str) -> str:
    trade = f"{aspect} {draw.choice(('expert', 'specialist', 'analyst', 'engineer', 'critic'))}"
    return f"{'an' if trade[0] in 'aeiou' else 'a'} {trade}"


def system_message(draw: Draw) -> str | None:
    """None, a role, some rules, or a role and rules."""
    kind = draw.rng.random()
    if kind < 0.55:
        return None
    parts = [f"You are {role(draw)}."] if kind < 0.85 else []
    if kind < 0.75:
        return parts[0]
    parts += draw.rng.sample(_RULES, draw.choice((1, 1, 2, 2, 3, 4)))
    return " ".join(parts)
