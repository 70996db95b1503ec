"""Text on standard output, told apart from one whose reader has gone. Imports nothing heavy."""

from __future__ import annotations

import os
import sys
from typing import TextIO

from heliumql.errors import ExecutionError

READER_GONE = 141  # 128 + SIGPIPE: the exit status, as of any other program in a pipeline


class OutputClosedError(Exception):
    """Whoever read standard output has gone (`| head`); there is nobody left to write for."""


def write(text: str, out: TextIO | None = None) -> None:
    """Writes whole and at once, to standard output or a stream that stands for it.

    Raises OutputClosedError, or ExecutionError where the text cannot be written.
    """
    out = out or sys.stdout
    try:
        out.write(text)
        out.flush()
    except OSError as error:
        # What is left in the buffer is written once more when Python ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), out.fileno())
        if isinstance(error, BrokenPipeError):
            raise OutputClosedError from None
        raise ExecutionError(f"cannot write the result: {error.strerror}") from None
