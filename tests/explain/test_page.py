"""The page of EXPLAIN (FORMAT html): whole, safe whatever is in it, and about its statement."""

from __future__ import annotations

import base64
import hashlib
import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser

import pytest
from to_explain import QUERIES, explained

import heliumql
from heliumql.connection import Connection

SVG = "http://www.w3.org/2000/svg"

EVIL = (
    "</script><script>alert(1)</script> </style> <img src=x onerror=alert(1)> ]]> --> &amp; \" '"
    " {{{{body}}}} \u202egnp.exe\u202c \u200b \x07 \ufeff \N{GRINNING FACE} \\ ` ${{a}}"
)


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


NASTY = f"""SELECT LLM_GENERATE({quoted(EVIL + " {body} {stars}")}, system => {quoted(EVIL)})
            AS "</script><b>|]" FROM reviews -- </pre>"""
LONG = f"SELECT LLM_GENERATE({quoted('x' * 10_000 + ' {body}')}), '{'y' * 10_000}' FROM reviews"


def texts() -> list[str]:
    return [path.read_text("utf-8") for path in QUERIES] + [NASTY, LONG]


def page_of(connection: Connection, query: str, analyze: bool = False) -> str:
    return explained(connection, query, "(ANALYZE, FORMAT html)" if analyze else "(FORMAT html)")


