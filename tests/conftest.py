"""What every test shares: no screen, no threads, no home directory, the same random examples."""

from __future__ import annotations

import gc
import os
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

# Read at import time by NumPy and Matplotlib, so set before any test module is imported. Tests
# that start another process hand these on to it.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ["MPLBACKEND"] = "Agg"
_scratch = Path(tempfile.gettempdir()) / f"convex_analyzer-tests-{getattr(os, 'getuid', int)()}"
os.environ.setdefault("MPLCONFIGDIR", str(_scratch / "matplotlib"))  # its font cache, made once
os.environ.setdefault("IPYTHONDIR", str(_scratch / "ipython"))
os.environ.setdefault("JUPYTER_CONFIG_DIR", str(_scratch / "jupyter"))
os.environ.setdefault("JUPYTER_DATA_DIR", str(_scratch / "jupyter"))
os.environ.setdefault("JUPYTER_RUNTIME_DIR", str(_scratch / "jupyter-runtime"))
os.environ.setdefault("JUPYTER_PLATFORM_DIRS", "1")

# The same examples in every run, so that a failure is never a matter of luck; `explore` looks for
# new ones.
settings.register_profile("fixed", derandomize=True, deadline=None, database=None, max_examples=40)
settings.register_profile("explore", deadline=None, max_examples=1000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fixed"))

# -- coverage ----------------------------------------------------------------------------------
# Tracing costs half as much time again, in pytest's own code too. So it runs while modules are
# imported and inside tests, nowhere else; and not inside those marked `survey`, which are long and
# go over lines that other tests cover: `pytest --cov` counts a little less than is covered.

_suspended: list[Any] = []  # the process's Coverage, once every module is imported


def pytest_collection_finish() -> None:
    gc.collect()
    gc.freeze()  # SymPy, Matplotlib and thousands of tests stay: not searched again and again
    coverage = sys.modules.get("coverage")
    running = coverage.Coverage.current() if coverage else None
    if running:
        running.stop()
        _suspended.append(running)


@contextmanager
def _traced(item: pytest.Item) -> Generator[None, None, None]:
    coverages = [] if item.get_closest_marker("survey") else _suspended
    for coverage in coverages:
        coverage.start()
    try:
        yield
    finally:
        for coverage in coverages:
            coverage.stop()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, Any, Any]:
    with _traced(item):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, Any]:
    with _traced(item):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, Any, Any]:
    with _traced(item):
        return (yield)
