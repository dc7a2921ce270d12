"""The Taylor quadratic of a smooth function at a point, and what it tells.

``J(θ) ≈ J(a) + g·(θ - a) + ½ (θ - a)ᵀH(θ - a)``. Everything that the package knows about
quadratics then holds close to a: learning rates, step counts, regimes, diagnoses.

Source: lecture 001, slides 15-18 (the error surface is locally quadratic).
"""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np
import numpy.typing as npt

from convex_analyzer.errors import InputError, NotDerivableError
from convex_analyzer.linalg.lanczos import extreme_eigenvalues
from convex_analyzer.problems.calls import point_words
from convex_analyzer.problems.checks import float_number, float_vector
from convex_analyzer.problems.local_expansion import Expansion
from convex_analyzer.problems.local_point import CriticalPoint
from convex_analyzer.problems.local_reach import (
    Basin,
    TaylorError,
    lipschitz_constant,
    polynomial_basin,
    reach_of,
)
from convex_analyzer.problems.local_verdict import classify
from convex_analyzer.problems.quadratic import Quadratic
from convex_analyzer.problems.smooth import SmoothProblem, SymbolicProblem
from convex_analyzer.tables import Table, format_number

__all__ = ["LocalModel"]

Array = npt.NDArray[np.float64]

_LANCZOS = 1e-8  # relative error aimed at for the ends of a spectrum known by products alone


