"""The page in a real browser: it fits wide and narrow screens, and choosing a node tells of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import MISSING, Browser, opened
from to_explain import explained

import heliumql
from heliumql.connection import Connection

pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}")

QUERY = """
SELECT r.id, g.text, s.text
FROM   range(40) AS r(id),
       LATERAL LLM_GENERATE('Tell a long story about number {r.id}') AS g,
       LATERAL LLM_GENERATE('Sum up in a line: {g.text}') AS s
WHERE  LLM_FILTER('Is it a prime? {r.id}')
"""
LONG = f"SELECT LLM_GENERATE('{'x' * 5000} {{id}}'), '{'y' * 5000}' FROM range(3) t(id)"
SCREENS = [(1200, 900), (390, 844)]


@pytest.fixture(scope="module")
def connection() -> Iterator[Connection]:
    with heliumql.connect() as con:
        con.execute("CREATE MODEL m WITH (engine = 'simulated', workers = 4)")
        con.execute("SET llm_default_model = 'm'")
        yield con


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with opened() as window:
        yield window


@pytest.fixture
def page(connection: Connection, tmp_path: Path) -> Path:
    path = tmp_path / "page.html"
    connection.execute("CLEAR CACHE")
    path.write_text(explained(connection, QUERY, "(ANALYZE, FORMAT html)"), "utf-8")
    return path


@pytest.mark.parametrize("query", [QUERY, LONG], ids=["usual", "long lines"])
@pytest.mark.parametrize("form", ["FORMAT html", "ANALYZE, FORMAT html"])
def test_nothing_is_wider_than_the_screen(
    connection: Connection, browser: Browser, tmp_path: Path, query: str, form: str
) -> None:
    path = tmp_path / "page.html"
    path.write_text(explained(connection, query, f"({form})"), "utf-8")
    for width, height in SCREENS:
        browser.resize(width, height)
        browser.open(path)
        wide = browser.run("return document.documentElement.scrollWidth")
        assert wide <= browser.run("return innerWidth") == width
    assert browser.log() == []


def test_a_click_on_a_node_tells_of_it(browser: Browser, page: Path) -> None:
    for width, height in SCREENS:
        browser.resize(width, height)
        browser.open(page)
        for place in (0, 1):
            shown = browser.run(
                """const node = document.querySelectorAll('.plan .view.all a')[arguments[0]];
                   node.dispatchEvent(new MouseEvent('click', {bubbles: true, cancelable: true}));
                   return [...document.querySelectorAll('.details .node')]
                     .filter(n => n.offsetParent !== null).map(n => n.id);""",
                place,
            )
            assert shown == [f"node-{place}"]
    assert browser.log() == []


def test_the_keyboard_reaches_nodes_and_shows_them(browser: Browser, page: Path) -> None:
    browser.resize(1200, 900)
    browser.open(page)
    shown = browser.run(
        """const nodes = document.querySelectorAll('.plan .view.all a');
           const last = nodes[nodes.length - 1];
           last.focus();
           const focused = document.activeElement === last;
           last.dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter', bubbles: true}));
           return [focused, document.querySelector('.details .chosen h3').textContent,
                   last.getAttribute('aria-current')];"""
    )
    assert shown == [True, "result", "true"]


def test_a_call_tells_its_numbers_and_the_timeline_zooms(browser: Browser, page: Path) -> None:
    browser.resize(390, 844)
    browser.open(page)
    told, before, after, wide = browser.run(
        """const line = document.querySelector('.timeline'), zoom = line.querySelector('.zoom');
           line.querySelector('.call rect').dispatchEvent(new MouseEvent('click', {bubbles: true}));
           const inner = line.querySelector('.inner'), before = inner.clientWidth;
           zoom.value = 8; zoom.dispatchEvent(new Event('input'));
           return [line.querySelector('.told').textContent, before, inner.clientWidth,
                   document.documentElement.scrollWidth];"""
    )
    assert "prompt tokens" in told
    assert after > 3 * before
    assert wide <= 390


def test_it_is_dark_where_the_reader_wants_that(browser: Browser, page: Path) -> None:
    colours = []
    for dark in (False, True):
        browser.resize(1200, 900, dark=dark)
        browser.open(page)
        colours.append(browser.run("return getComputedStyle(document.body).backgroundColor"))
    assert colours == ["rgb(246, 247, 249)", "rgb(17, 20, 24)"]


def test_nothing_that_a_page_holds_runs(
    connection: Connection, browser: Browser, tmp_path: Path
) -> None:
    evil = '</script><script>document.title = "evil"</script><img src=x onerror=alert(1)>'
    path = tmp_path / "page.html"
    query = (
        f"SELECT LLM_GENERATE('{evil} {{i}}') AS \"{evil.replace(chr(34), '')}\" FROM range(2) t(i)"
    )
    path.write_text(explained(connection, query, "(ANALYZE, FORMAT html)"), "utf-8")
    browser.resize(1200, 900)
    browser.open(path)
    assert browser.run("return [document.title, document.images.length]") == [
        "Query with 1 LLM operator on m - HeliumQL", 0,
    ]  # fmt: skip
    assert browser.log() == []
