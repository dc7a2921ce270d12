"""Classic problems by name, each with what is known about it: ``ca.gallery.toy()``.

Every function works without arguments. Matrices whose spectrum has a closed form say it; the tests
hold the computed spectrum against it.
"""

from __future__ import annotations

import importlib.resources
import math
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from convex_analyzer.errors import InputError
from convex_analyzer.problems.files import load
from convex_analyzer.problems.known_matrices import (
    clement_shifted,
    hilbert,
    identity,
    kms,
    laplacian_1d,
    laplacian_2d,
    lehmer,
    minij,
    pascal,
    pei,
    trefethen,
    wilson,
)
from convex_analyzer.problems.least_squares import LeastSquares, least_squares
from convex_analyzer.problems.quadratic import Quadratic
from convex_analyzer.tables import format_number

__all__ = [
    "clement_shifted",
    "hilbert",
    "identity",
    "kms",
    "laplacian_1d",
    "laplacian_2d",
    "lecture001_slide24",
    "lecture001_slide25",
    "lehmer",
    "longley",
    "minij",
    "names",
    "pascal",
    "pei",
    "random",
    "ravine",
    "saddle",
    "singular",
    "toy",
    "trefethen",
    "wilson",
]

Array = npt.NDArray[np.float64]


def names() -> tuple[str, ...]:
    """Return the names of all problems.

    Examples
    --------
    >>> "toy" in names()
    True
    """
    return tuple(name for name in __all__ if name != "names")


# -- small problems that show one thing each ----------------------------------------------------


def toy() -> Quadratic:
    """J = 0.1 x1² + 2 x2², the running example of lecture 000.

    κ = 20; gradient descent is stable for α < 0.5, best at α = 2/4.2 with rate 19/21; heavy ball is
    best at α = 4/(√4 + √0.2)², μ = ((√20 - 1)/(√20 + 1))².

    Examples
    --------
    >>> toy().value([-5.0, -2.0])
    10.5
    """
    return Quadratic(np.diag([0.2, 4.0]), name="toy")


def ravine(condition_number: float = 100.0, angle: float = 0.6) -> Quadratic:
    """Return a long narrow valley, turned by `angle` (lecture 001, slides 19-22).

    Eigenvalues 1/√κ along (cos angle, sin angle), and √κ across.

    Parameters
    ----------
    condition_number
        κ, at least 1.
    angle
        In radians, from the first axis to the floor of the valley.

    Examples
    --------
    >>> ravine(100.0).decomposition.eigenvalues.round(12)
    array([ 0.1, 10. ])
    """
    kappa, turn = float(condition_number), float(angle)
    if not (1 <= kappa < 1e300 and math.isfinite(turn)):
        raise InputError(
            f"condition_number must be at least 1 and angle finite, got {kappa:g} and {turn:g}",
            argument="condition_number",
        )
    floor = np.array([math.cos(turn), math.sin(turn)])
    across = np.array([-floor[1], floor[0]])
    root = math.sqrt(kappa)
    A = np.outer(floor, floor) / root + root * np.outer(across, across)
    return Quadratic(A, name=f"ravine, κ = {format_number(kappa, 4)}")


def saddle() -> Quadratic:
    """Return A = [[1, 2], [2, 1]], b = (1, 0): eigenvalues -1 and 3, exactly; unbounded below.

    Examples
    --------
    >>> saddle().why_no_minimum
    'A has negative curvature (−1 along q1), so J is unbounded below'
    """
    return Quadratic([[1.0, 2.0], [2.0, 1.0]], [1.0, 0.0], name="saddle")


def singular(bounded: bool = True) -> Quadratic:
    """Return A = [[2, 2], [2, 2]], eigenvalues 0 and 4, exactly: a flat valley.

    Parameters
    ----------
    bounded
        With b = (-6, -6) every point of θ1 + θ2 = 3 is a minimiser, and gradient descent from
        (4, 1) ends in (3, 0). Otherwise b = (-6, -5) leaves the range of A: J falls without end.

    Examples
    --------
    >>> singular().minimizer.round(12)
    array([1.5, 1.5])
    >>> singular(bounded=False).minimizer is None
    True
    """
    b = [-6.0, -6.0] if bounded else [-6.0, -5.0]
    return Quadratic([[2.0, 2.0], [2.0, 2.0]], b, name="singular")


