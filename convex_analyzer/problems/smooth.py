"""Smooth functions that are no quadratics, as problems that `simulate` runs.

A function is given as a SymPy expression, whose derivatives are exact and run on many points at
once, or as a callable, which is asked point by point.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from convex_analyzer.errors import InputError
from convex_analyzer.problems.calls import ScalarCall, VectorCall, coordinate_names
from convex_analyzer.problems.differences import complex_step
from convex_analyzer.problems.hessians import numeric_hessian
from convex_analyzer.problems.steps import EPS, EPS_SINGLE, first_step

__all__ = ["CallableProblem", "SmoothProblem", "SymbolicProblem"]

Array = npt.NDArray[np.float64]

_COARSER = 30.0
MOST_VARIABLES = 100  # of an expression: its Hessian has the square of that many entries


class SmoothProblem:
    """J(θ) that is smooth but no quadratic; see `SymbolicProblem` and `CallableProblem`.

    Attributes
    ----------
    dimension
        d.
    labels
        Names of the coordinates.
    name
        What reports call it.
    """

    dimension: int
    labels: tuple[str, ...]
    name: str

    def value(self, theta: Any) -> Any:
        """Return J(θ), shape (...), for points of shape (..., d); a float for one point."""
        theta = np.asarray(theta, dtype=float)
        values = self._rows(self._value, theta, ())
        return float(values) if theta.ndim == 1 else values

    def gradient(self, theta: Any) -> Array:
        """Return ∇J(θ), shape (..., d)."""
        return self._rows(self._gradient, np.asarray(theta, dtype=float), (self.dimension,))

    def hessian(self, theta: Any) -> Array:
        """Return the Hessian, shape (..., d, d)."""
        shape = (self.dimension, self.dimension)
        return self._rows(self._hessian, np.asarray(theta, dtype=float), shape)

    def hessian_vector(self, theta: Any, vector: Any) -> Array:
        """Return ∇²J(θ) v, shape (..., d)."""
        vector = np.asarray(vector, dtype=float)
        return np.asarray(np.einsum("...ij,...j->...i", self.hessian(theta), vector))

    def inverse_hessian_vector(self, theta: Any, vector: Any, damping: Any = 0.0) -> Array:
        """Return (∇²J(θ) + damping I)⁻¹ v, shape (..., d); NaN where that is singular."""
        vector = np.asarray(vector, dtype=float)
        unit = np.eye(self.dimension)
        matrices = self.hessian(theta) + np.asarray(damping, dtype=float)[..., None] * unit
        matrices, vectors = np.broadcast_arrays(matrices, vector[..., None])[0], vector[..., None]
        try:
            return np.asarray(np.linalg.solve(matrices, vectors)[..., 0])
        except np.linalg.LinAlgError:
            return np.full_like(vector, np.nan)

    def describe(self) -> str:
        """Return one line: what the problem is."""
        return f"{self.name}: smooth function, d = {self.dimension}"

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.describe()}>"

    def _rows(
        self, function: Callable[[Array], Any], theta: Array, shape: tuple[int, ...]
    ) -> Array:
        """Apply a function of points (n, d) to points (..., d)."""
        if theta.ndim < 1 or theta.shape[-1] != self.dimension:
            raise InputError(
                f"theta must have shape (..., {self.dimension}), got {theta.shape}",
                argument="theta",
            )
        with np.errstate(all="ignore"):
            flat = function(theta.reshape(-1, self.dimension))
        return np.asarray(flat, dtype=float).reshape((*theta.shape[:-1], *shape))

    def _value(self, points: Array) -> Array:
        raise NotImplementedError

    def _gradient(self, points: Array) -> Array:
        raise NotImplementedError

    def _hessian(self, points: Array) -> Array:
        raise NotImplementedError


class SymbolicProblem(SmoothProblem):
    """J as a SymPy expression in real symbols.

    Parameters
    ----------
    expression
        Of the given symbols and no others.
    symbols
        In the order of the coordinates.
    labels, name
        As for `SmoothProblem`.

    Examples
    --------
    >>> import sympy
    >>> x, y = sympy.symbols("x y", real=True)
    >>> bowl = SymbolicProblem(x**2 * y, (x, y))
    >>> bowl.gradient([[3.0, 2.0], [1.0, 0.0]])
    array([[12.,  9.],
           [ 0.,  1.]])
    """

    def __init__(
        self,
        expression: Any,
        symbols: Sequence[Any],
        labels: Sequence[str] | None = None,
        name: str = "formula",
    ) -> None:
        self.expression, self.symbols = expression, tuple(symbols)
        self.dimension = len(self.symbols)
        if not 1 <= self.dimension <= MOST_VARIABLES:
            raise InputError(
                f"a formula of {self.dimension} variables cannot be expanded",
                argument="f",
                hint="a constant has no shape; give variables="
                if not self.dimension
                else f"up to {MOST_VARIABLES} are taken; pass a callable with gradient= or hvp=",
            )
        given = [str(symbol) for symbol in self.symbols] if labels is None else labels
        self.labels = coordinate_names(given, self.dimension)
        self.name = name

    @functools.cached_property
    def slopes(self) -> tuple[Any, ...]:
        """The exact gradient: d expressions."""
        return tuple(self.expression.diff(symbol) for symbol in self.symbols)

    @functools.cached_property
    def curvatures(self) -> dict[tuple[int, int], Any]:
        """The exact Hessian: expressions by (i, j) with j ≤ i."""
        return {
            (i, j): self.slopes[i].diff(self.symbols[j])
            for i in range(self.dimension)
            for j in range(i + 1)
        }

    @functools.cached_property
    def thirds(self) -> dict[tuple[int, int, int], Any]:
        """The exact third derivatives: expressions by (i, j, k) with k ≤ j ≤ i."""
        return {
            (i, j, k): bend.diff(self.symbols[k])
            for (i, j), bend in self.curvatures.items()
            for k in range(j + 1)
        }

    def _compiled(self, expressions: Sequence[Any]) -> Callable[[Array], Array]:
        """Return a function of points (n, d) with values (n, len(expressions))."""
        import sympy

        smooth = [e.replace(sympy.DiracDelta, lambda *_: sympy.S.Zero) for e in expressions]
        plain = sympy.lambdify(self.symbols, smooth, modules="numpy", cse=True, dummify=True)

        def evaluate(points: Array) -> Array:
            columns = plain(*points.T)
            return np.stack([np.broadcast_to(c, len(points)) for c in columns], axis=-1)

        return evaluate

    @functools.cached_property
    def _values(self) -> Callable[[Array], Array]:
        return self._compiled([self.expression])

    @functools.cached_property
    def _slopes(self) -> Callable[[Array], Array]:
        return self._compiled(self.slopes)

    @functools.cached_property
    def _curvatures(self) -> Callable[[Array], Array]:
        return self._compiled(list(self.curvatures.values()))

    def _value(self, points: Array) -> Array:
        return self._values(points)[:, 0]

    def _gradient(self, points: Array) -> Array:
        return self._slopes(points)

    def _hessian(self, points: Array) -> Array:
        flat = self._curvatures(points)
        matrices = np.empty((len(points), self.dimension, self.dimension))
        for k, (i, j) in enumerate(self.curvatures):
            matrices[:, i, j] = matrices[:, j, i] = flat[:, k]
        return matrices


class CallableProblem(SmoothProblem):
    """J as a callable, asked point by point; what it cannot answer is NaN, and the run ends there.

    Parameters
    ----------
    value
        θ ↦ J.
    dimension
        d.
    gradient, hessian, hvp
        Derivatives, where there are any; else they are taken numerically.
    labels, name
        As for `SmoothProblem`.
    """

    def __init__(
        self,
        value: ScalarCall,
        *,
        gradient: VectorCall | None = None,
        hessian: Callable[[Array], Array] | None = None,
        hvp: VectorCall | None = None,
        labels: Sequence[str] | None = None,
        name: str = "function",
    ) -> None:
        self.call, self.gradient_call = value, gradient
        self.hessian_call, self.hvp_call = hessian, hvp
        self.dimension = value.dimension
        self.labels = coordinate_names(labels, self.dimension)
        self.name = name
        self.complex_works = False  # set by whoever has checked it

    def _value(self, points: Array) -> Array:
        return np.array([self.call.near(point) for point in points])

    def _gradient(self, points: Array) -> Array:
        return np.array([self._slope(point) for point in points]).reshape(points.shape)

    def _slope(self, point: Array) -> Array:
        if self.gradient_call is not None:
            return _or_nan(self.gradient_call, point)
        if self.complex_works:
            slopes = complex_step(self.call, point)
            if slopes is not None:
                return slopes
        steps = first_step(point, EPS_SINGLE if self.call.single else EPS)
        ends = point + np.diag(steps), point - np.diag(steps)
        ahead, behind = (np.array([self.call.near(row) for row in rows]) for rows in ends)
        return np.asarray((ahead - behind) / np.diagonal(ends[0] - ends[1]))

    def _hessian(self, points: Array) -> Array:
        if self.hessian_call is not None:
            return np.array([self.hessian_call(point) for point in points])
        found = []
        for point in points:
            try:
                derivative = numeric_hessian(
                    self.call, point, gradient=self.gradient_call, hvp=self.hvp_call
                )
                found.append(derivative.value)
            except InputError:
                found.append(np.full((self.dimension, self.dimension), np.nan))
        return np.array(found)

    def hessian_vector(self, theta: Any, vector: Any) -> Array:
        """Return ∇²J(θ) v, shape (..., d), from products, or by a difference of gradients."""
        points, vectors = np.broadcast_arrays(
            np.asarray(theta, dtype=float), np.asarray(vector, dtype=float)
        )
        rows = zip(
            points.reshape(-1, self.dimension), vectors.reshape(-1, self.dimension), strict=True
        )
        found = [self._product(point, direction) for point, direction in rows]
        return np.array(found).reshape(points.shape)

    def _product(self, point: Array, direction: Array) -> Array:
        if self.hvp_call is not None:
            return _or_nan(self.hvp_call, point, direction)
        length = float(np.max(np.abs(direction), initial=0.0))
        if not 0 < length < np.inf:
            return np.zeros_like(point) if length == 0 else np.full_like(point, np.nan)
        single = self.gradient_call is not None and self.gradient_call.single
        step = float(first_step(np.max(np.abs(point)), EPS_SINGLE if single else EPS)) / length
        if self.gradient_call is None and not self.complex_works:
            step *= _COARSER  # slopes that are differences themselves have more noise
        ends = np.stack([point + step * direction, point - step * direction])
        ahead, behind = self._gradient(ends)
        return np.asarray((ahead - behind) / (2 * step))


def _or_nan(call: VectorCall, point: Array, *more: Array) -> Array:
    """Return what a callable gives, or NaN where it breaks down far away."""
    try:
        return call.near(point, *more)
    except InputError as error:
        if isinstance(error.__cause__, Exception):
            return np.full(call.dimension, np.nan)
        raise
