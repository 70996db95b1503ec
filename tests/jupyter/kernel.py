"""A kernel of a notebook in a process of its own, and what its cells show."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager

PATIENCE_SECONDS = 30


@dataclass
class Cell:
    """What a cell came to."""

    status: str = ""
    ename: str = ""
    traceback: list[str] = field(default_factory=list)
    bundles: list[dict[str, str]] = field(default_factory=list)  # results and displays, in order
    updates: list[dict[str, str]] = field(default_factory=list)  # of displays
    printed: str = ""
    warned: str = ""

    @property
    def results(self) -> list[dict[str, str]]:
        """Without the display of progress, which a busy machine may have shown."""
        return [b for b in self.bundles if "<progress" not in b.get("text/html", "")]

    @property
    def plain(self) -> str:
        return "\n".join(b.get("text/plain", "") for b in self.bundles)

    @property
    def html(self) -> str:
        return "\n".join(b.get("text/html", "") for b in self.bundles)


class Kernel:
    """Runs cells one after the other. Every warning in it is an error."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._manager = KernelManager(transport="ipc", ip=str(folder / "socket"))
        environment = {
            **os.environ,
            "PYTHONWARNINGS": "error,ignore::PendingDeprecationWarning",  # of ipykernel itself
            "IPYTHONDIR": str(folder / "ipython"),
            "JUPYTER_PLATFORM_DIRS": "1",
        }
        self._manager.start_kernel(env=environment, cwd=str(folder))
        self.client: BlockingKernelClient = self._manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=PATIENCE_SECONDS)

    def run(self, code: str, while_running: Callable[[Cell], bool] | None = None) -> Cell:
        """Runs a cell. `while_running` is asked after each output, until it says True."""
        cell = Cell()
        sent = self.client.execute(code)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            message = self.client.get_iopub_msg(timeout=max(0.1, deadline - time.monotonic()))
            if message["parent_header"].get("msg_id") != sent:
                continue
            if _take(message, cell):
                break
            if while_running is not None and while_running(cell):
                while_running = None
        reply = self.client.get_shell_msg(timeout=PATIENCE_SECONDS)
        while reply["parent_header"].get("msg_id") != sent:
            reply = self.client.get_shell_msg(timeout=PATIENCE_SECONDS)
        cell.status = reply["content"]["status"]
        return cell

    def completions(self, code: str, position: int | None = None) -> list[str]:
        reply = self.client.complete(code, position, reply=True, timeout=PATIENCE_SECONDS)
        return list(reply["content"]["matches"])

    def interrupt(self) -> None:
        self._manager.interrupt_kernel()

    def close(self) -> None:
        self.client.stop_channels()
        self._manager.shutdown_kernel(now=True)
        self._manager.cleanup_resources()


def _take(message: dict[str, Any], cell: Cell) -> bool:
    """Notes one output; true at the end of the cell."""
    content = message["content"]
    match message["msg_type"]:
        case "execute_result" | "display_data":
            cell.bundles.append(content["data"])
        case "update_display_data":
            cell.updates.append(content["data"])
        case "stream" if content["name"] == "stdout":
            cell.printed += content["text"]
        case "stream":
            cell.warned += content["text"]
        case "error":
            cell.ename, cell.traceback = content["ename"], content["traceback"]
        case "status":
            return content["execution_state"] == "idle"
    return False
