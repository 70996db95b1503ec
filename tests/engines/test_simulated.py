"""The simulated engine: answers that fit, scripts that are followed, virtual time that adds up."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
from typing import Any

import pytest
from receiver import Receiver, calls, name, spec

from heliumql.engines.engine import CallSpec, Engine
from heliumql.engines.simulated import (
    ScriptedAnswer,
    ScriptedAnswers,
    SimulatedEngine,
)
from heliumql.errors import CatalogError, EngineError
from heliumql.types import parse_type

TIMED = {"step_seconds": 1, "prefill_seconds_per_token": 0, "decode_seconds_per_sequence": 0}


def run(
    engine: SimulatedEngine, prompts: list[Any], of: CallSpec | None = None, first: int = 0
) -> Receiver:
    receiver = Receiver()
    engine.submit(of or spec(), calls(prompts, first), receiver)
    while len(receiver.answers) < len(prompts) and not receiver.errors:
        before = len(receiver.answers)
        engine.advance()
        assert len(receiver.answers) > before or receiver.errors
    return receiver


def answer(prompt: Any, of: CallSpec | None = None, **options: Any) -> dict[str, Any]:
    return run(SimulatedEngine(options), [prompt], of).answers[0]


def test_it_is_an_engine():
    engine: Engine = SimulatedEngine({"max_num_seqs": 7})
    engine.start()
    assert engine.slots == 7


def test_equal_messages_have_equal_answers_and_others_differ():
    texts = run(SimulatedEngine({}), ["a", "b", "a", [("system", "s"), ("user", "a")]]).texts()
    assert texts[0] == texts[2]
    assert len(set(texts.values())) == 3
    assert answer("a", model="another")["text"] != texts[0]
    assert answer("a", spec(seed=1))["text"] != texts[0]
    assert answer([("user", "a"), ("user", "b")])["text"] != answer([("user", "a\nb")])["text"]


def test_answers_are_the_same_in_another_process():
    code = (
        "import sys; sys.path[:0] = sys.argv[1:]\n"
        "from test_simulated import answer; print(answer('a')['text'])"
    )
    paths = [path for path in sys.path if path]
    other = subprocess.run(
        [sys.executable, "-c", code, *paths], capture_output=True, text=True, check=True
    )
    assert other.stdout.strip() == answer("a")["text"]


def test_sampled_answers_differ_by_call_unless_they_have_a_seed():
    hot = run(SimulatedEngine({}), ["a", "a"], spec(temperature=1.0)).texts()
    assert hot[0] != hot[1]
    seeded = run(SimulatedEngine({}), ["a", "a"], spec(temperature=1.0, seed=3)).texts()
    assert seeded[0] == seeded[1]


@pytest.mark.parametrize(
    "returns",
    [
        "BOOLEAN",
        "INTEGER",
        "TINYINT",
        "DOUBLE",
        "JSON",
        "ENUM('yes', 'it''s no', 'größer')",
        "VARCHAR[]",
        "INTEGER[][]",
        "STRUCT(score INTEGER, \"the topics\" VARCHAR[], kind ENUM('a', 'b'), ok BOOLEAN)",
        "STRUCT(" + ", ".join(f"f{i} STRUCT(x DOUBLE, y JSON)" for i in range(40)) + ")",
    ],
)
def test_typed_answers_fit_their_type(returns: str):
    kind = parse_type(returns)
    of = spec(returns, max_tokens=2000)
    texts = run(SimulatedEngine({}), [f"row {i}" for i in range(50)], of).texts()
    assert all(kind.accept(text or "") for text in texts.values())
    assert len(set(texts.values())) > 1


def test_booleans_and_enums_take_every_value():
    prompts = [f"row {i}" for i in range(60)]
    assert set(run(SimulatedEngine({}), prompts, spec("BOOLEAN")).texts().values()) == {
        "true",
        "false",
    }
    enum = run(SimulatedEngine({}), prompts, spec("ENUM('a', 'b', 'c')")).texts()
    assert set(enum.values()) == {"a", "b", "c"}


def test_answers_end_at_max_tokens_and_at_stop_sequences():
    whole = answer("a")
    assert (whole["finish_reason"], whole["error"]) == ("stop", None)
    cut = answer("a", spec(max_tokens=3))
    assert (cut["finish_reason"], cut["output_tokens"]) == ("length", 3)
    assert cut["text"] == whole["text"][:12]
    word = whole["text"].split()[2]
    assert answer("a", spec(stop=(word,)))["text"] == whole["text"].split(word)[0]


def test_a_cut_never_splits_a_character():
    engine = SimulatedEngine({}, lambda messages, _: "ä€" * 9)
    assert run(engine, ["a"], spec(max_tokens=2)).answers[0]["text"] == "ä€ä"


def test_tokens_are_four_bytes_and_shared_prefixes_are_found():
    engine = SimulatedEngine({"block_size": 16})
    long = "x" * 800
    receiver = run(engine, [f"{long} {i}" for i in range(3)])
    rows = list(receiver.answers.values())
    assert {row["prompt_tokens"] for row in rows} == {205}  # user\n, 802, \n\0, assistant\n
    assert sorted(row["cached_tokens"] for row in rows) == [0, 192, 192]
    assert all(row["requests"] == 1 for row in rows)


def test_a_continued_conversation_finds_its_own_answer_in_the_cache():
    engine = SimulatedEngine({"block_size": 4})
    first = run(engine, ["start " * 20]).answers[0]
    turns = [("user", "start " * 20), ("assistant", first["text"]), ("user", "go on")]
    second = run(engine, [turns], first=1).answers[1]
    assert second["cached_tokens"] >= first["prompt_tokens"] + first["output_tokens"] - 8


def test_time_is_virtual_and_passes_only_in_advance():
    engine = SimulatedEngine(TIMED, lambda messages, _: messages[-1][1])
    receiver = Receiver()
    engine.submit(spec(), calls(["abcd", "abcdefgh" * 4]), receiver)
    assert (engine.now, receiver.answers) == (0.0, {})
    engine.advance()
    assert (engine.now, list(receiver.answers)) == (1.0, [0])
    engine.advance()
    assert (engine.now, list(receiver.answers)) == (8.0, [0, 1])
    engine.advance()
    assert engine.now == 8.0


def test_all_completions_of_a_step_arrive_in_one_batch():
    engine = SimulatedEngine(TIMED, lambda messages, _: "abcd")
    assert run(engine, ["x"] * 5).batches == [5]


def test_statements_that_share_the_engine_get_their_own_answers():
    engine = SimulatedEngine({})
    one, two = Receiver(), Receiver()
    engine.submit(spec(), calls(["a", "b"]), one)
    engine.submit(spec("BOOLEAN"), calls(["a", "b"], first=10), two)
    while len(one.answers) + len(two.answers) < 4:
        engine.advance()
    assert sorted(one.answers) == [0, 1]
    assert sorted(two.answers) == [10, 11]
    assert set(two.texts().values()) <= {"true", "false"}


def test_priorities_decide_the_order():
    engine = SimulatedEngine({"max_num_seqs": 1})
    receiver = Receiver()
    engine.submit(spec(), calls(["a", "b", "c"], priorities=[2, 0, 1]), receiver)
    for _ in range(3):
        engine.advance()
    assert list(receiver.answers) == [1, 2, 0]


def test_latency_is_added_to_every_answer():
    engine = SimulatedEngine({**TIMED, "latency_seconds": 2.5}, lambda messages, _: "abcd")
    run(engine, ["a", "b"])
    assert engine.now == 3.5


def test_an_instant_engine_answers_everything_at_once_in_no_time():
    engine = SimulatedEngine({"instant": True})
    receiver = Receiver()
    engine.submit(spec(), calls([f"row {i}" for i in range(1000)]), receiver)
    assert receiver.answers == {}  # answers come from advance, never from within submit
    engine.advance()
    assert (engine.now, receiver.batches) == (0.0, [1000])
    assert receiver.texts()[7] == answer("row 7")["text"]
    assert engine.slots > 1000


def test_a_script_answers_by_pattern_and_leaves_the_rest_alone():
    script = ScriptedAnswers(
        [
            ("Judge", "true"),
            (re.compile(r"row [12]\b"), ScriptedAnswer("slow", output_tokens=50)),
            ("row 3", ScriptedAnswer(error="the model\nis tired")),
        ]
    )
    engine = SimulatedEngine(TIMED, script)
    prompts = ["row 1", "row 3", [("system", "Judge."), ("user", "row 1")], "row 4", "row 12"]
    receiver = run(engine, prompts)
    texts = receiver.texts()
    assert (texts[0], texts[1], texts[2]) == ("slow", None, "true")
    assert texts[3] == answer("row 4")["text"]
    assert texts[4] == answer("row 12")["text"]
    assert receiver.answers[1]["error"] == "the model is tired"
    assert receiver.answers[1]["finish_reason"] == "error"
    assert list(receiver.answers)[-1] == 0
    assert engine.now == 50.0


def test_a_list_of_answers_is_used_up_one_by_one():
    engine = SimulatedEngine(
        {"max_num_seqs": 1}, ScriptedAnswers([("a", ["first", "second", "last"])])
    )
    assert list(run(engine, ["a"] * 4).texts().values()) == ["first", "second", "last", "last"]


def test_scripted_seconds_make_one_call_late():
    engine = SimulatedEngine(TIMED, ScriptedAnswers([("late", ScriptedAnswer("x", seconds=100))]))
    receiver = run(engine, ["late", "soon"], spec(max_tokens=4))
    assert list(receiver.answers) == [1, 0]
    assert engine.now == 101.0


def test_calls_run_while_another_is_late():
    engine = SimulatedEngine(TIMED, ScriptedAnswers([("late", ScriptedAnswer("x", seconds=100))]))
    receiver = Receiver()
    engine.submit(spec(max_tokens=1), calls(["late", "soon"]), receiver)
    engine.advance()
    for follower in range(10, 15):
        engine.submit(spec(max_tokens=1), calls(["soon"], first=follower), receiver)
        engine.advance()
    assert list(receiver.answers) == [1, 10, 11, 12, 13, 14]
    assert engine.now == 6.0


def test_a_scripted_engine_error_ends_everything_and_the_engine_recovers():
    engine = SimulatedEngine({}, ScriptedAnswers([("bomb", EngineError("out of memory"))]))
    one, two = Receiver(), Receiver()
    engine.submit(spec(), calls(["a", "bomb"]), one)
    engine.submit(spec(), calls(["b" * 4000], first=10), two)
    for _ in range(3):
        engine.advance()
    assert [e.message for e in one.errors] == ["out of memory"]
    assert one.errors == two.errors
    assert run(engine, ["a"], first=20).texts()


def test_the_log_tells_what_was_asked_and_when():
    engine = SimulatedEngine(TIMED, lambda messages, _: "abcd")
    run(engine, ["a", "b"])
    run(engine, [[("system", "s"), ("user", "c")]], spec("BOOLEAN"), first=2)
    assert [entry.prompt for entry in engine.log] == ["a", "b", "c"]
    assert [(entry.submitted, entry.finished) for entry in engine.log] == [(0, 1), (0, 1), (1, 2)]
    assert engine.log[2].messages == (("system", "s"), ("user", "c"))
    assert engine.log[2].spec.returns.name == "BOOLEAN"
    assert engine.log[0].answer is not None
    assert engine.log[0].answer.text == "abcd"
    quiet = SimulatedEngine({"log": False})
    run(quiet, ["a"])
    assert quiet.log == []


def test_cancelled_calls_are_delivered_as_such_and_the_others_finish():
    engine = SimulatedEngine({"max_num_seqs": 2})
    receiver = Receiver()
    engine.submit(spec(), calls([f"row {i}" for i in range(4)]), receiver)
    engine.cancel([name(0), name(3), name(99)])
    assert {n: r["finish_reason"] for n, r in receiver.answers.items()} == {
        0: "cancelled",
        3: "cancelled",
    }
    while len(receiver.answers) < 4:
        engine.advance()
    assert receiver.answers[1]["finish_reason"] == "stop"
    engine.cancel([name(1)])  # answered already
    assert len(receiver.answers) == 4


def test_a_cancelled_late_call_is_not_answered_again():
    engine = SimulatedEngine(TIMED, lambda messages, _: ScriptedAnswer("x", seconds=9))
    receiver = Receiver()
    engine.submit(spec(), calls(["a", "b"]), receiver)
    engine.advance()
    assert sorted(receiver.answers) == [0, 1]
    engine.submit(spec(), calls(["c", "d"], first=2), receiver)
    engine.cancel([name(2)])
    engine.advance()
    assert [r["finish_reason"] for r in receiver.answers.values()].count("cancelled") == 1


def test_close_cancels_what_is_in_flight_and_may_be_repeated():
    engine = SimulatedEngine({})
    receiver = Receiver()
    engine.submit(spec(), calls(["a"]), receiver)
    engine.close()
    engine.close()
    assert receiver.answers[0]["finish_reason"] == "cancelled"


def test_a_prompt_longer_than_the_context_is_an_error_of_its_row():
    engine = SimulatedEngine({"max_model_len": 300})
    receiver = run(engine, ["short", "long " * 100])
    assert receiver.answers[0]["error"] is None
    assert receiver.answers[1]["error"] == (
        "prompt of 130 tokens and max_tokens 256 exceed the context of 300 tokens"
    )


def test_a_prompt_larger_than_the_kv_cache_is_an_error_of_its_row():
    receiver = run(SimulatedEngine({"kv_cache_tokens": 160}), ["short", "long " * 200])
    assert receiver.answers[0]["error"] is None
    assert "do not fit the KV cache of 160 tokens" in receiver.answers[1]["error"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"block_sise": 16}, "unknown option 'block_sise' of engine 'simulated'"),
        ({"block_size": "16"}, "option 'block_size' is a number, not '16'"),
        ({"block_size": 1.5}, "option 'block_size' is a whole number, not 1.5"),
        ({"step_seconds": -1}, "option 'step_seconds' must be at least 0, not -1"),
        ({"max_num_seqs": 10, "max_num_batched_tokens": 4}, "must be at least max_num_seqs"),
        ({"instant": 1}, "option 'instant' is true or false"),
    ],
)
def test_wrong_options_are_refused_with_a_reason(options: dict[str, Any], message: str):
    with pytest.raises(CatalogError) as error:
        SimulatedEngine(options)
    assert message in error.value.message


def test_an_unknown_option_is_answered_with_the_known_ones():
    with pytest.raises(CatalogError) as error:
        SimulatedEngine({"block_sise": 16})
    assert "block_size" in (error.value.hint or "")


def test_threads_may_share_the_engine():
    engine = SimulatedEngine({"max_num_seqs": 4})
    receivers = [Receiver() for _ in range(4)]

    def statement(number: int) -> None:
        for k in range(50):
            engine.submit(spec(), calls([f"row {k}"], first=1000 * number + k), receivers[number])
            engine.advance()
        while len(receivers[number].answers) < 50:
            engine.advance()

    threads = [threading.Thread(target=statement, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    answered = [sorted(receiver.texts().items()) for receiver in receivers]
    assert [text for _, text in answered[0]] == [text for _, text in answered[3]]
    assert len(engine.log) == 200
