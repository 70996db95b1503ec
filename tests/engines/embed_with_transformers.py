"""Print vectors as transformers computes them: `embed_with_transformers.py FOLDER PLACE TEXT ..`.

PLACE is the token whose state is the vector: 0 the first, -1 the last.
"""

from __future__ import annotations

import json
import sys

import torch
from transformers import AutoModel, AutoTokenizer

folder, place, *texts = sys.argv[1:]
tokenizer = AutoTokenizer.from_pretrained(folder)
model = AutoModel.from_pretrained(folder).eval()
for text in texts:
    with torch.no_grad():
        tokens = tokenizer(text, return_tensors="pt", split_special_tokens=True)
        states = model(tokens["input_ids"]).last_hidden_state[0, int(place)]
    print(json.dumps(torch.nn.functional.normalize(states, dim=0).tolist()))
