"""Trading: the 88 calls about a stock, as a firm of agents makes them."""

from __future__ import annotations

from collections.abc import Iterator

from suites.tables import Tables

from workloads.workload import Answer, Call, Item, Part, joined, prompt

_ANALYSTS = {
    "fundamentals": "You are a fundamentals analyst. You judge what a company is worth.",
    "market": "You are a market analyst. You read prices and indicators.",
    "news": "You are a news analyst. You look for what will move the price.",
    "social": "You are a social media analyst. You measure the mood of investors.",
}
_STYLES = (
    "a value investor who buys what is cheap and waits",
    "a momentum trader who follows the trend",
    "a contrarian who acts against the crowd",
    "an income investor who wants steady dividends",
)
_TRADERS = 8
_RISK = {
    "aggressive": "You look for large gains and accept large risks.",
    "conservative": "You protect what there is and avoid losses.",
    "neutral": "You weigh gains against risks.",
}


def trading(tables: Tables) -> Iterator[Item]:
    material = _material(tables)
    for row in tables["stocks"].to_pylist():
        stock, company = row["stock"], f"{row['name']}, {row['sector']}"
        yield Item(
            stock,
            (
                *_analysts(stock, material[stock]),
                *_research(stock, company),
                *(call for trader in range(1, _TRADERS + 1) for call in _trader(stock, trader)),
                _decision(stock),
            ),
        )


def _material(tables: Tables) -> dict[str, dict[str, list[str]]]:
    """By stock and analyst, what there is to read, in order."""
    found: dict[str, dict[str, list[str]]] = {}
    for one in sorted(tables["documents"].to_pylist(), key=lambda d: d["part"]):
        found.setdefault(one["stock"], {}).setdefault(one["analyst"], []).append(one["body"])
    for post in sorted(tables["posts"].to_pylist(), key=lambda p: (p["platform"], p["post"])):
        social = found[post["stock"]].setdefault("social", [])
        if post["platform"] == len(social):
            social.append(post["body"])
        else:
            social[-1] += "\n" + post["body"]
    return found


def _analysts(stock: str, material: dict[str, list[str]]) -> Iterator[Call]:
    for analyst, role in _ANALYSTS.items():
        names = []
        for part, body in enumerate(material[analyst], 1):
            names.append(f"note_{analyst}_{part}")
            asked = f"{body}\n\nWhat in this matters to somebody who trades {stock}? Be brief."
            yield Call(names[-1], "note", (asked,), system=role)
        notes = joined("\n\n", [Answer(n) for n in names])
        end = f"\n\nWrite a report on {stock} from your notes. End with a table of the main points."
        yield Call(f"report_{analyst}", "report", prompt(notes, end), system=role)


def _briefing() -> list[Part]:
    return joined("\n", [(f"The {a} report: ", Answer(f"report_{a}")) for a in sorted(_ANALYSTS)])


def _research(stock: str, company: str) -> Iterator[Call]:
    bull = prompt(_briefing(), f"\n\nMake the case for buying {stock} ({company}).")
    bear = prompt(
        _briefing(),
        f"\n\nMake the case against buying {stock} ({company}). The bull says: ",
        Answer("bull"),
    )
    keep = " Reply, and keep to the reports."
    yield Call("bull", "bull", bull, system="You are a bull researcher.")
    yield Call("bear", "bear", bear, system="You are a bear researcher.")
    said = prompt("The bear says: ", Answer("bear"), keep)
    yield Call("bull_again", "bull_again", said, history="bull")
    replied = prompt("The bull replies: ", Answer("bull_again"), keep)
    yield Call("bear_again", "bear_again", replied, history="bear")
    sides = (("Bull", "bull"), ("Bear", "bear"), ("Bull", "bull_again"), ("Bear", "bear_again"))
    heard = joined("\n", [(f"{side}: ", Answer(name)) for side, name in sides])
    asked = f"\n\nWho is right on {stock}? Give a recommendation and a plan for the traders."
    whole = prompt(_briefing(), "\n\n", heard, asked)
    yield Call("research", "research", whole, system="You are the manager of the researchers.")


def _trader(stock: str, trader: int) -> Iterator[Call]:
    plan = f"plan_{trader}"
    asked = prompt(
        _briefing(),
        "\n\nThe research manager says: ",
        Answer("research"),
        f"\n\nWhat do you do with {stock}? End with BUY, HOLD or SELL.",
    )
    style = _STYLES[(trader - 1) % len(_STYLES)]
    yield Call(plan, "plan", asked, system=f"You are {style}.")
    opinion = prompt(
        _briefing(),
        "\n\nA trader plans: ",
        Answer(plan),
        "\n\nWhat is your opinion of the risk?",
    )
    for attitude, advice in _RISK.items():
        system = f"You are a risk analyst. {advice}"
        yield Call(f"first_{attitude}_{trader}", "first_words", opinion, system=system)
    for me in _RISK:
        others = [
            (f"The {other} analyst: ", Answer(f"first_{other}_{trader}"))
            for other in _RISK
            if other != me
        ]
        said = prompt("The others say: ", joined("\n", others), " Reply to them.")
        history = f"first_{me}_{trader}"
        yield Call(f"last_{me}_{trader}", "last_words", said, history=history)
    words = [
        (
            f"The {a} analyst: ",
            Answer(f"first_{a}_{trader}"),
            " Later: ",
            Answer(f"last_{a}_{trader}"),
        )
        for a in _RISK
    ]
    settled = prompt(
        "A trader plans: ",
        Answer(plan),
        "\n\n",
        joined("\n", words),
        "\n\nSettle it: adjust the plan, and end with BUY, HOLD or SELL.",
    )
    judge = "You are the judge of the risk analysts."
    yield Call(f"judgement_{trader}", "judgement", settled, system=judge)


def _decision(stock: str) -> Call:
    orders = [(f"Trader {n}: ", Answer(f"judgement_{n}")) for n in range(1, _TRADERS + 1)]
    asked = f"\n\nDecide for the fund: BUY, HOLD or SELL {stock}, and how much of it."
    whole = prompt(joined("\n", orders), asked)
    return Call("decision", "decision", whole, system="You are the fund manager.")
