"""A user's callable, called with care: what it raises or returns is judged in words.

The point is always a fresh copy, so that a function may write into it; NumPy's floating-point
warnings are silenced, since what they would say is judged by the result.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from convex_analyzer.errors import InputError
from convex_analyzer.tables import format_number

__all__ = ["ScalarCall", "VectorCall", "coordinate_names", "error_words", "point_words"]

Array = npt.NDArray[np.float64]

# What functions of real numbers raise at complex ones.
_NOT_COMPLEX = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    NotImplementedError,
    RuntimeError,
    TypeError,
    ValueError,
    np.exceptions.ComplexWarning,
)
_SAME = 1e-12  # relative; parallel sums may differ by rounding
_SHOWN = 6  # coordinates of a point that a message shows
_FILLED = 1000  # rows of a sparse matrix or a LinearOperator that is written out
_LONGEST = 200  # characters of a user's error that a message repeats


def coordinate_names(names: Sequence[str] | None, dimension: int) -> tuple[str, ...]:
    """Return the names given, or θ[0], θ[1], ...

    Raises
    ------
    InputError
        As many names as coordinates are needed, all different.
    """
    if names is None:
        return tuple(f"θ[{i}]" for i in range(dimension))
    given = (names,) if isinstance(names, str) else tuple(str(name) for name in names)
    if len(given) != dimension or len(set(given)) != dimension:
        raise InputError(
            f"names must be {dimension} different names, got {len(given)}: {', '.join(given)}",
            argument="names",
            value=names,
        )
    return given


def point_words(point: Array) -> str:
    """Write a point, cut after a few coordinates.

    Examples
    --------
    >>> point_words(np.array([1.0, -0.5]))
    '(1, −0.5)'
    """
    shown = [format_number(x, 8) for x in point[:_SHOWN]]
    return f"({', '.join(shown + ['…'] * (len(point) > _SHOWN))})"


def error_words(error: Exception) -> str:
    r"""Name an error and what it says, on one line that does not fill the screen.

    Examples
    --------
    >>> error_words(ValueError("shapes do\nnot match"))
    'ValueError: shapes do not match'
    """
    said = " ".join(str(error).split())
    said = said if len(said) <= _LONGEST else f"{said[: _LONGEST - 1]}…"
    return f"{type(error).__name__}: {said}".strip(": ")


class _Call:
    """The common part: how the callable takes its point, and what it may raise."""

    def __init__(
        self, function: Callable[..., Any], dimension: int, name: str, *, scalar: bool = False
    ) -> None:
        if not callable(function):
            raise InputError(
                f"{name} must be callable, got {type(function).__name__}",
                argument=name,
                value=function,
            )
        self.function, self.dimension, self.name = function, dimension, name
        self.evaluations = 0
        self.single = False  # whether values came in single precision
        self._scalar = scalar
        self._apart = dimension > 1 and _required(function) == dimension

    def _arguments(self, point: Any) -> tuple[Any, ...]:
        if self._scalar:
            return (point[0],)
        return tuple(point) if self._apart else (point.copy(),)

    def _raw(self, point: Any, *more: Any) -> Any:
        self.evaluations += 1
        try:
            with np.errstate(all="ignore"), warnings.catch_warnings():
                warnings.simplefilter("ignore", RuntimeWarning)
                result = self.function(*self._arguments(point), *more)
        except Exception as error:
            raise InputError(
                f"{self.name} raised {error_words(error)} at {point_words(point)}",
                argument=self.name,
                value=point,
            ) from error
        return _plain(result)

    def _complex(self, point: Any) -> npt.NDArray[np.complex128] | None:
        """Return what a complex point gives; None if the function has no use for one."""
        self.evaluations += 1
        try:
            with np.errstate(all="ignore"), warnings.catch_warnings():
                warnings.simplefilter("ignore", RuntimeWarning)
                warnings.simplefilter("error", np.exceptions.ComplexWarning)  # i is dropped
                array = np.asarray(_plain(self.function(*self._arguments(point))))
        except _NOT_COMPLEX:
            return None
        return array if array.dtype == np.complex128 else None

    def _numbers(self, result: Any, point: Array) -> Any:
        """Return the result as a real array, or say what it is instead."""
        if result is None:
            raise InputError(
                f"{self.name} returned None at {point_words(point)}",
                argument=self.name,
                hint="its return statement is missing",
            )
        try:
            array = np.asarray(result)
        except (TypeError, ValueError, RuntimeError):  # a foreign array that does not convert
            array = np.array("")
        if array.dtype.kind == "O":  # SymPy numbers, fractions
            try:
                array = array.astype(float)
            except (TypeError, ValueError):
                array = np.array("")  # no number at all
        if array.dtype.kind == "c" and not np.any(array.imag):
            array = array.real
        if array.dtype.kind not in "iuf":
            shown = "complex numbers" if array.dtype.kind == "c" else type(result).__name__
            pair = "return the value alone, and pass the gradient as gradient="
            raise InputError(
                f"{self.name} must return real numbers, got {shown} at {point_words(point)}",
                argument=self.name,
                value=result,
                hint=pair if self.name == "f" and isinstance(result, tuple) else "",
            )
        self.single |= array.dtype.kind == "f" and array.dtype.itemsize < 8
        return array


def _required(function: Callable[..., Any]) -> int:
    """Return how many positional arguments must be given; 1 where that is not known."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return 1
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return sum(p.kind in positional and p.default is inspect.Parameter.empty for p in parameters)


