"""Stability regions in symbols: where every root of a linear rule lies inside the unit circle.

The characteristic polynomial is computed exactly from `step`, the inequalities of Schur, Cohn and
Jury are written down without fractions, factored, and freed of what the declared ranges or the
other inequalities imply. No eigenvalue is ever computed.

Up to three slots this is done for any number of open hyper-parameters, with four for one besides
s = αλ. Rules with more are solved at numbers, from exact real roots.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from convex_analyzer.errors import InputError, NotDerivableError
from convex_analyzer.optimizers.base import Optimizer
from convex_analyzer.results import Result
from convex_analyzer.tables import Table, join_words
from convex_analyzer.theory import region_words
from convex_analyzer.theory.borders import Border, classify
from convex_analyzer.theory.inequalities import Inequality, inequalities, reduced
from convex_analyzer.theory.pairing import field_of, paired
from convex_analyzer.theory.region_words import printed, range_words
from convex_analyzer.theory.sets import (
    finite_ends,
    inside_circle,
    scaled,
    solved,
    wanted,
)
from convex_analyzer.theory.symbolic import OpenRule, exactly, open_rule

__all__ = ["Condition", "Region", "stability_region"]


@dataclass(frozen=True)
class Condition:
    """One inequality, and what happens to the roots where it fails.

    Attributes
    ----------
    relation
        A SymPy relation: ``... > 0``, ``... != 0`` or false.
    reason
        In words.
    """

    relation: Any
    reason: str

    def __str__(self) -> str:
        return f"{printed(self.relation)}: {self.reason}"


@dataclass(frozen=True, eq=False)
class Region(Result):
    """Where a linear rule converges along an eigendirection: all conditions hold together.

    Attributes
    ----------
    rule
        Name of the class.
    product
        What s stands for, mostly αλ.
    s
        Its symbol.
    parameters
        The other symbols that matter, by the names under which values are given.
    ranges
        Declared range of each, in words; the conditions are reduced for these.
    conditions
        Inequalities with reasons; empty if they are not written down in symbols, or if the rule
        converges everywhere (`is_symbolic` tells).
    is_symbolic
        Whether the conditions are written down. Where they are not, sets are found at numbers.
    slots, left_out
        Slots of the state that the reported point depends on, and the others.
    polynomial
        Coefficients of the characteristic polynomial, from the highest power down.
    steps
        How many steps make one application of it: the period of the rule.

    Examples
    --------
    >>> from convex_analyzer.optimizers.momentum import HeavyBall
    >>> region = stability_region(HeavyBall)
    >>> [str(condition.relation) for condition in region.conditions]
    ['s > 0', '2*mu - s + 2 > 0', '1 - mu > 0']
    >>> region.as_set(momentum=0.9)
    Interval.open(0, 19/5)
    """

    schema: ClassVar[str] = "convex_analyzer.region/1"

    rule: str
    product: Any
    s: Any
    parameters: dict[str, Any]
    ranges: dict[str, str]
    conditions: tuple[Condition, ...]
    is_symbolic: bool
    slots: tuple[str, ...]
    left_out: tuple[str, ...]
    polynomial: tuple[Any, ...]
    steps: int
    opened: OpenRule = field(repr=False)
    absorbed: tuple[Any, ...] = field(repr=False)
    full: tuple[Inequality, ...] = field(repr=False)

    # -- sets ------------------------------------------------------------------------------------

    def as_set(self, **values: Any) -> Any:
        """Return the stable values of s as a SymPy set.

        Parameters
        ----------
        **values
            Values of `parameters`; also outside their declared ranges. Decimals are taken as the
            fractions they stand for, so that end points are exact.

        Returns
        -------
        Interval, Union, EmptySet or Reals
            Or a ConditionSet, if values are left out.

        """
        import sympy

        at = self._numbers(values)
        missing = self._missing(at)
        if not missing:
            return solved([c.subs(at) for c in self.polynomial], self.s)
        if not self.is_symbolic:
            raise InputError(
                f"{self.rule}: {join_words(missing)} must be given, because the conditions are "
                "not written down in symbols",
                argument=missing[0],
            )
        return sympy.ConditionSet(
            self.s, sympy.And(*(c.relation for c in self.conditions)).subs(at), sympy.S.Reals
        )

    def in_learning_rate(self, eigenvalues: Any, **values: Any) -> Any:
        """Return the learning rates at which every given direction contracts, as a SymPy set.

        Parameters
        ----------
        eigenvalues
            Numbers, or a `Spectrum`; of one that is only known to lie in an interval, every
            eigenvalue inside is meant. Zeros are left out: a flat direction never contracts.
        **values
            Values of the other hyper-parameters.

        Examples
        --------
        >>> from convex_analyzer.optimizers.gradient import GradientDescent
        >>> stability_region(GradientDescent).in_learning_rate([1, 3])
        Interval.open(0, 2/3)
        """
        import sympy

        at = self._numbers(values)
        given, between = wanted(eigenvalues)
        rate = self.opened.learning_rate
        missing = [name for name in self._missing(at, scales=True) if name != "learning_rate"]
        self._require(missing)
        if rate in self.absorbed:
            scale = sympy.cancel(self.product.subs(at) / rate / self.opened.eigenvalue)
            return scaled(self.as_set(**values), [v * scale for v in given], between=between)
        if between and self.product.has(rate):
            raise NotDerivableError(
                f"{self.rule}: stability depends on α and λ apart, so the two ends of a spectrum do"
                " not decide; give the eigenvalues"
            )
        found: Any = sympy.Interval.open(0, sympy.oo)
        for value in given:
            s = self.product.subs(at).subs(self.opened.eigenvalue, value)
            at_value = [sympy.cancel(c.subs(at).subs(self.s, s)) for c in self.polynomial]
            found = found.intersect(solved(at_value, rate))
        return found

    def contains(self, s: Any, **values: Any) -> npt.NDArray[np.bool_]:
        """Tell for arrays of s and of hyper-parameters, which broadcast, which points are inside.

        Rounded to float64: next to the border, `as_set` decides.

        Examples
        --------
        >>> from convex_analyzer.optimizers.momentum import Nesterov
        >>> stability_region(Nesterov).contains([0.2, 0.5, 1.4], momentum=[1.5, 1.5, 0.9])
        array([False,  True, False])
        """
        self._known(values)
        self._require([name for name in self.parameters if name not in values])
        given = (s, *(values[name] for name in self.parameters))
        arrays = np.broadcast_arrays(*(np.asarray(value, dtype=float) for value in given))
        inside = np.ones(arrays[0].shape, dtype=bool)
        with np.errstate(all="ignore"):
            if not self.is_symbolic:
                return inside & inside_circle(self._numeric(*arrays), arrays[0].shape)
            values_at = iter(np.broadcast_to(v, inside.shape) for v in self._numeric(*arrays))
            for condition in self.full:
                sign = np.ones(inside.shape)
                for _ in condition.factors:
                    sign = sign * np.sign(next(values_at))
                inside &= sign > 0
                for _ in condition.nonzero:
                    inside &= next(values_at) != 0
        return inside

    @functools.cached_property
    def _numeric(self) -> Any:
        import sympy

        wanted = list(self.polynomial)
        if self.is_symbolic:
            wanted = [f.as_expr() for c in self.full for f in (*c.factors, *c.nonzero)]
        symbols = [self.s, *self.parameters.values()]
        return sympy.lambdify(symbols, wanted, "numpy", cse=True)

    # -- what happens on the border ---------------------------------------------------------------

    def boundary(self, s: Any = None, **values: Any) -> tuple[Border, ...]:
        """Say what happens on the border: at the ends of the stable set, or at a given s.

        Parameters
        ----------
        s
            A point; by default every finite end point of `as_set`.
        **values
            Values of all `parameters`.

        Returns
        -------
        tuple of Border
            One for each point: which roots lie on the circle, whether the error stays bounded, and
            what it does, in words.

        Examples
        --------
        >>> from convex_analyzer.optimizers.momentum import HeavyBall
        >>> for border in stability_region(HeavyBall).boundary(momentum=0.9):
        ...     print(border)
        s = 0: root +1: a part of the error stays as it is
        s = 19/5: root −1: a 2-cycle; the error changes its sign in every step and keeps its size
        """
        at = self._numbers(values)
        self._require(self._missing(at))
        points = finite_ends(self.as_set(**values)) if s is None else [exactly(s)]
        numbers = {**dict.fromkeys(self.absorbed, 1), **at}
        value = self.s / (self.product / self.opened.eigenvalue).subs(numbers)
        matrix = [
            [entry.subs(self.opened.eigenvalue, value).subs(numbers) for entry in row]
            for row in self.opened.matrix
        ]
        coefficients = [c.subs(at) for c in self.polynomial]
        return tuple(classify(coefficients, matrix, self.s, point) for point in points)

    # -- text ------------------------------------------------------------------------------------

    def summary(self) -> Table:
        """Return the conditions as a table."""
        return region_words.summary(self)

    def latex(self) -> str:
        """Return the conditions as LaTeX."""
        return region_words.latex(self)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data; expressions as text."""
        return {"schema": self.schema, **region_words.plain(self)}

    def __repr__(self) -> str:
        inside = ", ".join(printed(c.relation) for c in self.conditions) or "all s"
        shown = inside if self.is_symbolic else "at numbers only"
        return f"<Region of {self.rule}, s = {printed(self.product)}: {shown}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Region) and self.to_dict() == other.to_dict()

    __hash__ = None  # results are not hashable

    # -- values ----------------------------------------------------------------------------------

    def _known(self, values: dict[str, Any]) -> None:
        known = {*self.parameters, *self.opened.parameters, "learning_rate"}
        for name in values:
            if name not in known:
                raise InputError(
                    f"{self.rule} has no open hyper-parameter {name!r}",
                    argument=name,
                    hint=f"it has {join_words(sorted(known))}",
                )

    def _numbers(self, values: dict[str, Any]) -> dict[Any, Any]:
        self._known(values)
        every = {**self.opened.parameters, "learning_rate": self.opened.learning_rate}
        return {every[name]: exactly(value) for name, value in values.items()}

    def _require(self, missing: list[str]) -> None:
        if missing:
            raise InputError(
                f"{self.rule}: {join_words(missing)} must be given", argument=missing[0]
            )

    def _missing(self, at: dict[Any, Any], *, scales: bool = False) -> list[str]:
        """Return the names without a number; with `scales` also of those that s holds."""
        wanted = dict(self.parameters)
        if scales:
            wanted |= {n: p for n, p in self.opened.parameters.items() if p in self.absorbed}
        return [n for n, p in wanted.items() if p not in at or at[p].free_symbols]


