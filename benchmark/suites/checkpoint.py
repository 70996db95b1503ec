"""Write the benchmark's model, a small Qwen3 with random weights: `checkpoint.py FOLDER`.

Run as a program, so that torch is not imported into the benchmark's process. Its answers are
invented words (vocabulary.py), never an end: each has `max_tokens` tokens, as drawn lengths would
be another source of differences between runs.
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from transformers import Qwen3Config, Qwen3ForCausalLM

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).parents[1])

from suites import tokenizer
from suites.vocabulary import invented, vocabulary

CONTEXT = 16384
_SHARPER = 6.0  # than random weights look at the prompt: else all prompts have much the same answer


def main(folder: str) -> None:
    words = vocabulary()
    number = {word: i for i, word in enumerate(words)}
    fast = tokenizer.write(Path(folder))
    torch.manual_seed(0)
    config = Qwen3Config(
        vocab_size=len(words),
        hidden_size=256,
        intermediate_size=768,
        num_hidden_layers=4,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=64,
        max_position_embeddings=CONTEXT,
        tie_word_embeddings=False,
        bos_token_id=None,
        eos_token_id=fast.eos_token_id,
        pad_token_id=fast.pad_token_id,
    )
    model = Qwen3ForCausalLM(config).to(torch.float32)
    answers = {number[word] for word in invented()}
    with torch.no_grad():
        for layer in model.model.layers:
            layer.self_attn.q_norm.weight *= _SHARPER
            layer.self_attn.o_proj.weight *= _SHARPER
        # A row of zeros is never the greatest of thousands of random ones.
        for token in range(len(words)):
            if token not in answers:
                model.lm_head.weight[token] = 0
    model.save_pretrained(folder)


if __name__ == "__main__":
    main(sys.argv[1])
