"""Run the command line in this process, or as a program of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from convex_analyzer.cli import run

ROOT = Path(__file__).parents[2]


class Outcome(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture
def cli(capsys):
    """Return a function that runs a command line and returns code, stdout and stderr."""

    def call(*words: str) -> Outcome:
        capsys.readouterr()
        code = run([str(word) for word in words])
        return Outcome(code, *capsys.readouterr())

    return call


@pytest.fixture
def refused(cli):
    """Return a function that runs a command line which must fail with one line, and returns it."""

    def call(*words: str) -> str:
        code, out, err = cli(*words)
        assert code == 2, (out, err)
        assert out == ""
        assert err.startswith("error: ")
        assert err.count("\n") == 1
        return err

    return call


@pytest.fixture
def program():
    """Return a function that starts the program as a process of its own."""

    def start(*words: str, **options) -> subprocess.Popen:
        environment = {**os.environ, "PYTHONPATH": str(ROOT), **options.pop("env", {})}
        command = [sys.executable, "-m", "convex_analyzer", *map(str, words)]
        # where the tests run in the background SIGINT may be ignored, which would be inherited
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            return subprocess.Popen(command, env=environment, **options)
        finally:
            signal.signal(signal.SIGINT, before)

    return start


@pytest.fixture
def toy_file(tmp_path) -> Path:
    path = tmp_path / "toy.npy"
    np.save(path, [[0.2, 0.0], [0.0, 4.0]])
    return path


@pytest.fixture
def longley() -> Path:
    return ROOT / "examples" / "data" / "longley.csv"
