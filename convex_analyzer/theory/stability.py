"""Exact stability sets: characteristic polynomial, Jury's table, polynomial inequalities.

Everything here is algebra on whatever numbers the entries are: exact polynomials in the learning
rate give the set of stable learning rates; SymPy symbols give the printed conditions. Eigenvalue
routines are never used: at a double root they keep half the digits.

Source: Jury (1964), Theory and Application of the z-Transform Method, chapter 3.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from convex_analyzer.errors import NotDerivableError
from convex_analyzer.optimizers.base import Optimizer
from convex_analyzer.optimizers.wrapping import learning_rate_of
from convex_analyzer.precise import Polynomial
from convex_analyzer.spectra.spectrum import Spectrum
from convex_analyzer.theory.iteration import linearise, require_linear
from convex_analyzer.theory.local import is_linear, local_iteration

__all__ = [
    "Interval",
    "characteristic_polynomial",
    "jury_conditions",
    "stable_learning_rates",
    "stable_rates_on",
]

Array = npt.NDArray[np.float64]
Interval = tuple[float, float]

_LONGEST = 12  # steps of a period whose product is solved for the learning rate
_MOST_CONDITIONS = 5  # of rules with up to four slots, whose degrees are affordable
_GRID = 65  # eigenvalues that stand for an interval where stability is not a matter of products
_EVERY = 2000  # distinct eigenvalues up to which each is treated when the set is not one interval


def characteristic_polynomial(matrix: Sequence[Sequence[Any]]) -> list[Any]:
    """Return the coefficients of det(zI - M) from the highest power down, by Faddeev-LeVerrier.

    Examples
    --------
    >>> characteristic_polynomial([[2, 0], [0, 3]])
    [1, -5, 6.0]
    """
    size = len(matrix)
    coefficients: list[Any] = [1]
    product = [[0] * size for _ in range(size)]
    for step in range(1, size + 1):
        for i in range(size):
            product[i][i] = product[i][i] + coefficients[-1]
        product = [
            [sum(matrix[i][k] * product[k][j] for k in range(size)) for j in range(size)]
            for i in range(size)
        ]
        trace = sum(product[i][i] for i in range(size))
        coefficients.append(-trace if step == 1 else trace * -1 / step)
    return coefficients


def jury_conditions(coefficients: Sequence[Any]) -> list[Any]:
    """Return what must all be positive for every root to lie inside the unit circle.

    Parameters
    ----------
    coefficients
        Of a polynomial, from the highest power down; the first is 1.

    Returns
    -------
    list
        p(1), (-1)^n p(-1), and the leading entries of the fraction-free table.

    Examples
    --------
    >>> jury_conditions([1, -0.5])  # the root 0.5
    [0.5, 1.5]
    """
    degree = len(coefficients) - 1
    conditions = [
        sum(coefficients[1:], coefficients[0]),
        sum((c * (-1) ** i for i, c in enumerate(coefficients[1:], 1)), coefficients[0]),
    ]
    row = list(coefficients)
    while len(row) > 2:
        row = [row[0] * row[i] - row[-1] * row[-1 - i] for i in range(len(row) - 1)]
        conditions.append(row[0])
    if degree == 1:
        return [conditions[0], conditions[1]]
    return conditions


def _conditions(optimizer: Optimizer, eigenvalue: Fraction) -> list[Polynomial]:
    """Return Jury's conditions as exact polynomials in the learning rate."""
    unknown = Polynomial([0, 1])
    cycle = optimizer.cycle or 1
    if cycle > _LONGEST:
        raise NotDerivableError(
            f"{type(optimizer).__name__} repeats after {cycle} steps: conditions on a product of "
            "so many maps are not solved"
        )
    try:
        if is_linear(optimizer):
            exact = optimizer.transformed(lambda v: Fraction(v) if isinstance(v, float) else v)
            iteration = linearise(exact.unchecked(learning_rate=unknown), eigenvalue, steps=cycle)
            require_linear(iteration, optimizer)
        else:
            local_iteration(optimizer, float(eigenvalue))  # refuses kinks, with their reason
            open_rule = optimizer.unchecked(learning_rate=unknown)
            iteration = local_iteration(open_rule, float(eigenvalue))
    except TypeError as error:
        if isinstance(error, NotDerivableError):
            raise
        raise NotDerivableError(
            f"{type(optimizer).__name__}: the stable learning rates have no polynomial form "
            f"({error})"
        ) from error
    coefficients = characteristic_polynomial(iteration.matrix)
    one = Polynomial([1])
    return [one * condition for condition in jury_conditions(coefficients)]


