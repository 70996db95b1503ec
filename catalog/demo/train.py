"""Train the demonstration model from a seed: `python -m catalog.demo.train`.

Writes catalog/models/demo (weights as float16, which any dtype can be loaded from). Everything
that is drawn, is drawn from the seed; one thread on a recent x86 core needs under an hour.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import random
import time
from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer
from transformers import Qwen3Config, Qwen3ForCausalLM

from catalog.demo import tokenizer as tokenizers_
from catalog.demo.answers import Probe, answer_loss, tally
from catalog.demo.corpus import END, Sample, any_dialog, batches, in_tokens
from catalog.demo.draw import Draw

FOLDER = Path(__file__).resolve().parents[1] / "models" / "demo"
CONTEXT = 4096
SEED = 20_26


def configuration(tokenizer: Tokenizer) -> Qwen3Config:
    end = tokenizer.token_to_id(END)
    return Qwen3Config(
        vocab_size=tokenizers_.VOCABULARY,
        hidden_size=256,
        intermediate_size=704,
        num_hidden_layers=4,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=64,
        max_position_embeddings=CONTEXT,
        rope_parameters={"rope_type": "default", "rope_theta": 10_000.0},
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=end,
        pad_token_id=tokenizer.token_to_id(tokenizers_.PAD),
        architectures=["Qwen3ForCausalLM"],
        dtype="float32",
    )


def held_out(tokenizer: Tokenizer, count: int) -> list[Sample]:
    """Conversations with phrases that training never sees."""
    draw = Draw(random.Random(SEED + 1), held_out_phrases=True, held_out_wordings=False)
    return [in_tokens(any_dialog(draw), tokenizer) for _ in range(count)]


def exactness(model: Qwen3ForCausalLM, samples: Sequence[Sample]) -> str:
    """Exact answers in all and by task."""
    model.eval()
    asked, right = tally(model, samples)
    model.train()
    by_task = ", ".join(f"{t} {right[t]}/{asked[t]}" for t in sorted(asked))
    return f"{right.total() / asked.total():.3f} {by_task}"


def save(model: Qwen3ForCausalLM, tokenizer: Tokenizer, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    weights = {
        name: tensor.detach().to(torch.float16).contiguous()
        for name, tensor in model.state_dict().items()
        if name != "lm_head.weight"  # tied to the embedding
    }
    partial = folder / "model.safetensors.partial"
    save_file(weights, partial, metadata={"format": "pt"})
    partial.chmod(0o644)
    partial.replace(folder / "model.safetensors")
    config = model.config.to_dict()
    config.pop("_name_or_path", None)
    _write_json(folder / "config.json", config)
    end = tokenizer.token_to_id(END)
    pad = tokenizer.token_to_id(tokenizers_.PAD)
    _write_json(
        folder / "generation_config.json",
        {
            "eos_token_id": end,
            "pad_token_id": pad,
            "do_sample": False,
            "max_new_tokens": 256,
        },
    )
    tokenizers_.save(tokenizer, folder, CONTEXT)


def train(
    folder: Path, start: Path | None, steps: int, size: int, rate: float, look: int, seed: int
) -> None:
    torch.manual_seed(SEED)
    begin = time.monotonic()
    if start is None:
        tokenizer = tokenizers_.learn(SEED)
        model = Qwen3ForCausalLM(configuration(tokenizer))
    else:
        tokenizer = Tokenizer.from_file(str(start / "tokenizer.json"))
        model = Qwen3ForCausalLM.from_pretrained(start, dtype=torch.float32)
    model.train()
    save(model, tokenizer, folder)
    count = sum(p.numel() for p in model.parameters())
    print(f"{count:,} parameters, {torch.get_num_threads()} threads", flush=True)
    probe = Probe(model.config.hidden_size)
    optimizers = [
        torch.optim.Muon(
            [p for n, p in model.named_parameters() if p.ndim == 2 and "embed" not in n],
            lr=rate,
            weight_decay=0.05,
            adjust_lr_fn="match_rms_adamw",
        ),
        torch.optim.AdamW(
            [
                *(p for n, p in model.named_parameters() if p.ndim != 2 or "embed" in n),
                *probe.parameters(),
            ],
            lr=rate,
            betas=(0.9, 0.98),
            weight_decay=0.0,
            fused=True,
        ),
    ]
    tests = held_out(tokenizer, 600)
    warm_up, seen, answers, right, losses = min(200, steps // 10), 0, 0, 0, 0.0
    clause_losses = 0.0
    stream = batches(tokenizer, seed, size)
    for step, batch in zip(range(1, steps + 1), stream, strict=False):
        share = min(1.0, step / warm_up)
        if step > warm_up:
            share = 0.02 + 0.49 * (1 + math.cos(math.pi * (step - warm_up) / (steps - warm_up)))
        for group in (g for o in optimizers for g in o.param_groups):
            group["lr"] = rate * share
        with torch.autocast("cpu", torch.bfloat16):
            loss, probed, exact = answer_loss(model, batch, probe if start is None else None)
        (loss + 0.5 * probed).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad()
        seen += sum(len(s.tokens) for s in batch)
        answers, right, losses = (
            answers + len(exact),
            right + sum(exact),
            losses + loss.item(),
        )
        clause_losses += probed.item()
        if step % 50 == 0:
            seconds = time.monotonic() - begin
            print(
                f"step {step} loss {losses / 50:.4f} exact {right / answers:.3f} "
                f"clauses {clause_losses / 50:.4f} "
                f"tokens {seen:,} seconds {seconds:.0f}",
                flush=True,
            )
            answers, right, losses, clause_losses = 0, 0, 0.0, 0.0
        if step % look == 0 or step == steps:
            print(f"held out at {step}: {exactness(model, tests)}", flush=True)
            save(model, tokenizer, folder)


def _write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=2, sort_keys=True) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=FOLDER)
    parser.add_argument("--start", type=Path, help="go on from this model, on other data")
    parser.add_argument("--steps", type=int, default=5500)
    parser.add_argument("--size", type=int, default=4096, help="tokens in a batch")
    parser.add_argument("--rate", type=float, default=2e-3, help="highest learning rate")
    parser.add_argument("--look", type=int, default=500, help="measure and save every .. steps")
    parser.add_argument("--seed", type=int, default=SEED, help="of the conversations")
    options = parser.parse_args()
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    train(
        options.folder, options.start, options.steps, options.size, options.rate, options.look,
        options.seed,
    )  # fmt: skip


if __name__ == "__main__":
    main()
