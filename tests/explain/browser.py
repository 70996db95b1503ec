"""A headless Chromium for tests, driven through chromedriver; nothing else is needed for it."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import subprocess
import tempfile
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MISSING = [name for name in ("chromium", "chromedriver") if shutil.which(name) is None]
_SECONDS = 60


@dataclass
class Browser:
    """One window. `session` is where chromedriver listens for it."""

    session: str

    def open(self, path: Path) -> None:
        """Loads a page and waits until it is there."""
        self._post("url", {"url": path.resolve().as_uri()})

    def resize(self, width: int, height: int, *, dark: bool = False) -> None:
        """As a screen of this size; a narrow one is a phone's."""
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        self.cdp("Emulation.setDeviceMetricsOverride", metrics)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.cdp("Emulation.setEmulatedMedia", {"features": [scheme]})

    def run(self, script: str, *arguments: object) -> Any:
        """The value of a script; it may `return`."""
        return self._post("execute/sync", {"script": script, "args": list(arguments)})

    def log(self) -> list[str]:
        """What the console has shown since this was last asked."""
        return [entry["message"] for entry in self._post("se/log", {"type": "browser"})]

    def screenshot(self, path: Path, *, height: int = 0) -> None:
        """A picture of what is seen, or of so much of the page, beginning at its top."""
        given: dict[str, object] = {"format": "png", "captureBeyondViewport": bool(height)}
        if height:
            width = self.run("return document.documentElement.clientWidth")
            given["clip"] = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
        data = self.cdp("Page.captureScreenshot", given)["data"]
        path.write_bytes(base64.b64decode(data))

    def cdp(self, command: str, parameters: Mapping[str, object]) -> Any:
        """A command of Chromium's own protocol."""
        return self._post("goog/cdp/execute", {"cmd": command, "params": parameters})

    def _post(self, what: str, body: object) -> Any:
        return _request("POST", f"{self.session}/{what}", body)


@contextmanager
def opened() -> Iterator[Browser]:
    """A browser, until the end of the block."""
    with (
        tempfile.TemporaryDirectory() as folder,
        subprocess.Popen(
            ["chromedriver", "--port=0"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "HOME": folder},
        ) as driver,
    ):
        try:
            port = _port(driver)
            arguments = [
                "--headless=new",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--hide-scrollbars",
                f"--user-data-dir={folder}/profile",
            ]
            wanted = {
                "goog:chromeOptions": {"binary": shutil.which("chromium"), "args": arguments},
                "goog:loggingPrefs": {"browser": "ALL"},
            }
            root = f"http://127.0.0.1:{port}/session"
            made = _request("POST", root, {"capabilities": {"alwaysMatch": wanted}})
            session = f"{root}/{made['sessionId']}"
            try:
                yield Browser(session)
            finally:
                _request("DELETE", session, None)
        finally:
            driver.terminate()


def _port(driver: subprocess.Popen[bytes]) -> int:
    """chromedriver says where it listens."""
    assert driver.stdout is not None
    for line in driver.stdout:
        found = re.search(rb"started successfully on port (\d+)", line)
        if found:
            return int(found[1])
    raise AssertionError("chromedriver did not start")


def _request(method: str, url: str, body: object) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"}, method=method)
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(
        request, timeout=_SECONDS
    ) as reply:
        return json.loads(reply.read())["value"]