class LocalModel(Quadratic):
    """The Taylor quadratic of a smooth function; made by `local_quadratic`.

    A `Quadratic` in the coordinates θ of the function, so that it goes wherever one goes. Value and
    gradient are computed from θ - a, which keeps digits that Aθ + b loses.

    Attributes
    ----------
    at
        a, shape (d,).
    value_at, gradient_at
        J(a) and ∇J(a), shape (d,).
    function
        The function itself, as a problem that `simulate` runs.
    labels
        Names of the coordinates.
    method
        How the derivatives were found.
    derivative_kind
        ``exact`` or ``numerical``.
    gradient_error, hessian_error
        Estimates of the errors of the derivatives: largest entry, and Frobenius norm.
    asymmetry
        Of the Hessian before it was symmetrised; None where it is symmetric by construction.
    """

    def __init__(self, expansion: Expansion) -> None:
        name = f"local model of {expansion.function.name} at {point_words(expansion.at)}"
        super().__init__(expansion.hessian, name=name)
        self.expansion = expansion
        self.at, self.value_at = expansion.at, expansion.value
        self.gradient_at = expansion.gradient
        self.function: SmoothProblem = expansion.function
        self.labels = expansion.function.labels
        self.method, self.derivative_kind = expansion.method, expansion.kind
        self.gradient_error = expansion.gradient_error
        self.hessian_error = expansion.hessian_error
        self.asymmetry = expansion.asymmetry
        bent = self._multiply(self.at)
        self.linear = self.gradient_at - bent
        self.constant = float(self.value_at - self.gradient_at @ self.at + self.at @ bent / 2)

    def gradient(self, theta: Any) -> Array:
        """Return g + H(θ - a), shape (..., d)."""
        theta = np.asarray(theta, dtype=float)
        return np.asarray(self._multiply(theta - self.at) + self.gradient_at)

    def value_from_gradient(self, theta: Array, gradient: Array) -> Array:
        """Return J(a) + ½ (θ - a)·(∇J(a) + ∇J(θ)), shape (...)."""
        away = theta - self.at
        return np.asarray(
            self.value_at + np.einsum("...i,...i->...", away, gradient + self.gradient_at) / 2
        )

    @functools.cached_property
    def zero_tolerance(self) -> float:
        """Eigenvalues up to this size cannot be told from zero, given the error of the Hessian."""
        size = float(np.max(np.abs(self.decomposition.eigenvalues), initial=0.0))
        rounding = self.dimension * float(np.finfo(float).eps) * size
        return max(rounding, self.hessian_error)

    @functools.cached_property
    def is_zero_mode(self) -> npt.NDArray[np.bool_]:
        """Which eigenvalues are zero (exactly, by the rank) or cannot be told from it."""
        values = self.decomposition.eigenvalues
        if self.exact is None or self.dimension > 12:
            return np.asarray(np.abs(values) <= self.zero_tolerance)
        zero = np.zeros(self.dimension, dtype=bool)
        count = self.dimension - self.exact.rank()
        zero[np.argsort(np.abs(values), kind="stable")[:count]] = True
        return zero

    @functools.cached_property
    def _critical_point(self) -> tuple[Array | None, str | None]:
        """The critical point of the model closest to a, or why there is none."""
        matrix = self.operator if self.exact is None else self.exact
        about_here = Quadratic(matrix, self.gradient_at)
        if self.operator.can_decompose:  # what is known already is not computed again
            about_here.__dict__["decomposition"] = self.decomposition
            about_here.__dict__["is_zero_mode"] = self.is_zero_mode
        step = about_here.critical_point
        if step is None:
            return None, about_here.why_no_minimum
        return self.at + step, None

    # -- what the point is --------------------------------------------------------------------

    @functools.cached_property
    def ends(self) -> tuple[float, float]:
        """The smallest and the largest eigenvalue of H; 0 where they cannot be told from it."""
        if self.operator.can_decompose:
            values = np.where(self.is_zero_mode, 0.0, self.decomposition.eigenvalues)
            return float(values[0]), float(values[-1])
        found = extreme_eigenvalues(self.operator, _LANCZOS, 0)
        certain = found.lowest > found.rounding or found.smallest < -found.rounding
        return (found.smallest if certain else 0.0), found.highest  # the safe end for 2/λmax

    @functools.cached_property
    def classification(self) -> CriticalPoint:
        """What kind of point a is.

        Examples
        --------
        >>> from convex_analyzer.problems.local import local_quadratic
        >>> local_quadratic("x**2 - y**2", at=[0, 0]).classification.verdict
        'saddle'
        >>> local_quadratic("x**4", at=0).classification.verdict
        'minimum'
        >>> local_quadratic("(y - x**2)*(y - 2*x**2)", at=[0, 0]).classification.verdict
        'degenerate'
        """
        return classify(self)

    def curvature_along(self, direction: Any) -> float:
        """Return vᵀHv/vᵀv, the second derivative along a direction.

        Examples
        --------
        >>> from convex_analyzer.problems.local import local_quadratic
        >>> local_quadratic("x**2 - y**2", at=[0, 0]).curvature_along([1, 1])
        0.0
        """
        v = float_vector(direction, self.dimension, "direction")
        size = float(np.max(np.abs(v)))
        if not size:
            raise InputError("direction must not be zero", argument="direction")
        v = v / size
        return float(v @ self._multiply(v) / (v @ v))

    @property
    def stable_learning_rate(self) -> float | None:
        """2/λmax(H): gradient descent with less converges locally; None where no rate does.

        Examples
        --------
        >>> from convex_analyzer.problems.local import local_quadratic
        >>> round(local_quadratic("100*(y-x**2)**2+(1-x)**2", at=[1, 1]).stable_learning_rate, 9)
        0.001996804
        """
        low, high = self.ends
        return 2 / high if low >= 0 < high else None

    # -- how far it reaches -------------------------------------------------------------------

    def taylor_error(self, radius: float) -> TaylorError:
        """Return how wrong the model can be within a radius of a: M r³/6.

        Parameters
        ----------
        radius
            r, positive; in the units of θ, Euclidean.

        Examples
        --------
        >>> from convex_analyzer.problems.local import local_quadratic
        >>> local_quadratic("x**3", at=0).taylor_error(0.1).bound
        0.0010000000000000002
        """
        r = _positive(radius, "radius")
        size, kind = lipschitz_constant(self.function, self.at, r)
        return TaylorError(r, size * r**3 / 6, size, kind)

    def model_radius(self, relative: float = 0.1, of: str = "largest") -> float:
        """Return the radius within which no curvature changes by more than a share of one.

        M r ≤ relative · |λ|. With the largest eigenvalue, the largest stable learning rate holds to
        about that share; with the smallest (that is not zero), so do the step counts.

        Parameters
        ----------
        relative
            The share, positive.
        of
            ``"largest"`` or ``"smallest"``: which eigenvalue, by size.

        Returns
        -------
        float
            Infinite for a quadratic; 0 where no eigenvalue differs from zero.

        Examples
        --------
        >>> from convex_analyzer.problems.local import local_quadratic
        >>> round(local_quadratic("x**2/2 + x**3/6", at=0).model_radius(0.1), 8)
        0.1
        """
        share = _positive(relative, "relative")
        if of not in {"largest", "smallest"}:
            raise InputError(f"of must be 'largest' or 'smallest', got {of!r}", argument="of")
        size = max(map(abs, self.ends))
        if of == "smallest" and size:
            size = self._smallest
        return self._reach(share * size) if size else 0.0

    @property
    def _smallest(self) -> float:
        """The smallest |eigenvalue| that is not zero; by products, that of the smallest one."""
        if not self.operator.can_decompose:
            return abs(self.ends[0])
        return float(np.min(np.abs(self.decomposition.eigenvalues[~self.is_zero_mode])))

    def _reach(self, goal: float) -> float:
        """Return the largest r with M(r) r ≤ goal; measured numbers do not deserve many digits."""
        precision = 1e-9 if isinstance(self.function, SymbolicProblem) else 1e-3
        return reach_of(self._lipschitz, goal, self._scale, precision)

    def _lipschitz(self, radius: float) -> float:
        return lipschitz_constant(self.function, self.at, radius)[0]

    @property
    def _scale(self) -> float:
        return max(1.0, float(np.max(np.abs(self.at))))

    def basin(self, learning_rate: float) -> Basin:
        """Return from where gradient descent surely converges to the minimum at a.

        Parameters
        ----------
        learning_rate
            α, below `stable_learning_rate`.

        Raises
        ------
        NotDerivableError
            The point is no minimum with positive curvature, or α is too large to converge even
            locally.

        Examples
        --------
        >>> from convex_analyzer.problems.local import local_quadratic
        >>> local_quadratic("x**2/2 + x**4/4", at=0).basin(0.5).interval
        (-1.7320508075688772, 1.7320508075688772)
        """
        alpha = _positive(learning_rate, "learning_rate")
        low, high = self.ends
        if self.classification.verdict != "minimum" or low <= 0:
            raise NotDerivableError(
                f"the point is no minimum with positive curvature ({self.classification.verdict}), "
                "so it has no basin that the model could tell"
            )
        if alpha >= 2 / high:
            raise NotDerivableError(
                f"α = {format_number(alpha)} is not below 2/λmax = {format_number(2 / high)}: "
                "gradient descent leaves the minimum however close it starts"
            )
        radius = self._reach(2 * min(low, 2 / alpha - high))
        kind = lipschitz_constant(self.function, self.at, min(radius, self._scale))[1]
        exact = None
        known = self.expansion.exact_at is not None and not np.any(self.gradient_at)
        if known and self.dimension == 1:
            import sympy

            rate = sympy.Rational(repr(float(learning_rate)))
            (minimum,) = self.expansion.exact_at or ()
            exact = polynomial_basin(self.function, minimum, rate)
        if exact is None:
            return Basin(alpha, radius, None, "", kind)
        return Basin(alpha, radius, exact[0], exact[1], "exact")

    # -- output -------------------------------------------------------------------------------

    def describe(self) -> str:
        """Return one line: what the problem is."""
        verdict = self.classification.verdict
        return f"{self.name}: Taylor quadratic, {verdict}, d = {self.dimension}"

    def summary(self) -> Table:
        """Return the main facts as a table."""
        point, (low, high) = self.classification, self.ends
        limit = self.stable_learning_rate
        rows = [
            ("value", format_number(self.value_at)),
            ("|gradient|", format_number(point.gradient_norm, 3)),
            ("kind of point", point.verdict),
            ("smallest, largest eigenvalue", f"{format_number(low)}, {format_number(high)}"),
            ("largest stable learning rate", "none" if limit is None else format_number(limit)),
            ("derivatives", self.method),
            ("numbers", self.derivative_kind),
        ]
        if self.derivative_kind != "exact":
            errors = (self.gradient_error, self.hessian_error)
            rows.append(
                ("error of gradient, Hessian", ", ".join(format_number(e, 2) for e in errors))
            )
        if self.asymmetry:
            rows.append(("asymmetry of the Hessian", format_number(self.asymmetry, 2)))
        return Table(("quantity", "value"), tuple(rows), title=self.name, notes=(point.words,))

    def __str__(self) -> str:
        return self.summary().to_text()

    def _repr_html_(self) -> str:
        return self.summary().to_html()

    def _repr_markdown_(self) -> str:
        return self.summary().to_markdown()

    def to_dict(self) -> dict[str, Any]:
        """Return plain data: that of the quadratic, and where it comes from."""
        return {
            **super().to_dict(),
            "local": {
                "at": self.at.tolist(),
                "value": self.value_at,
                "gradient": self.gradient_at.tolist(),
                "labels": list(self.labels),
                "method": self.method,
                "kind": self.derivative_kind,
                "gradient_error": self.gradient_error,
                "hessian_error": self.hessian_error,
                "classification": self.classification.to_dict(),
            },
        }


def _positive(value: Any, name: str) -> float:
    number = float_number(value, name)
    if not 0 < number < math.inf:
        raise InputError(f"{name} must be positive, got {number:g}", argument=name, value=value)
    return number
