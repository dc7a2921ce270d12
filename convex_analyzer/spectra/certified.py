"""Brackets of the extreme eigenvalues that are proved, for the matrix exactly as it is given.

Small matrices: exact integers and Sylvester's law of inertia, so that a bracket can be as narrow as
float64 allows, and rank and definiteness are facts. Larger ones: a Cholesky or L D Lᵀ factorisation
whose rounding is bounded (`convex_analyzer.linalg.positive`).
"""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from convex_analyzer.errors import InputError, SpectrumError
from convex_analyzer.linalg.inertia import Inertia, inertia, shifted, to_integers
from convex_analyzer.linalg.operators import DenseOperator, DiagonalOperator, SparseOperator
from convex_analyzer.linalg.positive import dense_floor, rayleigh_ceiling, sparse_floor
from convex_analyzer.problems.least_squares import LeastSquares
from convex_analyzer.problems.quadratic import Quadratic
from convex_analyzer.spectra.brackets import Bracket, DataConditioning
from convex_analyzer.spectra.spectrum import Spectrum

__all__ = ["certify"]

Array = npt.NDArray[np.float64]

_EXACT = 60  # rows up to which exact integers take seconds
_PRODUCTS = 20_000_000  # of exact numbers, to form XᵀX
_WORK = 2_000_000  # cubed rows times tests: about two seconds
_OPERATIONS = 2e10  # that a sparse factorisation may be expected to take: seconds
_ATTEMPTS, _RESTARTS = 6, 3


def certify(problem: Quadratic, base: Callable[[], Spectrum]) -> Spectrum:
    """Return a spectrum whose ends lie in brackets that are proved.

    Parameters
    ----------
    problem
        Its matrix counts as exact: float64 entries are the dyadic fractions that they are. For
        data it is s XᵀX + l2 I, with the numbers X.
    base
        Gives the spectrum as computed in floating point; it is asked for only where that can help.

    Raises
    ------
    InputError
        Only products are known; more than 60 columns of data; a sparse matrix whose factors would
        fill the memory; a SymPy matrix with irrational entries.
    SpectrumError
        No factorisation proved anything; carries the spectrum without proof.
    """
    operator = problem.operator
    if isinstance(operator, DiagonalOperator):
        return base()
    if not isinstance(operator, (DenseOperator, SparseOperator)) and not _is_data(problem):
        raise _refusal("products with vectors prove nothing, and the entries of A are not known")
    if problem.dimension <= _EXACT:
        entries, denominator = _integers(problem)
        found = base()
        exact = found.kind == "exact"
        return found if exact else _by_inertia(found, _Exact(entries, denominator))
    if _is_data(problem):
        raise _refusal(f"data are certified up to {_EXACT} columns")
    if isinstance(operator, SparseOperator) and not operator.can_decompose:
        _check_fill(operator.matrix)
        known = base()  # of a narrow band it is proved already
        proved = known.kind == "bracketed"
        return known if proved else _by_sparse_factors(known, operator.matrix)
    if not operator.can_decompose:
        raise _refusal("the matrix is too large to decompose")
    return _by_cholesky(base(), operator.to_dense())


def _is_data(problem: Quadratic) -> bool:
    return isinstance(problem, LeastSquares)


def _refusal(why: str) -> InputError:
    return InputError(
        f"method 'certified': {why}", argument="method", hint="'auto' gives the best there is"
    )


# -- exact integers -------------------------------------------------------------------------------


def _integers(problem: Quadratic) -> tuple[list[list[int]], int]:
    if problem.exact is not None:
        if not all(entry.is_Rational for entry in problem.exact):
            raise _refusal("the SymPy matrix has irrational entries")
        rows = problem.exact.tolist()
        return to_integers([[Fraction(int(e.p), int(e.q)) for e in row] for row in rows])
    if isinstance(problem, LeastSquares):
        return _gram(problem)
    return to_integers(problem.operator.to_dense().tolist())


def _gram(problem: LeastSquares) -> tuple[list[list[int]], int]:
    count, columns = problem.X.shape
    if count * columns**2 > _PRODUCTS:
        raise _refusal("forming XᵀX in exact numbers would take minutes for so many rows")
    entries, common = to_integers(problem.X.tolist())
    table = np.array(entries, dtype=object)
    factor, penalty = Fraction(problem.factor), Fraction(problem.l2)
    products = table.T @ table
    rows = [[Fraction(int(entry), common**2) * factor for entry in row] for row in products]
    for j in range(int(problem.intercept), columns):
        rows[j][j] += penalty
    return to_integers(rows)


