"""What the lines of one derivation share: symbols, the symbolic rule and its matrix."""

from __future__ import annotations

import functools
from typing import Any

from convex_analyzer.derivations.opening import TAKEN, letters_of, open_rule_of, refusal
from convex_analyzer.errors import NotDerivableError
from convex_analyzer.notation import symbol_of
from convex_analyzer.optimizers.base import Optimizer
from convex_analyzer.theory.iteration import Iteration, linearise, require_linear
from convex_analyzer.theory.stability import characteristic_polynomial
from convex_analyzer.theory.symbolic import exactly

__all__ = ["Scalar", "Setting", "positively", "tidy", "verdict"]


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

    def inverse_hessian_vector(self, theta: Any, vector: Any, damping: Any = 0) -> Any:
        """Return v/(λ + damping)."""
        del theta
        return vector / (self.eigenvalue + damping)


class Setting:
    """Symbols, the symbolic rule and its matrix: shared by all lines of one derivation.

    Parameters
    ----------
    optimizer
        A class, or an instance. Flags and choices are those of the instance, and what is zero in it
        (or by default) is left out; the other hyper-parameters are symbols.

    Raises
    ------
    NotDerivableError
        The rule is not linear, or changes from step to step.
    """

    def __init__(self, optimizer: type[Optimizer] | Optimizer) -> None:
        import sympy

        self.optimizer = optimizer if isinstance(optimizer, type) else type(optimizer)
        self.eigenvalue = sympy.Symbol("lambda", positive=True)
        self.k = sympy.Symbol("k", integer=True, nonnegative=True)
        self.z = sympy.Symbol("z")
        self.hyper, self.rule = open_rule_of(optimizer)
        memory = self.rule.memory
        slots = letters_of(memory, {*TAKEN, *(symbol.name for symbol in self.hyper.values())})
        self.bases = [sympy.IndexedBase(n) for n in ("x", *(slots[n] for n in memory))]
        try:
            self.iteration = _symbolic_iteration(self.rule, self.eigenvalue)
            require_linear(self.iteration, self.rule)
        except NotDerivableError as error:
            raise refusal(optimizer, str(error)) from error
        self.matrix = sympy.Matrix(self.iteration.matrix).applyfunc(_expanded)

    @property
    def name(self) -> str:
        """The name of the class."""
        return self.optimizer.__name__

    @property
    def rate(self) -> Any:
        """α, or None for a rule without one."""
        return self.hyper.get("learning_rate")

    @functools.cached_property
    def trace(self) -> Any:
        """The sum of the roots of a rule with two slots."""
        return -self.coefficients[1]

    @functools.cached_property
    def determinant(self) -> Any:
        """Their product."""
        return self.coefficients[2]

    def require_slots(self, *allowed: int) -> None:
        """Refuse a rule with another number of slots.

        Raises
        ------
        NotDerivableError
            It has more or fewer.
        """
        slots = self.matrix.rows
        if slots not in allowed:
            wanted = " or ".join(str(count) for count in allowed)
            raise NotDerivableError(
                f"{self.name} has {slots} state slot{'s' * (slots != 1)} (θ and its memory); this "
                f"derivation is printed for {wanted}"
            )

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
            if usual and name != "learning_rate" and name in self.hyper:
                found[name] = self.hyper[name]
        return found

    def ranges_text(self, *expressions: Any) -> str:
        """Return the ranges of the fractions that occur, as words: "0 < μ < 1"."""
        present = set().union(*(expression.free_symbols for expression in expressions))
        names = [name for name, symbol in self.fractions.items() if symbol in present]
        return ", ".join(f"0 < {symbol_of(name)} < 1" for name in names)


def _expanded(entry: Any) -> Any:
    import sympy

    return sympy.expand(exactly(entry))


def _symbolic_iteration(rule: Optimizer, eigenvalue: Any) -> Iteration:
    if rule.random:
        raise NotDerivableError(f"{type(rule).__name__} draws random numbers in its step")
    if rule.period != 1 or rule.cycle != 1:
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


def positively(expression: Any) -> Any:
    """Write a quotient without a minus in front, if a difference in it can take it up.

    Examples
    --------
    >>> import sympy
    >>> x, y = sympy.symbols("x y")
    >>> positively(-(1 - x) / (x + y))
    (x - 1)/(x + y)
    """
    import sympy

    if not expression.could_extract_minus_sign():
        return expression
    factors = list(sympy.Mul.make_args(expression))
    for i, factor in enumerate(factors):
        signs = {term.could_extract_minus_sign() for term in sympy.Add.make_args(factor)}
        if factor.is_Add and signs == {True, False}:
            rest = sympy.Mul(*factors[:i], *factors[i + 1 :])
            return -rest * sympy.expand(-factor)
    return expression


def verdict(holds: Any) -> str:
    """Return what the check of a line came to."""
    return "proved" if bool(holds) else "refuted"
