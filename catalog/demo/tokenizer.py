"""The tokenizer of the demonstration model: byte-level BPE learnt from the training stream.

Any text encodes, since every byte is a token. Called by `train.py`.
"""

from __future__ import annotations

import json
import random
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from catalog.demo.corpus import CHAT_TEMPLATE, END, any_dialog
from catalog.demo.draw import Draw

PAD = "<|endoftext|>"
VOCABULARY = 3072


def learn(seed: int) -> Tokenizer:
    """Learn the vocabulary from conversations of the training stream."""
    draw = Draw(random.Random(seed), held_out_phrases=False, held_out_wordings=False)
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=[PAD, "<|im_start|>", END],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    texts = (m["content"] for _ in range(20_000) for m in any_dialog(draw).messages())
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def save(tokenizer: Tokenizer, folder: Path, context: int) -> None:
    """The files that transformers and vLLM read."""
    tokenizer.save(str(folder / "tokenizer.json"))
    config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "eos_token": END,
        "pad_token": PAD,
        "model_max_length": context,
        "clean_up_tokenization_spaces": False,
        "chat_template": CHAT_TEMPLATE,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=2) + "\n")
