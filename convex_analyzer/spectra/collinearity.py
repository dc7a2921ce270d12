"""Which columns of a data matrix collide, how badly, and what that does to the solution.

Condition indices and variance-decomposition proportions are those of Belsley, Kuh & Welsch (1980),
chapter 3: columns scaled to unit length, the intercept among them, not centred. Everything comes
from the SVD of X; XᵀX is never formed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from convex_analyzer.errors import InputError
from convex_analyzer.linalg.decompositions import gram_eigh
from convex_analyzer.problems.checks import float_array
from convex_analyzer.problems.least_squares import LeastSquares
from convex_analyzer.results import Result
from convex_analyzer.spectra.faults import Fault, find_faults
from convex_analyzer.spectra.relations import Relation, relations_among
from convex_analyzer.tables import Table, format_number

__all__ = [
    "MODERATE",
    "STRONG",
    "Collinearity",
    "centred_columns",
    "collinearity",
    "find_intercept",
    "unit_svd",
]

Array = npt.NDArray[np.float64]

EPSILON = float(np.finfo(float).eps)
MODERATE, STRONG = 10.0, 30.0  # condition indices (heuristic; Belsley, Kuh & Welsch 1980, 3.2)


@dataclass(frozen=True, eq=False)
class Collinearity(Result):
    """Collinearity of the columns of X; made by `collinearity`.

    Attributes
    ----------
    labels
        Names of the columns, the intercept among them.
    intercept
        Index of the column of ones, or None.
    norms
        Euclidean length of each column, shape (d,).
    condition_indices
        σmax/σ of the columns scaled to unit length, ascending, shape (d,); infinite where σ cannot
        be told from zero.
    variance_proportions
        Shape (d, d): row j is the share of the variance of each coefficient that comes from the
        direction of index j. Columns sum to 1 (NaN where a coefficient is not determined).
    inflation
        Variance inflation factor of each coefficient, shape (d,): 1/(1 - R²) of the column against
        all others, about the mean if there is an intercept, whose own entry is NaN.
    correlations
        Of the columns (cosines about the mean if there is an intercept), shape (d, d).
    centred_index
        The largest condition index once the columns are centred: collinearity apart from offsets.
    relations
        Near-dependencies with an index of at least 10, about the means, strongest first.
    faults
        Constant, zero and duplicated columns, exact dependencies, too few rows.
    entropy_rank, stable_rank
        Effective rank of the columns at unit length: exp of the entropy of σ/Σσ (Roy & Vetterli
        2007), and Σσ²/σmax².
    rank, rows
        Numerical rank, and n.
    """

    schema: ClassVar[str] = "convex_analyzer.collinearity/1"

    labels: tuple[str, ...]
    intercept: int | None
    norms: Array
    condition_indices: Array
    variance_proportions: Array
    inflation: Array
    correlations: Array
    centred_index: float
    relations: tuple[Relation, ...]
    faults: tuple[Fault, ...]
    entropy_rank: float
    stable_rank: float
    rank: int
    rows: int

    @property
    def condition_number(self) -> float:
        """The largest condition index: κ of X with columns of unit length, in the 2-norm."""
        return float(self.condition_indices[-1])

    @property
    def strength(self) -> str:
        """``none``, ``moderate``, ``strong`` or ``exact``: of the centred columns."""
        if self.rank < len(self.labels):
            return "exact"
        if self.centred_index >= STRONG:
            return "strong"
        return "moderate" if self.centred_index >= MODERATE else "none"

    def involved(self, row: int, share: float = 0.5) -> tuple[str, ...]:
        """Return the columns whose variance comes mostly from direction `row`."""
        with np.errstate(invalid="ignore"):
            chosen = self.variance_proportions[row] >= share
        return tuple(label for label, yes in zip(self.labels, chosen, strict=True) if yes)

    @property
    def sentences(self) -> tuple[str, ...]:
        """What collides with what, in words."""
        said = [fault.sentence for fault in self.faults]
        said += [f"{relation}." for relation in self.relations if not relation.is_exact]
        if not said:
            said.append("No column is close to a combination of others.")
        return tuple(said)

    def summary(self) -> Table:
        """Return indices and proportions, largest index first, for up to ten columns."""
        shown = list(range(len(self.labels)))[-10:]
        order = _by_size(self.inflation, self.intercept)[:10]
        rows = tuple(
            (
                format_number(self.condition_indices[j], 4),
                *(_share(self.variance_proportions[j, k]) for k in order),
            )
            for j in reversed(shown)
        )
        inflation = ("VIF", *(_factor(self.inflation[k]) for k in order))
        title = "condition indices (unit columns) and variance-decomposition proportions"
        return Table(
            ("index", *(self.labels[k] for k in order)),
            (*rows, inflation),
            title=title,
            notes=self.sentences,
            left=0,
        )


def _by_size(inflation: Array, intercept: int | None) -> list[int]:
    sizes = np.where(np.isnan(inflation), -1.0, inflation)
    order = np.argsort(-sizes, kind="stable").tolist()
    return order if intercept is None else [intercept, *(k for k in order if k != intercept)]


def _share(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.3f}"


def _factor(value: float) -> str:
    return "–" if math.isnan(value) else format_number(value, 4)


def find_intercept(X: Array) -> int | None:
    """Return the index of the first column that is one number, not zero; None if there is none."""
    for j in range(X.shape[1]):
        if X[0, j] != 0 and np.all(X[:, j] == X[0, j]):
            return j
    return None


def centred_columns(X: Array, intercept: int | None) -> tuple[Array, Array]:
    """Return X about its means, and the means; unchanged without an intercept.

    The mean is taken off twice, since the first one is rounded.
    """
    if intercept is None or len(X) == 0:
        return X, np.zeros(X.shape[1])
    first = X.mean(axis=0)
    shifted = X - first
    second = shifted.mean(axis=0)
    shifted = shifted - second
    means = first + second
    shifted[:, intercept], means[intercept] = X[:, intercept], 0.0
    return shifted, means


def collinearity(
    problem: LeastSquares | Any,
    labels: Sequence[str] | None = None,
) -> Collinearity:
    """Return which columns collide.

    Parameters
    ----------
    problem
        A `LeastSquares` problem, or X of shape (n, d), with its column of ones if it has one.
    labels
        Names of the columns of an array.

    Raises
    ------
    InputError
        X is not a table of finite numbers, or the names do not fit.

    Examples
    --------
    >>> x = np.arange(8.0)
    >>> X = np.column_stack([np.ones(8), x, 2 * x - 1 + 0.001 * (-1) ** x])
    >>> print(collinearity(X, ["one", "a", "b"]).relations[0].equation)
    b ≈ 2·a − 1
    """
    X, names = _table(problem, labels)
    norms = np.linalg.norm(X, axis=0)
    alive = norms > 0
    intercept = find_intercept(X)
    unit = X[:, alive] / norms[alive]
    singular, vectors = unit_svd(unit)
    limit = max(X.shape) * EPSILON
    zero = singular <= limit * np.max(singular, initial=0.0)
    indices, proportions = _decompose(singular, vectors, zero, alive)
    about, means = centred_columns(X, intercept)
    spread = np.linalg.norm(about, axis=0)
    noise = np.divide(norms, spread, out=np.full(len(names), np.inf), where=spread > 0)
    moving = alive & (limit * noise < 1)  # constant columns are no part of a relation
    if intercept is not None:
        moving[intercept] = False
    floor = limit * float(np.max(noise[moving], initial=1.0))
    inner = about[:, moving] / spread[moving]
    small, directions = unit_svd(inner)
    found, centred_index = _relations(inner, small, directions, floor, names, moving, spread, means)
    inflation = np.full(len(names), np.nan)
    with np.errstate(divide="ignore"):
        variances = (directions / np.where(small > 0, small, np.inf)) ** 2
    inflation[moving] = np.where(
        _is_determined(directions, small, floor), variances.sum(axis=1), np.inf
    )
    correlations = np.full((len(names), len(names)), np.nan)
    correlations[np.ix_(moving, moving)] = np.clip(inner.T @ inner, -1.0, 1.0)
    shares = singular / singular.sum() if singular.sum() > 0 else singular
    entropy = -float(np.sum(shares[shares > 0] * np.log(shares[shares > 0])))
    largest = float(np.max(singular, initial=0.0))
    return Collinearity(
        labels=names,
        intercept=intercept,
        norms=norms,
        condition_indices=indices,
        variance_proportions=proportions,
        inflation=inflation,
        correlations=correlations,
        centred_index=centred_index,
        relations=found,
        faults=find_faults(X, names, intercept, moving, found),
        entropy_rank=math.exp(entropy) if largest > 0 else 0.0,
        stable_rank=float(np.sum(singular**2)) / largest**2 if largest > 0 else 0.0,
        rank=int(np.count_nonzero(~zero)),
        rows=len(X),
    )


def unit_svd(unit: Array) -> tuple[Array, Array]:
    """Return singular values (descending) and right vectors of columns of unit length."""
    if not unit.shape[1]:
        return np.zeros(0), np.zeros((0, 0))
    parts = gram_eigh(unit)
    assert parts.singular_values is not None  # gram_eigh always gives them
    return parts.singular_values[::-1], parts.eigenvectors[:, ::-1]


def _table(problem: Any, labels: Sequence[str] | None) -> tuple[Array, tuple[str, ...]]:
    if isinstance(problem, LeastSquares):
        return problem.X, problem.labels
    if labels is None and hasattr(problem, "columns"):
        labels = [str(name) for name in problem.columns]
    X = float_array(problem, "X")
    if X.ndim != 2 or not X.size:
        raise InputError(f"X must be a non-empty table, got shape {X.shape}", argument="X")
    names = tuple(labels) if labels is not None else tuple(f"x{j + 1}" for j in range(X.shape[1]))
    if len(names) != X.shape[1]:
        raise InputError(
            f"labels must name every column: {X.shape[1]}, got {len(names)}", argument="labels"
        )
    return X, names


def _decompose(
    singular: Array, vectors: Array, zero: npt.NDArray[np.bool_], alive: npt.NDArray[np.bool_]
) -> tuple[Array, Array]:
    """Return condition indices (ascending) and variance proportions, zero columns included."""
    size = len(alive)
    indices = np.full(size, np.inf)
    kept = ~zero
    with np.errstate(divide="ignore"):
        indices[: len(singular)][kept] = singular[0] / singular[kept] if kept.any() else np.inf
    proportions = np.full((size, size), np.nan)
    parts = np.zeros_like(vectors)
    parts[:, kept] = (vectors[:, kept] / singular[kept]) ** 2
    # a coefficient with a part along a direction of no information has no variance at all
    lost = np.sqrt(np.sum(vectors[:, zero] ** 2, axis=1)) > math.sqrt(EPSILON)
    total = parts.sum(axis=1, keepdims=True)
    shares = np.divide(parts, total, out=np.full_like(parts, np.nan), where=total > 0)
    undetermined = np.zeros((int(lost.sum()), len(singular)))
    undetermined[:, zero] = vectors[np.ix_(lost, zero)] ** 2
    shares[lost] = undetermined / undetermined.sum(axis=1, keepdims=True)
    columns = np.flatnonzero(alive)
    proportions[: len(singular), columns] = shares.T
    return indices, proportions


def _relations(
    inner: Array,
    singular: Array,
    directions: Array,
    floor: float,
    names: tuple[str, ...],
    moving: npt.NDArray[np.bool_],
    spread: Array,
    means: Array,
) -> tuple[tuple[Relation, ...], float]:
    """Return the near-dependencies about the means, and the largest condition index there."""
    if not len(singular):
        return (), 1.0
    with np.errstate(divide="ignore"):
        indices = np.where(
            singular > floor * singular[0],
            singular[0] / np.where(singular > 0, singular, 1.0),
            np.inf,
        )
    weak = indices >= MODERATE
    if len(inner) <= inner.shape[1]:  # too few rows: every column depends on others
        return (), float(indices[-1])
    labels = [name for name, yes in zip(names, moving, strict=True) if yes]
    found = relations_among(
        inner,
        labels,
        directions[:, weak],
        indices[weak],
        floor,
        sizes=spread[moving],
        means=means[moving],
    )
    return found, float(indices[-1])


def _is_determined(directions: Array, singular: Array, floor: float) -> npt.NDArray[np.bool_]:
    if not len(singular):
        return np.zeros(0, dtype=bool)
    flat = singular <= floor * singular[0]
    return np.asarray(np.sqrt(np.sum(directions[:, flat] ** 2, axis=1)) <= math.sqrt(EPSILON))
