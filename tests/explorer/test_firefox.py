"""The page in Firefox, where there is one, driven by its own protocol, Marionette: no driver."""

from __future__ import annotations

import contextlib
import json
import shutil
import socket
import subprocess
import time

import pytest
from explorer_walks import TURNED, worst_deviations

import convex_analyzer as ca

pytestmark = pytest.mark.survey

BROWSER = next(filter(None, map(shutil.which, ("firefox-esr", "firefox"))), "")
if not BROWSER:
    pytest.skip(
        "there is no Firefox here: install it (on Debian: apt-get install firefox-esr) to try the "
        "page in it too",
        allow_module_level=True,
    )

PATIENCE = 90.0  # seconds until a browser on a busy machine has started


class Firefox:
    """A session: length, colon, [0, number, command, parameters]; and the same way back."""

    def __init__(self, profile):
        (profile / "user.js").write_text(
            'user_pref("marionette.port", 0);\n'
            'user_pref("browser.shell.checkDefaultBrowser", false);\n'
            'user_pref("datareporting.policy.dataSubmissionEnabled", false);\n'
            'user_pref("network.captive-portal-service.enabled", false);\n'
            'user_pref("network.connectivity-service.enabled", false);\n',
            encoding="utf-8",
        )
        command = [BROWSER, "--headless", "--no-remote", "--marionette"]
        command += ["--remote-allow-system-access", "--profile", str(profile)]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self.process = subprocess.Popen(command, **quiet)
        until = time.monotonic() + PATIENCE
        port = profile / "MarionetteActivePort"
        while not (port.is_file() and port.read_text("utf-8").strip()):
            assert self.process.poll() is None, "Firefox ended at once"
            assert time.monotonic() < until, "Firefox does not start"
            time.sleep(0.1)
        self.socket = socket.create_connection(("127.0.0.1", int(port.read_text("utf-8"))), 60)
        self.stream = self.socket.makefile("rb")
        self.count = 0
        self._read()
        self("WebDriver:NewSession", {})

    def __call__(self, command: str, parameters: dict):
        self.count += 1
        text = json.dumps([0, self.count, command, parameters]).encode()
        self.socket.sendall(b"%d:%s" % (len(text), text))
        _, _, error, value = self._read()
        assert error is None, (command, error)
        return value.get("value") if isinstance(value, dict) and len(value) == 1 else value

    def _read(self):
        length = b""
        while (byte := self.stream.read(1)) != b":":
            assert byte, "Firefox hung up"
            length += byte
        return json.loads(self.stream.read(int(length)))

    def run(self, program: str, *data):
        """What a function body gives in the page."""
        script = {"script": program, "args": list(data), "sandbox": None}
        return self("WebDriver:ExecuteScript", script)

    def later(self, program: str, *data):
        """What a function body hands to its last argument, `done`, a while later."""
        program = f"const done = arguments[arguments.length - 1]; {program}"
        script = {"script": program, "args": list(data), "sandbox": None}
        return self("WebDriver:ExecuteAsyncScript", script)

    def complaints(self, name: str) -> list[str]:
        """What the console holds against a file."""
        self("Marionette:SetContext", {"value": "chrome"})
        found = self.run(
            "return Services.console.getMessageArray().filter((one) => "
            "String(one.sourceName ?? '').includes(arguments[0])).map(String)",
            name,
        )
        self("Marionette:SetContext", {"value": "content"})
        return found

    def close(self) -> None:
        with contextlib.suppress(AssertionError, OSError):
            self("Marionette:Quit", {})
        with contextlib.suppress(OSError):
            self.socket.close()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@pytest.fixture(scope="module")
def firefox(tmp_path_factory):
    session = Firefox(tmp_path_factory.mktemp("profile"))
    yield session
    session.close()


def test_firefox_shows_the_same_page(firefox, tmp_path):
    problem = ca.Quadratic(TURNED)
    page = ca.explore(problem, tmp_path / "explore.html", [ca.GradientDescent(0.15)])
    firefox("WebDriver:Navigate", {"url": page.as_uri()})

    def run(program, data):
        program = f"const E = ConvexExplorer, data = arguments[0]; {program}"
        return firefox.run(program, data)

    worst = worst_deviations(run)
    assert max(worst.values()) < 1e-12, worst
    heard = [
        firefox.later(
            """
            const field = document.getElementById("alpha-number");
            field.value = arguments[0];
            field.dispatchEvent(new Event("change"));
            const said = () => done(document.getElementById("verdict").textContent);
            requestAnimationFrame(() => setTimeout(said));
            """,
            alpha,
        )
        for alpha in ("0.199", "0.2", "0.201")
    ]
    verbs = ("converges", "neither converges nor diverges", "diverges")
    assert heard == [f"Gradient descent {verb}." for verb in verbs]
    colours = firefox.run(
        "const canvas = document.querySelector('#figure-map canvas');"
        "const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);"
        "return new Set(data.filter((_, i) => i % 4 === 0)).size"
    )
    assert colours > 6
    firefox("WebDriver:SetWindowRect", {"width": 500, "height": 800})
    fits = "document.documentElement.scrollWidth <= innerWidth && innerWidth <= 500"
    assert firefox.later(f"const look = () => {fits} ? done(true) : setTimeout(look, 50); look();")
    assert firefox.complaints("explore.html") == []


def test_firefox_shows_the_page_inside_a_report(firefox, tmp_path):
    ca.report(ca.Quadratic(TURNED), tmp_path / "r.html", "full")
    firefox("WebDriver:Navigate", {"url": (tmp_path / "r.html").as_uri()})
    firefox.run("document.querySelector('.embed iframe').scrollIntoView()")
    found = firefox("WebDriver:FindElement", {"using": "css selector", "value": ".embed iframe"})
    firefox("WebDriver:SwitchToFrame", {"element": next(iter(found.values()))})
    until = time.monotonic() + PATIENCE
    while not (said := firefox.run("return document.getElementById('verdict')?.textContent ?? ''")):
        assert time.monotonic() < until, "the frame stays empty"
        time.sleep(0.1)
    assert "converge" in said
    assert firefox.complaints("r.html") == []