class _Exact:
    """Counts the eigenvalues of A below, at and above a number."""

    def __init__(self, entries: list[list[int]], denominator: int) -> None:
        self.entries, self.denominator = entries, denominator
        self.size = len(entries)
        self.tests = int(min(200, max(12, _WORK / self.size**3)))
        self.seen: dict[float, Inertia] = {}

    def count(self, place: float) -> Inertia:
        if place not in self.seen:
            self.seen[place] = inertia(shifted(self.entries, self.denominator, Fraction(place)))
        return self.seen[place]

    def side(self, index: int, place: float) -> int:
        """Return the sign of λ_index - place; eigenvalues ascend from index 0."""
        below, at, _ = self.count(place)
        return -1 if index < below else 0 if index < below + at else 1

    def locate(self, index: int, guess: float, scale: float) -> Bracket:
        """Return a bracket of an eigenvalue, as narrow as float64 or the time allows."""
        first = self.side(index, guess)
        if first == 0:
            return Bracket(guess, guess)
        step = 2 * float(np.spacing(abs(guess) or 1e-3 * scale))
        near = guess
        while True:
            far = near + first * step
            other = self.side(index, far)
            if other == 0:
                return Bracket(far, far)
            if other != first:
                return self._narrowed(index, min(near, far), max(near, far))
            near, step = far, 16 * step

    def _narrowed(self, index: int, low: float, high: float) -> Bracket:
        for _ in range(self.tests):
            if high - low <= 4 * np.spacing(max(abs(low), abs(high))):
                break
            middle = _middle(low, high)
            side = self.side(index, middle)
            if side == 0:
                return Bracket(middle, middle)
            low, high = (middle, high) if side > 0 else (low, middle)
        return Bracket(low, high)


def _middle(low: float, high: float) -> float:
    """Return a number between two, by their logarithms where these are far apart."""
    if low < 0 < high:
        return 0.0
    small, large = sorted((abs(low), abs(high)))
    if large > 4 * small:
        small = max(small, large * 2.0**-64, 5e-324)
        return math.copysign(math.sqrt(small) * math.sqrt(large), low + high)
    return low + (high - low) / 2


def _by_inertia(base: Spectrum, exact: _Exact) -> Spectrum:
    guesses = base.eigenvalues
    negative, zero, _ = exact.count(0.0)
    last, scale = exact.size - 1, float(np.max(np.abs(guesses)))
    # The ends, and the neighbours of zero, on which κ and the rank depend.
    wanted = {0, last, negative - 1, negative + zero} & set(range(exact.size))
    known = {
        index: Bracket(0.0, 0.0)
        if negative <= index < negative + zero
        else exact.locate(index, float(guesses[index]), scale)
        for index in wanted
    }
    values = _consistent(guesses, known, negative, zero)
    second = [known[i] for i in (negative - 1, negative + zero) if i in known and values[i] != 0]
    return dataclasses.replace(
        base,
        eigenvalues=values,
        lambda_min_bracket=known[0],
        lambda_max_bracket=known[last],
        second_bracket=min(map(_size, second), key=lambda b: b.low) if second else None,
        method="exact integers, by Sylvester's law of inertia",
        kind="bracketed",
        zero_tolerance=0.0,
        resolved=True,
        data=_conditioning(base.data, known, negative + zero, last),
    )


def _consistent(guesses: Array, known: dict[int, Bracket], negative: int, zero: int) -> Array:
    """Return eigenvalues that lie in their brackets and have the signs that are proved."""
    values = guesses.copy()
    for index, bracket in known.items():
        if values[index] not in bracket:
            values[index] = bracket.low + (bracket.high - bracket.low) / 2
    values[negative : negative + zero] = 0.0
    if negative:
        values[:negative] = np.minimum(values[:negative], values[negative - 1])
    if negative + zero < len(values):
        first = negative + zero
        values[first:] = np.maximum(values[first:], values[first])
    return np.asarray(np.minimum(np.maximum.accumulate(values), values[-1]))


def _size(bracket: Bracket) -> Bracket:
    return bracket if bracket.low >= 0 else Bracket(-bracket.high, -bracket.low)


def _conditioning(
    data: DataConditioning | None, known: dict[int, Bracket], first: int, last: int
) -> DataConditioning | None:
    """Return κ(X) as the root of a quotient of eigenvalues that are proved."""
    if data is None or known[first].low <= 0:
        return data
    low = math.sqrt(known[last].low / known[first].high) * (1 - 1e-15)
    high = math.sqrt(known[last].high / known[first].low) * (1 + 1e-15)
    kappa = min(max(data.condition_number, low), high)
    return DataConditioning(
        kappa, Bracket(low, high), kappa**2, kappa**2 * float(np.finfo(float).eps) > 1
    )


