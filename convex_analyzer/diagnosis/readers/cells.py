"""Numbers as logs write them: "1,234.5", "tensor(0.3)", "inf", "45.2%"; nothing is evaluated."""

from __future__ import annotations

import contextlib
import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convex_analyzer.errors import InputError

__all__ = ["MISSING", "as_numbers", "number"]

MISSING = frozenset({"", "null", "none", "n/a", "na", "-", "--", "?", "<na>", "missing"})
_TENSOR = re.compile(
    r"^(?:torch\.|tf\.|jnp\.|np\.|numpy\.)?"
    r"(?:tensor|array|float(?:16|32|64)|variable|devicearray|parameter)\s*\(\s*\[?\s*"
    r"([^,\])]+?)\s*\]?\s*(?:,.*)?\)$",
    re.IGNORECASE | re.DOTALL,
)
_GROUPED = re.compile(r"^[+-]?\d{1,3}(,\d{3})+(\.\d*)?([eE][+-]?\d+)?$")
_WORDS = {
    **dict.fromkeys(("infinity", "1.#inf"), np.inf),
    **dict.fromkeys(("-infinity", "-1.#inf"), -np.inf),
    **dict.fromkeys(("1.#qnan", "-nan", "1.#ind", "-1.#ind", "nan(ind)", "-nan(ind)"), np.nan),
}


def number(cell: Any) -> float | None:
    """Return the number in a cell, None if there is none; NaN and inf are numbers.

    Examples
    --------
    >>> [number(cell) for cell in ("1,234.5", "tensor(0.3, grad_fn=<Mean>)", "-inf", "n/a", "b")]
    [1234.5, 0.3, -inf, None, None]
    """
    if cell is None or isinstance(cell, bool):
        return None
    if isinstance(cell, int | float | np.number):
        try:
            return float(cell)
        except OverflowError:
            return float("inf")
    if not isinstance(cell, str):
        return _from_object(cell)
    return _from_text(cell.strip().strip("'\"").replace("−", "-"))  # a minus copied from a page


def _from_text(text: str) -> float | None:
    low = text.lower()
    if low in MISSING:
        return None
    if low in _WORDS:
        return _WORDS[low]
    if "_" not in text:
        with contextlib.suppress(ValueError):
            return float(text)
    if _GROUPED.match(text):
        return float(text.replace(",", ""))
    inner = _TENSOR.match(text)
    if inner:
        return _from_text(inner[1])
    if text.endswith("%"):
        percent = _from_text(text[:-1])
        return None if percent is None else percent / 100
    return None


def _from_object(cell: Any) -> float | None:
    if isinstance(cell, list | tuple | np.ndarray) and len(cell) == 1:
        return number(cell[0])
    item = getattr(cell, "item", None)
    if callable(item):
        try:
            return number(item())
        except (TypeError, ValueError, RuntimeError):
            return None
    return None


def _plain(cell: Any) -> Any:
    """Bring a tensor that lives on a graph or on another device here."""
    for method in ("detach", "cpu"):
        cell = getattr(cell, method)() if hasattr(cell, method) else cell
    return cell


def as_numbers(value: Any, what: str) -> NDArray[np.float64]:
    """Return an array of float64 from numbers, strings that are numbers, or tensors.

    Raises
    ------
    InputError
        Something that is no number.
    """
    value = _plain(value)
    if isinstance(value, list | tuple) and any(hasattr(cell, "item") for cell in value):
        value = [_plain(cell) for cell in value]
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise InputError(f"{what} has rows of different lengths", argument=what) from error
    if array.dtype.kind in "fiub":
        return array.astype(np.float64)
    if array.dtype.kind == "c":
        raise InputError(f"{what} is complex", argument=what, hint="pass its real part")
    cells = [number(cell) for cell in array.ravel().tolist()]
    bad = [cell for cell, found in zip(array.ravel().tolist(), cells, strict=True) if found is None]
    if bad and any(cell not in (None, "") for cell in bad):
        first = next(cell for cell in bad if cell not in (None, ""))
        raise InputError(f"{what} holds {first!r}, which is not a number", argument=what)
    return np.array([np.nan if c is None else c for c in cells]).reshape(array.shape)
