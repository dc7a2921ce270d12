"""The verdict about a point, from the derivatives of a local model; see `local_point`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from convex_analyzer.problems.local_point import CriticalPoint, direction_words
from convex_analyzer.problems.smooth import SymbolicProblem
from convex_analyzer.tables import format_number

if TYPE_CHECKING:
    from convex_analyzer.problems.local_model import LocalModel

__all__ = ["classify"]

Array = npt.NDArray[np.float64]

_NEAR = 1e-4  # a model's critical point this close (relative) is the one that was meant
_FLAT = 1e-6  # slope along a flat direction that counts as none, relative
_HIGHEST = 40  # order of the derivatives that are looked at in one dimension
_VANISHES = 1e-22  # what 30 digits of a derivative that is zero come out as, at most


def classify(model: LocalModel) -> CriticalPoint:
    """Return what kind of point a model was taken at."""
    common: dict[str, Any] = {
        "gradient_norm": float(np.linalg.norm(model.gradient_at)),
        "distance": _distance(model),
        "names": model.labels,
        "kind": model.derivative_kind,
        "escapes": np.empty((0, model.dimension)),
        "escape_curvatures": np.empty(0),
        **dict.fromkeys(("negative", "zero", "positive")),
    }
    if not model.operator.can_decompose:
        return _from_ends(model, common)
    zero = model.is_zero_mode
    values = np.where(zero, 0.0, model.decomposition.eigenvalues)
    down = values < 0
    common["negative"], common["zero"] = int(np.sum(down)), int(np.sum(zero))
    common["positive"] = int(np.sum(values > 0))
    common["escapes"] = _upright(model.decomposition.eigenvectors[:, down].T)
    common["escape_curvatures"] = values[down]
    why = _not_critical(model, common["distance"])
    if why:
        return CriticalPoint("not a critical point", why, **common)
    near = _nearly(common)
    if common["zero"] == 0:
        verdict = {0: "minimum", model.dimension: "maximum"}.get(common["negative"], "saddle")
        return CriticalPoint(verdict, near, **common)
    if common["negative"] and common["positive"]:
        return CriticalPoint("saddle", near, **common)
    if model.dimension == 1:
        return _one_dimension(model, common)
    return CriticalPoint("degenerate", _undecided(model, common), **common)


def _upright(directions: Array) -> Array:
    """Return directions with the sign that makes the largest entry positive."""
    if not len(directions):
        return directions
    largest = np.take_along_axis(directions, np.argmax(np.abs(directions), axis=1)[:, None], axis=1)
    return np.asarray(directions * np.sign(largest) + 0.0)


def _distance(model: LocalModel) -> float | None:
    point = model.critical_point
    return None if point is None else float(np.linalg.norm(point - model.at))


def _not_critical(model: LocalModel, distance: float | None) -> str:
    """Say why the gradient does not vanish here; empty if it does, within its error."""
    gradient = model.gradient_at
    size = format_number(float(np.linalg.norm(gradient)), 4)
    if not np.any(gradient):
        return ""
    exact = model.derivative_kind == "exact"
    if np.max(np.abs(gradient)) <= 20 * model.gradient_error and not exact:
        return ""
    scale = max(1.0, float(np.max(np.abs(model.at))))
    near = distance is not None and distance <= _NEAR * scale
    if near:  # said in words: within so much of here
        return ""
    if not exact and distance is None and model.operator.can_decompose:
        flat = model.decomposition.eigenvectors[:, model.is_zero_mode]
        along = float(np.linalg.norm(flat.T @ gradient))
        floor = max(map(abs, model.ends)) * scale
        if along <= max(20 * model.gradient_error, _FLAT * floor):
            return ""
    if distance is None:
        return f"|gradient| = {size}, along a flat direction of the model"
    return (
        f"|gradient| = {size}; the critical point of the model is {format_number(distance, 4)} away"
    )


def _nearly(common: dict[str, Any]) -> str:
    """Say how far the critical point is, where it is not exactly here."""
    distance = common["distance"]
    if not distance or (distance < 1e-12 and common["kind"] != "exact"):
        return ""
    return f"within {format_number(distance, 2)} of here"


def _from_ends(model: LocalModel, common: dict[str, Any]) -> CriticalPoint:
    """Decide from the ends of the spectrum alone, where H is known by products."""
    why = _not_critical(model, common["distance"])
    if why:
        return CriticalPoint("not a critical point", why, **common)
    low, high = model.ends
    near = _nearly(common)
    if low < 0 < high:
        reason = f"curvature from {format_number(low)} to {format_number(high)}"
        return CriticalPoint("saddle", reason, **common)
    if low > 0 or high < 0:
        return CriticalPoint("minimum" if low > 0 else "maximum", near, **common)
    reason = "cannot be decided from the Hessian: an eigenvalue cannot be told from zero"
    return CriticalPoint("degenerate", reason, **common)


def _one_dimension(model: LocalModel, common: dict[str, Any]) -> CriticalPoint:
    """Let the first derivative that does not vanish decide."""
    function = model.function
    if not isinstance(function, SymbolicProblem) or model.derivative_kind != "exact":
        reason = (
            "cannot be decided from the Hessian: the second derivative cannot be told from zero; "
            "give a formula and an exact point, and higher derivatives decide"
        )
        return CriticalPoint("degenerate", reason, **common)
    found = _first_derivative(function, model.expansion.exact_at)
    if isinstance(found, str):
        return CriticalPoint("degenerate", found, **common)
    order, value = found
    common |= {"order": order, "coefficient": value / math.factorial(order)}
    sign = "positive" if value > 0 else "negative"
    reason = f"the first derivative that does not vanish is number {order}, {sign}"
    if order % 2:
        return CriticalPoint("inflection", f"{reason}, and odd", **common)
    return CriticalPoint("minimum" if value > 0 else "maximum", reason, **common)


def _first_derivative(function: SymbolicProblem, at: Any) -> tuple[int, float] | str:
    """Return order and value of the first derivative, from the third on, that is not 0; or why not.

    The reason is a sentence.
    """
    import sympy

    flat = "all derivatives vanish: the function is constant, or flatter than any power"
    symbol = function.symbols[0]
    derivative = function.curvatures[0, 0]
    for order in range(3, _HIGHEST + 1):
        derivative = derivative.diff(symbol)
        if derivative.is_zero:
            return flat
        value = derivative.xreplace({symbol: at[0]})
        broken = value.has(sympy.zoo, sympy.nan, sympy.oo) or not value.is_number
        if broken or _jumps(derivative, {symbol: at[0]}):
            return f"cannot be decided from derivatives: number {order} jumps or is infinite"
        if value.is_zero:
            continue
        number = value.evalf(30)
        if abs(number) > _VANISHES:
            return order, float(number)
    return flat


def _jumps(expression: Any, place: dict[Any, Any]) -> bool:
    """Tell whether a point lies on the corner of a sign or of a step within an expression."""
    import sympy

    steps = expression.atoms(sympy.sign, sympy.Heaviside, sympy.DiracDelta)
    return any(step.args[0].xreplace(place).is_zero for step in steps)


def _undecided(model: LocalModel, common: dict[str, Any]) -> str:
    count = common["zero"]
    what = "an eigenvalue is" if count == 1 else f"{count} eigenvalues are"
    sure = "zero" if model.derivative_kind == "exact" else "not to be told from zero"
    text = f"cannot be decided from the Hessian: {what} {sure}"
    if common["negative"]:
        return f"{text}; it is no minimum"
    falling = _falling_direction(model)
    if falling is None:
        return f"{text}, and not even all lines through the point could tell"
    along = direction_words(falling, model.labels)
    return f"{text}; it is neither a minimum nor a maximum: along {along} the slope keeps its sign"


def _falling_direction(model: LocalModel) -> Array | None:
    """Return a flat direction along which the third derivative does not vanish, if one is found.

    Along it the function behaves like a cubic, which passes through both signs.
    """
    function, at = model.function, model.expansion.exact_at
    if not isinstance(function, SymbolicProblem) or at is None or model.dimension > 12:
        return None
    basis = model.exact.nullspace()
    tried = [*basis, *(u + s * v for i, u in enumerate(basis) for v in basis[:i] for s in (1, -1))]
    place = dict(zip(function.symbols, at, strict=True))
    for direction in tried:
        cubic = 0
        for (i, j, k), derivative in function.thirds.items():
            repeats = {1: 1, 2: 3, 3: 6}[len({i, j, k})]
            weight = repeats * direction[i] * direction[j] * direction[k]
            if weight and _jumps(derivative, place):
                return None
            if weight:
                cubic += weight * derivative.xreplace(place)
        if cubic and abs(float(cubic)) > 0:
            found = np.array([float(x) for x in direction])
            return np.asarray(found / np.linalg.norm(found))
    return None