# -- factorisations -------------------------------------------------------------------------------


def _by_cholesky(base: Spectrum, matrix: Array) -> Spectrum:
    vectors = base.eigenvectors
    if vectors is None:
        raise SpectrumError("there are no eigenvectors to start a proof from", partial=base)
    matrix = (matrix + matrix.T) / 2
    low = _first(base, base.lambda_min, lambda shift: dense_floor(matrix, shift))
    high = _first(base, -base.lambda_max, lambda shift: dense_floor(-matrix, shift))
    bottom = Bracket(low, rayleigh_ceiling(matrix, vectors[:, 0]))
    top = Bracket(-rayleigh_ceiling(-matrix, vectors[:, -1]), -high)
    return _with(base, bottom, top, "Cholesky factorisation with bounded rounding")


def _by_sparse_factors(base: Spectrum, matrix: Any) -> Spectrum:
    ends = ((matrix, base.lambda_min), (-matrix, -base.lambda_max))
    brackets = [_smallest(base, signed, value) for signed, value in ends]
    bottom, negated = brackets
    top = Bracket(-negated.high, -negated.low)
    return _with(base, bottom, top, "sparse L D Lᵀ with bounded rounding")


def _smallest(base: Spectrum, matrix: Any, value: float) -> Bracket:
    """Return a bracket of the smallest eigenvalue of a sparse matrix, from a value near it.

    Inverse iteration may end far below a value that products alone could not bring down; the proof
    then starts again from there.
    """
    factored = _first(base, value, functools.partial(sparse_floor, matrix))
    vector = np.random.Generator(np.random.Philox(0)).standard_normal(matrix.shape[0])
    ceiling = math.inf
    for _ in range(_RESTARTS):
        for _ in range(4):
            vector = factored.solve(vector)
            vector /= np.linalg.norm(vector)
        ceiling = min(ceiling, rayleigh_ceiling(matrix, vector))
        if ceiling - factored.floor <= 1e-6 * abs(ceiling):
            break
        better = _first(base, ceiling, functools.partial(sparse_floor, matrix))
        if better.floor <= factored.floor:
            break
        factored = better
    return Bracket(factored.floor, ceiling)


def _first(base: Spectrum, value: float, prove: Callable[[float], Any]) -> Any:
    """Return the first proof that succeeds, with shifts farther and farther below a value."""
    scale = max(abs(base.lambda_min), abs(base.lambda_max))
    margin = max(1e-8 * abs(value), 1e-14 * scale)
    for _ in range(_ATTEMPTS):
        found = prove(value - margin)
        if found is not None:
            return found
        margin *= 10
    raise SpectrumError("no factorisation proves a bound near the eigenvalue found", partial=base)


def _with(base: Spectrum, bottom: Bracket, top: Bracket, method: str) -> Spectrum:
    values = base.eigenvalues.copy()
    proved = bottom.low > 0
    if proved:
        values[values <= 0] = bottom.high  # an eigenvalue that could not be told from zero
    values[0] = min(max(values[0], bottom.low), bottom.high)
    values[-1] = min(max(values[-1], top.low), top.high)
    return dataclasses.replace(
        base,
        eigenvalues=np.sort(values),
        lambda_min_bracket=bottom,
        lambda_max_bracket=top,
        method=f"{method}; {base.method.partition(';')[0]}",
        kind="bracketed",
        resolved=base.resolved or proved,
        zero_tolerance=0.0 if proved else base.zero_tolerance,
    )


def _check_fill(matrix: Any) -> None:
    """Refuse a sparse matrix whose factors would take too long, judged by its envelope."""
    from scipy.sparse.csgraph import reverse_cuthill_mckee

    order = reverse_cuthill_mckee(matrix, symmetric_mode=True)
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    entries = matrix.tocoo()
    rows, columns = place[entries.coords[0]], place[entries.coords[1]]
    reach = np.zeros(len(order), dtype=np.int64)
    np.maximum.at(reach, rows, rows - columns)
    operations = float(np.sum(reach.astype(float) ** 2))
    if operations > _OPERATIONS:
        raise _refusal(
            f"factors of this sparse matrix may take {operations:.0e} operations and "
            f"{float(reach.sum()):.0e} entries"
        )
