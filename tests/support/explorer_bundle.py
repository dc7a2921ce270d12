"""The explorer's bundle, run by node: the very script that the page carries."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = ROOT / "explorer"
PAGE = ROOT / "convex_analyzer" / "explorer" / "explorer.html"

_DRIVER = """
const lines = require("fs").readFileSync(0, "utf8");
const { script, program, data } = JSON.parse(lines);
const E = new Function(script + "; return ConvexExplorer;")();
const result = new Function("E", "data", program)(E, data);
process.stdout.write(JSON.stringify(result, (_, x) => (ArrayBuffer.isView(x) ? Array.from(x) : x)));
"""


def script() -> str:
    """Return the script of the committed page."""
    (found,) = re.findall(r"<script>(.*)</script>", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    return found


def run(program: str, data: object = None) -> object:
    """Run a JavaScript function body on the bundle, E, and some data; return what it returns."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("there is no node here to run the explorer's script")
    given = json.dumps({"script": script(), "program": program, "data": data})
    done = subprocess.run(
        [node, "-e", _DRIVER], input=given, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
