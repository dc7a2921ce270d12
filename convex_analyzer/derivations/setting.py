"""What the lines of one derivation share: symbols, the symbolic rule and its matrix."""

from __future__ import annotations

import dataclasses
import functools
from typing import Any

from convex_analyzer.optimizers.base import Optimizer
from convex_analyzer.theory.iteration import linearise, require_linear
from convex_analyzer.theory.stability import characteristic_polynomial

__all__ = ["Scalar", "Setting", "tidy", "verdict"]


class Scalar:
    """J(x) = λx²/2 as `step` sees it when the rule is printed: gradients are plain symbols."""

    def __init__(self, eigenvalue: Any) -> None:
        self.eigenvalue = eigenvalue

    def gradient(self, theta: Any) -> Any:
        """Return λx."""
        return self.eigenvalue * theta

    def hessian_vector(self, theta: Any, vector: Any) -> Any:
        """Return λv."""
        del theta
        return self.eigenvalue * vector


class Setting:
    """Symbols, the symbolic rule and its matrix: shared by all lines of one derivation."""

    def __init__(self, optimizer: type[Optimizer]) -> None:
        import sympy

        from convex_analyzer.notation import SYMBOLS

        letters = {symbol.name: symbol.sympy for symbol in SYMBOLS}
        self.optimizer = optimizer
        self.eigenvalue = sympy.Symbol("lambda", positive=True)
        self.k = sympy.Symbol("k", integer=True, nonnegative=True)
        self.z = sympy.Symbol("z")
        self.hyper = {
            name: sympy.Symbol(letters.get(name, name), positive=True)
            for name in optimizer.hyperparameters()
        }
        blank = optimizer.__new__(optimizer)
        for name, value in self.hyper.items():
            object.__setattr__(blank, name, value)
        for field in dataclasses.fields(optimizer):  # type: ignore[arg-type]  # it is one
            if field.name not in self.hyper:
                object.__setattr__(blank, field.name, field.default)
        self.rule = blank
        self.names = ("x", *(letters.get(name, name) for name in optimizer.memory))
        self.bases = [sympy.IndexedBase(name) for name in self.names]
        iteration = linearise(blank, self.eigenvalue)
        require_linear(iteration, blank)
        self.matrix = sympy.Matrix(
            [[sympy.sympify(entry) for entry in row] for row in iteration.matrix]
        ).applyfunc(sympy.expand)

    def at(self, shift: int) -> list[Any]:
        """Return the state at step k + shift, as indexed symbols."""
        return [base[self.k + shift] for base in self.bases]

    @functools.cached_property
    def coefficients(self) -> list[Any]:
        """The characteristic polynomial, from the highest power down."""
        import sympy

        raw = characteristic_polynomial(self.matrix.tolist())
        return [sympy.expand(sympy.nsimplify(c)) for c in raw]


def tidy(expression: Any) -> Any:
    """Factor, with signs as one writes them: (1 - x)(1 + y), not -(x - 1)(y + 1)."""
    import sympy

    number, product = sympy.Integer(1), sympy.Integer(1)
    for factor in sympy.Mul.make_args(sympy.factor(expression)):
        constant = factor.as_coeff_Add()[0] if factor.is_Add else 0
        if factor.is_number:
            number *= factor
        elif constant < 0:
            number, product = -number, product * -factor
        else:
            product *= factor
    return number * product


def verdict(holds: Any) -> str:
    """Return what the check of a line came to."""
    return "proved" if bool(holds) else "refuted"
