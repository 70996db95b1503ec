"""The compared systems: all ask the same calls, each in its own order."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from started_program import ROOT
from stub_server import Reply, Seen, StubServer

OWN = ("query_wise", "op_wise", "op_wise_chained", "raw")
FRAMEWORKS = ("langgraph", "agentscope")
OF_TABLES = ("daft", "lotus", "docetl", "blendsql")
ENVIRONMENTS = "HELIUMQL_BENCH_ENVIRONMENTS"


def call(name: str, operator: str, *prompt: Any, **more: Any) -> dict[str, Any]:
    before = {"history": None, "system": None, "max_tokens": 8} | more
    return {"name": name, "operator": operator, "prompt": list(prompt), **before}


def answer(name: str) -> dict[str, str]:
    return {"answer": name}


def workload(*items: tuple[str, list[dict[str, Any]]]) -> dict[str, Any]:
    listed = [{"item": name, "calls": calls} for name, calls in items]
    return {"suite": "small", "rows": len(items), "scale": 1.0, "seed": 0, "items": listed}


def map_reduce(items: int = 3) -> dict[str, Any]:
    def calls(item: int) -> list[dict[str, Any]]:
        opinions = [
            call(f"opinion_{n}", "opinion", f"Question {item}, é?", system=f"Expert {n}.")
            for n in range(3)
        ]
        parts = [part for n in range(3) for part in (f"\n{n}: ", answer(f"opinion_{n}"))]
        return [*opinions, call("summary", "summary", "Sum up:", *parts, max_tokens=5)]

    return workload(*((str(item), calls(item)) for item in range(items)))


def debate(items: int = 3) -> dict[str, Any]:
    def calls(item: int) -> list[dict[str, Any]]:
        said = [call(f"first_{n}", "first", f"Question {item} to {n}") for n in range(2)]
        said += [
            call(
                f"second_{n}", "second", "Another says: ", answer(f"first_{1 - n}"),
                history=f"first_{n}", max_tokens=6,
            )
            for n in range(2)
        ]  # fmt: skip
        return [*said, call("third", "third", "Decide.", history="second_0")]

    return workload(*((str(item), calls(item)) for item in range(items)))


def roles_and_texts(body: dict[str, Any]) -> list[tuple[str, str]]:
    """Of the messages of a request, whose content may be a text or a list of parts."""

    def text(content: Any) -> str:
        return content if isinstance(content, str) else "".join(part["text"] for part in content)

    return [(message["role"], text(message["content"])) for message in body["messages"]]


def hashed(messages: list[tuple[str, str]]) -> str:
    return hashlib.sha256(json.dumps(messages).encode()).hexdigest()[:16]


def reply(seen: Seen) -> Reply:
    """Follows from the messages alone, and takes a while, so that calls overlap if they can."""
    messages = roles_and_texts(seen.body)
    seen.body["messages"] = [{"role": role, "content": text} for role, text in messages]
    return Reply(hashed(messages), seconds=0.02)


def expected(of: dict[str, Any]) -> dict[str, dict[str, str]]:
    """The answers, worked out here call by call."""
    answers: dict[str, dict[str, str]] = {}
    for item in of["items"]:
        known: dict[str, str] = {}
        conversations: dict[str, list[tuple[str, str]]] = {}
        for asked in item["calls"]:
            messages = []
            if asked["history"]:
                messages = [*conversations[asked["history"]]]
                messages.append(("assistant", known[asked["history"]]))
            if asked["system"]:
                messages.append(("system", asked["system"]))
            parts = [p if isinstance(p, str) else known[p["answer"]] for p in asked["prompt"]]
            messages.append(("user", "".join(parts)))
            conversations[asked["name"]] = messages
            known[asked["name"]] = hashed(messages)
        answers[item["item"]] = known
    return answers


@dataclass
class Ran:
    """What a run gave, and what the server saw of it when it was ready, and before."""

    output: Any
    server: StubServer
    ahead: list[Seen]


def run(name: str, of: dict[str, Any], **more: Any) -> Ran:
    from systems.system import SYSTEMS
    from systems.system import run as run_system

    with StubServer() as server:
        server.reply = reply
        ahead: list[Seen] = []

        def ready() -> None:
            ahead.extend(server.seen)
            server.seen.clear()
            server.max_in_flight = 0

        output = run_system(SYSTEMS[name], server.url, "stub", of, ready=ready, **more)
    assert len(ahead) == (name not in ("daft", "blendsql"))
    return Ran(output, server, ahead)


def limits(ran: Ran) -> Counter[int]:
    """Of the answers asked for, in tokens, by either name that the API has for it."""
    bodies = [seen.body for seen in ran.server.seen]
    assert {body["temperature"] for body in bodies} == {0}
    return Counter(body.get("max_tokens") or body["max_completion_tokens"] for body in bodies)


def check(ran: Ran, of: dict[str, Any]) -> None:
    calls = [asked for item in of["items"] for asked in item["calls"]]
    assert ran.output.answers == expected(of)
    assert len(ran.server.seen) == ran.output.calls == len(calls)
    assert limits(ran) == Counter(asked["max_tokens"] for asked in calls)
    assert 0 < ran.output.seconds < ran.output.cold_seconds
    assert ran.output.client_cpu > 0


def skip_without_environment(name: str) -> None:
    from systems.system import SYSTEMS, kept

    if not kept(SYSTEMS[name]):
        pytest.skip(f"there is no environment of {name}; {ENVIRONMENTS} may say where")


@pytest.mark.parametrize("of", [map_reduce(), debate()], ids=["map_reduce", "debate"])
@pytest.mark.parametrize("name", OWN)
def test_own_orders_ask_all_calls(name: str, of: dict[str, Any]) -> None:
    ran = run(name, of)
    check(ran, of)
    match name:
        case "query_wise":
            assert ran.server.max_in_flight == 1
        case "op_wise_chained":
            assert 1 < ran.server.max_in_flight <= 3  # an item
        case _:
            assert ran.server.max_in_flight > 3


@pytest.mark.parametrize("of", [map_reduce(), debate()], ids=["map_reduce", "debate"])
@pytest.mark.parametrize("setting", ["default", "tuned"])
@pytest.mark.parametrize("name", FRAMEWORKS)
def test_frameworks_ask_the_same(name: str, setting: str, of: dict[str, Any]) -> None:
    skip_without_environment(name)
    ran = run(name, of, setting=setting)
    check(ran, of)
    assert ran.output.system == name
    assert ran.output.setting == setting
    assert ran.server.max_in_flight > 3


def table() -> dict[str, Any]:
    """Twelve rows that differ, in an order of their own, and the first of them once more."""
    texts = [f"Subject {n % 3}, é {{x}}:" for n in (5, 3, 8, 1, 0, 2, 4, 11, 6, 10, 9, 7)]
    calls = [call("answer", "answer", text, f" request {n}?") for n, text in enumerate(texts)]
    rows = [(f"row {n}", [asked]) for n, asked in enumerate([*calls, calls[0]])]
    return workload(*rows)


def answers_by_row(ran: Ran, of: dict[str, Any]) -> dict[str, dict[str, str]]:
    """What the server answered to the prompt that holds the text of each row."""
    asked = [roles_and_texts(seen.body) for seen in ran.server.seen]
    found = {}
    for item in of["items"]:
        text = "".join(item["calls"][0]["prompt"])
        bodies = [body for body in asked if text in body[-1][1]]
        assert bodies, text
        assert all(body == bodies[0] for body in bodies)
        found[item["item"]] = {"answer": hashed(bodies[0])}
    return found


@pytest.mark.parametrize("setting", ["default", "tuned"])
@pytest.mark.parametrize("name", OF_TABLES)
def test_systems_of_tables_ask_each_row(name: str, setting: str) -> None:
    """With a limit of two in one setting, as each run takes long to start."""
    from systems.system import SYSTEMS

    skip_without_environment(name)
    system, of = SYSTEMS[name], table()
    if setting not in system.settings:
        pytest.skip(f"{name} has no setting {setting}")
    limit = 2 if setting != system.best else None
    ran = run(name, of, setting=setting, concurrency=limit)
    assert len(ran.server.seen) == (12 if name == "blendsql" else 13)  # which asks equal rows once
    assert limits(ran) == Counter({8: len(ran.server.seen)})
    assert (ran.output.system, ran.output.setting, ran.output.calls) == (name, setting, 13)
    assert ran.output.answers == answers_by_row(ran, of)
    assert (ran.output.answers == expected(of)) != system.own_prompts
    assert ran.server.max_in_flight == limit if limit else ran.server.max_in_flight > 3


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"of": debate(1)}, "NotATableError: call second_0 of item 0 depends on first_0, and"),
        ({"of": table(), "concurrency": 2}, "ValueError: it asks all rows at once, without"),
    ],
)
def test_what_a_system_of_tables_cannot_do_is_told_in_a_line(
    more: dict[str, Any], told: str
) -> None:
    from systems.system import SystemFailedError

    skip_without_environment("daft")
    with pytest.raises(SystemFailedError, match=f"^daft: {told}.*$"):
        run("daft", **more)


TOLD = [
    (map_reduce(1), "call summary of item 0 depends on opinion_0, and a system of tables"),
    (
        workload(("0", [call("a", "a", "x", system="s")])),
        "call a of item 0 has a system message, and a system of tables",
    ),
    (debate(1), "call second_0 of item 0 depends on first_0, and a system of tables"),
    (workload(("0", [call("a", "a", "x"), call("b", "b", "y")])), "there are 2 operators, and"),
    (workload(), "there are 0 operators, and"),
    (
        workload(("0", [call("a", "a", "x"), call("b", "a", "y", max_tokens=9)])),
        "answers are to be of several lengths",
    ),
]


@pytest.mark.parametrize(("of", "told"), TOLD)
def test_what_is_no_table_is_told(of: dict[str, Any], told: str) -> None:
    from systems.common import items_of
    from systems.table import NotATableError, table_of

    with pytest.raises(NotATableError, match=f"^{told}"):
        table_of(items_of(of))


def test_rows_of_a_table_get_their_answers() -> None:
    from systems.common import items_of
    from systems.table import table_of

    read = table_of(items_of(table()))
    assert read.prompts[0] == read.prompts[12] == "Subject 2, é {x}: request 0?"
    assert read.max_tokens == 8
    answers = read.answers([f"a{n}" for n in range(13)])
    assert answers["row 3"] == {"answer": "a3"}
    with pytest.raises(ValueError, match="shorter"):
        read.answers(["a"])


def test_a_complete_list_brings_no_dependency(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from systems import system

    commands: list[list[str]] = []

    def done(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        commands.append(command)
        (tmp_path / Path(system._place(system.SYSTEMS[name])).name).mkdir(exist_ok=True)
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setenv(ENVIRONMENTS, str(tmp_path))
    monkeypatch.setattr(system.subprocess, "run", done)
    for name in ("lotus", "daft"):
        system.environment(system.SYSTEMS[name])
        assert system.kept(system.SYSTEMS[name])
    assert ["--no-deps" in command for command in commands] == [False, True, False, False]


def given(of: dict[str, Any]) -> Any:
    from systems.common import Given, items_of

    return Given("http://127.0.0.1:1/v1", "m", items_of(of), "tuned", None)


def test_only_what_is_done_for_the_answers_is_counted_as_cpu() -> None:
    from systems.common import _timed

    of = map_reduce()
    output = _timed("idle", "1", given(of), lambda items: expected(of))
    assert output.calls == 12
    assert output.client_cpu < time.process_time() / 2  # of this process so far


def test_answers_that_are_missing_are_an_error() -> None:
    from systems.common import _timed

    of = map_reduce()
    some = expected(of)
    del some["1"]["opinion_2"], some["2"]
    with pytest.raises(RuntimeError, match=r"^5 calls have no answer, 1/opinion_2 is one of them"):
        _timed("forgetful", "1", given(of), lambda items: some)


def test_settings_of_the_user_do_not_reach_clients(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from systems.system import _waited_for

    told = ["OPENAI_BASE_URL", "LANGSMITH_TRACING", "HTTPS_PROXY", "https_proxy"]
    for name in (*told, "KEPT"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    asked = "import os, sys; sys.exit(' '.join(os.environ))"
    status, said = _waited_for([sys.executable, "-c", asked], tmp_path, lambda: None)
    assert status == 1
    assert {*told, "KEPT"} & set(said.split()) == {"KEPT"}


def test_concurrency_is_a_limit() -> None:
    of = map_reduce()
    ran = run("raw", of, concurrency=2)
    check(ran, of)
    assert ran.server.max_in_flight == 2


def test_a_failing_server_is_told_in_a_line() -> None:
    from systems.system import SYSTEMS, SystemFailedError
    from systems.system import run as run_system

    with StubServer() as server:
        server.reply = lambda seen: Reply(status=500)
        with pytest.raises(SystemFailedError, match=r"^raw: .*server answered 500: .*scripted 500"):
            run_system(SYSTEMS["raw"], server.url, "stub", map_reduce())


def test_the_exit_status_says_that_a_run_failed(tmp_path: Path) -> None:
    script = ROOT / "benchmark" / "systems" / "raw" / "run.py"
    missing = tmp_path / "missing.json"
    command = [sys.executable, str(script), "--base-url", "http://127.0.0.1:1/v1", "--model", "m"]
    command += ["--workload", str(missing), "--output", str(tmp_path / "output.json")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith("raw: FileNotFoundError: ")
    assert len(done.stderr.splitlines()) == 1


def stages(of: dict[str, Any]) -> list[list[str]]:
    from systems.common import items_of
    from systems.own import stages

    return [[f"{i.name}/{c.name}" for i, c in stage] for stage in stages(items_of(of))]


def test_operators_do_not_overlap() -> None:
    assert stages(debate(2)) == [
        ["0/first_0", "0/first_1", "1/first_0", "1/first_1"],
        ["0/second_0", "0/second_1", "1/second_0", "1/second_1"],
        ["0/third", "1/third"],
    ]


def test_an_operator_that_goes_on_from_itself_is_several() -> None:
    chain = [call("a", "refine", "x"), call("b", "refine", answer("a")), call("c", "end", "y")]
    assert stages(workload(("0", chain), ("1", chain[:1]))) == [["0/a", "1/a"], ["0/b"], ["0/c"]]


def test_items_may_have_operators_in_either_order() -> None:
    one = [call("a", "left", "x"), call("b", "right", answer("a"))]
    other = [call("a", "right", "x"), call("b", "left", answer("a"))]
    found = stages(workload(("0", one), ("1", other)))
    assert sorted(name for stage in found for name in stage) == ["0/a", "0/b", "1/a", "1/b"]
    at = {name: number for number, stage in enumerate(found) for name in stage}
    assert at["0/a"] < at["0/b"]
    assert at["1/a"] < at["1/b"]


def test_op_wise_waits_for_the_last_of_an_operator() -> None:
    of = map_reduce()
    ran = run("op_wise", of)
    asked = [seen.prompt.startswith("Sum up:") for seen in ran.server.seen]
    assert asked == sorted(asked)  # all opinions before


def test_raw_waits_for_no_other_item() -> None:
    """Where an opinion of item 0 takes long, the others are summed up before it is answered."""

    def slow(seen: Seen) -> Reply:
        found = reply(seen)
        found.seconds = 0.5 if seen.prompt == "Question 0, é?" else 0.02
        return found

    from systems.system import SYSTEMS
    from systems.system import run as run_system

    with StubServer() as server:
        server.reply = slow
        run_system(SYSTEMS["raw"], server.url, "stub", map_reduce())
        summaries = [seen.prompt for seen in server.seen if seen.prompt.startswith("Sum up:")]
    by_item = expected(map_reduce())
    assert by_item["0"]["opinion_0"] in summaries[-1]
