"""Curves along very many eigenvalues: fewer nodes that carry the same sums, to a known error.

What a rule does along λ after k steps, p_k(λ), is a polynomial of λ. On a narrow group of
eigenvalues its square is therefore replaced by the polynomial through a few Chebyshev nodes, which
is the same as moving the weights of the group onto these nodes. How narrow is decided beforehand,
from the roots of the rule at *complex* λ: if |p_k|² grows at most by the factor G on the Bernstein
ellipse of parameter ρ around a group, n nodes are wrong by at most 4 G ρ^(1-n) / (ρ - 1) of its
largest value there. An oscillation that turns often within a group makes G large and splits the
group; a group needs to be resolved only as long as it has not decayed, next to the slowest one.

There is one set of nodes for each octave of k, as far as that saves work; the sums at the nodes
come with a bound of their error, and where it is not small the caller adds up all eigenvalues.

Sources: Trefethen, Approximation Theory and Approximation Practice, theorem 8.2; the transposed
interpolation ("anterpolation") is that of fast multipole methods.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from convex_analyzer.errors import NotDerivableError
from convex_analyzer.theory.modes import Modes
from convex_analyzer.theory.squares import UNDERFLOW, sum_of_squares

__all__ = ["ACCURACY", "Compression", "Curve"]

Array = npt.NDArray[np.float64]
_Map = tuple[Array, Array]

ACCURACY = 1e-10  # of a sum, relative to itself

_NODES = 24  # per group of eigenvalues
_TOLERANCE = 1e-13  # of a group, relative to its largest value
_DEAD = 60.0  # a group that has decayed by exp(-this) next to the slowest needs no resolution
_FEW = 2000  # nodes below which further sets save nothing
_SPARED = 3  # a set of nodes is worth it when it is this much smaller than the eigenvalues
_TILE = 16_384
_LONGEST = 2.0**50  # steps
_ELLIPSES = np.array([1.5, 3.0, 6.0])
_TURNS = np.linspace(0.0, math.pi, 7)

_cosines = -np.cos((2 * np.arange(_NODES) + 1) * math.pi / (2 * _NODES))
_orders = np.arange(_NODES)
_SPREAD = np.cos(np.outer(_orders, np.arccos(_cosines))) * np.where(_orders == 0, 1, 2)[:, None]
_SPREAD /= _NODES  # from Chebyshev moments to weights at the nodes
_INSIDE = np.array([-1.0, -0.5, 0.0, 0.5, 1.0])


# -- how fast a rule grows at complex eigenvalues --------------------------------------------------


def _map_of(at: Callable[[Array], Modes], low: float, high: float) -> _Map | None:
    """Return trace and determinant of M - I as polynomials of λ/scale, lowest first.

    scale = max|λ|. Both have the cancellation of slow directions behind them: M - I is followed
    through 0 and three other points. None where it is no cubic of λ.
    """
    scale = max(abs(low), abs(high))
    x = np.array([0.0, 1.0, 0.5, 0.25])
    others = np.array([low, high, 0.3 * low + 0.7 * high, 0.95 * low + 0.05 * high]) / scale
    try:
        known = at(scale * np.concatenate([x, others])).minus_identity
    except NotDerivableError:  # of a rule that divides by λ
        return None
    if not np.isfinite(known).all():
        return None
    rest = (known[1:4] - known[0]) / x[1:, None, None]
    flat = np.linalg.solve(np.vander(x[1:], increasing=True), rest.reshape(3, -1))
    cubic = np.concatenate([known[:1], flat.reshape(rest.shape)])
    again = np.einsum("jab,nj->nab", cubic, np.vander(others, 4, increasing=True))
    if np.abs(again - known[4:]).max() > 1e-12 * (1 + np.abs(known).max()):
        return None
    if cubic.shape[-1] == 1:
        return cubic[:, 0, 0] - [1, 0, 0, 0], -cubic[:, 0, 0]  # and a root 0
    (a, b), (c, d) = cubic.transpose(1, 2, 0)
    return a + d, np.convolve(a, d) - np.convolve(b, c)


def _log_radius(map_: _Map, x: npt.NDArray[np.complex128]) -> Array:
    """Return log of the largest |root| of M at complex eigenvalues x, in units of the scale."""
    trace, determinant = (_polynomial(part, x) for part in map_)
    root = np.sqrt(trace * trace - 4 * determinant)
    root = np.where(trace.real * root.real + trace.imag * root.imag < 0, -root, root)
    far = (trace + root) / 2
    near = determinant / np.where(far == 0, 1.0, far)
    return np.maximum(_log_of_one_plus(far), _log_of_one_plus(near))


def _polynomial(coefficients: Array, x: npt.NDArray[np.complex128]) -> npt.NDArray[np.complex128]:
    known = np.flatnonzero(coefficients)
    value = np.zeros_like(x)
    for coefficient in coefficients[: known[-1] + 1 if known.size else 0][::-1]:
        value *= x
        value += coefficient
    return value


def _log_of_one_plus(z: npt.NDArray[np.complex128]) -> Array:
    """Return log|1 + z| without cancellation, at least -17."""
    square = 2 * z.real + z.real**2 + z.imag**2
    return np.asarray(np.log1p(np.maximum(square, -1 + 1e-15)) / 2)


# -- groups ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Groups:
    """Neighbouring eigenvalues: where each group begins and ends in the ascending list.

    `inside` is the largest log|root| within each, `ellipses` that on each ellipse around it.
    """

    begin: npt.NDArray[np.intp]
    end: npt.NDArray[np.intp]
    inside: Array
    ellipses: Array

    def take(self, chosen: npt.NDArray[np.bool_]) -> _Groups:
        return _Groups(
            self.begin[chosen], self.end[chosen], self.inside[chosen], self.ellipses[chosen]
        )

    @property
    def nodes(self) -> int:
        return int(np.minimum(self.end - self.begin, _NODES).sum())

    def needed(self, steps: float) -> Array:
        """Return up to which k each group matters, when the longest of interest is `steps`."""
        with np.errstate(all="ignore"):
            lasting = _DEAD / (2 * (self.inside.max() - self.inside))
        return np.minimum(steps, np.where(np.isnan(lasting), np.inf, lasting))

    def unresolved(self, steps: float) -> npt.NDArray[np.bool_]:
        """Tell which groups are too wide for curves up to so many steps."""
        growth = 2 * self.needed(steps)[:, None] * (self.ellipses - self.inside[:, None])
        errors = growth + np.log(4 / (_ELLIPSES - 1)) - (_NODES - 1) * np.log(_ELLIPSES)
        wide = errors.min(axis=1) > math.log(_TOLERANCE)
        return np.asarray(wide & (self.end - self.begin > _NODES))


def _measured(
    map_: _Map, values: Array, begin: npt.NDArray[np.intp], end: npt.NDArray[np.intp]
) -> _Groups:
    scale = max(abs(values[0]), abs(values[-1]))
    low, high = values[begin] / scale, values[end - 1] / scale
    centre, half = (low + high) / 2, (high - low) / 2
    inside = _log_radius(map_, (centre[:, None] + half[:, None] * _INSIDE).astype(complex))
    turn = _ELLIPSES[:, None] * np.exp(1j * _TURNS)
    around = centre[:, None, None] + half[:, None, None] * (turn + 1 / turn) / 2
    ellipses = _log_radius(map_, around)
    return _Groups(begin, end, inside.max(axis=-1), ellipses.max(axis=-1))


def _joined(first: _Groups, second: _Groups) -> _Groups:
    order = np.argsort(np.concatenate([first.begin, second.begin]))
    columns = [
        np.concatenate([getattr(first, name), getattr(second, name)])[order]
        for name in _Groups.__dataclass_fields__
    ]
    return _Groups(*columns)


def _split(map_: _Map, values: Array, groups: _Groups, steps: float) -> _Groups:
    """Halve groups until all are narrow enough for curves of so many steps."""
    while True:
        wide = groups.unresolved(steps)
        if not wide.any():
            return groups
        begin, end = groups.begin[wide], groups.end[wide]
        middle = (values[begin] + values[end - 1]) / 2
        cut = np.clip(np.searchsorted(values, middle, side="right"), begin + 1, end - 1)
        halves = _measured(map_, values, np.concatenate([begin, cut]), np.concatenate([cut, end]))
        groups = _joined(groups.take(~wide), halves)


def _groups_of(at: Callable[[Array], Modes], values: Array) -> list[tuple[float, _Groups]]:
    """Return groups of eigenvalues, each set with the number of steps up to which it serves.

    Parameters
    ----------
    at
        The dynamics of the rule along given eigenvalues.
    values
        Eigenvalues, ascending, (n,).

    The sets grow with the number of steps; empty when the rule is no polynomial of λ.
    """
    map_ = _map_of(at, float(values[0]), float(values[-1]))
    if map_ is None:
        return []
    groups = _measured(map_, values, np.array([0]), np.array([len(values)]))
    sets: list[tuple[float, _Groups]] = []
    steps, smallest = 64.0, 0
    while True:
        groups = _split(map_, values, groups, steps)
        if groups.nodes * _SPARED > len(values):
            if sets:  # groups are halved, so the last set serves a little longer than it must
                most, last_groups = sets.pop()
                while not last_groups.unresolved(1.05 * most).any():
                    most *= 1.05
                sets.append((most, last_groups))
            return sets
        if sets and groups.nodes <= max(_FEW, 1.4 * smallest):
            sets.pop()  # the larger set serves as well
        else:
            smallest = groups.nodes
        slowest = float(groups.inside.max())
        last = min(UNDERFLOW / abs(slowest), _LONGEST) if slowest else _LONGEST
        sets.append((math.inf if steps >= last else steps, groups))
        if steps >= last:
            return sets
        steps *= 2


# -- weights at nodes -----------------------------------------------------------------------------


def _moments(values: Array, weights: Array, groups: _Groups) -> Array:
    """Return Σ w T_j over each group, with T_j on its own interval, (groups, nodes)."""
    starts = groups.begin
    low, high = values[starts], values[groups.end - 1]
    width = np.where(high > low, high - low, 1.0)
    cuts = np.union1d(starts, np.arange(0, len(values), _TILE))
    owner = np.searchsorted(starts, cuts, side="right") - 1
    parts = np.empty((len(cuts), _NODES))
    for first in range(0, len(values), _TILE):
        last = min(first + _TILE, len(values))
        some = slice(*np.searchsorted(cuts, [first, last]))
        places = cuts[some] - first
        lengths = np.diff(np.append(places, last - first))
        a, b, c = (np.repeat(x[owner[some]], lengths) for x in (low, high, width))
        x, before = values[first:last], weights[first:last].copy()
        double = 2 * (((x - a) - (b - x)) / c)
        now = double * before / 2
        parts[some, 0] = np.add.reduceat(before, places)
        for j in range(1, _NODES):
            parts[some, j] = np.add.reduceat(now, places)
            before *= -1
            before += double * now
            before, now = now, before
    return np.asarray(np.add.reduceat(parts, np.searchsorted(cuts, starts), axis=0))


def _nodes(values: Array, groups: _Groups) -> Array:
    """Return nodes, ascending, (N,): small groups stay as they are."""
    low, high = values[groups.begin], values[groups.end - 1]
    return _placed(values, low[:, None] + (high - low)[:, None] * ((1 + _cosines) / 2), groups)


def _shares(values: Array, weights: Array, groups: _Groups) -> Array:
    """Return the weights at the nodes, (N,)."""
    return _placed(weights, _moments(values, weights, groups) @ _SPREAD, groups)


def _placed(each: Array, at_nodes: Array, groups: _Groups) -> Array:
    """Join what belongs to single eigenvalues of small groups and to nodes of the others."""
    sizes = groups.end - groups.begin
    spread, counts = sizes > _NODES, np.minimum(sizes, _NODES)
    joined = np.empty(counts.sum())
    ahead = np.cumsum(counts) - counts
    joined[ahead[spread][:, None] + np.arange(_NODES)] = at_nodes[spread]
    joined[np.repeat(~spread, counts)] = each[np.repeat(~spread, sizes)]
    return joined


# -- curves ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Set:
    """Nodes that serve up to so many steps; each is resolved until it matters no more."""

    most: float
    nodes: Array
    resolved: Array
    modes: Callable[[], Modes]


class Curve:
    """Σ w p_k(λ)² along many eigenvalues, for any k, from weights at nodes."""

    def __init__(self, sets: list[_Set], weights: list[Array], gone: float) -> None:
        self._sets, self._weights, self._gone = sets, weights, gone

    def __call__(self, steps: Array) -> Array:
        """Return the sums, (K,); NaN where the error may exceed `ACCURACY` of the sum."""
        k = np.asarray(steps, dtype=float)
        result = np.where(k > self._gone, 0.0, np.nan)
        below = -1.0
        for part, weights in zip(self._sets, self._weights, strict=True):
            here = (k > below) & (k <= part.most) & (k <= self._gone)
            below = part.most
            if here.any():
                found = sum_of_squares(part.modes(), weights, k[here], part.resolved)
                errors = 10 * _TOLERANCE * found.sizes + found.unsure
                result[here] = np.where(errors <= ACCURACY * np.abs(found.sums), found.sums, np.nan)
        return result


class Compression:
    """Nodes for the sums of a rule along many eigenvalues, whatever the weights.

    Parameters
    ----------
    at
        The dynamics of the rule, of one or two slots, along given eigenvalues.
    values
        Eigenvalues, ascending, (n,).
    """

    def __init__(self, at: Callable[[Array], Modes], values: Array) -> None:
        self._values = values
        self._plans: list[tuple[Array, _Groups]] = []  # what is moved onto nodes, from the finest
        self._sets: list[_Set] = []
        self._gone = math.inf  # from here on every square is 0 in float64, whatever its weight
        place = np.arange(len(values) + 1)  # of the first node of a group
        for most, groups in reversed(_groups_of(at, values)):
            here = _Groups(place[groups.begin], place[groups.end], groups.inside, groups.ellipses)
            sizes = here.end - here.begin
            counts = np.minimum(sizes, _NODES)
            slowest = float(groups.inside.max())
            self._gone = 3 * UNDERFLOW / -slowest if slowest < 0 else math.inf
            self._plans.append((values, here))
            values = _nodes(values, here)
            resolved = np.where(sizes > _NODES, groups.needed(np.inf), np.inf)
            place[groups.begin], place[-1] = np.cumsum(counts) - counts, counts.sum()
            modes = functools.cache(functools.partial(at, values))
            self._sets.insert(0, _Set(most, values, np.repeat(resolved, counts), modes))

    def curve(self, weights: Array) -> Curve:
        """Return the sums with weights of shape (n,)."""
        made: list[Array] = []
        for values, groups in self._plans:
            weights = _shares(values, weights, groups)
            made.insert(0, weights)
        return Curve(self._sets, made, self._gone)
