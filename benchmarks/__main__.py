"""``python -m benchmarks``: every measurement, one line each.

One BLAS thread, because two-thread times depend on what else the machine is doing.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("MKL_NUM_THREADS", "1")

from benchmarks import analysis, curves, reports, simulation, sparse, startup


def main() -> None:
    """Run all and print."""
    for module in (startup, analysis, simulation, curves, sparse, reports):
        for result in module.run():
            print(result)


if __name__ == "__main__":
    main()
