"""Long curves as few points that make the same picture."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["COLUMNS", "thinned"]

Array = npt.NDArray[np.float64]

COLUMNS = 1000  # as many as a figure that fills the page has pixels


def thinned(x: Array, y: Array, columns: int = COLUMNS) -> tuple[Array, Array]:
    """Return at most four points of each column: the first, the lowest, the highest, the last.

    The line through them covers the same pixels as the line through all points (Jugel and others,
    M4: A Visualization-Oriented Time Series Data Aggregation, VLDB 2014, section 4).

    Parameters
    ----------
    x, y
        The curve, (n,), x ascending and both finite.
    columns
        Columns of equal width that the range of x is cut into.

    Examples
    --------
    >>> x = np.arange(1_000_000.0)
    >>> steps, values = thinned(x, np.sin(x), columns=100)
    >>> len(steps) <= 400, bool(values.max() == np.sin(x).max())
    (True, True)
    """
    if len(x) <= 4 * columns or not x[-1] > x[0]:
        return x, y
    column = np.minimum((columns * ((x - x[0]) / (x[-1] - x[0]))).astype(int), columns - 1)
    starts = np.flatnonzero(np.diff(column, prepend=-1))
    ends = np.append(starts[1:], len(x)) - 1
    by_value = np.lexsort((y, column))  # inside each column from the lowest to the highest
    kept = np.unique(np.concatenate([starts, ends, by_value[starts], by_value[ends]]))
    return x[kept], y[kept]
