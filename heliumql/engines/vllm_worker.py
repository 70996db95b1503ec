"""The worker process of the embedded vLLM engine; vllm_process.py runs this file as a program.

It holds one synchronous vLLM engine and imports nothing of HeliumQL. Messages, each a pickled
tuple, go over one socket:

    from the parent   ("start", settings)               first of all
                      ("calls", spec, [(call, [(role, content), ..], priority), ..])
                      ("cancel", [call, ..])
                      ("warm", [(key, first, second, keep), ..])
                      ("release", [key, ..])
                      ("calibrate",) or ("forget",)
    to the parent     ("ready", limits) or ("failed", kind, what), where kind is
                      missing (no such model), load or broken
                      ("answers", [(call, text, error, finish_reason, prompt_tokens, cached_tokens,
                                    output_tokens, started, first_token, finished), ..])
                      ("warmed", key, prompt_tokens, cached_tokens)
                      ("steps", [(seconds, prefill, decode, pairs, read), ..], calls, call_seconds)
                      ("done",)                         with one of these two

Times are those of time.monotonic(), which all processes of a machine share.
`spec` holds `sampling` (keyword arguments of SamplingParams), `constraint` (of
StructuredOutputsParams, or None) and `thinking` (auto, on, off). The process ends when the socket
or the parent does.
"""

from __future__ import annotations

import contextlib
import importlib.util
import itertools
import os
import queue
import re
import shutil
import signal
import sys
import threading
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NoReturn

Answer = tuple[
    bytes, str | None, str | None, str, int, int, int, float | None, float | None, float | None
]
Messages = list[tuple[str, str]]
Step = tuple[float, int, int, float, float]


def _beside(name: str) -> Any:
    """A file of this folder as a module. The folder is not searched for modules: some have names
    of packages that vLLM imports."""
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


vllm_embedding = _beside("vllm_embedding")
vllm_loading = _beside("vllm_loading")
vllm_prompts = _beside("vllm_prompts")
vllm_probes = _beside("vllm_probes")
vllm_scheduler = _beside("vllm_scheduler")

_LISTENING_SECONDS = 1.0
_REPORT_SECONDS = 0.5  # between two reports of steps, while there is work
_CALIBRATION_SECONDS = 2.0
_ROUNDS = 3  # of all probes
_BEFORE_ALL = -(1 << 62)  # the priority of warm-ups


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to judge
    connection = Connection(int(sys.argv[1]))
    inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
    listener = threading.Thread(target=_listen, args=(connection, inbox), daemon=True)
    listener.start()
    _, settings = inbox.get()
    try:
        if settings["core"] is not None:  # before any thread that computes is there
            os.sched_setaffinity(0, {settings["core"]})
        if settings["fetch"]:
            arguments = settings["engine_args"]
            vllm_loading.fetch_config(arguments["model"], arguments.get("revision"))
        engine, tokenizer, thinks = vllm_loading.load(settings, vllm_scheduler.Watch)
        embeds = settings["task"] == "embed"
        if embeds:
            prompts = vllm_embedding.Texts(tokenizer)
        else:
            prompts = vllm_prompts.Prompts(tokenizer, settings["template_arguments"], thinks)
    except Exception as error:  # whatever a model can fail with is said to the parent
        kind = "missing" if isinstance(error, LookupError) else "load"
        connection.send(("failed", kind, _one_line(error)))
        raise
    service = _Service(engine, prompts, connection, inbox, embeds=embeds)
    connection.send(("ready", service.facts()))
    try:
        service.serve()
    except (BrokenPipeError, ConnectionResetError):
        _leave()
    except Exception as error:  # the engine is broken; the parent decides what becomes of its calls
        connection.send(("failed", "broken", _one_line(error)))
        raise


def _listen(connection: Connection, inbox: queue.SimpleQueue[Any]) -> None:
    """Take messages the moment they come, so that the parent never waits for a model step, and
    end the process when the parent is gone."""
    parent = int(sys.argv[2])
    try:
        while True:
            while not connection.poll(_LISTENING_SECONDS):
                if os.getppid() != parent:  # a fork of the parent may hold the socket open
                    raise EOFError
            inbox.put(connection.recv())
    except (EOFError, OSError):
        _leave()


