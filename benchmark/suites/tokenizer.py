"""The tokenizer of the benchmark's models: a token for each word of vocabulary.py."""

from __future__ import annotations

from pathlib import Path

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from suites.vocabulary import PIECE, SPECIAL, vocabulary

CHAT = (
    "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)


def write(folder: Path) -> PreTrainedTokenizerFast:
    """Writes it to the files of a model."""
    number = {word: i for i, word in enumerate(vocabulary())}
    tokenizer = Tokenizer(models.BPE(number, [], ignore_merges=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(PIECE), "isolated")
    tokenizer.decoder = decoders.Fuse()
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token=SPECIAL[0],
        eos_token=SPECIAL[-1],
        additional_special_tokens=list(SPECIAL[1:-1]),
        clean_up_tokenization_spaces=False,
    )
    fast.chat_template = CHAT
    fast.save_pretrained(folder)
    return fast
