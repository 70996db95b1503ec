"""Writes a model without weights, by default of the shape of Qwen3-8B.

    python benchmark/gpu/model.py FOLDER [--layers 36] [--hidden 4096] ..

The folder has config.json and the tokenizer of the benchmark's small model; vLLM makes the weights
up when it loads it. As the vocabulary of the embedding is larger than the tokenizer's, and as such
weights give every prompt the same answer, answers are drawn from the tokens that config.json lists
(plugin/heliumql_drawn_answers.py).
"""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import dataclass, fields
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).parents[1])

from suites.vocabulary import invented, vocabulary


@dataclass(frozen=True)
class Shape:
    """Of a Qwen3, in the units of its config.json."""

    layers: int = 36
    hidden: int = 4096
    heads: int = 32
    kv_heads: int = 8
    head_dim: int = 128
    intermediate: int = 12288
    vocabulary: int = 151_936
    context: int = 40_960  # tokens


def write(folder: Path, shape: Shape) -> None:
    """Raises ValueError where the shape is none, OSError where it cannot be written."""
    words = vocabulary()
    if shape.vocabulary < len(words):
        raise ValueError(f"the vocabulary needs {len(words)} tokens at least")
    if shape.heads % shape.kv_heads:
        raise ValueError(f"{shape.heads} heads cannot share {shape.kv_heads} of keys and values")
    folder.mkdir(parents=True, exist_ok=True)
    os.environ["HF_HUB_OFFLINE"] = "1"
    from suites import tokenizer  # takes seconds to import, and --help needs none of it
    from transformers import Qwen3Config

    number = {word: i for i, word in enumerate(words)}
    fast = tokenizer.write(folder)
    config = Qwen3Config(
        architectures=["Qwen3ForCausalLM"],
        dtype="bfloat16",
        vocab_size=shape.vocabulary,
        hidden_size=shape.hidden,
        intermediate_size=shape.intermediate,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.kv_heads,
        head_dim=shape.head_dim,
        max_position_embeddings=shape.context,
        tie_word_embeddings=False,
        bos_token_id=None,
        eos_token_id=fast.eos_token_id,
        pad_token_id=fast.pad_token_id,
        answer_token_ids=[number[word] for word in invented()],
    )
    config.save_pretrained(folder)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    for field in fields(Shape):
        name = f"--{field.name.replace('_', '-')}"
        parser.add_argument(name, type=_count, default=field.default, metavar="N")
    chosen = vars(parser.parse_args())
    folder = chosen.pop("folder")
    try:
        write(folder, Shape(**chosen))
    except ValueError as error:
        parser.error(str(error))
    except OSError as error:
        parser.error(f"{folder} cannot be written: {error.strerror}")


def _count(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and int(text)):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above zero")
    return int(text)


if __name__ == "__main__":
    main()