def _leave() -> NoReturn:
    """End now, whatever the other threads are doing, and leave no files."""
    shutil.rmtree(os.environ["TMPDIR"], ignore_errors=True)
    os._exit(0)


class _Service:
    """Adds what has come, computes one step, sends what has finished; for ever."""

    def __init__(
        self,
        engine: Any,
        prompts: Any,  # Prompts of vllm_prompts, or Texts of vllm_embedding
        connection: Connection,
        inbox: queue.SimpleQueue[Any],
        *,
        embeds: bool,
    ) -> None:
        self._engine = engine
        self._embeds = embeds
        self._model = Path(engine.model_config.model).name  # for display
        self._prompts = prompts
        self._connection = connection
        self._inbox = inbox
        core = engine.engine_core.engine_core
        self._scheduler = core.scheduler
        # Where steps are scheduled ahead, calls are taken in while a step is computed.
        self._ahead = core.batch_queue is not None
        self._names: dict[str, str] = {}  # of requests: ours, and vLLM's for it
        self._thinking: set[str] = set()  # requests whose answers start inside of thoughts
        self._warming: dict[str, bytes] = {}  # requests that are warm-ups, with their keys
        self._probing: set[str] = set()
        self._count = 0  # of warm-ups and probes
        self._mark = time.monotonic()  # when the step that runs began
        self._aside = 0.0  # seconds since then that calls were taken in
        self._steps: list[Step] = []  # not reported yet, as are those below
        self._calls = 0
        self._call_seconds = 0.0
        self._reported = 0.0

    def facts(self) -> dict[str, int]:
        """Limits that the parent does not know."""
        scheduler, config = self._scheduler, self._engine.vllm_config.scheduler_config
        longest = self._engine.model_config.max_model_len
        blocks = scheduler.kv_cache_manager.block_pool.num_gpu_blocks - 1  # one is never used
        return {
            "max_model_len": longest,
            # An encoder has no KV cache: there is room for all texts that it reads at once.
            "kv_cache_tokens": blocks * scheduler.block_size or config.max_num_seqs * longest,
            "block_size": scheduler.block_size,
            "max_num_seqs": config.max_num_seqs,
            "max_num_batched_tokens": config.max_num_batched_tokens,
        }

    def serve(self) -> NoReturn:
        while True:
            idle = not self._engine.has_unfinished_requests()
            if idle:
                self._report()
            for message in _waiting(self._inbox, block=idle):
                if idle:
                    self._mark, idle = time.monotonic(), False
                self._take(message)
            if self._engine.has_unfinished_requests():
                self._step()

    def _take(self, message: Any) -> None:
        match message:
            case ("calls", spec, calls):
                with self._taking(len(calls)):
                    refused = self._add(spec, calls)
                if refused:
                    self._connection.send(("answers", refused))
            case ("cancel", calls):
                self._engine.abort_request([call.hex() for call in calls])
                for call in calls:
                    self._times(call.hex())
            case ("warm", warmups):
                for warmup in warmups:
                    with contextlib.suppress(Exception):  # the calls say what is wrong with it
                        self._warm(*warmup)
            case ("release", keys):
                self._scheduler.release(keys)
            case ("calibrate",):
                self._calibrate()
                self._report()
                self._connection.send(("done",))
            case ("forget",):
                self._engine.reset_prefix_cache()
                self._connection.send(("done",))

    # calls --------------------------------------------------------------------------------

    def _add(self, spec: dict[str, Any], calls: list[Any]) -> list[Answer]:
        """Hand calls to vLLM; returns the answers of those that it cannot take."""
        constraint = spec["constraint"]
        parameters = vllm_embedding.parameters() if self._embeds else _sampling(spec)
        least = 0 if self._embeds else 1  # tokens of an answer
        refused: list[Answer] = []
        most = self._engine.model_config.max_model_len
        for call, messages, priority in calls:
            count, kind = 0, "error"
            try:
                tokens, thinks = self._prompts.tokens(
                    messages, spec["thinking"], typed=constraint is not None
                )
                count = len(tokens)
                if count + least > most:
                    kind = "context"
                    what = "text" if self._embeds else "prompt"
                    raise ValueError(
                        f"the {what} has {count:,} tokens, the context of {self._model} is {most:,}"
                    )
                # where there is less room than max_tokens, vLLM ends the answer there
                self._request(call.hex(), tokens, parameters, priority)
                if thinks:
                    self._thinking.add(call.hex())
            except Exception as error:  # one call that vLLM or a template refuses is a row's error
                reason = _one_line(error)
                refused.append((call, None, reason, kind, count, 0, 0, None, None, None))
        return refused

    def _request(self, name: str, tokens: list[int], parameters: Any, priority: int) -> None:
        self._names[name] = self._engine.add_request(
            name, {"prompt_token_ids": tokens}, parameters, priority=priority
        )

    def _times(self, name: str) -> tuple[float | None, float | None]:
        """When the request was started and had its first token; it is forgotten."""
        self._thinking.discard(name)
        started, first = self._scheduler.take_times(self._names.pop(name, ""))
        return started, first

    def _answer(self, output: Any, now: float) -> Answer:
        if self._embeds:
            return self._embedded(output, now)
        completion = output.outputs[0]
        reason = completion.finish_reason
        error = None if reason in ("stop", "length") else f"vLLM ended the call: {reason}"
        begun = "<think>" if output.request_id in self._thinking else ""  # by the prompt
        return (
            bytes.fromhex(output.request_id),
            begun + completion.text if error is None else None,
            error,
            reason if error is None else "error",
            len(output.prompt_token_ids),
            output.num_cached_tokens or 0,
            len(completion.token_ids),
            *self._times(output.request_id),
            now,
        )

    def _embedded(self, output: Any, now: float) -> Answer:
        error = None if output.error is None else f"vLLM ended the call: {output.error}"
        return (
            bytes.fromhex(output.request_id),
            vllm_embedding.answer(output) if error is None else None,
            error,
            "stop" if error is None else "error",
            len(output.prompt_token_ids),
            output.num_cached_tokens or 0,
            0,
            *self._times(output.request_id),
            now,
        )

    # warm-ups -----------------------------------------------------------------------------

    def _warm(self, key: bytes, first: Messages, second: Messages, keep: bool) -> None:
        """Compute the whole blocks that both prompts begin with."""
        from vllm import SamplingParams

        both = zip(
            self._prompts.tokens(first)[0],
            self._prompts.tokens(second)[0],
            strict=False,
        )
        tokens = [a for a, _ in itertools.takewhile(lambda pair: pair[0] == pair[1], both)]
        block = self._scheduler.block_size
        whole = min(len(tokens), self._engine.model_config.max_model_len - 1) // block * block
        if not whole:
            return
        if keep:
            self._scheduler.want(key)
        parameters = SamplingParams(
            max_tokens=1, temperature=0, extra_args={vllm_scheduler.PIN: key} if keep else None
        )
        name = self._name("warm")
        self._warming[name] = key
        self._request(name, tokens[:whole], parameters, _BEFORE_ALL)

    def _name(self, kind: str) -> str:
        """A name that no call has."""
        self._count += 1
        return f"{kind}-{self._count}"

    # steps --------------------------------------------------------------------------------

    def _step(self) -> None:
        """One step of vLLM; what has finished is sent."""
        outputs = self._engine.step()
        now = time.monotonic()
        answers = []
        for output in outputs:
            name = output.request_id
            if not output.finished:
                continue
            if name in self._warming:
                key = self._warming.pop(name)
                counts = len(output.prompt_token_ids), output.num_cached_tokens or 0
                self._connection.send(("warmed", key, *counts))
                self._times(name)
            elif name in self._probing:
                self._probing.remove(name)
                self._times(name)
            else:
                answers.append(self._answer(output, now))
        if answers:
            self._connection.send(("answers", answers))
        self._note()

    @contextlib.contextmanager
    def _taking(self, calls: int) -> Iterator[None]:
        """Takes the time of handing so many calls to vLLM."""
        began = time.monotonic()
        yield
        seconds = time.monotonic() - began
        self._aside += seconds
        self._calls += calls
        self._call_seconds += seconds

    def _note(self) -> None:
        """Note how long the step took that is done, if one is: from the end of the last one, but
        for the time that calls were taken in."""
        done, self._scheduler.done = self._scheduler.done, []
        if not done:
            return
        now = time.monotonic()
        seconds = now - self._mark - self._aside
        if (
            len(done) == 1
            and done[0].prefill + done[0].decode
            and not (self._ahead and self._aside)
        ):
            self._steps.append((seconds, *done[0]))
        self._mark, self._aside = now, 0.0
        if now - self._reported > _REPORT_SECONDS:
            self._report()

    def _report(self) -> None:
        if self._steps or self._calls:
            self._connection.send(("steps", self._steps, self._calls, self._call_seconds))
            self._steps, self._calls, self._call_seconds = [], 0, 0.0
        self._reported = time.monotonic()

    # calibration --------------------------------------------------------------------------

    def _calibrate(self) -> None:
        """Run probes and note their steps, for about _CALIBRATION_SECONDS. Calls that are there
        already go on meanwhile."""
        facts = self.facts()
        probes = vllm_probes.probes(
            facts["max_model_len"], facts["max_num_seqs"], facts["kv_cache_tokens"]
        )
        if self._embeds:
            probes = [probe for probe in probes if probe.output == 1]
        texts = vllm_probes.texts(self._count)
        before = len(self._steps), self._calls, self._call_seconds
        for probe in probes[:1]:  # the first calls of a process take longer
            self._probe(probe, texts)
            del self._steps[before[0] :]
            self._calls, self._call_seconds = before[1:]
        began = time.monotonic()
        pace = 0.0  # seconds for a token, of the last probe
        for probe in probes * _ROUNDS:
            now = time.monotonic()
            if now - began + pace * probe.tokens > _CALIBRATION_SECONDS:
                continue
            self._probe(probe, texts)
            pace = (time.monotonic() - now) / probe.tokens
        if not self._engine.has_unfinished_requests():
            self._engine.reset_prefix_cache()

    def _probe(self, probe: Any, texts: Iterator[str]) -> None:
        if self._embeds:
            parameters = vllm_embedding.parameters()
        else:
            sampling = {"max_tokens": probe.output, "temperature": 0, "ignore_eos": True}
            parameters = _sampling({"sampling": sampling, "constraint": None})
        prompts = [
            "".join(itertools.islice(texts, probe.prompt)) for _ in range(probe.calls)
        ]  # at least a token a word
        self._mark, self._aside = time.monotonic(), 0.0
        with self._taking(probe.calls):
            for prompt in prompts:
                tokens, _ = self._prompts.tokens([("user", prompt)])
                name = self._name("probe")
                self._probing.add(name)
                self._request(name, tokens[: probe.prompt], parameters, _BEFORE_ALL)
        while self._probing:
            self._step()


def _sampling(spec: dict[str, Any]) -> Any:
    from vllm import SamplingParams
    from vllm.sampling_params import RequestOutputKind, StructuredOutputsParams

    constraint = spec["constraint"]
    return SamplingParams(
        **spec["sampling"],
        structured_outputs=StructuredOutputsParams(**constraint) if constraint else None,
        output_kind=RequestOutputKind.FINAL_ONLY,
    )


def _waiting(inbox: queue.SimpleQueue[Any], block: bool) -> Iterator[Any]:
    """All messages that wait now; at least one if `block`."""
    if block:
        yield inbox.get()
    while True:
        try:
            yield inbox.get_nowait()
        except queue.Empty:
            return


def _one_line(error: BaseException) -> str:
    text = re.sub(r"\[type=\w+, input_value=.*", "", str(error), flags=re.DOTALL)  # pydantic's
    return " ".join(text.split()) or type(error).__name__


if __name__ == "__main__":
    main()
