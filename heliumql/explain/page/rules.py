"""The rules of the optimizer that fired, what they did, and what that saves."""

from __future__ import annotations

from heliumql.explain.explanation import Explanation, Figure, RuleShown
from heliumql.explain.page.markup import text
from heliumql.explain.text import pass_lines
from heliumql.explain.words import counted


def as_html(explanation: Explanation) -> str:
    """A list entry for each firing, and how many rules had nothing to do."""
    fired = [rule for rule in explanation.rules if rule.fired]
    quiet = [rule.name for rule in explanation.rules if not rule.fired]
    body = f'<ol class="rules">{"".join(map(_rule, fired))}</ol>' if fired else ""
    if quiet:
        said = f"{counted(len(quiet), 'rule')} had nothing to do"
        names = ", ".join(f"<code>{text(name)}</code>" for name in quiet)
        body += f"<details><summary>{said}</summary><p>{names}</p></details>"
    return body


def _rule(rule: RuleShown) -> str:
    did = "".join(f"<li>{text(what)}</li>" for what in rule.what) or "<li>changed the plan</li>"
    saved = ""
    if rule.saved >= 1:
        rows = Figure(rule.saved, exact=False)
        saved = f'<span class="saved">{rows} rows fewer ask a model</span>'
    return f"<li><h3><code>{text(rule.name)}</code>{saved}</h3><ul>{did}</ul></li>"


def passes(explanation: Explanation) -> str:
    """How often the relational part is evaluated, and where rows wait."""
    first, *places = pass_lines(explanation)
    listed = "".join(f"<li>{text(place.strip())}</li>" for place in places)
    return f"<p>{text(first)}</p>" + (f"<ul>{listed}</ul>" if listed else "")