def _solve(conditions: list[Polynomial]) -> list[Interval]:
    """Return the open intervals of positive x in which all conditions are positive."""
    borders = sorted({root for c in conditions for root in c.real_roots() if root > 0})
    edges = [0.0, *borders, math.inf]
    stable: list[Interval] = []
    for low, high in pairwise(edges):
        middle = Fraction(low) + 1 if math.isinf(high) else (Fraction(low) + Fraction(high)) / 2
        if all(condition(middle) > 0 for condition in conditions):
            if stable and stable[-1][1] == low and all(c(Fraction(low)) > 0 for c in conditions):
                stable[-1] = (stable[-1][0], high)
            else:
                stable.append((low, high))
    return stable


def _solved(optimizer: Optimizer, eigenvalue: Fraction) -> list[Interval]:
    """Return the stable learning rates along one eigenvalue.

    The degree of Jury's conditions doubles with every row of his table. Of many slots only those
    that matter are solved, which `regions` knows how to find.
    """
    conditions = _conditions(optimizer, eigenvalue)
    if len(conditions) <= _MOST_CONDITIONS or optimizer.cycle != 1 or not is_linear(optimizer):
        return _solve(conditions)
    from convex_analyzer.theory.regions import stability_region

    found = stability_region(optimizer).in_learning_rate([eigenvalue])
    pieces = found.args if found.is_Union else (found,)
    ends = [(float(piece.inf), float(piece.sup)) for piece in pieces if not piece.is_empty]
    return sorted((low, high) for low, high in ends if low < high)


def _is_scaled(optimizer: Optimizer) -> bool:
    """Tell whether stability depends on learning rate and eigenvalue by their product only."""
    once, twice = _conditions(optimizer, Fraction(1)), _conditions(optimizer, Fraction(2))
    points = [Fraction(j, 7) for j in range(1, 12)]
    return all(a(2 * x) == b(x) for a, b in zip(once, twice, strict=True) for x in points)


@functools.lru_cache(maxsize=256)
def _scaled_set(optimizer: Optimizer) -> tuple[Interval, ...] | None:
    """Return the stable set of (learning rate x eigenvalue), or None when it is not one."""
    return tuple(_solved(optimizer, Fraction(1))) if _is_scaled(optimizer) else None


def _intersect(first: list[Interval], second: list[Interval]) -> list[Interval]:
    pairs = [(max(a, c), min(b, d)) for a, b in first for c, d in second]
    return [pair for pair in pairs if pair[0] < pair[1]]


def stable_learning_rates(
    optimizer: Optimizer, eigenvalues: Array, *, between: bool = False
) -> list[Interval]:
    """Return the learning rates at which every given direction contracts, as open intervals.

    Parameters
    ----------
    optimizer
        A rule with a field ``learning_rate``, or around one that has it; its other
        hyper-parameters stay as they are. Of a rule that is not linear the set is that next to the
        minimum.
    eigenvalues
        Shape (n,); zeros are left out (a flat direction never contracts).
    between
        Whether any eigenvalue between the given ones may occur too.

    Returns
    -------
    list of (low, high)
        Disjoint and ascending; empty when there are none.

    Raises
    ------
    NotDerivableError
        The rule is not linear or has no learning rate.

    Examples
    --------
    >>> from convex_analyzer.optimizers.momentum import HeavyBall
    >>> stable_learning_rates(HeavyBall(0.1, 0.5), np.array([1.0, 10.0]))
    [(0.0, 0.3)]
    """
    if learning_rate_of(optimizer) is None:
        raise NotDerivableError(f"{type(optimizer).__name__} has no field called learning_rate")
    optimizer = optimizer.unchecked(learning_rate=1.0)
    values = np.unique(eigenvalues[eigenvalues != 0])
    if not values.size:
        return [(0.0, math.inf)]
    scaled = _scaled_set(optimizer) if values[0] > 0 else None
    if scaled is not None and (len(scaled) == 1 or between):
        bounds = [(low / float(values[0]), high / float(values[-1])) for low, high in scaled]
        return [(low, high) for low, high in bounds if low < high]
    if between:
        values = np.unique(np.concatenate([values, np.linspace(values[0], values[-1], _GRID)]))
        values = values[values != 0]
    if len(values) > _EVERY:
        raise NotDerivableError(
            "the stable set is not one interval, and there are too many eigenvalues"
        )
    result: list[Interval] = [(0.0, math.inf)]
    for value in values:
        if scaled is not None:
            one = [(low / float(value), high / float(value)) for low, high in scaled]
        else:
            one = _solved(optimizer, Fraction(float(value)))
        result = _intersect(result, one)
    return result


def stable_rates_on(optimizer: Optimizer, spectrum: Spectrum) -> list[Interval]:
    """Return the stable learning rates on a spectrum; from its safe end where it is bracketed."""
    if not spectrum.is_interval:
        return stable_learning_rates(optimizer, spectrum.eigenvalues)
    ends = np.array([spectrum.lambda_min, spectrum.lambda_max_bracket.high])
    return stable_learning_rates(optimizer, ends, between=True)
