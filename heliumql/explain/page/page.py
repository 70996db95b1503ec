"""The page: EXPLAIN (FORMAT html), and with ANALYZE what the run did."""

from __future__ import annotations

from heliumql.explain.explanation import Explanation
from heliumql.explain.page import (
    assets,
    details,
    graph,
    prompt_tree,
    rules,
    schedule,
    statement,
    summary,
    timeline,
)
from heliumql.explain.page.markup import section, text


def as_html(explanation: Explanation) -> str:
    """One page, with nothing from anywhere else; well-formed XML below its first line."""
    sections = dict(_sections(explanation))
    links = "".join(
        f'<a href="#{key}">{text(_TITLES[key])}</a>' for key in sections if key in _TITLES
    )
    body = "\n".join(
        section(key, _TITLES[key], content, _HINTS.get(key, ""))
        for key, content in sections.items()
    )
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8"/>\n'
        f'<meta http-equiv="Content-Security-Policy" content="{text(assets.policy())}"/>\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1"/>\n'
        '<meta name="color-scheme" content="light dark"/>\n'
        f"<title>{text(summary.title(explanation))} - HeliumQL</title>\n"
        f"<style>{assets.style()}</style>\n</head>\n<body>\n"
        f"<header>{summary.head(explanation)}"
        f'<nav aria-label="sections">{links}</nav></header>\n<main>\n{body}\n</main>\n'
        f"<script>{assets.script()}</script>\n</body>\n</html>"
    )


_TITLES = {
    "plan": "Plan",
    "timeline": "Timeline",
    "prompts": "Prompts",
    "schedule": "Schedule",
    "operators": "LLM operators",
    "rules": "Rules",
    "passes": "Passes",
    "statement": "Statement",
}

_HINTS = {
    "plan": "From what is read, at the top, to the result. A node tells more when it is chosen.",
    "prompts": "What prompts begin with alike is computed once and found in the prefix cache"
    " from then on. Bars are as long as their tokens.",
    "timeline": "When each call ran: what of its prompt was found, what was computed, the answer.",
    "schedule": "Where the calls that are known before any answer run, and in what order.",
    "statement": "Calls are marked in the colours of their operators.",
}


def _sections(explanation: Explanation) -> list[tuple[str, str]]:
    """Keys and contents, in their order."""
    parts = []
    if explanation.plan is not None:
        shown = graph.as_html(explanation) + details.as_html(explanation)
        parts.append(("plan", f'<div class="beside">{shown}</div>'))
    if explanation.timelines:
        names = [o.name for o in explanation.operators]
        drawn = "".join(timeline.as_svg(t, names) for t in explanation.timelines)
        parts.append(("timeline", drawn))
    if explanation.plan is not None and explanation.operators:
        parts.append(("prompts", prompt_tree.as_html(explanation)))
    if explanation.schedule is not None:
        parts.append(("schedule", schedule.as_html(explanation.schedule)))
    parts.append(("operators", details.operators_table(explanation)))
    if explanation.rules:
        parts.append(("rules", rules.as_html(explanation)))
    if explanation.plan is not None:
        parts.append(("passes", rules.passes(explanation)))
    parts.append(("statement", statement.as_html(explanation)))
    return parts