def random(spectrum: Any = (1.0, 10.0, 100.0), seed: int = 0, b: Any = None) -> Quadratic:
    """Return a quadratic with a given spectrum and random eigenvectors.

    Parameters
    ----------
    spectrum
        Eigenvalues, shape (d,), or a `Spectrum`.
    seed
        Of the eigenvectors, which are uniform over all rotations (Haar measure, from the QR
        factors of a Gaussian matrix: Stewart 1980), and of a random b.
    b
        Shape (d,), or ``"random"`` for standard normal entries; zero when left out.

    Examples
    --------
    >>> random([1.0, 5.0], seed=3).decomposition.eigenvalues.round(12)
    array([1., 5.])
    """
    values = np.array(getattr(spectrum, "eigenvalues", spectrum), dtype=float)
    if values.ndim != 1 or not 0 < values.size <= 10_000:
        raise InputError(
            f"spectrum must be a vector of 1 to 10,000 eigenvalues, got shape {values.shape}",
            argument="spectrum",
        )
    generator = np.random.default_rng(seed)
    q, _ = np.linalg.qr(generator.standard_normal((len(values), len(values))))
    A = (q * values) @ q.T
    if isinstance(b, str):
        if b != "random":
            raise InputError(f"b must be numbers or 'random', got {b!r}", argument="b", value=b)
        b = generator.standard_normal(len(values))
    return Quadratic((A + A.T) / 2, b, name=f"random, d = {len(values)}")


# -- data -----------------------------------------------------------------------------------------


def _data(
    X: Array, y: Array, name: str, *, center: bool = False, standardize: bool, intercept: bool
) -> LeastSquares:
    if center or standardize:
        X = X - X.mean(axis=0)
    if standardize:
        X = X / X.std(axis=0)
    problem = least_squares(X, y, intercept=intercept)
    problem.name = f"{name}, standardised" if standardize else name
    return problem


def lecture001_slide24(
    standardize: bool = False, *, center: bool = False, intercept: bool = False
) -> LeastSquares:
    """Return the first table of lecture 001 (slide 24), its three visible rows: units that differ.

    κ(A) = 1.386e10 raw, 1.013e12 with intercept, 2.640e11 centred, 28.21 standardised.

    Parameters
    ----------
    standardize
        Zero mean and unit (population) variance, the cure of slide 26.
    center
        Zero mean only.
    intercept
        Whether to put a column of ones first.
    """
    X = np.array([[114.8, 0.00323], [338.1, 0.00183], [98.8, 0.00279]])
    y, name = np.array([5.1, 3.2, 4.1]), "lecture 001, slide 24"
    return _data(X, y, name, center=center, standardize=standardize, intercept=intercept)


def lecture001_slide25(
    standardize: bool = False, *, center: bool = False, intercept: bool = False
) -> LeastSquares:
    """Return the second table of lecture 001 (slide 25), its three visible rows: far from zero.

    κ(A) = 8.776e5 raw, 7.129e11 with intercept, 2.479 centred or standardised. Parameters as in
    `lecture001_slide24`.
    """
    X = np.array([[1003.2, 1005.1], [1001.1, 1008.2], [998.3, 1003.4]])
    y, name = np.array([3.3, 4.8, 2.9]), "lecture 001, slide 25"
    return _data(X, y, name, center=center, standardize=standardize, intercept=intercept)


def longley(standardize: bool = False, *, intercept: bool = True) -> LeastSquares:
    """Return employment in the United States, 1947-1962: NIST's test of regression programs.

    κ(X) = 4.859257e9 with intercept, 456,038 without; standardised, the correlation matrix has
    κ = 12,220: scale was most of it, and collinearity remains (Longley 1967; NIST StRD).

    Parameters
    ----------
    standardize
        Whether to standardise the columns: see `LeastSquares.standardized`.
    intercept
        Whether to put a column of ones first.

    Examples
    --------
    >>> longley().labels[:3]
    ('intercept', 'GNPDEFL', 'GNP')
    """
    source = importlib.resources.files("convex_analyzer") / "data" / "longley.csv"
    with importlib.resources.as_file(source) as path:
        problem = cast("LeastSquares", load(path, target="TOTEMP", intercept=intercept))
    return problem.standardized() if standardize else problem
