"""The wire format of embeddings: request bodies out of calls, answers out of responses.

Numbers travel as JSON: every server knows that, base64 only some.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from heliumql.engines.batches import Answer, encodable
from heliumql.engines.flight import Flight


def embeddings_body(model: str, flights: Sequence[Flight]) -> bytes:
    texts = [flight.request.messages[-1][1] for flight in flights]
    body = {"model": model, "input": texts, "encoding_format": "float"}
    return json.dumps(body, ensure_ascii=False).encode()


def read_embeddings(flights: Sequence[Flight], payload: Mapping[str, Any]) -> list[Answer]:
    """The answers in a response of a server, in the order of the calls.

    Tokens are told for the request; each call has its share of them. Raises ValueError where the
    response does not answer every call.
    """
    try:
        found = {item["index"]: item["embedding"] for item in payload["data"]}
        vectors = [found[number] for number in range(len(flights))]
        tokens = int((payload.get("usage") or {}).get("prompt_tokens") or 0)
    except (KeyError, TypeError, AttributeError, ValueError):
        raise ValueError("the server sent no embedding for each text") from None
    answers = []
    whole = sum(flight.size for flight in flights) or 1
    before = told = 0
    for flight, vector in zip(flights, vectors, strict=True):
        before += flight.size
        share = tokens * before // whole - told
        told += share
        text = encodable(json.dumps(vector, ensure_ascii=False))
        answers.append(
            Answer(flight.request.call, text, None, "stop", share, requests=flight.requests)
        )
    return answers
