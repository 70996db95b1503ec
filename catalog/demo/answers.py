"""The loss of the model over answers, and how many of them it gets right.

`train.py` minimizes the one, `measure.py` counts the other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch.nn import functional
from transformers import Qwen3ForCausalLM

from catalog.demo.corpus import OPINIONS, Sample


class Probe(torch.nn.Module):
    """Reads from the middle of the model which opinion a clause expresses.

    It trains along with the model, so that the lower layers learn to understand clauses before
    the upper ones know what to do with them, and is thrown away in the end.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = torch.nn.RMSNorm(width)
        self.read = torch.nn.Linear(width, OPINIONS)

    def loss(self, hidden: torch.Tensor, batch: Sequence[Sample]) -> torch.Tensor:
        rows, columns, labels = [], [], []
        for row, sample in enumerate(batch):
            for column, label in sample.marks:
                rows.append(row)
                columns.append(column)
                labels.append(label)
        if not rows:
            return torch.zeros(())
        made = self.read(self.norm(hidden[torch.tensor(rows), torch.tensor(columns)]))
        return functional.cross_entropy(made.float(), torch.tensor(labels))


def answer_loss(
    model: Qwen3ForCausalLM, batch: Sequence[Sample], probe: Probe | None = None
) -> tuple[torch.Tensor, torch.Tensor, list[bool]]:
    """Loss over the answers' tokens, loss of the probe, and which answers greedy decoding gives."""
    width = max(len(s.tokens) for s in batch)
    tokens = torch.zeros(len(batch), width, dtype=torch.long)
    rows: list[int] = []
    columns: list[int] = []
    ends = [0]
    for row, sample in enumerate(batch):
        tokens[row, : len(sample.tokens)] = torch.tensor(sample.tokens)
        for start, end, _ in sample.answers:
            rows += [row] * (end - start)
            columns += range(start, end)
            ends.append(len(rows))
    row_index, column_index = torch.tensor(rows), torch.tensor(columns)
    # Padding stands at the right, where causal attention never looks: no mask is needed.
    made = model.model(input_ids=tokens, use_cache=False, output_hidden_states=probe is not None)
    probed = torch.zeros(())
    if probe is not None:
        probed = probe.loss(made.hidden_states[len(model.model.layers) // 2], batch)
    logits = model.lm_head(made.last_hidden_state[row_index, column_index - 1]).float()
    wanted = tokens[row_index, column_index]
    right = logits.detach().argmax(-1) == wanted
    exact = [bool(right[a:b].all()) for a, b in pairwise(ends)]
    return functional.cross_entropy(logits, wanted), probed, exact


def tally(model: Qwen3ForCausalLM, samples: Sequence[Sample]) -> tuple[Counter[str], Counter[str]]:
    """Answers asked for and exact answers, by task."""
    asked: Counter[str] = Counter()
    right: Counter[str] = Counter()
    for at in range(0, len(samples), 32):
        batch = samples[at : at + 32]
        with torch.no_grad():
            *_, exact = answer_loss(model, batch)
        tasks = [task for s in batch for _, _, task in s.answers]
        asked.update(tasks)
        right.update(task for task, good in zip(tasks, exact, strict=True) if good)
    return asked, right
