"""A real browser for tests: headless Chromium, driven over the DevTools protocol."""

import base64
import json
import os
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import websocket

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage", "--hide-scrollbars",
    "--remote-debugging-port=0",
)  # fmt: skip


def chromium() -> str | None:
    """Path of a Chromium on this machine; None where there is none."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


class Page:
    """A browser tab.

    Args:
        address: its DevTools WebSocket.

    Attributes:
        complaints: errors and warnings of the console and the page so far.
        requests: addresses that the page has requested so far.
    """

    def __init__(self, address: str):
        self._socket = websocket.create_connection(address, timeout=30, suppress_origin=True)
        self._number = 0
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self._loaded = 0
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: object) -> dict:
        """The browser's answer to the DevTools command ``method`` with its ``parameters``.

        Events that arrive before the answer are recorded.
        """
        self._number += 1
        self._socket.send(json.dumps({"id": self._number, "method": method, "params": parameters}))
        while (message := self._receive()).get("id") != self._number:
            pass
        if "error" in message:
            raise RuntimeError(f"{method}: {message['error']}")
        return message["result"]

    def open(self, path: Path, *, width: int = 1280, height: int = 900, dark: bool = False) -> "Page":
        """Load a file; returns when all of it, images included, is loaded.

        Args:
            path: the file.
            width: of the window, in CSS pixels; below 600 it is a phone's.
            height: of the window, in CSS pixels.
            dark: whether the page is asked for its dark colours.
        """
        phone = {"deviceScaleFactor": 2 if width < 600 else 1, "mobile": width < 600}
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, **phone)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])
        before = self._loaded
        self.call("Page.navigate", url=path.resolve().as_uri())
        while self._loaded == before:
            self._receive()
        self.run("Promise.all([...document.images].map((image) => image.decode().catch(() => null)))")
        return self

    def run(self, script: str) -> object:
        """The value of the JavaScript expression ``script`` in the page; a promise is awaited."""
        answer = self.call(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True, userGesture=True
        )
        if "exceptionDetails" in answer:
            raise RuntimeError(json.dumps(answer["exceptionDetails"])[:500])
        return answer["result"].get("value")

    def press(self, key: str, code: int) -> None:
        """Press and release a key: its name ``key`` and its Windows virtual key ``code``."""
        text = {"text": "\r"} if key == "Enter" else {}
        self.call("Input.dispatchKeyEvent", type="keyDown", key=key, code=key, windowsVirtualKeyCode=code, **text)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key, code=key, windowsVirtualKeyCode=code)

    def picture(self, path: Path, *, whole: bool = False) -> Path:
        """A PNG screenshot in the file ``path``: of the window, or with ``whole`` of the whole page."""
        shot = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(shot["data"]))
        return path

    def _receive(self) -> dict:
        message = json.loads(self._socket.recv())
        event = message.get("params", {})
        match message.get("method"):
            case "Page.loadEventFired":
                self._loaded += 1
            case "Network.requestWillBeSent":
                self.requests.append(event["request"]["url"])
            case "Runtime.exceptionThrown":
                self.complaints.append(json.dumps(event["exceptionDetails"])[:500])
            case "Runtime.consoleAPICalled" if event["type"] in ("error", "warning", "assert"):
                self.complaints.append(json.dumps(event["args"])[:500])
            case "Log.entryAdded":
                self.complaints.append(f"{event['entry']['level']}: {event['entry']['text']}")
        return message


@contextmanager
def opened(profile: Path) -> Iterator[Page]:
    """The first tab of a new browser whose profile is in the folder ``profile``; the browser ends with the block."""
    profile.mkdir(exist_ok=True)
    output = profile / "output.txt"
    with output.open("wb") as log:
        command = [chromium(), *FLAGS, f"--user-data-dir={profile}", "about:blank"]
        process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
    try:
        port = _await(lambda: (profile / "DevToolsActivePort").read_text().split()[0], process, output)
        yield Page(_await(lambda: _tab(port), process, output))
    finally:
        os.killpg(process.pid, 15)
        process.wait(20)


def _tab(port: str) -> str:
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with direct.open(f"http://127.0.0.1:{port}/json/list", timeout=5) as answer:
        return next(tab["webSocketDebuggerUrl"] for tab in json.load(answer) if tab["type"] == "page")


def _await(ask: Callable[[], str], process: subprocess.Popen, output: Path) -> str:
    """The result of ``ask`` once the browser is up, for which it is called for at most 30 seconds."""
    for _ in range(300):
        try:
            return ask()
        except (OSError, IndexError, StopIteration):
            if process.poll() is not None:
                break
            time.sleep(0.1)
    raise RuntimeError(f"the browser did not start: {output.read_text(errors='replace')[-2000:]}")
