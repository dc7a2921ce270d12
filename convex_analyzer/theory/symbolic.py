"""An update rule on SymPy symbols: its iteration matrix, of the slots that matter.

`step` is run on linear forms whose coefficients are symbols, so any rule will do. Numbers that an
instance holds become the fractions that their decimals stand for.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from convex_analyzer.domains import Domain, Interval
from convex_analyzer.errors import InputError, NotDerivableError
from convex_analyzer.notation import SYMBOLS
from convex_analyzer.ops import is_symbolic
from convex_analyzer.optimizers.base import Optimizer
from convex_analyzer.theory.inequalities import EVERYTHING, Range
from convex_analyzer.theory.iteration import Iteration, linearise
from convex_analyzer.theory.local import LATE

__all__ = ["OpenRule", "exactly", "open_rule"]

_TAKEN = frozenset({"lambda", "s", "z"})
_LONGEST = 12  # steps of a period that are multiplied out in symbols
_HUGE = 10**6  # a power beyond this comes from the step index


@dataclass(frozen=True)
class OpenRule:
    """A linear rule with symbols for what is not given.

    Attributes
    ----------
    name
        The class.
    learning_rate, eigenvalue
        α and λ.
    parameters
        The other symbols, by the names under which values are given.
    ranges
        What each symbol is declared to run through.
    fixed
        Values that an instance holds, exact.
    matrix
        M of the slots that the reported point depends on, as rows.
    slots, left_out
        Names of these, and of the others.
    steps
        How many steps the matrix makes.
    """

    name: str
    learning_rate: Any
    eigenvalue: Any
    parameters: dict[str, Any]
    ranges: dict[Any, Range]
    fixed: dict[str, Any]
    matrix: tuple[tuple[Any, ...], ...]
    slots: tuple[str, ...]
    left_out: tuple[str, ...]
    steps: int


def exactly(value: Any) -> Any:
    """Return a number or expression with decimals as the fractions they stand for: 0.9 is 9/10.

    A fraction with a short denominator is taken if only rounding separates it from the decimal.

    Examples
    --------
    >>> exactly(0.9), exactly(1 / 3), exactly(Fraction(2, 7)), exactly(2.000000002)
    (9/10, 1/3, 2/7, 1000000001/500000000)
    """
    import sympy

    if is_symbolic(value):
        floats = value.atoms(sympy.Float)
        return value.xreplace({number: exactly(float(number)) for number in floats})
    if isinstance(value, (int, np.integer)):
        return sympy.Integer(int(value))
    if isinstance(value, Fraction):
        return sympy.Rational(value)
    number = float(value)
    if not math.isfinite(number):
        raise InputError(f"a finite number is needed, got {number}", value=value)
    short = Fraction(number).limit_denominator(1_000_000)
    close = abs(float(short) - number) <= 4 * math.ulp(number)
    return sympy.Rational(short if close else Fraction(repr(number)))


# -- symbols for hyper-parameters ----------------------------------------------------------------


class _Opening:
    """Gives each hyper-parameter its symbol, and remembers what the symbols stand for."""

    def __init__(self, names: Iterable[str]) -> None:
        self.letters = _letters(list(names))
        self.parameters: dict[str, Any] = {}
        self.ranges: dict[Any, Range] = {}
        self.fixed: dict[str, Any] = {}
        self.values: dict[Any, Any] = {}  # what stands for what while the rule is run
        self.learning_rate: Any = None

    def symbol(self, name: str, domain: Domain | None) -> Any:
        """Return what stands for a hyper-parameter without a value."""
        import sympy

        valid = domain.valid if domain is not None else None
        above = valid is not None and valid.low >= 0
        strictly = valid is not None and above and (valid.low > 0 or valid.open_low)
        signs = {"positive": True} if strictly else {"nonnegative": True} if above else {}
        found = sympy.Symbol(self.letters[name], **(signs or {"real": True}))
        self._note(name, found, valid)
        return self._place(name, found)

    def _place(self, name: str, value: Any) -> Any:
        """Return a symbol of which SymPy knows nothing: it would ask for the sign of 1 - β^t."""
        import sympy

        place = sympy.Dummy(self.letters[name])
        self.values[place] = value
        return place

    def _note(self, name: str, symbol: Any, valid: Interval | None) -> None:
        self.ranges[symbol] = _range(valid)
        if _is_rate(name) and self.learning_rate is None:
            self.learning_rate = symbol
        else:
            self.parameters[_short(name, self.letters)] = symbol

    def held(self, name: str, value: Any, domain: Domain | None) -> Any:
        """Return what stands for the value that an instance holds."""
        if np.ndim(value):
            raise InputError(
                f"{name} holds one value per run; a stability region needs one number",
                argument=name,
            )
        if _is_rate(name) and self.learning_rate is None and not is_symbolic(value):
            return self.symbol(name, domain)
        if is_symbolic(value) and value.is_Symbol:
            self._note(name, value, domain.valid if domain is not None else None)
            return self._place(name, value)
        exact = exactly(value)
        for unknown in exact.free_symbols:
            self.parameters[str(unknown)] = unknown
            self.ranges[unknown] = _range_of(unknown)
        self.fixed[_short(name, self.letters)] = exact
        if exact in (0, 1):  # flags and special cases of rules ask for these
            return exact
        return self._place(name, exact)


def _is_rate(name: str) -> bool:
    return name.rpartition(".")[2] == "learning_rate"


def _short(name: str, among: Iterable[str]) -> str:
    """Return a name of an inner optimizer without its path, where that is unique."""
    last = name.rpartition(".")[2]
    alike = [other for other in among if other.rpartition(".")[2] == last]
    return last if len(alike) == 1 else name.replace(".", "_")


def _letters(names: list[str]) -> dict[str, str]:
    usual = {symbol.name: symbol.sympy for symbol in SYMBOLS}
    used, letters = set(_TAKEN), {}
    for name in names:
        last = name.rpartition(".")[2]
        numbered = (f"{last}_{i}" for i in itertools.count(1))
        candidates = itertools.chain((usual.get(last, last), last), numbered)
        letters[name] = next(letter for letter in candidates if letter not in used)
        used.add(letters[name])
    return letters


def _range(valid: Interval | None) -> Range:
    import sympy

    if valid is None:
        return EVERYTHING

    def end(value: float) -> Any:
        return sympy.QQ.convert(Fraction(value)) if math.isfinite(value) else None

    return end(valid.low), end(valid.high), valid.open_low, valid.open_high


def _range_of(symbol: Any) -> Range:
    import sympy

    zero = sympy.QQ.zero
    if symbol.is_positive:
        return zero, None, True, True
    return (zero, None, False, True) if symbol.is_nonnegative else EVERYTHING


# -- running the rule ----------------------------------------------------------------------------


def open_rule(optimizer: Optimizer | type[Optimizer]) -> OpenRule:
    """Run a rule on symbols.

    Parameters
    ----------
    optimizer
        A class: every continuous hyper-parameter is a symbol. An instance: only its learning rate
        is, and what it holds as symbols.

    Raises
    ------
    NotDerivableError
        The rule is not linear, follows a schedule, has no learning rate, or cannot be run on
        symbols.
    """
    import sympy

    rule, opening = _opened(optimizer)
    name = type(rule).__name__
    if opening.learning_rate is None:
        raise NotDerivableError(
            f"{name} has no field called learning_rate, so there is no product αλ to give a region "
            "of; its rate is that of analyze(spectrum, rule)"
        )
    eigenvalue = sympy.Symbol("lambda", real=True)
    steps = rule.cycle or 1
    iteration = _iteration(rule, eigenvalue, opening, steps)
    matrix = [[_settled(entry, opening) for entry in row] for row in iteration.matrix]
    report = [_settled(entry, opening) for entry in iteration.report]
    kept = _that_matter(matrix, report)
    return OpenRule(
        name=name,
        learning_rate=opening.learning_rate,
        eigenvalue=eigenvalue,
        parameters=opening.parameters,
        ranges=opening.ranges,
        fixed=opening.fixed,
        matrix=tuple(tuple(matrix[i][j] for j in kept) for i in kept),
        slots=tuple(iteration.slots[i] for i in kept),
        left_out=tuple(s for i, s in enumerate(iteration.slots) if i not in kept),
        steps=steps,
    )


def _opened(optimizer: Optimizer | type[Optimizer]) -> tuple[Optimizer, _Opening]:
    if isinstance(optimizer, type):
        return _blank(optimizer)
    if optimizer.is_scheduled:
        raise NotDerivableError(
            f"{type(optimizer).__name__} follows a schedule, so no single region describes it; "
            "stability_region(rule.at(t)) is that of step t"
        )
    numbers = optimizer.numbers()
    opening = _Opening(numbers)
    names = iter(numbers)

    def held(value: Any) -> Any:
        name = next(names)
        return opening.held(name, value, _domain(optimizer, name))

    return optimizer.transformed(held), opening


def _domain(optimizer: Optimizer, name: str) -> Domain | None:
    *path, last = name.split(".")
    for step in path:
        optimizer = getattr(optimizer, step)
    return optimizer.hyperparameters().get(last)


def _blank(optimizer: type[Optimizer]) -> tuple[Optimizer, _Opening]:
    """Return the rule of a class with symbols for its hyper-parameters."""
    domains = optimizer.hyperparameters()
    opening = _Opening(domains)
    blank = optimizer.__new__(optimizer)
    for field in optimizer.fields():
        if field.name in domains:
            value = opening.symbol(field.name, domains[field.name])
        elif field.default is dataclasses.MISSING:
            raise NotDerivableError(
                f"{optimizer.__name__} needs its {field.name} before it is a rule: pass an "
                "instance, with SymPy symbols for what shall stay open"
            )
        else:
            value = field.default
        object.__setattr__(blank, field.name, value)
    return blank, opening


def _iteration(rule: Optimizer, eigenvalue: Any, opening: _Opening, steps: int) -> Iteration:
    name = type(rule).__name__
    if steps > _LONGEST:
        raise NotDerivableError(
            f"{name} repeats after {steps} steps: a product of so many maps is not solved in "
            "symbols"
        )
    if rule.cycle is None and not rule.settles:
        raise NotDerivableError(
            f"{name} depends on the step index and never repeats, so no single region describes it"
        )
    start = LATE if rule.cycle is None else 1
    try:
        found = linearise(rule, eigenvalue, start, steps=steps)
        later = linearise(rule, eigenvalue, 8 * start) if rule.cycle is None else found
    except NotDerivableError:
        raise
    except (AttributeError, TypeError, ValueError) as error:
        raise NotDerivableError(
            f"{name}: step cannot be run on symbols ({error}); choose between values with "
            "ops.where, and use ops for functions"
        ) from error
    if not found.is_linear:
        raise NotDerivableError(
            f"{name} is not linear: its step contains {'; '.join(found.reasons)}. A region exists "
            "for linear rules only; analyze(spectrum, rule) gives the local one"
        )
    if _settled_rows(found, opening) != _settled_rows(later, opening):
        raise NotDerivableError(
            f"{name} reaches the map that it tends to at no finite step, and no closed form of "
            "that map is known here; analyze(spectrum, rule) takes it numerically"
        )
    return found


def _settled_rows(iteration: Iteration, opening: _Opening) -> list[list[Any]]:
    return [[_settled(entry, opening) for entry in row] for row in iteration.matrix]


def _settled(entry: Any, opening: _Opening) -> Any:
    """Return an entry in lowest terms, with numbers put in, and β^t as zero for large t."""
    import sympy

    def is_late(part: Any) -> bool:
        return bool(part.is_Pow and part.exp.is_Integer and part.exp > _HUGE)

    def is_fraction(base: Any) -> bool:
        base = opening.values.get(base, base)
        if base.is_number:
            return bool(abs(base) < 1)
        low, high, _, open_high = opening.ranges.get(base, EVERYTHING)
        return (
            low is not None
            and high is not None
            and low >= 0
            and (high < 1 or (high == 1 and open_high))
        )

    given = exactly(sympy.sympify(entry))
    given = given.replace(lambda p: is_late(p) and is_fraction(p.base), lambda _: sympy.Integer(0))
    if given.has(sympy.zoo, sympy.nan, sympy.oo) or any(is_late(p) for p in given.atoms(sympy.Pow)):
        raise NotDerivableError("the map that the rule tends to has no closed form in symbols")
    return sympy.cancel(given.xreplace(opening.values))


def _that_matter(matrix: list[list[Any]], report: list[Any]) -> list[int]:
    """Return the slots that the reported point depends on, sooner or later."""
    found = {i for i, entry in enumerate(report) if entry != 0} | {0}
    size = 0
    while size != len(found):
        size = len(found)
        found |= {j for i in tuple(found) for j, entry in enumerate(matrix[i]) if entry != 0}
    return sorted(found)