class Checked(HTMLParser):
    """Ids, links into the page, scripts, and what the page asks the network for."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.outside: list[str] = []
        self.ids: list[str] = []
        self.links: set[str] = set()
        self.policy = ""
        self.scripts: list[str] = []
        self.handlers: list[str] = []
        self._open = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._open = tag
        given = {name: value or "" for name, value in attrs}
        self.ids += [given["id"]] if "id" in given else []
        self.links |= {given[k].removeprefix("#") for k in ("data-node", "aria-labelledby")
                       if k in given}  # fmt: skip
        if given.get("http-equiv") == "Content-Security-Policy":
            self.policy = given["content"]
        for name, value in given.items():
            if name == "href" and value.startswith("#"):
                self.links.add(value[1:])
            elif name in ("src", "href", "action", "srcset", "data") or "url(" in value:
                self.outside.append(f"{tag} {name}={value}")
            if name.startswith("on"):
                self.handlers.append(f"{tag} {name}")
        assert tag not in ("link", "iframe", "object", "embed", "img", "base", "form")

    def handle_data(self, data: str) -> None:
        if self._open == "script":
            self.scripts.append(data)

    def handle_endtag(self, tag: str) -> None:
        self._open = ""


def check(page: str) -> ET.Element:
    """A whole page that needs nothing else."""
    doctype, _, rest = page.partition("\n")
    assert doctype == "<!DOCTYPE html>"
    root = ET.fromstring(rest)  # every tag is closed, every text escaped
    checked = Checked(page)
    assert checked.outside == []
    assert checked.handlers == []
    assert len(checked.ids) == len(set(checked.ids))
    assert checked.links <= set(checked.ids)
    assert set(re.findall(r"https?://[^\"'\s]+", page)) <= {SVG}
    assert "@import" not in page
    (script,) = checked.scripts
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in checked.policy
    assert "default-src 'none'" in checked.policy
    assert len(page) < 2_000_000
    return root


@pytest.mark.parametrize("query", texts())
def test_a_page_is_well_formed_and_needs_nothing_else(query: str, forbidden: Connection) -> None:
    root = check(page_of(forbidden, query))
    shown = root.find("body/main/section[@id='statement']/pre")
    assert shown is not None
    text = "".join(shown.itertext())
    if query is not LONG and query is not NASTY:
        assert text.strip() == query.strip().removesuffix(";").strip()
    assert "prefers-color-scheme:dark" in "".join(root.find("head/style").itertext())  # type: ignore[union-attr]


def test_nothing_in_data_and_prompts_is_taken_for_markup(tables: Connection) -> None:
    tables.execute("CREATE TABLE evil AS SELECT $1 AS body, 3 AS stars", [EVIL])
    page = page_of(tables, NASTY.replace("FROM reviews", "FROM evil"), analyze=True)
    check(page)
    assert "\u202e" not in page
    assert "\\u202e" in page  # said, not done
    assert "\x07" not in page
    assert page.count("<script>") == 1
    assert "<img" not in page


def test_a_page_of_a_name_that_is_markup(tables: Connection) -> None:
    tables.execute("""CREATE TEMP MODEL "</title>" WITH (engine = 'simulated')""")
    query = """SELECT "<g>".text FROM reviews, LATERAL LLM_GENERATE('a {id}', model => '</title>')
               AS "<g>" """
    check(page_of(tables, query, analyze=True))


def test_nodes_are_drawn_with_their_details_beside(tables: Connection) -> None:
    query = "SELECT LLM_GENERATE('Sum up {body}') FROM reviews WHERE LLM_FILTER('ok? {stars}')"
    root = check(page_of(tables, query))
    first = root.find(f".//div[@class='view all']/{{{SVG}}}svg")
    assert first is not None
    drawn = list(first.iter(f"{{{SVG}}}a"))
    kinds = [(a.get("class") or "").split()[0] for a in drawn]
    assert kinds == ["query", "llm", "query", "llm", "output"]
    assert all(a.get("aria-label") for a in drawn)
    details = {n.get("id"): "".join(n.itertext()) for n in root.iter("article")}
    assert [a.get("data-node") for a in drawn] == list(details)
    assert "ok? reviews.stars" in details["node-1"]
    assert "rows that ask12" in details["node-1"]
    labels = ["".join(t.itertext()) for t in first.iter(f"{{{SVG}}}text")]
    assert "12 rows \N{RIGHTWARDS ARROW} 5 calls" in labels
    assert "7 equal" in labels


def test_without_duckdbs_blocks_operators_follow_each_other(tables: Connection) -> None:
    query = "SELECT LLM_GENERATE('Sum up {body}') FROM reviews WHERE LLM_FILTER('ok? {stars}')"
    root = check(page_of(tables, query))
    brief = root.find(f".//div[@class='view llm']/{{{SVG}}}svg")
    assert brief is not None
    kinds = [(a.get("class") or "").split()[0] for a in brief.iter(f"{{{SVG}}}a")]
    assert kinds == ["llm", "llm", "output"]
    assert len(list(brief.iter(f"{{{SVG}}}path"))) == 2


def test_calls_are_marked_where_they_stand(tables: Connection) -> None:
    query = "SELECT LLM_GENERATE('a ' || LLM_GENERATE('b {id}')) FROM reviews"
    root = check(page_of(tables, query))
    marks = ["".join(m.itertext()) for m in root.iter("mark")]
    assert marks == ["LLM_GENERATE('a ' || LLM_GENERATE('b {id}'))", "LLM_GENERATE('b {id}')"]


def test_the_head_says_what_ran_and_what_was_saved(tables: Connection) -> None:
    query = "CREATE TABLE t AS SELECT LLM_GENERATE('{stars}') AS x FROM reviews"
    page = page_of(tables, query, analyze=True)
    root = check(page)
    assert root.findtext("body/header/h1") == "CREATE TABLE with 1 LLM operator on m"
    cards = {c.findtext("dt"): c.findtext("dd[@class='figure']") for c in root.iter("div")
             if (c.get("class") or "").startswith("card")}  # fmt: skip
    assert (cards["calls run"], cards["calls saved"], cards["passes"]) == ("5", "7", "1")
    (bar,) = [d.get("aria-label") for d in root.iter("div") if d.get("role") == "img"]
    assert bar == "calls: 5 run, 7 equal to others"


def test_what_failed_stands_at_the_top() -> None:
    with heliumql.connect() as con:
        con.execute("CREATE MODEL m WITH (engine = 'simulated')")
        con.execute("SET llm_default_model = 'm'")
        query = """SELECT LLM_GENERATE('{i}', returns => 'STRUCT(n INTEGER, why VARCHAR)',
                   max_tokens => 3, retries => 0) FROM range(4) t(i)"""
        page = page_of(con, query, analyze=True)
    root = check(page)
    assert page.count('class="call o0 failed"') == 4
    (alert,) = [d for d in root.iter("div") if d.get("class") == "alert bad"]
    assert "4 calls failed" in "".join(alert.itertext())


def test_rules_say_what_they_saved(tables: Connection) -> None:
    query = """SELECT LLM_GENERATE('Sum up {r.body}') FROM reviews r JOIN agents a ON a.agent = r.id
               WHERE LLM_FILTER('ok? {r.body}')"""
    root = check(page_of(tables, query))
    rules = root.find("body/main/section[@id='rules']")
    assert rules is not None
    assert "rows fewer ask a model" in "".join(rules.itertext())


def test_a_statement_evaluated_call_by_call_has_a_page_too(tables: Connection) -> None:
    query = "SELECT LLM_GENERATE('{id} ' || random()) FROM reviews"
    root = check(page_of(tables, query, analyze=True))
    assert "call by call" in "".join(root.find("body/header").itertext())  # type: ignore[union-attr]


def test_thousands_of_calls_stay_below_two_megabytes() -> None:
    with heliumql.connect() as con:
        con.execute("CREATE MODEL m WITH (engine = 'simulated', instant = true, workers = 4)")
        con.execute("SET llm_default_model = 'm'")
        page = page_of(con, "SELECT LLM_GENERATE('number {i}') FROM range(1900) t(i)", analyze=True)
    check(page)
    assert page.count('class="call') == 1900
