"""`local_quadratic`: the quadratic that any smooth function looks like at a point.

``J(θ) ≈ J(a) + g·(θ - a) + ½ (θ - a)ᵀH(θ - a)``. The result is a `Quadratic`, and goes wherever one
goes; see `LocalModel`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from convex_analyzer.errors import InputError
from convex_analyzer.parsing.formulas import Formula, parse_formula
from convex_analyzer.problems.local_callable import expand_callable
from convex_analyzer.problems.local_formula import expand_formula, symbolic_problem
from convex_analyzer.problems.local_model import LocalModel

__all__ = ["LocalModel", "local_quadratic"]


def local_quadratic(
    f: Any,
    at: Any,
    *,
    gradient: Callable[..., Any] | None = None,
    hessian: Callable[..., Any] | None = None,
    hvp: Callable[..., Any] | None = None,
    variables: Sequence[Any] | None = None,
    names: Sequence[str] | None = None,
) -> LocalModel:
    """Return the quadratic that a smooth function looks like at a point.

    Parameters
    ----------
    f
        A formula as text, a SymPy expression, or a callable that takes an array of shape (d,) (or
        d numbers) and returns a number.
    at
        The point, shape (d,); a number for d = 1; for formulas also a dict by name; or what
        ``scipy.optimize.minimize`` returned.
    gradient, hessian, hvp
        For a callable: θ ↦ (d,), θ ↦ (d, d), (θ, v) ↦ (d,). What is left out is taken numerically:
        by complex steps where f takes complex numbers, else by central differences. With `hvp` or
        `gradient` and d > 500 only products with the Hessian are taken. This is how models of
        PyTorch and JAX come in. They may fill one buffer, and return float32 numbers as Python
        floats; a Hessian may be sparse or a LinearOperator.
    variables
        For a formula: its variables, in the order of `at`; left out, all names that occur, in
        natural order.
    names
        Of the coordinates, for output.

    Returns
    -------
    LocalModel

    Raises
    ------
    ParseError
        Text that is no formula.
    InputError
        A function that raises, is not finite or not differentiable at the point, derivatives of
        wrong shape or of another function.

    Examples
    --------
    >>> valley = local_quadratic("100*(y - x**2)**2 + (1 - x)**2", at=[1, 1])
    >>> valley.exact
    Matrix([
    [ 802, -400],
    [-400,  200]])
    >>> bowl = local_quadratic(lambda x: x[0]**4 + x[0]**2 + 3*x[1]**2, at=[0.0, 0.0])
    >>> bowl.decomposition.eigenvalues.round(6)
    array([2., 6.])
    """
    if isinstance(f, (str, Formula)) or hasattr(f, "free_symbols"):
        if any(given is not None for given in (gradient, hessian, hvp)):
            raise InputError(
                "gradient=, hessian= and hvp= are for callables; a formula is differentiated "
                "exactly",
                argument="f",
            )
        read = parse_formula(f, _texts(variables)) if isinstance(f, str) else f
        return LocalModel(expand_formula(symbolic_problem(read, at, _texts(variables), names), at))
    if not callable(f):
        raise InputError(
            f"f must be text, a SymPy expression or a callable, got {type(f).__name__}",
            argument="f",
            value=f,
        )
    if variables is not None:
        raise InputError(
            "variables= is for formulas", argument="variables", hint="names= names coordinates"
        )
    return LocalModel(
        expand_callable(f, at, gradient=gradient, hessian=hessian, hvp=hvp, names=names)
    )


def _texts(variables: Sequence[Any] | None) -> list[str] | None:
    if variables is None:
        return None
    if isinstance(variables, str):
        return [variables]
    return [str(variable) for variable in variables]
