"""The change to the eigenbasis: A = QΛQᵀ takes a rule apart into one dimension each."""

from __future__ import annotations

from typing import Any

from convex_analyzer.derivations.chain import Chain
from convex_analyzer.derivations.lines import Derivation
from convex_analyzer.derivations.setting import Setting
from convex_analyzer.derivations.topic import Topic
from convex_analyzer.errors import NotDerivableError

_BASIS_CHECK = (
    "non-commutative normal form with QᵀQ = QQᵀ = I, any n; equal in exact numbers for a rotation "
    "of three dimensions"
)


class Basis:
    """Matrices of one size, and two ways to compare what is written with them.

    Attributes
    ----------
    A, Q, L, identity
        The Hessian, its eigenvectors, its eigenvalues, I.
    """

    def __init__(self) -> None:
        import sympy

        self.n = sympy.Symbol("n", integer=True, positive=True)
        self.A = sympy.MatrixSymbol("A", self.n, self.n)
        self.Q = sympy.MatrixSymbol("Q", self.n, self.n)
        self.L = sympy.MatrixSymbol("Lambda", self.n, self.n)
        self.identity = sympy.Identity(self.n)

    def vector(self, name: str) -> Any:
        """Return a vector."""
        import sympy

        return sympy.MatrixSymbol(name, self.n, 1)

    def same(self, a: Any, b: Any) -> tuple[str, bool]:
        """Compare for every n by non-commutative normal form, and for n = 3 in exact numbers."""
        return (
            _BASIS_CHECK,
            self._words(a) == self._words(b) and self._numbers(a) == self._numbers(b),
        )

    def _words(self, expression: Any) -> Any:
        """Write A as QΛQᵀ and cancel; return coefficients by word."""
        import sympy

        found: dict[tuple[str, ...], Any] = {}
        for word, factor in self._expand(expression):
            kept: list[str] = []
            for letter in word:
                if kept and {kept[-1], letter} == {"Q", "R"}:
                    kept.pop()
                else:
                    kept.append(letter)
            key = tuple(kept)
            found[key] = sympy.expand(found.get(key, 0) + factor)
        return {word: factor for word, factor in found.items() if factor != 0}

    def _expand(self, e: Any) -> list[tuple[tuple[str, ...], Any]]:
        import sympy

        one = sympy.Integer(1)
        if e == self.identity:
            return [((), one)]
        if e == self.A:
            return [(("Q", "Lambda", "R"), one)]  # R for Qᵀ
        if e == self.Q.T:
            return [(("R",), one)]
        if isinstance(e, sympy.MatAdd):
            return [term for part in e.args for term in self._expand(part)]
        if isinstance(e, sympy.MatPow) and e.exp.is_Integer:
            return self._product([self._expand(e.base)] * int(e.exp))
        if isinstance(e, sympy.MatMul):
            scalar, matrices = e.as_coeff_matrices()
            return [(w, scalar * f) for w, f in self._product(map(self._expand, matrices))]
        return [((e.name,), one)]

    def _product(self, parts: Any) -> list[tuple[tuple[str, ...], Any]]:
        import sympy

        out: list[tuple[tuple[str, ...], Any]] = [((), sympy.Integer(1))]
        for part in parts:
            out = [(w + v, f * g) for w, f in out for v, g in part]
        return out

    def _numbers(self, e: Any) -> Any:
        import sympy

        third = sympy.Rational(1, 3)
        Q = third * sympy.Matrix([[2, -1, 2], [2, 2, -1], [-1, 2, 2]])
        L = sympy.diag(2, 5, sympy.Rational(1, 7))
        vectors = {
            m: sympy.Matrix([sympy.Integer(1 + (ord(m.name[0]) * j) % 7) for j in (1, 2, 3)])
            for m in e.atoms(sympy.MatrixSymbol)
            if m.shape[1] == 1
        }
        known = {self.A: Q * L * Q.T, self.Q: Q, self.L: L, **vectors}
        return _explicit(e, known).applyfunc(sympy.expand)


