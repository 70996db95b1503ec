"""The Trading workflow with each of its 88 LLM operators written out, as a program would do it.

queries/trading.hql has roles and traders as data, so it has twelve operators over several rows
each; here every operator has one row a stock. It is there to see how planning grows with the plan.
"""

from __future__ import annotations

_ANALYSTS = {"fundamentals": 4, "market": 2, "news": 5, "social": 3}
_SEATS = ("aggressive", "conservative", "neutral")
_STYLES = ("value", "momentum", "contrarian", "income")


def written_out(traders: int = 8) -> str:
    """The query over the tables stocks and documents of tables.py, one CTE an operator."""
    ctes: list[str] = []
    continued = {"bull", "bear", *(f"{seat}{n + 1}" for seat in _SEATS for n in range(traders))}

    def call(name: str, source: str, prompt: str, system: str = "", history: str = "") -> None:
        """A CTE of stock and the text `t` of one operator, `m` its messages where it goes on."""
        told = f"history => {history}.m" if history else f"system => 'You are {system}.'"
        columns = "s.stock, g.text AS t"
        if name in continued:
            columns += ", g.messages AS m"
        ctes.append(
            f"{name} AS (SELECT {columns} FROM {source},"
            f" LATERAL LLM_GENERATE('{prompt}', {told}) AS g)"
        )

    def joined(*names: str) -> str:
        return "stocks AS s" + "".join(f" JOIN {n} ON {n}.stock = s.stock" for n in names)

    for analyst, parts in _ANALYSTS.items():
        notes = [f"{analyst}_{part}" for part in range(1, parts + 1)]
        for part, note in enumerate(notes, 1):
            kind = "news" if analyst == "social" else analyst
            source = (
                "stocks AS s JOIN documents AS d"
                f" ON d.stock = s.stock AND d.analyst = '{kind}' AND d.part = {part}"
            )
            call(note, source, f"As {analyst} analyst: {{d.body}}", "an analyst")
        texts = " ".join(f"{{{n}.t}}" for n in notes)
        call(analyst, joined(*notes), f"Report: {texts}", f"a {analyst} analyst")
    reports = list(_ANALYSTS)
    briefing = " ".join(f"{{{n}.t}}" for n in reports)
    call("bull", joined(*reports), f"{briefing} Buy?", "a bull")
    call("bear", joined(*reports, "bull"), f"{briefing} Sell? {{bull.t}}", "a bear")
    call("bull2", joined("bull", "bear"), "Reply: {bear.t}", history="bull")
    call("bear2", joined("bear", "bull2"), "Reply: {bull2.t}", history="bear")
    debate = "{bull.t} {bear.t} {bull2.t} {bear2.t}"
    call("manager", joined("bull", "bear", "bull2", "bear2"), debate, "the manager")
    for n in range(1, traders + 1):
        style = _STYLES[n % len(_STYLES)]
        call(
            f"plan{n}",
            joined(*reports, "manager"),
            f"{briefing} {{manager.t}}",
            f"a {style} trader",
        )
        for seat in _SEATS:
            source = joined(f"plan{n}")
            call(f"{seat}{n}", source, f"Risk? {{plan{n}.t}}", f"a {seat} risk analyst")
        for seat in _SEATS:
            others = [f"{other}{n}" for other in _SEATS if other != seat]
            heard = " ".join(f"{{{o}.t}}" for o in others)
            me = f"{seat}{n}"
            source = joined(me, *others)
            call(f"{seat}{n}_2", source, f"The others: {heard}", history=me)
        words = [f"{seat}{n}_2" for seat in _SEATS]
        said = " ".join(f"{{{w}.t}}" for w in words)
        call(f"judge{n}", joined(f"plan{n}", *words), f"{{plan{n}.t}} {said}", "the judge")
    judges = [f"judge{n}" for n in range(1, traders + 1)]
    said = " ".join(f"{{{j}.t}}" for j in judges)
    call("fund", joined(*judges), said, "the fund manager")
    return "WITH " + ",\n".join(ctes) + "\nSELECT stock, t AS decision FROM fund ORDER BY stock"
