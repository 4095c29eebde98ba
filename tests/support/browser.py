"""A real browser for tests: Chromium without a window, spoken to over the DevTools protocol."""

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


def found() -> str | None:
    """Path of a Chromium on this machine."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


class Page:
    """One tab. Keeps what the browser said: ``complaints`` of console and page, ``requests`` it made (addresses)."""

    def __init__(self, address: str):
        self._socket = websocket.create_connection(address, timeout=30, suppress_origin=True)
        self._number = 0
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self._loaded = 0
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **given: object) -> dict:
        """The browser's answer to a command; what it reports meanwhile is kept."""
        self._number += 1
        self._socket.send(json.dumps({"id": self._number, "method": method, "params": given}))
        while (message := self._hear()).get("id") != self._number:
            pass
        if "error" in message:
            raise RuntimeError(f"{method}: {message['error']}")
        return message["result"]

    def open(self, path: Path, *, width: int = 1280, height: int = 900, dark: bool = False) -> "Page":
        """Load a file in a window of this size, by day or by night; returns when all of it is loaded."""
        phone = {"deviceScaleFactor": 2 if width < 600 else 1, "mobile": width < 600}
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, **phone)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])
        before = self._loaded
        self.call("Page.navigate", url=path.resolve().as_uri())
        while self._loaded == before:
            self._hear()
        self.run("Promise.all([...document.images].map((image) => image.decode().catch(() => null)))")
        return self

    def run(self, script: str) -> object:
        """The value of an expression in the page, waited for."""
        answer = self.call(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True, userGesture=True
        )
        if "exceptionDetails" in answer:
            raise RuntimeError(json.dumps(answer["exceptionDetails"])[:500])
        return answer["result"].get("value")

    def press(self, key: str, code: int) -> None:
        """A key, down and up."""
        text = {"text": "\r"} if key == "Enter" else {}
        self.call("Input.dispatchKeyEvent", type="keyDown", key=key, code=key, windowsVirtualKeyCode=code, **text)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key, code=key, windowsVirtualKeyCode=code)

    def picture(self, path: Path, *, whole: bool = False) -> Path:
        """A screenshot of the window, or of the whole page."""
        shot = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(shot["data"]))
        return path

    def _hear(self) -> dict:
        message = json.loads(self._socket.recv())
        given = message.get("params", {})
        match message.get("method"):
            case "Page.loadEventFired":
                self._loaded += 1
            case "Network.requestWillBeSent":
                self.requests.append(given["request"]["url"])
            case "Runtime.exceptionThrown":
                self.complaints.append(json.dumps(given["exceptionDetails"])[:500])
            case "Runtime.consoleAPICalled" if given["type"] in ("error", "warning", "assert"):
                self.complaints.append(json.dumps(given["args"])[:500])
            case "Log.entryAdded":
                self.complaints.append(f"{given['entry']['level']}: {given['entry']['text']}")
        return message


@contextmanager
def opened(profile: Path) -> Iterator[Page]:
    """A browser with a profile of its own, ended afterwards."""
    profile.mkdir(exist_ok=True)
    output = profile / "output.txt"
    with output.open("wb") as log:
        started = [found(), *FLAGS, f"--user-data-dir={profile}", "about:blank"]
        process = subprocess.Popen(started, stdout=log, stderr=log, start_new_session=True)
    try:
        port = _waited(lambda: (profile / "DevToolsActivePort").read_text().split()[0], process, output)
        yield Page(_waited(lambda: _tab(port), process, output))
    finally:
        os.killpg(process.pid, 15)
        process.wait(20)


def _tab(port: str) -> str:
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with direct.open(f"http://127.0.0.1:{port}/json/list", timeout=5) as answer:
        return next(tab["webSocketDebuggerUrl"] for tab in json.load(answer) if tab["type"] == "page")


def _waited(ask: Callable[[], str], process: subprocess.Popen, output: Path) -> str:
    """What ``ask`` gives once the browser is up."""
    for _ in range(300):
        try:
            return ask()
        except (OSError, IndexError, StopIteration):
            if process.poll() is not None:
                break
            time.sleep(0.1)
    raise RuntimeError(f"the browser did not start: {output.read_text(errors='replace')[-2000:]}")
