"""Spectra given as a density or a law: weighted eigenvalues that integrate it.

A large random or idealised problem has no single spectrum, but a law μ of eigenvalues. For every
question that is a polynomial of λ (and losses after k steps are) a few weighted nodes stand for it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from convex_analyzer.errors import InputError
from convex_analyzer.linalg.quadrature import quadrature_rules
from convex_analyzer.problems.quadratic import Quadratic
from convex_analyzer.results import Result
from convex_analyzer.spectra.spectrum import Spectrum
from convex_analyzer.tables import Table, format_number

__all__ = ["Density"]

Array = npt.NDArray[np.float64]

_CLOSE = 1e-6  # how far from 1 the integral of a density may be
_MOST = 2000  # nodes of a rule
_DIRECTIONS = 10_000_000  # of a power law


@dataclass(frozen=True, eq=False, repr=False)
class Density(Result):
    """A law of eigenvalues, as nodes with weights.

    Made by `Density.marchenko_pastur`, `Density.from_function`, `Density.power_law`, or, from the
    products of a large matrix, `Density.estimate`.

    Attributes
    ----------
    nodes
        Eigenvalues, ascending, (n,).
    weights
        E x₀² along each node, (n,): for a law, the share of directions there, which sum to 1; for a
        power law, the source condition.
    name
        What it is called.
    degree
        Polynomials of λ up to this degree are integrated exactly; None where only `nodes` exist, so
        that nothing is approximated.
    kind
        ``exact`` up to that degree, or ``numerical``.
    is_limit
        Whether it is the law of infinitely large random matrices; at finite size the largest and
        smallest eigenvalues lie elsewhere, and what follows is asymptotic.
    parts
        Of an estimate: the law that each random start gave. How far they differ is its error.

    Examples
    --------
    >>> law = Density.marchenko_pastur(0.5, nodes=20)
    >>> round(law.moment(2), 12), law.spectrum().condition_number < (1 + 0.5**0.5) ** 4 / 0.25
    (1.5, True)
    """

    schema: ClassVar[str] = "convex_analyzer.density/1"

    nodes: Array = field(repr=False)
    weights: Array = field(repr=False)
    name: str = "density"
    degree: int | None = None
    kind: str = "exact"
    is_limit: bool = False
    parts: tuple[Density, ...] = field(default=(), repr=False)

    def __len__(self) -> int:
        return len(self.nodes)

    @classmethod
    def marchenko_pastur(cls, ratio: float, nodes: int = 200, variance: float = 1.0) -> Self:
        """Return the limit law of XᵀX/n for independent entries, as d, n → ∞ with d/n = ratio.

        Parameters
        ----------
        ratio
            r = d/n > 0; for r > 1 a share 1 - 1/r of the directions is flat.
        nodes
            Of the Gauss rule for what is not flat; losses of N - 1 steps are integrated exactly.
        variance
            Of the entries.

        Raises
        ------
        InputError
            A ratio or variance that is not positive; a number of nodes out of range.

        Notes
        -----
        Density √((λ₊ - λ)(λ - λ₋))/(2π r λ) on λ± = (1 ± √r)². The orthogonal polynomials have the
        Jacobi matrix with diagonal 1, 1 + r, 1 + r, ... and √r beside it.
        Source: Marchenko & Pastur (1967); the rule by Golub & Welsch (1969).

        Examples
        --------
        >>> fat = Density.marchenko_pastur(4.0, nodes=3)
        >>> float(fat.nodes[0]), float(fat.weights[0])
        (0.0, 0.75)
        """
        _require_positive(ratio, "ratio")
        _require_positive(variance, "variance")
        count = _checked_nodes(nodes)
        inner = min(ratio, 1 / ratio)  # XXᵀ has the same eigenvalues but the flat ones
        places, shares = _marchenko_pastur_rule(inner, count)
        if ratio > 1:
            places = np.concatenate([[0.0], ratio * places])
            shares = np.concatenate([[1 - 1 / ratio], shares / ratio])
        name = f"Marchenko–Pastur law, d/n = {format_number(ratio)}"
        return cls(variance * places, shares, name, 2 * count - 1, is_limit=True)

    @classmethod
    def from_function(
        cls,
        density: Callable[[Array], Any],
        low: float,
        high: float,
        nodes: int = 400,
        name: str = "density",
    ) -> Self:
        """Return a law from its density, which may have edges like (λ - low)^(±1/2).

        Parameters
        ----------
        density
            Of arrays of eigenvalues between `low` and `high`, at least 0, with integral 1.
        low, high
            Where it lives, low < high.
        nodes
            Of the rule: Gauss–Legendre in the angle θ of λ = middle - half cos θ.
        name
            What it is called.

        Raises
        ------
        InputError
            Not low < high; values that are negative or not finite; an integral other than 1.

        Examples
        --------
        >>> flat = Density.from_function(lambda lam: 0 * lam + 0.5, 1.0, 3.0)
        >>> round(flat.moment(1), 12)
        2.0
        """
        if not -math.inf < low < high < math.inf:
            raise InputError(f"need low < high, got {low!r} and {high!r}", argument="low")
        angles, steps = np.polynomial.legendre.leggauss(_checked_nodes(nodes))
        angles = (angles + 1) * math.pi / 2
        half = (high - low) / 2
        places = low + 2 * half * np.sin(angles / 2) ** 2
        heights = _heights(density, places)
        shares = heights * steps * math.pi / 2 * half * np.sin(angles)
        total = float(shares.sum())
        if not abs(total - 1) <= _CLOSE:
            raise InputError(
                f"the density integrates to {format_number(total, 9)} on [{format_number(low)}, "
                f"{format_number(high)}], not to 1",
                argument="density",
                hint="divide by the integral, or ask for more nodes if it has a sharp peak",
            )
        kept = shares > 0
        return cls(places[kept], shares[kept] / total, name, kind="numerical")

    @classmethod
    def power_law(cls, exponent: float, source: float = 0.0, dimension: int = 100_000) -> Self:
        """Return the eigenvalues i^-a with starts E x₀² = i^-c, i = 1, ..., d.

        Parameters
        ----------
        exponent
            a > 0.
        source
            c: how much less of the start lies along the small directions (the source condition).
        dimension
            d.

        Raises
        ------
        InputError
            a is not positive; a + c ≤ 1, where the loss has no limit for d → ∞.

        Examples
        --------
        >>> law = Density.power_law(1.0, source=1.0, dimension=3)
        >>> law.nodes.round(4), law.weights.round(4)
        (array([0.3333, 0.5   , 1.    ]), array([0.3333, 0.5   , 1.    ]))
        """
        _require_positive(exponent, "exponent")
        require_summable(exponent, source)
        if not _is_whole(dimension) or not 1 <= dimension <= _DIRECTIONS:
            raise InputError(
                f"dimension must be a whole number from 1 to {_DIRECTIONS:,}, got {dimension!r}",
                argument="dimension",
            )
        index = np.arange(int(dimension), 0, -1, dtype=float)
        name = f"power law λ = i^−{format_number(exponent)}, x₀² = i^−{format_number(source)}"
        return cls(index**-exponent, index**-source, name)

    @classmethod
    def estimate(cls, problem: Any, steps: int = 50, probes: int = 10, seed: int = 0) -> Self:
        """Return how the eigenvalues of a large matrix are spread, from steps x probes products.

        For what is averaged over directions (`expected_gap` and the like). The outermost nodes lie
        inside the spectrum: what must hold for every direction, such as a stable learning rate, is
        asked of `convex_analyzer.spectrum`.

        Parameters
        ----------
        problem
            A `Quadratic`, or anything that `Quadratic` accepts as A.
        steps
            Lanczos steps from each random start: the nodes of its Gauss rule. Losses after fewer
            than so many steps of an optimizer have no error but that of the starts.
        probes
            Random starts.
        seed
            Of the starts.

        Raises
        ------
        InputError
            Numbers out of range.
        SpectrumError
            A product that is not finite.

        Notes
        -----
        Stochastic Lanczos quadrature; see `convex_analyzer.linalg.quadrature`. The error of an
        average falls like 1/√(d · probes); `standard_error` measures it.

        Examples
        --------
        >>> from convex_analyzer.problems.gallery import laplacian_2d
        >>> law = Density.estimate(laplacian_2d(40), steps=20, probes=5)
        >>> abs(law.moment(1) - 4) < 4 * law.standard_error(lambda lam: lam)
        True
        """
        problem = problem if isinstance(problem, Quadratic) else Quadratic(problem)
        count = _checked_nodes(steps, "steps")
        starts = _checked_nodes(probes, "probes")
        if not _is_whole(seed) or seed < 0:
            raise InputError(f"seed must be a whole number from 0, got {seed!r}", argument="seed")
        rules = quadrature_rules(problem.operator, count, starts, int(seed))
        name = f"{problem.name}, {starts} random starts"
        parts = tuple(
            cls(nodes, weights, f"{problem.name}, start {i + 1}", 2 * count - 1, "numerical")
            for i, (nodes, weights) in enumerate(rules)
        )
        nodes = np.concatenate([part.nodes for part in parts])
        weights = np.concatenate([part.weights for part in parts]) / starts
        order = np.argsort(nodes, kind="stable")
        return cls(nodes[order], weights[order], name, 2 * count - 1, "numerical", parts=parts)

    def standard_error(self, function: Callable[[Array], Any]) -> float:
        """Return the standard error of the mean of a function of λ, from the starts' differences.

        Raises
        ------
        InputError
            The law is no estimate, or has a single start.
        """
        if len(self.parts) < 2:
            raise InputError(
                "a standard error needs an estimate with at least two random starts",
                argument="probes",
            )
        means = [float(part.weights @ np.asarray(function(part.nodes))) for part in self.parts]
        return float(np.std(means, ddof=1) / math.sqrt(len(means)))

    def spectrum(self) -> Spectrum:
        """Return the nodes as a spectrum, for `analyze`; the weights stay here."""
        found = Spectrum.from_eigenvalues(self.nodes, name=self.name)
        if self.degree is None:
            return found
        kind = "asymptotic" if self.is_limit else self.kind
        return replace(found, kind=kind, method="nodes of a Gauss rule")

    def moment(self, order: int) -> float:
        """Return Σ w λ^order: the mean of a power of λ, when the weights sum to 1."""
        return float(self.weights @ self.nodes**order)

    def summary(self) -> Table:
        """Return a table of the main facts."""
        reach = "all" if self.degree is None else f"polynomials up to degree {self.degree}"
        if self.parts:
            reach += f", but for the choice of {len(self.parts)} starts"
        rows = [
            ("nodes", f"{len(self):,}"),
            (
                "smallest, largest",
                f"{format_number(self.nodes[0])}, {format_number(self.nodes[-1])}",
            ),
            ("sum of the weights", format_number(self.weights.sum(), 9)),
            ("weighted mean of λ", format_number(self.moment(1) / self.moment(0), 9)),
            ("integrates", f"{reach} ({self.kind})"),
        ]
        if self.is_limit:
            rows.append(("holds", "asymptotically, for large random matrices"))
        return Table(("law of eigenvalues", self.name), tuple(rows), left=2)

    def __repr__(self) -> str:
        return f"<Density {self.name}: {len(self)} nodes>"


def require_summable(exponent: float, source: float) -> None:
    """Refuse a power law whose loss grows without end with the dimension."""
    if not (math.isfinite(source) and exponent + source > 1):
        raise InputError(
            f"need exponent + source > 1, got {exponent!r} + {source!r}: otherwise the loss "
            "Σ i^−(a + c) is infinite",
            argument="source",
        )


def _require_positive(value: Any, name: str) -> None:
    number = isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
    if not number or not 0 < value < math.inf:
        raise InputError(f"{name} must be positive and finite, got {value!r}", argument=name)


def _is_whole(value: Any) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def _checked_nodes(nodes: Any, name: str = "nodes") -> int:
    if not _is_whole(nodes) or not 1 <= nodes <= _MOST:
        raise InputError(
            f"{name} must be a whole number from 1 to {_MOST:,}, got {nodes!r}", argument=name
        )
    return int(nodes)


def _marchenko_pastur_rule(ratio: float, count: int) -> tuple[Array, Array]:
    """Return the Gauss rule for ratio ≤ 1, without cancellation in the small nodes.

    The Jacobi matrix is BᵀB for the bidiagonal B with 1 on and √r above the diagonal, so its
    eigenvalues are squares of singular values; these lie near the edge 0 for r = 1.
    """
    if ratio == 1:  # the Chebyshev polynomials of the fourth kind: in closed form
        angles = np.arange(count, 0, -1) * math.pi / (2 * count + 1)
        return 4 * np.cos(angles) ** 2, 4 / (2 * count + 1) * np.sin(angles) ** 2
    bidiagonal = np.eye(count) + math.sqrt(ratio) * np.eye(count, k=1)
    _, singular, right = np.linalg.svd(bidiagonal)
    return singular[::-1] ** 2, right[::-1, 0] ** 2


def _heights(density: Callable[[Array], Any], places: Array) -> Array:
    with np.errstate(all="ignore"):
        heights = np.broadcast_to(np.asarray(density(places), dtype=float), places.shape)
    if not np.all(np.isfinite(heights)):
        where = format_number(places[~np.isfinite(heights)][0])
        raise InputError(f"the density is not finite at λ = {where}", argument="density")
    if heights.min() < 0:
        where = format_number(places[np.argmin(heights)])
        raise InputError(f"the density is negative at λ = {where}", argument="density")
    return heights