def _plain(result: Any) -> Any:
    """Bring a tensor that remembers its history, or lies on another device, to where NumPy is."""
    for method in ("detach", "cpu"):
        if hasattr(result, method) and not isinstance(result, np.ndarray):
            result = getattr(result, method)()
    if hasattr(result, "shape") and (hasattr(result, "toarray") or hasattr(result, "matvec")):
        return _filled(result)
    return result


def _filled(matrix: Any) -> Any:
    """Write out what a function returned as a sparse matrix or a LinearOperator."""
    rows, columns = matrix.shape[0], matrix.shape[-1]
    if rows * columns > _FILLED**2:
        raise InputError(
            f"a Hessian was returned as a {type(matrix).__name__} of shape ({rows}, {columns})",
            argument="hessian",
            hint="pass its products instead: hvp=lambda theta, v: hessian(theta) @ v",
        )
    return matrix.toarray() if hasattr(matrix, "toarray") else matrix @ np.eye(columns)


class ScalarCall(_Call):
    """J as a callable: θ ↦ a number.

    Parameters
    ----------
    function
        Takes an array of shape (d,); or d numbers, when it has d required arguments.
    dimension
        d.
    name
        What messages call it.
    scalar
        Whether it takes a plain number (d = 1).

    Examples
    --------
    >>> ScalarCall(lambda x, y: x * y, 2).value(np.array([2.0, 3.0]))
    6.0
    """

    def __init__(
        self,
        function: Callable[..., Any],
        dimension: int,
        name: str = "f",
        *,
        scalar: bool = False,
    ) -> None:
        super().__init__(function, dimension, name, scalar=scalar)

    def at(self, point: Array) -> float:
        """Return the value, which may be infinite or undefined.

        Raises
        ------
        InputError
            The function raises, or returns something else than one real number.
        """
        array = self._numbers(self._raw(point), point)
        if array.size != 1:
            raise InputError(
                f"{self.name} must return one number, got shape {array.shape} at "
                f"{point_words(point)}",
                argument=self.name,
                hint="sum or average what it returns",
            )
        return float(array.reshape(()))

    def value(self, point: Array) -> float:
        """Return the value; one that is not finite is an error."""
        value = self.at(point)
        if not np.isfinite(value):
            raise InputError(
                f"{self.name} is {'undefined' if np.isnan(value) else 'infinite'} "
                f"at {point_words(point)}",
                argument=self.name,
                value=value,
                hint="expand where it is finite",
            )
        return value

    def steady_value(self, point: Array) -> float:
        """Return the value; one that is not finite, or differs when asked again, is an error."""
        first, again = self.value(point), self.value(point)
        if abs(first - again) > _SAME * max(abs(first), abs(again)):
            raise InputError(
                f"{self.name} answers {point_words(point)} differently each time: "
                f"{format_number(first, 8)}, then {format_number(again, 8)}",
                argument=self.name,
                hint="fix its random numbers, for instance by a seed inside",
            )
        return first

    def near(self, point: Array) -> float:
        """Return the value next to the point of interest: NaN where the function breaks down."""
        try:
            return self.at(point)
        except InputError as error:
            if isinstance(error.__cause__, Exception):
                return float("nan")
            raise

    def complex_at(self, point: npt.NDArray[np.complex128]) -> complex | None:
        """Return the value at a complex point; None if the function has no use for one."""
        array = self._complex(point)
        if array is None or array.size != 1:
            return None
        value = complex(array.reshape(()))
        return value if np.isfinite(value) else None


class VectorCall(_Call):
    """A gradient θ ↦ (d,), or a Hessian product (θ, v) ↦ (d,), as a callable."""

    def __init__(
        self,
        function: Callable[..., Any],
        dimension: int,
        name: str = "gradient",
        *,
        scalar: bool = False,
        product: bool = False,
    ) -> None:
        super().__init__(function, dimension, name, scalar=scalar)
        self._apart = self._apart and not product

    def value(self, point: Array, *more: Array) -> Array:
        """Return the vector.

        Raises
        ------
        InputError
            The function raises, returns another shape, or numbers that are not finite.
        """
        array = self.near(point, *more)
        if not np.all(np.isfinite(array)):
            bad = int(np.flatnonzero(~np.isfinite(array))[0])
            raise InputError(
                f"{self.name} is not finite at {point_words(point)}: its entry {bad} is "
                f"{array[bad]}",
                argument=self.name,
            )
        return array

    def near(self, point: Array, *more: Array) -> Array:
        """Return the vector, whose entries may be infinite or undefined."""
        return np.asarray(self._shaped(self.array(point, *more), point), dtype=float)

    def array(self, point: Array, *more: Array) -> Any:
        """Return what the function gives as a real array of any shape.

        A copy: many functions fill one buffer, which the next call overwrites.
        """
        return np.array(self._numbers(self._raw(point, *(v.copy() for v in more)), point))

    def complex_at(self, point: npt.NDArray[np.complex128]) -> npt.NDArray[np.complex128] | None:
        """Return the vector at a complex point; None if the function has no use for one."""
        array = self._complex(point)
        if array is None or array.size != self.dimension:
            return None
        return array.reshape(self.dimension).copy() if np.all(np.isfinite(array)) else None

    def _shaped(self, array: Any, point: Array) -> Any:
        d = self.dimension
        if array.shape in {(d,), (1, d), (d, 1)} or (d == 1 and array.size == 1):
            return array.reshape(d)
        raise InputError(
            f"{self.name} must return shape ({d},), got {array.shape} at {point_words(point)}",
            argument=self.name,
        )
