"""Linear least squares as a quadratic, with the factor in front of the sum made explicit.

Libraries and lectures disagree about that factor, and it moves the largest stable learning rate:
``torch.nn.MSELoss`` has twice the Hessian of ½·mean, and a sum has n times that of a mean.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import numpy.typing as npt

from convex_analyzer.errors import InputError
from convex_analyzer.linalg.operators import GramOperator
from convex_analyzer.linalg.solve import refined_least_squares
from convex_analyzer.problems.checks import float_array, float_number
from convex_analyzer.problems.quadratic import Quadratic
from convex_analyzer.tables import format_number, join_words

__all__ = ["LOSSES", "LeastSquares", "least_squares"]

Array = npt.NDArray[np.float64]

LOSSES = {
    "half_mse": "½ · mean of squares (lectures 001 and 004)",
    "mse": "mean of squares (torch.nn.MSELoss, Keras, scikit-learn)",
    "half_rss": "½ · sum of squares (lecture 000)",
    "rss": "sum of squares",
}


def loss_factor(loss: str, rows: int) -> float:
    """Return s in J = ½ s |Xθ - y|², for a loss convention and n rows."""
    return {"half_mse": 1 / rows, "mse": 2 / rows, "half_rss": 1.0, "rss": 2.0}[loss]


class LeastSquares(Quadratic):
    """J(θ) = ½ s |Xθ - y|² + ½ l2 |θ|², made by `least_squares`.

    The intercept, when there is one, comes first and is not penalised. X is reduced once by a QR
    factorisation; XᵀX is never formed.

    Attributes
    ----------
    X, y
        The data, with the intercept column, shapes (n, d) and (n,).
    labels
        Names of the columns.
    loss
        The convention: a key of `LOSSES`.
    factor
        s.
    """

    def __init__(
        self, X: Array, y: Array, labels: tuple[str, ...], *, l2: float, intercept: bool, loss: str
    ) -> None:
        self.X, self.y = X, y
        self.labels = labels
        self.loss, self.l2, self.intercept = loss, l2, intercept
        self.factor = loss_factor(loss, len(y))
        self.exact = None
        self.name = "least squares"
        root = np.sqrt(self.factor)
        rows, target = root * X, root * y
        if l2 > 0:
            penalty = np.sqrt(l2) * np.eye(X.shape[1])[int(intercept) :]
            rows = np.vstack([rows, penalty])
            target = np.concatenate([target, np.zeros(len(penalty))])
        rest = 0.0
        if rows.shape[0] > rows.shape[1]:
            q, r = np.linalg.qr(rows)
            projected = q.T @ target
            rest = float(np.linalg.norm(target - q @ projected)) ** 2
            rows, target = r, projected
        self._target = target
        self.operator: GramOperator = GramOperator(rows)
        self.linear = -(rows.T @ target)
        self.constant = (float(target @ target) + rest) / 2
        self._rest = rest / 2

    def _residual(self, theta: Array) -> Array:
        rows = self.operator.factor
        if theta.ndim == 1:
            return np.asarray(rows @ theta - self._target)
        flat = theta.reshape(-1, theta.shape[-1])
        product = (rows @ flat.T).T.reshape(*theta.shape[:-1], len(rows))
        return np.asarray(product - self._target)

    def gradient(self, theta: Any) -> Array:
        """Return s Xᵀ(Xθ - y) + l2 θ through the residual, which keeps digits that Aθ + b loses."""
        theta = np.asarray(theta, dtype=float)
        residual = self._residual(theta)
        rows = self.operator.factor
        if theta.ndim == 2:
            return (rows.T @ residual.T).T
        return residual @ rows

    def value(self, theta: Any) -> Any:
        """Return J(θ) as a sum of squares, which cannot come out negative."""
        theta = np.asarray(theta, dtype=float)
        residual = self._residual(theta)
        value = np.einsum("...i,...i->...", residual, residual) / 2 + self._rest
        return float(value) if theta.ndim == 1 else value

    def value_from_gradient(self, theta: Array, gradient: Array) -> Array:
        """Return J(θ) as `value` does."""
        del gradient  # ½ θᵀ(g + b) + c would cancel
        return np.asarray(self.value(theta))

    @functools.cached_property
    def is_zero_mode(self) -> npt.NDArray[np.bool_]:
        """Which directions the data do not determine, judged by the singular values of X."""
        parts = self.decomposition
        values, errors = parts.singular_values, parts.singular_errors
        return np.asarray(np.less_equal(values, errors))  # type: ignore[arg-type]  # Gram: not None

    @functools.cached_property
    def coefficients(self) -> Array:
        """The least-squares solution, shape (d,), refined with double-double residuals.

        Columns are first scaled to unit length, so that digits are lost to collinearity only.
        """
        rows, target = self._stacked
        norms = np.linalg.norm(rows, axis=0)
        units = 2.0 ** np.frexp(np.where(norms > 0, norms, 1.0))[1]  # exact to divide by
        zero = self.is_zero_mode
        if not np.any(zero):
            return np.asarray(refined_least_squares(rows / units, target) / units)
        from scipy.linalg import lstsq

        theta = lstsq(rows / units, target)[0] / units
        # the solution of least norm has no part along free directions
        free = self.decomposition.eigenvectors[:, zero]
        return np.asarray(theta - free @ (free.T @ theta))

    @property
    def _stacked(self) -> tuple[Array, Array]:
        if self.l2 == 0:
            return self.X, self.y
        root = np.sqrt(self.l2 / self.factor)
        penalty = root * np.eye(self.dimension)[int(self.intercept) :]
        return np.vstack([self.X, penalty]), np.concatenate([self.y, np.zeros(len(penalty))])

    @functools.cached_property
    def _critical_point(self) -> tuple[Array | None, str | None]:
        return self.coefficients, None  # the normal equations always have a solution

    @property
    def why_no_minimum(self) -> None:
        """None: a sum of squares always has a minimum."""
        return

    def learning_rate_limits(self) -> dict[str, float]:
        """Return 2/λmax of gradient descent under each loss convention, for these data.

        The penalty is rescaled with the data term, so that all four have the same minimiser.
        """
        largest = float(self.decomposition.eigenvalues[-1])
        rows = len(self.y)
        return {
            loss: 2 * self.factor / (largest * loss_factor(loss, rows)) if largest > 0 else np.inf
            for loss in LOSSES
        }

    def standardized(self) -> LeastSquares:
        """Return the same regression with standardised columns (lecture 001, slide 26).

        With an intercept, columns are centred and divided by their standard deviation (population
        convention), so that only collinearity is left in κ. Without one, centring would change the
        model; columns are then only divided by their root mean square. Constant columns stay.
        """
        first = int(self.intercept)
        data = self.X[:, first:]
        centre = data.mean(axis=0) if self.intercept else np.zeros(data.shape[1])
        shifted = data - centre
        scale = np.sqrt((shifted**2).mean(axis=0))
        floor = 1e-12 * np.sqrt((data**2).mean(axis=0))
        scale = np.where(scale > floor, scale, 1.0)
        new = np.column_stack([self.X[:, :first], shifted / scale])
        result = LeastSquares(
            new, self.y, self.labels, l2=self.l2, intercept=self.intercept, loss=self.loss
        )
        result.name = f"{self.name}, standardised"
        return result

    def describe(self) -> str:
        """Return one line: what the problem is."""
        rows, columns = self.X.shape
        extra = " incl. intercept" if self.intercept else ""
        penalty = f", l2 = {format_number(self.l2, 4)}" if self.l2 else ""
        return (
            f"{self.name}: {rows} rows x {columns} columns{extra}, "
            f"J = {LOSSES[self.loss].partition(' (')[0]}{penalty}"
        )


def least_squares(
    X: Any,
    y: Any,
    l2: float = 0.0,
    intercept: bool = False,
    loss: str = "half_mse",
) -> LeastSquares:
    """Return linear least squares as a quadratic problem.

    Parameters
    ----------
    X
        Data, shape (n, p): an array or a DataFrame, whose column names are kept.
    y
        Target, shape (n,).
    l2
        Ridge penalty: adds ½ l2 |θ|², without the intercept. Weight decay of the same size.
    intercept
        Whether to put a column of ones first.
    loss
        ``"half_mse"``, ``"mse"``, ``"half_rss"`` or ``"rss"``: the factor in front of the squares.

    Raises
    ------
    InputError
        Wrong shapes, missing values, an unknown loss.

    Examples
    --------
    >>> problem = least_squares([[1.0], [2.0], [3.0]], [2.0, 4.1, 5.9])
    >>> round(float(problem.minimizer[0]), 4)
    1.9929
    >>> round(problem.learning_rate_limits()["mse"], 12)  # half of the limit for ½·mean
    0.214285714286
    """
    if loss not in LOSSES:
        raise InputError(
            f"loss must be one of {join_words([repr(k) for k in LOSSES], 'or')}, got {loss!r}",
            argument="loss",
            value=loss,
        )
    names = _column_names(X)
    if names is not None:
        _refuse_columns(np.asarray(X), names)
    data, target = _data(X, y)
    if names is None:
        names = tuple(f"x{j + 1}" for j in range(data.shape[1]))
    penalty = float_number(l2, "l2")
    if penalty < 0:
        raise InputError(f"l2 must be non-negative, got {penalty:g}", argument="l2", value=l2)
    if intercept:
        data = np.column_stack([np.ones(len(target)), data])
        names = ("intercept", *names)
    return LeastSquares(data, target, names, l2=penalty, intercept=bool(intercept), loss=loss)


def _column_names(X: Any) -> tuple[str, ...] | None:
    columns = getattr(X, "columns", None)
    return None if columns is None else tuple(str(column) for column in columns)


def _refuse_columns(table: npt.NDArray[Any], names: tuple[str, ...]) -> None:
    """Name the columns of a DataFrame that hold text, or have holes."""
    if table.ndim != 2 or table.shape[1] != len(names) or table.dtype.kind == "c":
        return  # what is wrong then is said of the array
    text, holes = [], []
    for name, column in zip(names, table.T, strict=True):
        try:
            holes += [name] * (not np.all(np.isfinite(column.astype(float))))
        except (TypeError, ValueError):
            text.append(name)
    if text:
        raise InputError(
            f"X must hold numbers, and {_quoted(text)} cannot be read as such",
            argument="X",
            hint="leave text out, or make columns of 0 and 1 of it, one fewer than there are words",
        )
    if holes:
        raise InputError(
            f"X has missing or infinite values in {_quoted(holes)}",
            argument="X",
            hint="leave these rows out of X and y, for instance by dropna()",
        )


def _quoted(names: list[str]) -> str:
    return join_words([repr(name) for name in names[:8]] + ["others"] * (len(names) > 8))


def _data(X: Any, y: Any) -> tuple[Array, Array]:
    data = float_array(X.toarray() if hasattr(X, "toarray") else X, "X")
    target = float_array(y, "y")
    if data.ndim == 1 and data.size:
        raise InputError(
            f"X must have shape (rows, columns), got {data.shape}",
            argument="X",
            hint="a single column is X[:, None]",
        )
    if data.ndim != 2 or not data.size:
        raise InputError(f"X must be a non-empty table, got shape {data.shape}", argument="X")
    if target.ndim == 2 and target.shape[1] == 1:
        target = target[:, 0]
    if target.shape != (len(data),):
        raise InputError(
            f"y must have one value per row of X: expected ({len(data)},), got {target.shape}",
            argument="y",
        )
    size = float(np.max(np.abs(target)))
    if size > 1e150 or 0 < size < 1e-150:
        raise InputError(
            f"y: its largest entry is {size:.3g}, whose square leaves the range of float64",
            argument="y",
            hint="multiply y by a constant; the coefficients scale with it",
        )
    return data, target
