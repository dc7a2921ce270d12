"""What the lines of one derivation share: symbols, the symbolic rule and its matrix."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterable
from typing import Any

from convex_analyzer.errors import NotDerivableError
from convex_analyzer.notation import SYMBOLS, symbol_of
from convex_analyzer.optimizers.base import Optimizer
from convex_analyzer.theory.iteration import Iteration, linearise, require_linear
from convex_analyzer.theory.stability import characteristic_polynomial
from convex_analyzer.theory.symbolic import exactly

__all__ = ["Scalar", "Setting", "tidy", "verdict"]

# What every derivation prints; a hyper-parameter or memory of such a name is printed as name_1.
_TAKEN = frozenset({"J", "L", "f", "g_k", "k", "lambda", "m", "r_1", "r_2", "x", "x_0", "x_1", "z"})


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

        self.optimizer = optimizer
        self.eigenvalue = sympy.Symbol("lambda", positive=True)
        self.k = sympy.Symbol("k", integer=True, nonnegative=True)
        self.z = sympy.Symbol("z")
        names = tuple(optimizer.hyperparameters())
        letters = _letters(names, _TAKEN)
        slots = _letters(optimizer.memory, {*_TAKEN, *letters.values()})
        self.hyper = {name: sympy.Symbol(letters[name], positive=True) for name in names}
        self.rule = _blank(optimizer, self.hyper)
        self.bases = [sympy.IndexedBase(n) for n in ("x", *(slots[n] for n in optimizer.memory))]
        iteration = _symbolic_iteration(self.rule, self.eigenvalue)
        require_linear(iteration, self.rule)
        self.matrix = sympy.Matrix(iteration.matrix).applyfunc(exactly).applyfunc(sympy.expand)

    def at(self, shift: int) -> list[Any]:
        """Return the state at step k + shift, as indexed symbols."""
        return [base[self.k + shift] for base in self.bases]

    @functools.cached_property
    def coefficients(self) -> list[Any]:
        """The characteristic polynomial, from the highest power down."""
        import sympy

        raw = characteristic_polynomial(self.matrix.tolist())
        return [sympy.expand(exactly(c)) for c in raw]

    @functools.cached_property
    def fractions(self) -> dict[str, Any]:
        """Hyper-parameters that run through (0, 1), by name; the others are only positive."""
        found = {}
        for name, domain in self.optimizer.hyperparameters().items():
            default = getattr(self.optimizer, name, 0.5)
            usual = domain.usual.low >= 0 and domain.usual.high <= 1 and 0 <= default <= 1
            if usual and name != "learning_rate":
                found[name] = self.hyper[name]
        return found

    def ranges_text(self, *expressions: Any) -> str:
        """Return the ranges of the fractions that occur, as words: "0 < μ < 1"."""
        present = set().union(*(expression.free_symbols for expression in expressions))
        names = [name for name, symbol in self.fractions.items() if symbol in present]
        return ", ".join(f"0 < {symbol_of(name)} < 1" for name in names)


def _letters(names: Iterable[str], taken: Iterable[str]) -> dict[str, str]:
    """Return what each name is printed as, no two alike.

    Two symbols of one name would be one unknown to SymPy, and the derivation that of another rule.
    """
    usual = {symbol.name: symbol.sympy for symbol in SYMBOLS}
    used, letters = set(taken), {}
    for name in sorted(names, key=lambda name: name not in usual):  # the usual letters go first
        numbered = (f"{name}_{i}" for i in itertools.count(1))
        candidates = itertools.chain((usual.get(name, name), name), numbered)
        letters[name] = next(letter for letter in candidates if letter not in used)
        used.add(letters[name])
    return letters


def _blank(optimizer: type[Optimizer], hyper: dict[str, Any]) -> Optimizer:
    """Return the rule with symbols for its hyper-parameters."""
    blank = optimizer.__new__(optimizer)
    for field in optimizer.fields():
        object.__setattr__(blank, field.name, hyper.get(field.name, field.default))
    return blank


def _symbolic_iteration(rule: Optimizer, eigenvalue: Any) -> Iteration:
    if rule.period != 1:
        raise NotDerivableError(
            f"{type(rule).__name__} changes from step to step; only rules whose every step is the "
            "same are derived so far"
        )
    try:
        return linearise(rule, eigenvalue)
    except NotDerivableError:
        raise
    except (AttributeError, TypeError) as error:
        raise NotDerivableError(
            f"{type(rule).__name__}: step cannot be run on symbols ({error}), so its derivation "
            "cannot be printed; choose between values with ops.where, and use ops for functions"
        ) from error


def tidy(expression: Any) -> Any:
    """Factor, with signs as one writes them: (1 - x)(1 + y), not -(x - 1)(y + 1).

    Examples
    --------
    >>> import sympy
    >>> x, y = sympy.symbols("x y")
    >>> tidy((-2 * x - 2) / (2 * x * y - x - 1))
    2*(x + 1)/(-2*x*y + x + 1)
    """
    import sympy

    number, product = sympy.Integer(1), sympy.Integer(1)
    for factor in sympy.Mul.make_args(sympy.factor(expression)):
        base, power = factor.as_base_exp()
        negative = base.is_Add and base.as_coeff_Add()[0] < 0 and power.is_odd
        if factor.is_number:
            number *= factor
        elif negative:
            number, product = -number, product * (-base) ** power
        else:
            product *= factor
    return number * product


def verdict(holds: Any) -> str:
    """Return what the check of a line came to."""
    return "proved" if bool(holds) else "refuted"
