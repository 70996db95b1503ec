"""Measure the demonstration model: `python -m catalog.demo.measure`.

Prints for each kind of question how many answers are exact, on conversations that training never
sees: with phrases in the texts that are held out, and with wordings of questions held out as well.
An answer counts where every token of it, its end included, is the likeliest one (which is what
greedy decoding would write).
"""

from __future__ import annotations

import argparse
import os
import random
from pathlib import Path

import torch
from tokenizers import Tokenizer
from transformers import Qwen3ForCausalLM

from catalog.demo.answers import tally
from catalog.demo.corpus import any_dialog, in_tokens
from catalog.demo.draw import Draw
from catalog.demo.train import FOLDER


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=FOLDER)
    parser.add_argument("--count", type=int, default=2000, help="conversations in each set")
    parser.add_argument("--seed", type=int, default=99)
    options = parser.parse_args()
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    tokenizer = Tokenizer.from_file(str(options.folder / "tokenizer.json"))
    model = Qwen3ForCausalLM.from_pretrained(options.folder, dtype=torch.float32).eval()
    columns = []
    for wordings in (False, True):
        draw = Draw(random.Random(options.seed), True, wordings)
        samples = [in_tokens(any_dialog(draw), tokenizer) for _ in range(options.count)]
        columns.append(tally(model, sorted(samples, key=lambda s: len(s.tokens))))
    print("| task | new phrases | new phrases and wordings |\n|---|---|---|")
    for task in sorted(set(columns[0][0]) | set(columns[1][0])):
        cells = [f"{right[task]} / {asked[task]}" for asked, right in columns]
        print(f"| {task} | {' | '.join(cells)} |")
    totals = [f"{right.total() / asked.total():.1%}" for asked, right in columns]
    print(f"| all | {' | '.join(totals)} |")


if __name__ == "__main__":
    main()
