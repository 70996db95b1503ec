"""Makes the pictures of this folder: `python docs/pictures/make.py`, where chromium is installed.

explain.png is the page of a run of four simulated workers; plan.svg is the plan of the second query
of the README, which needs no browser.
"""

from __future__ import annotations

import re
import sys
import tempfile
from contextlib import chdir
from pathlib import Path

import heliumql
from heliumql.explain.page import assets

FOLDER = Path(__file__).parent
ROOT = FOLDER.parent.parent
sys.path.append(str(ROOT / "tests" / "explain"))

from browser import MISSING, opened  # noqa: E402 - it stands with the tests

MODEL = "CREATE TEMP MODEL pretend WITH (engine = 'simulated', workers = 4)"
WIDTH, SCREEN, SHOWN = 1200, 800, 1480  # pixels: of the window, and how much of the page

RUN = """
SELECT r.review_id, g.sentiment, g.topics, s.text AS summary
FROM   (SELECT * FROM 'catalog/data/reviews.csv' WHERE stars < 5 LIMIT 60) AS r,
       LATERAL LLM_GENERATE('Analyze this review. {r.body}', model => 'pretend',
         system  => 'You read product reviews for an online shop. A review is mixed where it names
 both good and bad points. Answer only with what is asked for.',
         returns => 'STRUCT(sentiment ENUM(''positive'', ''negative'', ''mixed''), topics VARCHAR[])') AS g,
       LATERAL LLM_GENERATE('Summarize this {g.sentiment} review in one line. {r.body}',
         model => 'pretend') AS s
WHERE  LLM_FILTER('Is this review a complaint? {r.body}', model => 'pretend')
ORDER BY r.review_id
"""  # noqa: E501

README = """
SELECT r.review_id, g.sentiment, g.topics
FROM   'catalog/data/reviews.csv' AS r,
       LATERAL LLM_GENERATE('Analyze this review. {r.body}',
         returns => 'STRUCT(sentiment ENUM(''positive'', ''negative'', ''mixed''), topics VARCHAR[])') AS g
WHERE  r.stars = 1
AND    LLM_FILTER('Is this review a complaint? {r.body}')
ORDER BY r.review_id
"""  # noqa: E501


def page(query: str, options: str) -> str:
    """The page of a query."""
    with heliumql.connect() as connection:
        connection.execute(MODEL)
        connection.execute("SET llm_default_model = 'demo'")
        relation = connection.sql(f"EXPLAIN ({options}FORMAT html) {query}")
        assert relation is not None
        return str(relation.fetchall()[0][1])


def plan(text: str) -> str:
    """The first plan of a page as a picture of its own."""
    found = re.search(r"(?s)<svg (xmlns=.*?)style=\"--w:(\d+);--h:(\d+)\"(.*?</svg>)", text)
    assert found is not None
    styles = assets.style()
    colours = re.search(
        r"(?s):root\{.*?\}@media\(prefers-color-scheme:dark\)\{:root\{.*?\}\}", styles
    )
    rules = re.findall(r"(?m)^(?:svg text|\.graph \.)[^{]*\{[^}]*\}[^\n]*", styles)
    own = re.findall(r"\.o\d+\{[^}]*\}", styles)
    assert colours is not None
    sheet = "\n".join([colours[0], "".join(own), *rules, "svg{background:var(--well)}"])
    head = f'<svg class="graph" {found[1]}width="{found[2]}" height="{found[3]}"'
    body = re.sub(r"<a (class=\"[^\"]*\")[^>]*>", r"<g \1>", found[4]).replace("</a>", "</g>")
    opening, _, rest = body.partition(">")
    return f"{head}{opening}><style>{sheet}</style>{rest}\n"


def screenshot(text: str, path: Path) -> None:
    """The upper part of a page."""
    with tempfile.TemporaryDirectory() as folder, opened() as browser:
        file = Path(folder) / "page.html"
        file.write_text(text, "utf-8")
        browser.resize(WIDTH, SCREEN)
        browser.open(file)
        browser.screenshot(path, height=SHOWN)


def main() -> None:
    with chdir(ROOT):
        (FOLDER / "plan.svg").write_text(plan(page(README, "")), "utf-8")
        if MISSING:
            sys.exit(f"explain.png is not made: {', '.join(MISSING)} is not installed")
        screenshot(page(RUN, "ANALYZE, "), FOLDER / "explain.png")


if __name__ == "__main__":
    main()
