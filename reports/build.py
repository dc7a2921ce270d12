"""Write the reports of this folder: every optimizer on a card, and three problems compared.

Run it with ``make gallery``. The gallery of optimizers takes a minute; every other file is the
default comparison of one problem: the toy of the lectures, a ravine, and a real data set.
"""

from __future__ import annotations

from pathlib import Path

import convex_analyzer as ca
from convex_analyzer.reporting.optimizer_gallery import write_gallery

HERE = Path(__file__).parent

PROBLEMS = {
    "toy": lambda: ca.Quadratic.diagonal([0.2, 4.0], name="toy: 0.1 x₁² + 2 x₂²"),
    "ravine": lambda: ca.gallery.ravine(condition_number=100, angle=0.6),
    "longley": lambda: ca.load(
        HERE.parent / "examples" / "data" / "longley.csv", target="TOTEMP", intercept=True
    ),
}

if __name__ == "__main__":
    for name, make in PROBLEMS.items():
        path = HERE / f"{name}.pdf"
        ca.report(ca.compare(make()), path)
        print(f"reports/{path.name}")
    write_gallery(HERE / "optimizers.pdf")
    print("reports/optimizers.pdf")
