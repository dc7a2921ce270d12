"""A callable at a point: value, gradient and Hessian, as given or taken numerically."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from convex_analyzer.errors import InputError, NotSymmetricError
from convex_analyzer.problems.calls import ScalarCall, VectorCall, coordinate_names, point_words
from convex_analyzer.problems.checks import float_array
from convex_analyzer.problems.differences import checked_point, numeric_gradient
from convex_analyzer.problems.hessians import curvature_at, numeric_hessian
from convex_analyzer.problems.local_expansion import Expansion, refuse_kinks
from convex_analyzer.problems.smooth import CallableProblem
from convex_analyzer.problems.steps import EPS, EPS_SINGLE, slope_at
from convex_analyzer.tables import format_number

__all__ = ["expand_callable"]

Array = npt.NDArray[np.float64]

DENSE = 500  # up to this d a Hessian is formed from products with vectors
_ASYMMETRY = 1e-4  # relative; a given Hessian beyond this is wrong, not rounded
_BENDS_DISAGREE = 0.02  # relative; a given Hessian that differs by more from f is wrong
_DISAGREES = 1e-3  # relative; given derivatives that differ by more from f are wrong


def expand_callable(
    f: Callable[..., Any],
    at: Any,
    *,
    gradient: Callable[..., Any] | None,
    hessian: Callable[..., Any] | None,
    hvp: Callable[..., Any] | None,
    names: Sequence[str] | None,
) -> Expansion:
    """Return value, gradient and Hessian of a callable, with estimates of the errors."""
    point, scalar = checked_point(at)
    d = len(point)
    labels = coordinate_names(names, d)
    call = ScalarCall(f, d, "f", scalar=scalar)
    slopes = None if gradient is None else VectorCall(gradient, d, "gradient", scalar=scalar)
    product = None if hvp is None else VectorCall(hvp, d, "hvp", scalar=scalar, product=True)
    bends = None if hessian is None else _HessianCall(hessian, d, scalar=scalar)
    value = call.steady_value(point)
    _note_precision(call, point)
    function = CallableProblem(
        call,
        gradient=slopes,
        hessian=None if bends is None else bends.value,
        hvp=product,
        labels=labels,
        name=getattr(f, "__name__", "function").replace("<lambda>", "function"),
    )
    g, g_error, how = _slopes_of(function, point, labels, value)
    A, A_error, asymmetry, more = _bends_of(function, bends, point, labels)
    return Expansion(
        at=point,
        value=value,
        gradient=g,
        hessian=A,
        function=function,
        gradient_error=g_error,
        hessian_error=A_error,
        method=how if how == more else f"gradient: {how}; Hessian: {more}",
        kind="numerical",
        asymmetry=asymmetry,
    )


def _slopes_of(
    function: CallableProblem, point: Array, labels: tuple[str, ...], value: float
) -> tuple[Array, float, str]:
    call, given = function.call, function.gradient_call
    if given is None:
        found = numeric_gradient(call, point, names=labels)
        refuse_kinks(call, point, labels, found.kinked, ())
        function.complex_works = found.method == "complex step"
        return found.value, float(np.max(found.error)), found.method
    gradient = given.value(point)
    _note_precision(given, point)
    eps = EPS_SINGLE if given.single else EPS
    direction = gradient / (np.linalg.norm(gradient) or 1.0)
    if np.any(direction):
        _compare_slopes(call, point, gradient, direction)
    size = float(np.max(np.abs(gradient), initial=0.0)) + abs(value)
    return gradient, 8 * eps * size, "as given"


def _compare_slopes(call: ScalarCall, point: Array, gradient: Array, direction: Array) -> None:
    """Hold a given gradient against f along one direction: grossly wrong ones are refused."""
    scale = max(1.0, float(np.max(np.abs(point))))
    eps = EPS_SINGLE if call.single else EPS
    slope, error = slope_at(
        lambda s: call.near(point + s * direction), scale, call.value(point), eps
    )
    claimed = float(gradient @ direction)
    if not math.isfinite(slope) or abs(slope - claimed) <= 8 * error + _DISAGREES * abs(claimed):
        return
    raise InputError(
        f"gradient does not belong to f: along itself at {point_words(point)} it claims a slope "
        f"of {format_number(claimed)}, f has {format_number(slope)}",
        argument="gradient",
        hint="check_gradient(f, gradient, at) finds the wrong coordinate",
    )


def _compare_bends(
    function: CallableProblem, point: Array, multiply: Callable[[Array], Array], name: str
) -> None:
    """Hold a given Hessian against f along one random direction: grossly wrong ones are refused."""
    direction = np.random.Generator(np.random.Philox(1)).standard_normal(len(point))
    direction /= np.linalg.norm(direction)
    product = multiply(direction)
    claimed, size = float(direction @ product), float(np.linalg.norm(product))
    scale = max(1.0, float(np.max(np.abs(point))))
    call, slopes = function.call, function.gradient_call
    eps = EPS_SINGLE if (call if slopes is None else slopes).single else EPS
    found: tuple[float, float] | None
    if slopes is None:
        found = curvature_at(
            lambda s: call.near(point + s * direction), scale, call.value(point), eps
        )
    else:
        found = slope_at(
            lambda s: float(slopes.near(point + s * direction) @ direction),
            scale, float(np.linalg.norm(slopes.value(point))), eps,
        )  # fmt: skip
    if found is None or not math.isfinite(found[0]):
        return
    if abs(found[0] - claimed) > 8 * found[1] + _BENDS_DISAGREE * max(size, abs(found[0])):
        raise InputError(
            f"{name} does not belong to f: along a random direction at {point_words(point)} it "
            f"claims a curvature of {format_number(claimed)}, f has {format_number(found[0])}",
            argument=name,
            hint="for an approximation H of the Hessian take Quadratic(H, b) itself",
        )


def _note_precision(call: ScalarCall | VectorCall, point: Array, *more: Array) -> None:
    """Notice numbers of single precision that come as Python floats, as loss.item() gives them."""
    share = np.random.Generator(np.random.Philox(2)).random(len(point))
    beside = point + 0.01 * np.maximum(1.0, np.abs(point)) * (share - 0.5)
    try:
        values = np.atleast_1d(call.near(beside, *more))
    except InputError:
        return
    values = values[np.isfinite(values) & (values != 0)]
    with np.errstate(all="ignore"):
        held = bool(np.all(values == values.astype(np.float32)))
    if values.size and held and np.any(values != np.round(values)):
        call.single = True


def _bends_of(
    function: CallableProblem, given: _HessianCall | None, point: Array, labels: tuple[str, ...]
) -> tuple[Any, float, float | None, str]:
    """Return A, its error, its asymmetry and the method."""
    call, slopes, product = function.call, function.gradient_call, function.hvp_call
    if given is not None:
        matrix, asymmetry = given.symmetric(point)
        _compare_bends(function, point, lambda v: matrix @ v, "hessian")
        return matrix, 8 * EPS * float(np.linalg.norm(matrix)), asymmetry, "as given"
    d = len(point)
    if product is not None:
        _note_precision(product, point, np.full(d, 1 / math.sqrt(3 * d)))
        _compare_bends(function, point, lambda v: product.value(point, v), "hvp")
    if d > DENSE and (product is not None or slopes is not None):
        how = "products as given" if product is not None else "products by differences"
        return _operator(function, point), _product_error(function, point), None, how
    found = numeric_hessian(call, point, gradient=slopes, hvp=product, names=labels)
    if product is None:
        refuse_kinks(call, point, labels, (), found.kinked)
    return found.value, float(np.linalg.norm(found.error)), found.asymmetry, found.method


def _operator(function: CallableProblem, point: Array) -> Any:
    from scipy.sparse.linalg import LinearOperator

    def multiply(vector: Array) -> Array:
        return function.hessian_vector(point, np.asarray(vector, dtype=float).ravel())

    d = len(point)
    return LinearOperator((d, d), matvec=multiply, rmatvec=multiply, dtype=float)


def _product_error(function: CallableProblem, point: Array) -> float:
    """Return the error of one product with a random unit vector."""
    generator = np.random.Generator(np.random.Philox(0))
    vector = generator.standard_normal(len(point))
    vector /= np.linalg.norm(vector)
    product = function.hessian_vector(point, vector)
    size = float(np.linalg.norm(product))
    if function.hvp_call is not None:
        return 8 * (EPS_SINGLE if function.hvp_call.single else EPS) * size
    scale = max(1.0, float(np.max(np.abs(point))))
    step = 4e-5 * scale / float(np.max(np.abs(vector)))  # several times that of the product
    ahead, behind = function.gradient(np.stack([point + step * vector, point - step * vector]))
    return float(np.linalg.norm((ahead - behind) / (2 * step) - product)) + EPS * size


class _HessianCall:
    """A Hessian θ ↦ (d, d) as a callable."""

    def __init__(self, function: Callable[..., Any], dimension: int, *, scalar: bool) -> None:
        # One row at a time has the checks of a vector; the shape is checked here.
        self._call = VectorCall(function, dimension, "hessian", scalar=scalar)
        self.dimension = dimension

    def value(self, point: Array) -> Array:
        """Return the matrix, symmetrised."""
        return self.symmetric(point)[0]

    def symmetric(self, point: Array) -> tuple[Array, float]:
        """Return the matrix, symmetrised, and how far it was from symmetric."""
        d = self.dimension
        array = self._call.array(point)
        if array.shape != (d, d) and not (d == 1 and array.size == 1):
            raise InputError(
                f"hessian must return shape ({d}, {d}), got {array.shape} at {point_words(point)}",
                argument="hessian",
            )
        matrix = float_array(array, "hessian").reshape(d, d)
        asymmetry = float(np.max(np.abs(matrix - matrix.T)))
        if asymmetry > _ASYMMETRY * float(np.max(np.abs(matrix))):
            raise NotSymmetricError(
                f"hessian is not symmetric at {point_words(point)}: max |H - Hᵀ| = {asymmetry:.3g}",
                argument="hessian",
            )
        return (matrix + matrix.T) / 2, asymmetry
