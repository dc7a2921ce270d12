r"""Derivations: produced from an update rule, and judged line by line when a person wrote them.

A person's own ::

    from convex_analyzer.derivations import Derivation, check_derivation, grade, symbols

    d = Derivation("one step", given="x - a*l*x", over="a, l > 0; x real")
    d.step("(1 - a*l)*x", why="factor")
    d.check().lines[1].status                   # 'proved'

    grade("x - a*l*x\n(1 - a*l)*x", "q15")     # points: what the cell of a grader returns
    check_code(step, optimizer="nesterov")      # a person's update, held against the rule

Nothing here imports SymPy until one of these is used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from convex_analyzer.derivations.derivation import Derivation as Derivation
    from convex_analyzer.derivations.derivation import check_derivation as check_derivation
    from convex_analyzer.derivations.derivation import symbols as symbols
    from convex_analyzer.derivations.grading import grade as grade

__all__ = ["Derivation", "check_code", "check_derivation", "grade", "symbols"]

_HOMES = {
    "Derivation": "convex_analyzer.derivations.derivation",
    "check_code": "convex_analyzer.conventions.code_check",
    "check_derivation": "convex_analyzer.derivations.derivation",
    "grade": "convex_analyzer.derivations.grading",
    "symbols": "convex_analyzer.derivations.derivation",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for (PEP 562), and keep it."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
