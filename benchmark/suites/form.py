"""How vLLM loads the model of the benchmark."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_PLUGIN = Path(__file__).parents[1] / "gpu" / "plugin"
DTYPES = {"float32": 4, "bfloat16": 2, "float16": 2}
"""Number formats, and the bytes of a number."""


@dataclass(frozen=True)
class Form:
    """The number format, and what else vLLM's own defaults do not say."""

    dtype: str = "float32"
    weightless: bool = False  # a model of gpu/model.py: random weights, drawn answers
    attention: str | None = None  # backend, by its name in vLLM; None: vLLM's choice
    eager: bool = False  # nothing is compiled, which is so on a CPU anyway

    @property
    def arguments(self) -> Mapping[str, object]:
        """Of vLLM's engine, beside its model and dtype."""
        found: dict[str, object] = {}
        if self.weightless:
            found["load_format"] = "dummy"
            found["logits_processors"] = ["heliumql_drawn_answers:DrawnAnswers"]
        if self.attention:
            found["attention_backend"] = self.attention
        if self.eager:
            found["enforce_eager"] = True
        return found

    def environment(self) -> Mapping[str, str]:
        """Of vLLM's processes."""
        if not self.weightless:
            return {}
        path = [str(_PLUGIN), os.environ.get("PYTHONPATH", "")]
        # The newer runner of models takes logits processors of another kind.
        return {
            "PYTHONPATH": os.pathsep.join(p for p in path if p),
            "VLLM_USE_V2_MODEL_RUNNER": "0",
        }

    @contextmanager
    def applied(self) -> Iterator[None]:
        """The environment is that of processes which are started, or started again, meanwhile."""
        variables = self.environment()
        before = {name: os.environ.get(name) for name in variables}
        os.environ.update(variables)
        try:
            yield
        finally:
            for name, value in before.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value


FLOAT32 = Form()
"""Of the benchmark's own model."""
