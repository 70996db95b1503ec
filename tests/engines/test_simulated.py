"""The simulated engine: answers that fit, scripts that are followed, virtual time that adds up."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
from typing import Any

import pytest
from receiver import Receiver, calls, name, spec

import heliumql
from heliumql.engines.engine import CallSpec, ScheduledEngine, Warmup
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
    engine: ScheduledEngine = SimulatedEngine({"max_num_seqs": 7})
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


def test_a_cancelled_call_may_be_asked_again_while_its_answer_is_late():
    slow = ScriptedAnswer("slow", seconds=9)
    engine = SimulatedEngine({}, ScriptedAnswers([("slow", slow), ("", "quick")]))
    receiver, again = Receiver(), Receiver()
    engine.submit(spec(), calls(["slow", "quick"]), receiver)
    while not receiver.answers:  # the other one is computed by then
        engine.advance()
    engine.cancel([name(0)])
    before = engine.now
    engine.submit(spec(), calls(["slow", "quick"]), again)
    while len(again.answers) < 2:
        engine.advance()
    assert again.texts() == {0: "slow", 1: "quick"}
    assert engine.now - before > 9


def test_close_cancels_what_is_in_flight_and_may_be_repeated():
    engine = SimulatedEngine({})
    receiver = Receiver()
    engine.submit(spec(), calls(["a"]), receiver)
    engine.close()
    engine.close()
    assert receiver.answers[0]["finish_reason"] == "cancelled"


@pytest.mark.parametrize("instant", [True, False])
def test_a_prompt_longer_than_the_context_is_an_error_of_its_row(instant: bool):
    engine = SimulatedEngine({"max_model_len": 100, "model": "sim", "instant": instant})
    assert engine.context_tokens == 100
    receiver = run(engine, ["short", "long " * 100, "short too"])
    assert [row["error"] for _, row in sorted(receiver.answers.items())] == [
        None, "the prompt has 130 tokens, the context of sim is 100", None,
    ]  # fmt: skip
    refused = receiver.answers[1]
    assert (refused["finish_reason"], refused["prompt_tokens"]) == ("context", 130)
    assert (refused["requests"], refused["output_tokens"]) == (0, 0)
    assert [call.prompt for call in engine.log] == ["short", "short too"]


def test_an_answer_has_what_room_the_prompt_leaves():
    script = ScriptedAnswers([("", "word " * 100)])
    engine = SimulatedEngine({"max_model_len": 140}, script)
    receiver = run(engine, ["long " * 100])
    answer = receiver.answers[0]
    assert (answer["prompt_tokens"], answer["output_tokens"]) == (130, 10)
    assert (answer["text"], answer["finish_reason"]) == ("word " * 8, "length")


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


def test_calls_run_on_the_worker_that_they_name():
    engine = SimulatedEngine({"workers": 3, **TIMED}, lambda messages, _: "abcd")
    receiver = Receiver()
    engine.submit(spec(), calls(list("abcd"), workers=[2, 0, None, 2]), receiver)
    engine.advance()
    assert [receiver.answers[n]["worker"] for n in range(4)] == [2, 0, 1, 2]
    assert [entry.worker for entry in engine.log] == [2, 0, 1, 2]
    with pytest.raises(EngineError, match="there is no worker 3"):
        engine.submit(spec(), calls(["e"], first=9, workers=[3]), receiver)


def test_calls_that_name_no_worker_go_where_the_fewest_are_in_flight():
    slow = ScriptedAnswers([("slow", ScriptedAnswer("x", seconds=100))])
    engine = SimulatedEngine({"workers": 2, **TIMED}, slow)
    receiver = Receiver()
    engine.submit(spec(max_tokens=1), calls(["slow", "a", "slow", "b"]), receiver)
    engine.advance()
    assert sorted(receiver.answers) == [1, 3]
    engine.submit(spec(max_tokens=1), calls(["c"], first=4), receiver)
    engine.advance()
    assert [receiver.answers[n]["worker"] for n in (1, 3, 4)] == [1, 1, 1]


def test_two_workers_take_half_the_time_and_twice_the_calls():
    def seconds(workers: int) -> float:
        options = {"workers": workers, "max_num_seqs": 8}
        engine = SimulatedEngine(options, lambda messages, _: "word " * 20)
        assert engine.slots == 8 * workers
        assert [constants.max_num_seqs for constants in engine.workers] == [8] * workers
        run(engine, [f"row {i}" for i in range(160)])
        return engine.now

    assert seconds(2) == pytest.approx(seconds(1) / 2, rel=0.01)


def test_answers_of_several_workers_come_in_the_order_of_virtual_time():
    engine = SimulatedEngine({"workers": 3, "max_num_seqs": 4, "step_seconds": 0.01})
    receiver = Receiver()
    engine.submit(spec(), calls([f"row {i} " * (i % 7 + 1) for i in range(60)]), receiver)
    following = 60
    while len(receiver.answers) < following:
        before = len(receiver.answers)
        engine.advance()
        arrived = list(receiver.answers)[before:]
        assert arrived
        if following < 200:  # calls that an answer leads to start no earlier than it came
            engine.submit(spec(), calls([f"next {n}" for n in arrived], following), receiver)
            for n in range(following, following + len(arrived)):
                assert engine.log[n].submitted == engine.now
            following += len(arrived)
    times = [row["finished"] for row in receiver.answers.values()]
    assert times == sorted(times)
    assert {row["worker"] for row in receiver.answers.values()} == {0, 1, 2}
    for n, row in receiver.answers.items():
        submitted = engine.log[n].submitted
        assert submitted <= row["started"] < row["first_token"] <= row["finished"]


def test_one_worker_alone_takes_the_time_that_it_takes_beside_others():
    options = {"max_num_seqs": 2, "attention_seconds_per_pair": 1e-6, "call_seconds": 0.001}
    prompts = [f"row {i} " * (i % 5 + 1) for i in range(20)]
    alone = run(SimulatedEngine(options), prompts).answers
    engine = SimulatedEngine({"workers": 2, **options})
    receiver = Receiver()
    engine.submit(spec(), calls(prompts, workers=[0] * 20), receiver)
    engine.submit(spec(), calls(prompts, first=100, workers=[1] * 20), Receiver())
    while len(receiver.answers) < 20:
        engine.advance()
    assert list(receiver.answers) == list(alone)
    for n, row in alone.items():
        for moment in ("started", "first_token", "finished"):
            assert receiver.answers[n][moment] == pytest.approx(row[moment])
    quick = run(SimulatedEngine({"max_num_seqs": 2}), prompts).answers
    assert quick[19]["finished"] < alone[19]["finished"]


def test_latency_counts_until_the_answer_is_there_and_nothing_else():
    engine = SimulatedEngine({**TIMED, "latency_seconds": 2.5}, lambda messages, _: "abcdefgh")
    row = run(engine, ["a"]).answers[0]
    assert (row["started"], row["first_token"], row["finished"]) == (0.0, 1.0, 4.5)
    engine = SimulatedEngine({"instant": True, "latency_seconds": 2})
    row = run(engine, ["a"]).answers[0]
    assert (row["started"], row["first_token"], row["finished"]) == (0.0, None, 2.0)


LONG = "word " * 320  # 400 tokens
SMALL = {"block_size": 16, "kv_cache_tokens": 1600, "max_num_seqs": 1}


def conversation(end: str) -> tuple[tuple[str, str], ...]:
    return (("system", LONG), ("user", end))


def warmup(key: bytes, keep: bool, worker: int = 0) -> Warmup:
    return Warmup(key, worker, conversation("one"), conversation("other"), keep)


class Warmed:
    """Takes what an engine tells of its warm-ups."""

    def __init__(self) -> None:
        self.seen: list[tuple[bytes, int, int]] = []

    def __call__(self, key: bytes, prompt_tokens: int, cached_tokens: int) -> None:
        self.seen.append((key, prompt_tokens, cached_tokens))


def hits_after_others(keep: bool, release: bool = False, workers: int = 1) -> int:
    """Prompt tokens that a call finds of its prefix, after a warm-up and calls that fill the
    cache."""
    engine = SimulatedEngine({**SMALL, "workers": workers})
    told = Warmed()
    engine.warm([warmup(b"k", keep)], told)
    others = [f"{i} " + "fill " * 480 for i in range(6)]  # 600 tokens each
    run(engine, others, spec(max_tokens=4))
    assert told.seen == [(b"k", 403, 0)]
    if release:
        engine.release([b"k", b"unknown"])
        run(engine, others, spec(max_tokens=4), first=10)
    turns = list(conversation("third"))
    return int(run(engine, [turns], first=99).answers[99]["cached_tokens"])


def test_a_kept_prefix_survives_calls_that_fill_the_cache_until_it_is_released():
    assert hits_after_others(keep=True) == 400
    assert hits_after_others(keep=False) == 0
    assert hits_after_others(keep=True, release=True) == 0


def test_a_warm_prefix_is_computed_before_the_calls_and_found_by_them():
    engine = SimulatedEngine(SMALL)
    told = Warmed()
    engine.submit(spec(), calls([list(conversation("a"))]), receiver := Receiver())
    engine.warm([warmup(b"k", False), warmup(b"again", False)], told)
    engine.advance()
    assert told.seen == [(b"k", 403, 0), (b"again", 403, 400)]
    assert receiver.answers[0]["cached_tokens"] == 400


def test_a_prefix_is_warm_on_its_worker_only():
    engine = SimulatedEngine({**SMALL, "workers": 2})
    engine.warm([warmup(b"k", True, worker=1)], Warmed())
    engine.advance()
    receiver = Receiver()
    turns = [list(conversation(end)) for end in "ab"]
    engine.submit(spec(), calls(turns, workers=[0, 1]), receiver)
    while len(receiver.answers) < 2:
        engine.advance()
    assert [receiver.answers[n]["cached_tokens"] for n in (0, 1)] == [0, 400]


def test_two_kept_prefixes_may_share_their_beginning():
    engine = SimulatedEngine(SMALL)
    longer = (("system", LONG), ("user", "more " * 100 + "x"))
    engine.warm(
        [warmup(b"short", True), Warmup(b"long", 0, longer, (*longer, ("user", "y")), True)],
        Warmed(),
    )
    engine.advance()
    engine.release([b"long"])
    run(engine, [f"{i} " + "fill " * 480 for i in range(6)], spec(max_tokens=4))
    receiver = run(engine, [list(longer)], first=9)
    assert receiver.answers[9]["cached_tokens"] == 400


def test_a_call_that_needs_the_whole_cache_gets_it():
    engine = SimulatedEngine(SMALL)
    engine.warm([warmup(b"k", True)], Warmed())
    engine.advance()
    large = "fill " * 1100  # 1375 tokens, and 400 are kept
    receiver = run(engine, [large], spec(max_tokens=4))
    assert receiver.answers[0]["error"] is None
    # The other way round: what a call in flight needs is not taken from it.
    engine.submit(spec(max_tokens=4), calls([large], first=1), receiver)
    engine.warm([warmup(b"late", True)], Warmed())
    while len(receiver.answers) < 2:
        engine.advance()
    assert receiver.answers[1]["error"] is None


def test_warm_ups_that_cannot_be_are_passed_over():
    engine = SimulatedEngine({**SMALL, "kv_cache_tokens": 160})
    told = Warmed()
    nothing = Warmup(b"n", 0, (("user", "a"),), (("system", "b"),), True)
    engine.warm([nothing, warmup(b"large", True), warmup(b"nowhere", True, worker=4)], told)
    run(engine, ["a", "b"])
    assert told.seen == []
    engine.release([b"large"])
    instant = SimulatedEngine({"instant": True})
    instant.warm([warmup(b"k", True)], told)
    run(instant, ["a"])
    assert told.seen == []


def test_a_closed_engine_keeps_nothing_warm():
    engine = SimulatedEngine(SMALL)
    told = Warmed()
    engine.warm([warmup(b"k", True)], told)
    engine.close()
    run(engine, ["a"])
    assert told.seen == []
    engine.warm([warmup(b"k", True)], told)
    engine.advance()
    assert told.seen == [(b"k", 403, 0)]


def test_several_workers_are_an_option_of_create_model():
    with heliumql.connect() as connection:
        connection.execute(
            "CREATE TEMP MODEL m WITH (engine = 'simulated', workers = 2, max_num_seqs = 4,"
            " attention_seconds_per_pair = 0.000001, call_seconds = 0.001)"
        )
        rows = connection.sql("SELECT LLM_GENERATE('row {i}') FROM range(30) t(i)").fetchall()
    assert len({text for (text,) in rows}) == 30


@pytest.mark.parametrize("workers", [0, 1.5, "2"])
def test_the_number_of_workers_is_a_whole_number_from_one(workers: Any):
    with pytest.raises(CatalogError, match="option 'workers'"):
        SimulatedEngine({"workers": workers})
