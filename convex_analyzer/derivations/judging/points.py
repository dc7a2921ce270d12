"""Small exact points that satisfy all assumptions, the simplest first."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Sequence
from typing import Any

from convex_analyzer.derivations.judging import pools
from convex_analyzer.derivations.judging.clock import spend
from convex_analyzer.derivations.judging.evaluation import Point, compiled
from convex_analyzer.derivations.judging.values import Undefined
from convex_analyzer.parsing.symbols import Symbols

__all__ = ["Sampler", "Sequenced"]

_MOST_TRIES = 3000
_SEED = 20


class Sequenced:
    """Values of a sequence or function whose law is not given: small numbers that do not repeat."""

    def __init__(self, shift: int) -> None:
        self._shift = shift
        self._others: dict[Any, Any] = {}

    def __call__(self, *arguments: Any) -> Any:
        """Return the value at an index, or at a number."""
        (first, *_) = arguments
        if isinstance(first, int):
            return pools.SEQUENCE[(first + self._shift) % len(pools.SEQUENCE)]
        key = str(arguments)
        place = (len(self._others) + self._shift % 5) % len(pools.SEQUENCE)
        return self._others.setdefault(key, pools.SEQUENCE[place])


class Sampler:
    """Points for the symbols that some lines use, with every constraint that touches them."""

    def __init__(self, symbols: Symbols, lines: Sequence[Any]) -> None:
        import sympy

        self.size = sympy.Symbol("n", integer=True, positive=True)
        self.matrices: set[Any] = set()
        self.functions: set[Any] = set()
        scalars: set[Any] = set()
        for line in lines:
            if isinstance(line, bool):
                continue
            self.matrices |= line.atoms(sympy.MatrixSymbol)
            self.functions |= {f.func for f in line.atoms(sympy.core.function.AppliedUndef)}
            scalars |= {s for s in line.free_symbols if s.is_Symbol}
        if self.matrices or any(d.is_matrix or d.is_vector for d in symbols):
            scalars.discard(self.size)
        self.has_order = bool(self.matrices) or (
            self.size not in scalars
            and any(self.size in getattr(line, "free_symbols", ()) for line in lines)
        )
        self.kinds = {d.name: d.kind for d in symbols}
        self.constraints = _touching(symbols.constraints, scalars)
        names = {d.object: i for i, d in enumerate(symbols)}
        self.scalars = sorted(scalars, key=lambda s: (names.get(s, len(names)), s.name))
        self._dependent = _dependent(self.constraints)
        self._independent = [s for s in self.scalars if s not in self._dependent]
        self._checks = [compiled(c) for c in self.constraints]
        self._pools = [self._pool(s) for s in self._independent]

    @property
    def has_matrices(self) -> bool:
        """Whether points hold matrices or vectors."""
        return bool(self.matrices)

    def _pool(self, symbol: Any) -> list[Any]:
        own = [c for c in self.constraints if c.free_symbols == {symbol}]
        values = pools.scalar(symbol, [n for c in own for n in c.atoms() if n.is_Rational])
        checks = [compiled(c) for c in own]
        return [v for v in values if all(_holds(check, {symbol: v}) for check in checks)]

    def admits(self, point: Point) -> bool:
        """Whether a point satisfies every assumption and constraint."""
        return all(pools.admissible(s, point[s]) for s in self.scalars if s in point) and all(
            _holds(check, point) for check in self._checks
        )

    def points(self, limit: int, order: int = 2) -> Iterator[Point]:
        """Yield points: by total size, then small ones at random, then odd fractions.

        Parameters
        ----------
        limit
            How many.
        order
            Of the matrices.
        """
        draws = random.Random(_SEED + order)
        small, found = max(1, limit * 3 // 5), 0
        for k, values in enumerate(self._simple() if all(self._pools) else ()):
            point = self._point(values, order, k, draws)
            found += point is not None
            if point is not None:
                yield point
            if found >= small or k > 4 * small:
                break
        for k, values in enumerate(self._drawn(draws)):
            if k > _MOST_TRIES or found >= limit:
                return
            point = self._point(values, order, None, draws)
            if point is not None:
                found += 1
                yield point

    def _simple(self) -> Iterator[Sequence[Any]]:
        """Yield values from the front of the pools, by total size."""
        if not self._pools:
            yield from ([] for _ in range(20 if self.matrices or self.functions else 1))
            return
        for chosen in _by_size([min(len(p), 9) for p in self._pools]):
            yield [pool[i] for pool, i in zip(self._pools, chosen, strict=True)]

    def _drawn(self, draws: random.Random) -> Iterator[Sequence[Any]]:
        """Yield values at random; of each symbol that may be negative, a negative one early."""
        if not self._pools and not (self.matrices or self.functions):
            return
        full = bool(self._pools) and all(self._pools)
        for k in itertools.count():
            if k % 2 == 0 and full:
                values = [draws.choice(pool) for pool in self._pools]
                if k < 2 * len(values):
                    place = k // 2
                    below = [v for v in self._pools[place] if pools.is_negative(v)]
                    values[place] = below[0] if below else values[place]
                yield values
            else:
                yield [pools.generic(s, draws) for s in self._independent]

    def _point(
        self, values: Sequence[Any], order: int, number: int | None, draws: random.Random
    ) -> Point | None:
        spend(25 + 12 * len(self.scalars) + 40 * len(self.matrices))
        point: Point = dict(zip(self._independent, values, strict=True))
        point.setdefault(self.size, order)
        for symbol, expression in self._dependent.items():
            try:
                point[symbol] = compiled(expression)(point)
            except Undefined:
                return None
        if not self.admits(point):
            return None
        for k, matrix in enumerate(sorted(self.matrices, key=lambda m: m.name)):
            place = number + k if number is not None else None
            kind = self.kinds.get(matrix.name, "matrix")
            if matrix.shape[1] == 1:
                kind = "vector"
            point[matrix] = pools.matrix(kind, order, place, draws)
        for k, function in enumerate(sorted(self.functions, key=str)):
            point[function] = Sequenced((number or draws.randrange(7)) + 3 * k)
        return point


def _holds(check: Any, point: Point) -> bool:
    try:
        return bool(check(point))
    except (Undefined, KeyError, TypeError):
        return False


def _touching(constraints: Sequence[Any], scalars: set[Any]) -> list[Any]:
    """Return the constraints linked to some symbols, and add the symbols that they bring."""
    left, kept, grown = list(constraints), [], True
    while grown:
        grown = False
        for constraint in list(left):
            own = constraint.free_symbols
            if own & scalars or not own:
                left.remove(constraint)
                kept.append(constraint)
                scalars |= own
                grown = True
    return kept


def _dependent(constraints: Sequence[Any]) -> dict[Any, Any]:
    """Return the symbols that an equation among the constraints gives, in order."""
    found: dict[Any, Any] = {}
    for constraint in constraints:
        if constraint.rel_op != "==":
            continue
        for side, other in ((constraint.lhs, constraint.rhs), (constraint.rhs, constraint.lhs)):
            if side.is_Symbol and side not in found and side not in other.free_symbols:
                used = set(other.free_symbols)
                if not used & set(found) and not any(
                    side in e.free_symbols for e in found.values()
                ):
                    found[side] = other
                    break
    return found


def _by_size(lengths: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """Yield tuples of indices below `lengths`, those of the smallest sum first.

    Examples
    --------
    >>> list(_by_size([2, 2]))
    [(0, 0), (0, 1), (1, 0), (1, 1)]
    """
    for total in range(sum(lengths) - len(lengths) + 1):
        yield from _compositions(total, list(lengths))


def _compositions(total: int, lengths: list[int]) -> Iterator[tuple[int, ...]]:
    if not lengths:
        if total == 0:
            yield ()
        return
    for first in range(min(total, lengths[0] - 1) + 1):
        for rest in _compositions(total - first, lengths[1:]):
            yield (first, *rest)