def stability_region(optimizer: Optimizer | type[Optimizer]) -> Region:
    """Derive where every root of a linear rule lies inside the unit circle.

    Parameters
    ----------
    optimizer
        A class: all its hyper-parameters are open. An instance: only the learning rate is, and
        whatever it holds as SymPy symbols.

    Raises
    ------
    NotDerivableError
        The rule is not linear, has no learning rate, follows a schedule, or is not rational in its
        hyper-parameters.

    Examples
    --------
    >>> from convex_analyzer.optimizers.momentum import EMAMomentum
    >>> print(stability_region(EMAMomentum))
    ━━ Region: EMAMomentum converges where, with s = α λ ━━━━━━━━━━━━━━━━━━━━━━━━━━━
    s > 0                  no root reaches +1
    μ s + 2 μ − s + 2 > 0  no root reaches −1
    ────────────────────────────────────────────────────────────────────────────────
    for μ in [0, 1)
    ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━
    """
    key: Any = optimizer
    return _region(key)


@functools.lru_cache(maxsize=64)
def _region(optimizer: Any) -> Region:
    import sympy

    opened = open_rule(optimizer)
    s = sympy.Symbol("s", real=True)
    pair = paired(opened, s)
    every = {**opened.parameters, "learning_rate": opened.learning_rate}
    occurring = set().union(*(c.free_symbols for c in pair.coefficients))
    parameters = {name: p for name, p in every.items() if p in occurring}
    degree = len(pair.coefficients) - 1
    symbolic = degree <= 3 or (degree == 4 and len(parameters) <= 1) or not parameters
    full, conditions = [], []
    if symbolic:
        _, enter = field_of([s, *parameters.values()], pair.coefficients)
        full = inequalities([enter(c) for c in pair.coefficients])
        conditions = [c for i in reduced(full, opened.ranges) for c in _relations(i)]
    domains = {name: range_words(opened.ranges[p]) for name, p in parameters.items()}
    return Region(
        rule=opened.name,
        product=pair.product,
        s=s,
        parameters=parameters,
        ranges=domains,
        conditions=tuple(conditions),
        is_symbolic=symbolic,
        slots=opened.slots,
        left_out=opened.left_out,
        polynomial=pair.coefficients,
        steps=opened.steps,
        opened=opened,
        absorbed=pair.absorbed,
        full=tuple(full),
    )


def _relations(inequality: Inequality) -> list[Condition]:
    """Return an inequality as SymPy writes it; false where it fails whatever the settings."""
    import sympy

    found = []
    if inequality.factors:
        product = sympy.Mul(*(f.as_expr() for f in inequality.factors))
        relation = sympy.Gt(product, 0, evaluate=False)
        if product.is_number:
            relation = sympy.false
        found.append(Condition(relation, inequality.reason))
    for factor in inequality.nonzero:
        relation = sympy.Ne(factor.as_expr(), 0, evaluate=False)
        found.append(Condition(relation, inequality.reason))
    return found
