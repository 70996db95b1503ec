"""Names as the command line has them, checked against those that there are.

It imports little: `python -m overhead` measures the memory of its process.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from heliumql.cli.parser import UsageError, nearest


def of_option(option: str, what: str, given: str, known: Collection[str]) -> tuple[str, ...]:
    """`--option A,B`, each once. Raises UsageError."""
    names = [name.strip() for name in given.split(",")]
    for name in names:
        if name not in known:
            hint = f"one of {', '.join(known)}"
            raise _unknown(f"{option}: no {what} {name!r}", name, known, hint)
    return tuple(dict.fromkeys(names))


def of_arguments(
    what: str, given: Sequence[str], known: Collection[str], everything: Iterable[str], hint: str
) -> tuple[str, ...]:
    """`A B`, each once; `all` and none are everything. Raises UsageError.

    The hint says where the names are, where no name is near.
    """
    found: dict[str, None] = {}
    for name in given or ["all"]:
        if name != "all" and name not in known:
            raise _unknown(f"no {what} {name!r}", name, (*known, "all"), hint)
        found |= dict.fromkeys(everything if name == "all" else (name,))
    return tuple(found)


def _unknown(message: str, name: str, known: Collection[str], otherwise: str) -> UsageError:
    near = nearest(name, list(known))
    return UsageError(message, hint=f"did you mean {near}?" if near else otherwise)
