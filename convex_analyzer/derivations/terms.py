"""What `step` is run on when the rule is to be printed: terms that remember how they were made.

A term knows its operation and its arguments, and nothing is ever simplified: a value that a rule
computes once and uses twice is one term with two parents. So the printed rule has the lines of the
textbook, where an expression would have multiplied everything out.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from convex_analyzer.errors import NotDerivableError

__all__ = ["Index", "Term", "Writing", "leaf"]


class Term:
    """A value of a rule: a name, or an operation on other terms and numbers.

    Attributes
    ----------
    operation
        ``"name"`` for a leaf; else ``"+"``, ``"sqrt"``, ``"gradient"``, ...
    arguments
        Terms and numbers; of a leaf its name.
    generic
        Whether only hyper-parameters and the step index are in it. Such a term is a number of no
        particular value: it equals no number that is written out.
    """

    __array_ufunc__ = None  # a NumPy number times a term comes to __rmul__
    __slots__ = ("arguments", "generic", "operation")

    def __init__(self, operation: str, *arguments: Any, generic: bool | None = None) -> None:
        self.operation = operation
        self.arguments = arguments
        known = generic is not None
        self.generic: bool = bool(generic) if known else all(part.generic for part in self.parts)

    @property
    def key(self) -> tuple[Any, ...]:
        """The same for two terms made alike of the same terms."""
        parts = (id(a) if isinstance(a, Term) else (type(a), a) for a in self.arguments)
        return (self.operation, self.generic, *parts)

    @property
    def parts(self) -> tuple[Term, ...]:
        """The terms among the arguments."""
        return tuple(argument for argument in self.arguments if isinstance(argument, Term))

    def walk(self) -> Iterator[Term]:
        """Yield this term and all that it is made of, each once, parts first."""
        seen: set[int] = set()
        stack: list[tuple[Term, bool]] = [(self, False)]
        while stack:
            term, ready = stack.pop()
            if ready:
                yield term
            elif id(term) not in seen:
                seen.add(id(term))
                stack.append((term, True))
                stack += [(part, False) for part in reversed(term.parts)]

    # -- arithmetic ------------------------------------------------------------------------------

    def __neg__(self) -> Term:
        return Term("negative", self)

    def __pos__(self) -> Term:
        return self

    def __invert__(self) -> Term:
        return Term("not", self)

    __hash__ = object.__hash__

    def __eq__(self, other: object) -> Any:
        return False if self.generic and _is_plain(other) else Term("==", self, other)

    def __ne__(self, other: object) -> Any:
        return True if self.generic and _is_plain(other) else Term("!=", self, other)

    def __bool__(self) -> bool:
        raise NotDerivableError(
            "step decides by a value in Python; choose between values with ops.where"
        )

    def __index__(self) -> int:
        raise NotDerivableError("step uses a value, or the step index, as a whole number")

    __int__ = __float__ = __index__

    def __mod__(self, other: Any) -> Any:
        raise NotDerivableError(f"what step does depends on a remainder of division by {other}")

    __floordiv__ = __mod__

    def __repr__(self) -> str:
        return f"Term{(self.operation, *self.arguments)!r}"

    # -- the functions of convex_analyzer.ops ----------------------------------------------------

    def _op_column(self, x: Any) -> Any:
        return x  # an axis more or less makes no difference on paper


def _is_plain(value: Any) -> bool:
    return not isinstance(value, Term)


def _binary(operation: str, *, reflected: bool = False) -> Any:
    def method(self: Term, other: Any) -> Term:
        return Term(operation, other, self) if reflected else Term(operation, self, other)

    return method


def _function(operation: str) -> Any:
    def method(self: Term, *values: Any) -> Term:
        return Term(operation, *values)

    return method


_BINARY = {"add": "+", "sub": "-", "mul": "*", "truediv": "/", "pow": "**"}
_COMPARISONS = {"lt": "<", "le": "<=", "gt": ">", "ge": ">=", "and": "and", "or": "or"}
_FUNCTIONS = (
    "sqrt", "exp", "log", "sign", "absolute", "maximum", "minimum", "where", "dot", "outer",
    "matvec",
)  # fmt: skip
for _name, _sign in (*_BINARY.items(), *_COMPARISONS.items()):
    setattr(Term, f"__{_name}__", _binary(_sign))
for _name in (*_BINARY, "and", "or"):
    _sign = {**_BINARY, **_COMPARISONS}[_name]
    setattr(Term, f"__r{_name}__", _binary(_sign, reflected=True))
for _name in _FUNCTIONS:
    setattr(Term, f"_op_{_name}", _function(_name))


def leaf(name: str, *, generic: bool = False) -> Term:
    """Return a slot of the state, or a hyper-parameter (`generic`)."""
    return Term("name", name, generic=generic)


class Index(Term):
    """The step index: any step but the first; a rule may ask whether it is the first.

    Attributes
    ----------
    asked
        Whether it did, so that the printed rule is that of later steps.
    """

    __slots__ = ("asked",)

    def __init__(self) -> None:
        super().__init__("name", "t", generic=True)
        self.asked = False

    __hash__ = object.__hash__

    def __eq__(self, other: object) -> bool:
        if other is self:
            return True
        if not isinstance(other, int) or other > 1:
            raise NotDerivableError("step decides by the step index")
        self.asked = True
        return False

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __gt__(self, other: Any) -> bool:
        return not self == other


class Writing:
    """The problem as `step` sees it when its rule is printed: every answer is a term."""

    def __init__(self) -> None:
        self._draws = 0

    def gradient(self, theta: Any) -> Term:
        """Return ∇J(θ)."""
        return Term("gradient", theta, generic=False)

    def value(self, theta: Any) -> Term:
        """Return J(θ)."""
        return Term("value", theta, generic=False)

    def hessian_vector(self, theta: Any, vector: Any) -> Term:
        """Return A v."""
        del theta  # the Hessian of a quadratic is the same everywhere
        return Term("product", vector, generic=False)

    def inverse_hessian_vector(self, theta: Any, vector: Any, damping: Any = 0) -> Term:
        """Return (A + damping I)⁻¹ v."""
        del theta
        return Term("solution", vector, damping, generic=False)

    def normal(self, theta: Any, variance: Any = 1) -> Term:
        """Return a normal draw; no two are the same."""
        del theta
        self._draws += 1
        return Term("normal", variance, self._draws, generic=False)

    def uniform(self, theta: Any) -> Term:
        """Return a uniform draw, numbered like the normal ones."""
        del theta
        self._draws += 1
        return Term("uniform", self._draws, generic=False)
