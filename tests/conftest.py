"""What every test shares: no screen, no threads, no home directory, the same random examples."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

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