def _explicit(e: Any, known: dict[Any, Any]) -> Any:
    import sympy

    if e in known:
        return known[e]
    if isinstance(e, sympy.Identity):
        return sympy.eye(3)
    if isinstance(e, sympy.MatAdd):
        return sum((_explicit(a, known) for a in e.args[1:]), _explicit(e.args[0], known))
    if isinstance(e, sympy.MatMul):
        scalar, matrices = e.as_coeff_matrices()
        out = scalar * sympy.eye(3)
        for matrix in matrices:
            out = out * _explicit(matrix, known)
        return out
    if isinstance(e, sympy.MatPow):
        return _explicit(e.base, known) ** int(e.exp)
    return _explicit(e.arg, known).T


def of_matrix(entry: Any, eigenvalue: Any, matrix: Any, identity: Any) -> Any:
    """Return a polynomial in λ as the same polynomial in a matrix.

    Raises
    ------
    NotDerivableError
        It is no polynomial in λ.
    """
    import sympy

    try:
        polynomial = sympy.Poly(entry, eigenvalue)
    except sympy.PolynomialError:
        polynomial = None
    if polynomial is None or eigenvalue in sympy.fraction(sympy.together(entry))[1].free_symbols:
        raise NotDerivableError(
            f"Stops here: {entry} is no polynomial in λ, so the rule is not written with A alone"
        )
    terms = [
        sympy.factor(c) * (matrix**power if power else identity)
        for (power,), c in reversed(polynomial.terms())
    ]
    return sympy.MatAdd(*terms).doit() if len(terms) > 1 else terms[0]


def _build(optimizer: Any) -> Derivation:
    import sympy

    s, b = Setting(optimizer), Basis()
    names = ["e", *(str(base) for base in s.bases[1:])]
    old = [b.vector(f"{name}_k") for name in names]
    new = [b.vector(f"{name}_next") for name in names]
    turned = [b.vector(f"{name}_k") for name in ("x", *(f"{n}_eig" for n in names[1:]))]
    chain = Chain(f"{s.name} in the eigenbasis of A")
    A, Q, L, unit = b.A, b.Q, b.L, b.identity
    for i, vector in enumerate(new):
        row = [s.matrix[i, j] for j in range(len(names))]
        forms = [
            [of_matrix(c, s.eigenvalue, M, one) for c in row]
            for M, one in ((A, unit), (Q * L * Q.T, Q * Q.T), (L, unit))
        ]

        inside = [Q * part * Q.T for part in forms[2]]
        stages = [
            ("the rule", _total(forms[0], old), "θ = θ* + e with Aθ* + b = 0: the gradient is Ae"),
            ("A = QΛQᵀ, I = QQᵀ", _total(forms[1], old), "A is symmetric: Q is orthogonal"),
            ("Q and Qᵀ taken out", _total(inside, old), "distributive law"),
        ]
        above = None
        for title, right, reason in stages:
            if right == above:
                continue
            above = right if above is None else above
            check, holds = b.same(above, right)
            chain.say(title, sympy.Eq(vector, right, evaluate=False), reason, check, holds)
            above = right
        coordinates = b.vector("x_next" if i == 0 else f"{names[i]}_eig_next")
        right = _total(forms[2], turned)
        back = {t: Q.T * o for t, o in zip(turned, old, strict=True)}
        check, holds = b.same(Q.T * above, right.subs(back))
        chain.say(
            "coordinates along the eigenvectors",
            sympy.Eq(coordinates, right, evaluate=False),
            "multiplied by Qᵀ from the left; x = Qᵀe",
            check,
            holds,
        )
    _by_direction(s, chain)
    return chain.done()


def _total(parts: list[Any], states: list[Any]) -> Any:
    """Return the sum of matrices times vectors."""
    import sympy

    products = [p * v for p, v in zip(parts, states, strict=True) if not _is_nothing(p)]
    return sympy.MatAdd(*products) if len(products) > 1 else products[0]


def _is_nothing(part: Any) -> bool:
    return bool(part.is_ZeroMatrix or part == part * 0)


def _by_direction(s: Setting, chain: Chain) -> None:
    """Add what the diagonal matrix says in one direction."""
    import sympy

    image = s.matrix * sympy.Matrix(s.at(0))
    for new, value in zip(s.at(1), image, strict=True):
        shown = sympy.collect(sympy.expand(value), s.at(0), sympy.factor)
        chain.equal(
            "one direction, eigenvalue λ",
            new,
            shown,
            "Λ is diagonal: the directions part",
            given=value,
        )


TOPIC = Topic(
    "eigenbasis",
    "the change to the eigenbasis, in which every direction goes its own way",
    _build,
    ("GradientDescent",),
)
