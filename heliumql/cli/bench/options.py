"""Options that several suites and studies of `heliumql bench` have."""

from __future__ import annotations

from pathlib import Path

from heliumql.cli.parser import Parser
from heliumql.cli.values import positive, seed, whole


def add_sizes(parser: Parser) -> None:
    """How much of a suite is run, with which KV cache."""
    add = parser.add_argument
    add("--rows", type=whole, metavar="N", help="instead of the suite's own number")
    add("--scale", type=positive, metavar="X", help="of all lengths; 1 is the original's")
    add("--kv-tokens", default="quarter", metavar="N",
        help="KV cache of a worker: tokens, or quarter (default), all or tight (a sixteenth) of"
        " what the calls hold together, or free: what memory is free")  # fmt: skip


def add_hardware(parser: Parser, default: str) -> None:
    """What is simulated, if not the hardware that is meant otherwise."""
    other = "cpu" if default == "gpu" else "gpu"
    parser.add_argument(
        "--hardware", choices=("cpu", "gpu"), metavar="NAME",
        help=f"that is simulated: {default} (default) or {other}",
    )  # fmt: skip


def add_model(parser: Parser) -> None:
    """A model other than the benchmark's small one."""
    add = parser.add_argument
    add("--model", type=Path, metavar="DIR", help="of benchmark/gpu/model.py (default: small)")
    add("--dtype", choices=("float32", "bfloat16", "float16"), metavar="NAME",
        help="its numbers: float32, float16 or bfloat16 (default)")  # fmt: skip
    add("--attention", metavar="NAME", help="its backend, as vLLM names it: TRITON_ATTN ..")
    add("--eager", action="store_true", help="compile nothing of it")


def add_turns(parser: Parser) -> None:
    """How often, with which texts, and what is kept of it."""
    add = parser.add_argument
    add("--repeat", type=whole, default=3, metavar="N", help="turns (default: 3)")
    add("--seed", type=seed, default=0, metavar="N", help="of the texts (default: 0)")
    add("--output", type=Path, metavar="FOLDER", help="for the rows, as Parquet and CSV")
