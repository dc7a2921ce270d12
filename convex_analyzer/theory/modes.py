"""What one eigendirection does: roots, regimes, and the error after any number of steps.

A direction of a two-slot rule follows e_{k+2} = t e_{k+1} - d e_k, with t and d the trace and the
determinant of its iteration matrix; a one-slot rule follows e_{k+1} = f e_k. Everything below is in
terms of quantities that are computed without cancellation (in double-double, from the rule itself),
so that slow directions and double roots keep all their digits:

- w = 1 - ρ, never from a rounded ρ;
- the discriminant t² - 4d, whose sign decides the regime;
- u_k = (r₁ᵏ - r₂ᵏ)/(r₁ - r₂) in its trigonometric, hyperbolic or confluent form.

Sources: Polyak (1964); Goh (2017); O'Donoghue & Candès (2015); the confluent form is elementary.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from convex_analyzer.optimizers.base import Optimizer
from convex_analyzer.precise import DoubleDouble
from convex_analyzer.spectra.spectrum import Spectrum
from convex_analyzer.theory.iteration import (
    _CHUNK,
    Iteration,
    as_double_double,
    dense,
    precise_iteration,
    require_linear,
)
from convex_analyzer.theory.local import local_iteration

__all__ = ["MANY", "ManyModes", "Modes", "modes", "representative_eigenvalues"]

Array = npt.NDArray[np.float64]

_ROUNDING = 2.0**-103  # of a sum of products in double-double, with a margin of two
MANY = 20_000  # directions from which they are computed only when asked for
LABEL_TOLERANCE = 1e-12  # decides names of regimes, never numbers


_GRID = 257  # eigenvalues that stand for an interval, besides its ends


def representative_eigenvalues(spectrum: Spectrum) -> Array:
    """Return the eigenvalues to analyse: all of them, or a grid where only the ends are known.

    The grid goes up to the safe end: what is stable there is stable for the true λmax.
    """
    if not spectrum.is_interval:
        return spectrum.eigenvalues
    m, L = spectrum.lambda_min, spectrum.lambda_max_bracket.high
    if m < 0 or (m == 0 and not spectrum.resolved):
        return np.unique(np.linspace(m, L, _GRID))
    zero = [0.0] if m == 0 else []
    m = spectrum.smallest_nonzero or L  # between a zero and this there is nothing
    inner = [np.geomspace(m, L, _GRID)[1:-1], np.linspace(m, L, _GRID)[1:-1]]
    return np.unique(np.concatenate([*inner, [*zero, m, L]]))


@dataclass(frozen=True)
class Modes:
    """The dynamics along n eigendirections.

    Attributes
    ----------
    eigenvalues
        Shape (n,).
    matrix, offset, report, start, start_offset
        The iteration as float arrays: (n, s, s), (n, s), (n, s), (n, s), (n, s).
    minus_identity
        M - I without cancellation, (n, s, s).
    fixed
        The fixed point of the state per unit of b, (I - M)^-1 B, (n, s); zero where M has a root 1.
    roots
        Roots of the characteristic polynomial, largest first, complex, (n, s).
    one_minus_rate
        1 - max|root| per direction, to full relative precision, (n,).
    trace, determinant, discriminant, log_determinant, slack
        For two slots: t, d, t² - 4d, log|d|, and the characteristic polynomial at ±1 (the sign of
        t), which is (1 - |r₁|)(1 - |r₂|) for real roots of one sign.
    at_one
        The characteristic polynomial at 1: zero where a root is 1 (one or two slots).
    """

    eigenvalues: Array
    matrix: Array
    minus_identity: Array
    offset: Array
    report: Array
    start: Array
    start_offset: Array
    fixed: Array
    roots: npt.NDArray[np.complex128]
    one_minus_rate: Array
    trace: Array
    determinant: Array
    discriminant: Array
    log_determinant: Array
    slack: Array
    at_one: Array

    @property
    def slots(self) -> int:
        """Number of state slots."""
        return int(self.matrix.shape[-1])

    @property
    def rates(self) -> Array:
        """max|root| per direction, (n,)."""
        return np.where(
            self.one_minus_rate < 0.5, 1 - self.one_minus_rate, np.abs(self.roots[:, 0])
        )

    def take(self, chosen: npt.NDArray[Any] | slice) -> Modes:
        """Return some of the directions."""
        return Modes(**{name: getattr(self, name)[chosen] for name in Modes.__dataclass_fields__})

    def regimes(self) -> list[str]:
        """Name what each direction does."""
        root, w = self.roots[:, 0], self.one_minus_rate
        turning, forward = np.abs(root.imag) > 0, root.real > 0
        with np.errstate(over="ignore"):
            scale = self.trace**2 + 4 * np.abs(self.determinant)
            double = np.abs(self.discriminant) <= LABEL_TOLERANCE * scale
        on_circle = np.abs(w) <= LABEL_TOLERANCE
        single, pair = self.slots == 1, self.slots == 2
        cases = [  # the first that holds
            (self.eigenvalues == 0, "neutral"),
            (np.abs(root) <= LABEL_TOLERANCE, "one step"),
            (on_circle & turning, "undamped oscillation"),
            (on_circle & ~forward, "two-cycle"),
            ((w < 0) & forward & ~turning & (self.eigenvalues < 0), "escape"),
            (w < 0, "diverging"),
            (forward & single, "monotone"),
            (double & pair, "critically damped"),
            (turning, "underdamped"),
            (forward, "overdamped"),
        ]
        names = np.select([case for case, _ in cases], [name for _, name in cases], "alternating")
        return [str(name) for name in names]

    def regime(self, i: int) -> str:
        """Name what direction i does."""
        return self.take(np.array([i])).regimes()[0]


class ManyModes(Modes):
    """Directions of a rule along very many eigenvalues, computed when first asked for.

    Curves along so many eigenvalues need only a few `at` other places.
    """

    def __init__(self, optimizer: Optimizer, eigenvalues: Array, local: bool) -> None:
        object.__setattr__(self, "_rule", (optimizer, local))
        object.__setattr__(self, "_one", self.at(eigenvalues[:1]))  # says why not, at once
        object.__setattr__(self, "eigenvalues", eigenvalues)

    def at(self, eigenvalues: Array) -> Modes:
        """Return the directions of the same rule along other eigenvalues."""
        optimizer, local = self.__dict__["_rule"]
        return _computed(optimizer, eigenvalues, local)

    @property
    def slots(self) -> int:
        """Number of state slots."""
        one: Modes = self.__dict__["_one"]
        return one.slots

    def take(self, chosen: npt.NDArray[Any] | slice) -> Modes:
        """Return some of the directions."""
        if "matrix" not in self.__dict__:
            some = self.eigenvalues[chosen]
            if len(some) < MANY:
                return self.at(some)
        return super().take(chosen)

    def __getattr__(self, name: str) -> Any:
        if name not in Modes.__dataclass_fields__:
            raise AttributeError(name)
        every = self.at(self.eigenvalues)
        self.__dict__.update(every.__dict__)
        return self.__dict__[name]


def modes(optimizer: Optimizer, eigenvalues: Array, *, local: bool = False) -> Modes:
    """Return the dynamics of a rule along eigenvalues of shape (n,).

    Parameters
    ----------
    optimizer
        The rule.
    eigenvalues
        Shape (n,).
    local
        Whether to describe small errors next to the minimum, for a rule that is not linear.

    Raises
    ------
    NotDerivableError
        The rule is not linear (without `local`), or depends on t without a period.
    """
    eigenvalues = np.asarray(eigenvalues, dtype=float)
    if len(eigenvalues) >= MANY:
        return ManyModes(optimizer, eigenvalues, local)
    return _computed(optimizer, eigenvalues, local)


def _computed(optimizer: Optimizer, eigenvalues: Array, local: bool) -> Modes:
    if (size := len(eigenvalues)) <= _CHUNK:
        return _piece(optimizer, eigenvalues, local)
    whole: dict[str, Any] = {}
    for first in range(0, size, _CHUNK):
        part = slice(first, first + _CHUNK)
        piece = vars(_piece(optimizer, eigenvalues[part], local))
        for name, values in piece.items():  # into place: half the memory of joining all pieces
            if not first:
                whole[name] = np.empty((size, *values.shape[1:]), values.dtype)
            whole[name][part] = values
    return Modes(**whole)


def _piece(optimizer: Optimizer, eigenvalues: Array, local: bool) -> Modes:
    with np.errstate(all="ignore"):  # a huge setting diverges at once: a result, not a warning
        if local:
            iteration = local_iteration(optimizer, eigenvalues)
        else:
            iteration = precise_iteration(optimizer, eigenvalues)
            require_linear(iteration, optimizer)
        shape = eigenvalues.shape
        common = _common(iteration, shape)
        size = len(iteration.slots)
        if size == 1:
            return Modes(eigenvalues, **common, **_one_slot(iteration, shape))
        if size == 2:
            doubt = _ROUNDING * _amplification(optimizer)
            return Modes(eigenvalues, **common, **_two_slots(iteration, shape, doubt))
        return Modes(eigenvalues, **common, **_many_slots(common))


def _common(iteration: Iteration, shape: tuple[int, ...]) -> dict[str, Any]:
    return {
        "matrix": np.stack([dense(row, shape) for row in iteration.matrix], axis=-2),
        "minus_identity": np.stack(
            [dense(row, shape) for row in iteration.minus_identity], axis=-2
        ),
        "offset": dense(iteration.offset, shape),
        "report": dense(iteration.report, shape),
        "start": dense(iteration.start, shape),
        "start_offset": dense(iteration.start_offset, shape),
    }


def _one_slot(iteration: Iteration, shape: tuple[int, ...]) -> dict[str, Any]:
    value = as_double_double(iteration.matrix[0][0], shape).to_float()
    rest = -as_double_double(iteration.minus_identity[0][0], shape)
    zero = np.zeros(shape)
    return {
        "fixed": _ratio(as_double_double(iteration.offset[0], shape), rest)[:, None],
        "roots": value.astype(complex)[:, None],
        "one_minus_rate": np.where(value < 0, (2 - rest).to_float(), rest.to_float()),
        "trace": value,
        "determinant": zero,
        "discriminant": zero,
        "log_determinant": zero,
        "slack": zero,
        "at_one": rest.to_float(),
    }


def _amplification(optimizer: Optimizer) -> float:
    """Return by how much rounding double-double settings counts for more than their own size.

    Of a momentum close to 1 it is 1 - μ that a rule multiplies with, and its last digits are fewer.
    Settings that are floats are taken as exact.
    """
    values = [v for v in optimizer.values.values() if isinstance(v, DoubleDouble)]
    distances = [abs(float((1 - value).to_float())) for value in values]
    return min(1 / min([d for d in distances if d > 0], default=1.0), 2.0**43) if values else 1.0


def _two_slots(iteration: Iteration, shape: tuple[int, ...], doubt: float) -> dict[str, Any]:
    """Describe two-slot directions by h = 2 - |t| and slack = 1 - |t| + d, free of cancellation.

    Both come from M - I (or M + I, for a negative trace), so that αλ = 1e-300 is as good as 1.
    Discriminants within `doubt`, relative to their terms, are zero.
    """
    # Entries that are the same for every λ stay single numbers: most of the work is spared.
    rows = [[_double_double(entry) for entry in row] for row in iteration.minus_identity]
    (a, b), (c, e) = rows
    h, across = as_double_double(-(a + e), shape), b * c
    positive = h.high <= 2
    sign = np.where(positive, 1.0, -1.0)
    along = as_double_double(a * e, shape)
    at_one = along - across
    slack = at_one
    if not positive.all():
        along = _choose(positive, along, (a + 2) * (e + 2))
        h, slack = _choose(positive, h, 4 - h), along - across
    one_minus_d = (h - slack).to_float()
    discriminant = (h * h - 4 * slack).to_float()
    # Where double-double cannot tell two roots apart they are one: a tuned setting has double
    # roots, and half of its digits would be noise.
    noise = doubt * (h.high**2 + 4 * (np.abs(along.high) + np.abs(across.high)))
    discriminant = np.where(np.abs(discriminant) <= noise, 0.0, discriminant)
    t, d = (2 - h).to_float(), (1 - h + slack).to_float()
    d = np.where(np.isfinite(d), d, 0.0)  # αλ > 1e150: next to t² it does not count
    real = ~(discriminant < 0)
    root = _root_of(discriminant, t, d)
    roots, w = _roots(h.to_float(), slack.to_float(), t, d, root)
    with np.errstate(divide="ignore", invalid="ignore"):
        w_complex = one_minus_d / (1 + np.sqrt(np.abs(d)))
        log_d = np.where(np.abs(one_minus_d) < 0.5, np.log1p(-one_minus_d), np.log(np.abs(d)))
    pair = np.stack([(t + 1j * root) / 2, (t - 1j * root) / 2], axis=-1)
    x, y = (_double_double(entry) for entry in iteration.offset)
    return {
        "fixed": _fixed((b * y - e * x, c * x - a * y), at_one),
        "roots": np.where(real[..., None], roots, pair) * sign[..., None],
        "one_minus_rate": np.where(real, w, w_complex),
        "trace": t * sign,
        "determinant": d,
        "discriminant": discriminant,
        "log_determinant": log_d,
        "slack": slack.to_float(),
        "at_one": at_one.to_float(),
    }


def _double_double(value: Any) -> DoubleDouble:
    return value if isinstance(value, DoubleDouble) else DoubleDouble(value)


def _fixed(tops: tuple[DoubleDouble, DoubleDouble], bottom: DoubleDouble) -> Array:
    """Return quotients, (n, 2), zero where the bottom is zero.

    Top and bottom are rounded first, which costs the quotient two units in its last place and
    spares two long divisions.
    """
    below = bottom.to_float()
    result = np.empty((len(below), len(tops)))
    with np.errstate(all="ignore"):
        for place, top in enumerate(tops):
            result[:, place] = np.where(below == 0, 0.0, top.to_float() / below)
    return result


def _choose(condition: npt.NDArray[np.bool_], x: DoubleDouble, y: DoubleDouble) -> DoubleDouble:
    return DoubleDouble(np.where(condition, x.high, y.high), np.where(condition, x.low, y.low))


def _roots(h: Array, slack: Array, t: Array, d: Array, root: Array) -> tuple[Array, Array]:
    """Return real roots of z² - tz + d for t ≥ 0, largest first, and 1 - the largest."""
    with np.errstate(all="ignore"):
        w = np.where(h > 0, 2 * slack / (h + root), (h - root) / 2)
        big = t / 2 + root / 2
        small = np.where(big > 0, d / np.where(big > 0, big, 1.0), 0.0)
    return np.stack([big, small], axis=-1), w


def _root_of(discriminant: Array, t: Array, d: Array) -> Array:
    """Return √|t² - 4d|, also where t² leaves the range of float64."""
    root = np.sqrt(np.abs(discriminant))
    if np.isfinite(root).all():
        return root
    with np.errstate(all="ignore"):
        wide = np.abs(t) * np.sqrt(np.abs(1 - 4 * (d / t) / t))
    return np.where(np.isfinite(root), root, wide)


def _ratio(top: DoubleDouble, bottom: DoubleDouble) -> Array:
    """Divide, giving zero where the bottom is zero."""
    zero = bottom.to_float() == 0
    safe = DoubleDouble(np.where(zero, 1.0, bottom.high), np.where(zero, 0.0, bottom.low))
    return np.where(zero, 0.0, (top / safe).to_float())


def _many_slots(common: dict[str, Array]) -> dict[str, Any]:
    matrix = common["matrix"]
    finite = np.where(np.isfinite(matrix), matrix, 0.0)
    singular = np.abs(np.linalg.det(common["minus_identity"])) == 0
    shifted = np.where(singular[:, None, None], np.eye(matrix.shape[-1]), -common["minus_identity"])
    fixed = np.linalg.solve(shifted, common["offset"][:, :, None])[:, :, 0]
    roots = np.linalg.eigvals(finite).astype(complex)
    order = np.argsort(-np.abs(roots), axis=-1)
    roots = np.take_along_axis(roots, order, axis=-1)
    zero = np.zeros(len(matrix))
    return {
        "fixed": np.where(singular[:, None], 0.0, fixed),
        "roots": roots,
        "one_minus_rate": 1 - np.abs(roots[:, 0]),
        "trace": np.trace(matrix, axis1=-2, axis2=-1),
        "determinant": np.linalg.det(finite),
        "discriminant": zero,
        "log_determinant": zero,
        "slack": zero,
        "at_one": zero,
    }
