"""The debate of two rounds with another number of them."""

from __future__ import annotations

import re

_SECOND = re.compile(r", round2 AS \((?P<body>.*?)\n\)\nSELECT (?P<rest>.*)\bround2\b", re.DOTALL)


def with_rounds(query: str, rounds: int) -> str:
    """The query of a debate whose second round is repeated; each goes on from the one before.

    Two rounds ask what the query itself asks. `rounds` is at least one.
    """
    found = _SECOND.search(query)
    assert found is not None
    body = found["body"].replace("me.agent, g.text\n", "me.agent, g.text, g.messages\n")
    assert body != found["body"]
    more = (
        f", round{n} AS ({body.replace('round1', f'round{n - 1}')}\n)" for n in range(2, rounds + 1)
    )
    begun, ended = query[: found.start()], query[found.end() :]
    return f"{begun}{''.join(more)}\nSELECT {found['rest']}round{rounds}{ended}"
