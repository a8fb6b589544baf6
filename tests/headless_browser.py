"""A headless Chromium for tests of pages, over the DevTools protocol's pipe.

The protocol: https://chromedevtools.github.io/devtools-protocol/. With
`--remote-debugging-pipe`, Chromium reads messages from descriptor 3 and writes to 4, each JSON
and ended by a zero byte.
"""

import base64
import io
import json
import os
import shutil
import subprocess
from contextlib import contextmanager

from PIL import Image

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --hide-scrollbars "
    "--disable-background-networking --disable-component-update --disable-sync "
    "--disable-dev-shm-usage --remote-debugging-pipe"
).split()


def find_browser():
    """The path of a Chromium of this system, or None."""
    return next(filter(None, map(shutil.which, NAMES)), None)


@contextmanager
def browser(path, profile):
    """A Page in a fresh browser that keeps its files in `profile`."""
    theirs_in, ours_out = os.pipe()
    ours_in, theirs_out = os.pipe()
    command = [path, *FLAGS, f"--user-data-dir={profile}", "about:blank"]
    process = subprocess.Popen(
        ["bash", "-c", f'exec "$@" 3<&{theirs_in} 4>&{theirs_out}', "bash", *command],
        pass_fds=(theirs_in, theirs_out),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(theirs_in)
    os.close(theirs_out)
    try:
        with os.fdopen(ours_in, "rb") as reads, os.fdopen(ours_out, "wb") as writes:
            yield Page(reads, writes)
    finally:
        process.kill()
        process.wait()


class Page:
    """One tab; `problems` are the errors and warnings of its console, and failed requests."""

    def __init__(self, reads, writes):
        self.problems = []
        self.requests = []
        self._reads, self._writes = reads, writes
        self._sent, self._session = 0, None
        targets = self.send("Target.getTargets")["targetInfos"]
        target = next(each["targetId"] for each in targets if each["type"] == "page")
        attached = self.send("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network", "Performance"):
            self.send(f"{domain}.enable")

    def send(self, method, **params):
        """Send a command and return its result; what happens meanwhile is noted."""
        self._sent += 1
        message = {"id": self._sent, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        self._writes.write(json.dumps(message).encode() + b"\0")
        self._writes.flush()
        while (answer := self._receive()).get("id") != self._sent:
            pass
        assert "error" not in answer, answer
        return answer["result"]

    def open(self, path, width=1200, height=900, **features):
        """Open a file in a window of that size, with media features such as a colour scheme."""
        mobile = {"deviceScaleFactor": 1, "mobile": width < 600}
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=height, **mobile)
        emulated = [
            {"name": name.replace("_", "-"), "value": text} for name, text in features.items()
        ]
        self.send("Emulation.setEmulatedMedia", features=emulated)
        self.send("Page.navigate", url=path.as_uri())
        while self._receive().get("method") != "Page.loadEventFired":
            pass

    def evaluate(self, expression):
        """The value of a JavaScript expression."""
        answer = self.send("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def processor_time(self):
        """Seconds that the tab's process has computed so far, however busy the machine is."""
        metrics = self.send("Performance.getMetrics")["metrics"]
        return next(each["value"] for each in metrics if each["name"] == "ProcessTime")

    def press(self, key, code):
        """Press and release a key, as a keyboard does."""
        for kind in ("keyDown", "keyUp"):
            self.send(
                "Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code
            )

    def click(self, x, y):
        """Click with the left button."""
        for kind in ("mousePressed", "mouseReleased"):
            where = {"x": x, "y": y, "button": "left", "clickCount": 1}
            self.send("Input.dispatchMouseEvent", type=kind, **where)

    def screenshot(self, whole=False):
        """Return what is in the window, or the whole page, as a Pillow image."""
        answer = self.send(
            "Page.captureScreenshot",
            captureBeyondViewport=whole,
            **({"clip": self._whole()} if whole else {}),
        )
        return Image.open(io.BytesIO(base64.b64decode(answer["data"]))).convert("RGB")

    def _whole(self):
        size = self.send("Page.getLayoutMetrics")["cssContentSize"]
        return {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}

    def _receive(self):
        message = bytearray()
        while (byte := self._reads.read(1)) != b"\0":
            assert byte, "the browser has ended"
            message += byte
        event = json.loads(message)
        self._note(event.get("method"), event.get("params", {}))
        return event

    def _note(self, method, params):
        if method == "Runtime.exceptionThrown":
            self.problems.append(params["exceptionDetails"])
        elif method == "Runtime.consoleAPICalled" and params["type"] in ("error", "warning"):
            self.problems.append(params["args"])
        elif method == "Log.entryAdded" and params["entry"]["level"] in ("error", "warning"):
            self.problems.append(params["entry"])
        elif method == "Network.requestWillBeSent":
            self.requests.append(params["request"]["url"])
