"""`Symbols`: the names that a derivation may use, with what is known of each.

A name that is not declared is an error with a suggestion, never a new symbol.
"""

from __future__ import annotations

import dataclasses
import difflib
import functools
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from convex_analyzer.errors import InputError
from convex_analyzer.parsing.declaring import declared_by, relations_of
from convex_analyzer.parsing.kinds import MATRICES, SCALARS, kind_of, made
from convex_analyzer.parsing.names import fold, printed
from convex_analyzer.parsing.notations import in_notation, letters_hint, mapping_of
from convex_analyzer.parsing.repeated import said_before, twice

__all__ = ["Declaration", "Symbols"]

_RELATION = re.compile(r"<=|>=|!=|<|>|≤|≥|≠|=")
_PLAIN = re.compile(r"[A-Za-z]\w*$", re.ASCII)
_ARRANGED = ("function", "sequence")


@dataclass(frozen=True)
class Declaration:
    """One declared name.

    Attributes
    ----------
    name
        As the SymPy object is called.
    kind
        ``real``, ``positive``, ``nonnegative``, ``nonzero``, ``integer``, ``natural`` (0, 1, ...),
        ``positive integer``, ``unit interval`` (0 < x < 1), ``closed unit interval``, ``vector``,
        ``matrix``, ``symmetric matrix``, ``positive definite matrix``, ``orthogonal matrix``,
        ``diagonal matrix``, ``identity matrix``, ``function`` or ``sequence``.
    object
        The SymPy object: Symbol, MatrixSymbol, Identity, or an undefined function.
    aliases
        Other spellings of the same.
    letter
        As it is printed.
    """

    name: str
    kind: str
    object: Any
    aliases: tuple[str, ...] = ()
    letter: str = ""

    @property
    def is_scalar(self) -> bool:
        """Whether it is a number."""
        return self.kind in SCALARS

    @property
    def is_matrix(self) -> bool:
        """Whether it is a square matrix."""
        return self.kind in MATRICES

    @property
    def is_vector(self) -> bool:
        """Whether it is a column vector."""
        return self.kind == "vector"

    @property
    def is_function(self) -> bool:
        """Whether it takes an argument or an index."""
        return self.kind in _ARRANGED

    @classmethod
    def of(cls, name: str, kind: str, aliases: Iterable[str] = ()) -> Declaration:
        """Return the declaration of a name.

        Raises
        ------
        InputError
            The name cannot be one, or the kind is unknown.

        Examples
        --------
        >>> Declaration.of("alpha", "positive").letter
        'α'
        """
        found = kind_of(kind)
        if found is None:
            known = ", ".join((*SCALARS, *MATRICES, "vector", *_ARRANGED))
            raise InputError(
                f"symbols: {name} cannot be {kind!r}", argument="symbols", hint=f"known are {known}"
            )
        key = fold(name)
        if not re.match(r"[A-Za-z][A-Za-z0-9_^{}+\-*'(),]*$", key) or "{}" in key:
            raise InputError(
                f"symbols: {name!r} is not a name", argument="symbols", value=name,
                hint="a letter, or a Greek one, with a subscript if needed: lambda_max",
            )  # fmt: skip
        own = name if _PLAIN.match(name) and name.isascii() else key
        return cls(own, found, made(own, found), tuple(aliases), printed(key))


@dataclass(frozen=True)
class Symbols:
    """The declared names.

    Attributes
    ----------
    declarations
        In the order in which they were declared.
    constraints
        Relations between the symbols, beyond the kinds: SymPy relations such as ``m <= L``.
    definitions
        Names that stand for expressions (``let u = a*l``): pairs of the name and a SymPy value.
    notation
        The source whose letters are read: ``lecture004``, ``torch`` ...; empty: our own.
    letters
        What the letters of that source stand for: letter, declared name, value.
    """

    declarations: tuple[Declaration, ...] = ()
    constraints: tuple[Any, ...] = ()
    definitions: tuple[tuple[str, Any], ...] = ()
    notation: str = ""
    letters: tuple[tuple[str, str, Any], ...] = ()

    @classmethod
    def of(
        cls,
        table: Mapping[str, str],
        constraints: Iterable[str] = (),
        aliases: Mapping[str, Iterable[str]] | None = None,
    ) -> Symbols:
        r"""Return declared symbols.

        Parameters
        ----------
        table
            Kind by name; several names share an entry when separated by commas. A kind may be
            followed by relations: ``"real, 0 < c, c < 1"``.
        constraints
            Relations between the symbols, as text: ``"s**2 < 4*u"``.
        aliases
            Other spellings by name.

        Returns
        -------
        Symbols

        Raises
        ------
        InputError
            An unknown kind, or one name twice.

        Examples
        --------
        >>> symbols = Symbols.of({"a, l": "positive", "mu": "unit interval", "A": "spd"})
        >>> symbols.names, symbols.constraints
        (('a', 'l', 'mu', 'A'), (mu < 1,))
        >>> symbols.find("μ").name, symbols.find(r"\mu").name
        ('mu', 'mu')
        """
        other = {fold(name): tuple(spellings) for name, spellings in (aliases or {}).items()}
        declared, relations = [], []
        for entry, words in table.items():
            for name in re.split(r"\s*,\s*(?![^{(]*[})])", entry.strip()):
                kind, found = _kind(name, words)
                relations += found
                declared.append(Declaration.of(name, kind, other.get(fold(name), ())))
        return cls(tuple(declared)).given(*relations, *constraints)

    def given(self, *relations: str) -> Symbols:
        """Return these symbols under further relations.

        A relation that says of one real symbol that it is positive, not negative, or not zero
        becomes an assumption of that symbol.

        Examples
        --------
        >>> Symbols.of({"m, L": "positive"}).given("m <= L").constraints
        (m <= L,)
        """
        symbols = self
        built = list(self.constraints)
        for declaration in self.declarations:
            ends = {"unit interval": "<", "closed unit interval": "<="}.get(declaration.kind)
            if ends and declaration.object not in {c.lhs for c in built if c.rhs == 1}:
                built.append(_relation(ends, declaration.object, 1))
        for text in relations:
            built += relations_of(text, symbols)
        symbols = dataclasses.replace(self, constraints=tuple(dict.fromkeys(built)))
        return _sharpened(symbols)

    def declare(self, table: Mapping[str, str]) -> Symbols:
        """Return these symbols and further ones."""
        more = Symbols.of(table)
        new = tuple(each for each in more.declarations if not said_before(self, each))
        more = dataclasses.replace(more, declarations=new)
        joined = dataclasses.replace(self, declarations=(*self.declarations, *more.declarations))
        return joined.given()

    def define(self, name: str, value: Any) -> Symbols:
        """Return these symbols and a name that stands for an expression.

        Examples
        --------
        >>> symbols = Symbols.of({"a, l": "positive"})
        >>> symbols.define("u", symbols["a"] * symbols["l"]).definitions
        (('u', a*l),)
        """
        kind = "real"
        if getattr(value, "is_Matrix", False) or getattr(value, "is_MatrixExpr", False):
            kind = "vector" if value.shape[1] == 1 else "matrix"
        made_here = Declaration.of(name, kind)
        return dataclasses.replace(
            self,
            declarations=(*self.declarations, made_here),
            definitions=(*self.definitions, (made_here.name, value)),
        )

    def parse(self, text: str) -> Symbols:
        """Return these symbols and those that a text declares.

        Parameters
        ----------
        text
            Declarations between commas or semicolons: names and a kind, or a relation.

        Examples
        --------
        >>> symbols = Symbols().parse("A symmetric, alpha > 0, k natural, 0 < mu < 1; m, L > 0")
        >>> [(d.name, d.kind) for d in symbols][:4]
        [('A', 'symmetric matrix'), ('alpha', 'positive'), ('k', 'natural'), ('mu', 'positive')]
        >>> symbols.constraints, symbols["L"].is_positive
        ((mu < 1,), True)
        """
        return declared_by(text, self)

    def in_notation(self, source: str) -> Symbols:
        """Return these symbols, to be read in the letters of another source.

        Parameters
        ----------
        source
            ``lecture004``, ``torch`` ...: a source of the table of names in `notation`.

        Examples
        --------
        >>> symbols = Symbols.of({"alpha": "positive", "mu": "unit interval"})
        >>> symbols.in_notation("lecture 004").find("ε").name
        'alpha'
        >>> symbols.in_notation("lecture004").find("alpha").name
        'mu'
        """
        return in_notation(self, source)

    def mapping(self, source: str) -> dict[str, str]:
        """Return what the letters of a source stand for, as they are printed.

        Examples
        --------
        >>> Symbols.of({"alpha": "positive", "mu": "unit interval"}).mapping("lecture004")
        {'ε': 'α', 'α': 'μ'}
        """
        return mapping_of(self, source)

    # -- looking up ---------------------------------------------------------------------------

    @functools.cached_property
    def _table(self) -> dict[str, Declaration]:
        table: dict[str, Declaration] = {}
        for declaration in self.declarations:
            for spelling in (declaration.name, *declaration.aliases):
                known = table.setdefault(fold(spelling), declaration)
                if known is not declaration:
                    raise twice(spelling, known, declaration)
        return table

    def __post_init__(self) -> None:
        _ = self._table  # so that a name that is two symbols is found at once

    @property
    def names(self) -> tuple[str, ...]:
        """The declared names."""
        return tuple(declaration.name for declaration in self.declarations)

    def find(self, spelling: str) -> Declaration | None:
        """Return what a spelling stands for; None: nothing declared is spelled so."""
        key = fold(spelling)
        for letter, name, _ in self.letters:
            if letter == key:
                return self._table[fold(name)]
        return self._table.get(key)

    def meaning(self, spelling: str) -> Any:
        """Return the value of a name: its symbol, its definition, or 1 - γ in other letters."""
        declared = self.find(spelling)
        if declared is None:
            return None
        key = fold(spelling)
        for letter, _, value in self.letters:
            if letter == key:
                return value
        return dict(self.definitions).get(declared.name, declared.object)

    def __getitem__(self, name: str) -> Any:
        """Return the SymPy object of a name."""
        declaration = self.find(name)
        if declaration is None:
            raise KeyError(name)
        return declaration.object

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self.find(name) is not None

    def __iter__(self) -> Iterator[Declaration]:
        return iter(self.declarations)

    @property
    def has_matrices(self) -> bool:
        """Whether a matrix or a vector is declared: then I is the identity."""
        return any(d.is_matrix or d.is_vector for d in self.declarations)

    def suggestion(self, spelling: str) -> str:
        """Return what to do about a name that is not declared."""
        letters = letters_hint(self, spelling)
        if letters:
            return letters
        near = difflib.get_close_matches(fold(spelling), self._table, 1, 0.6)
        if near:
            return f"did you mean {self._table[near[0]].name}?"
        shown = self.names if len(self.names) <= 12 else (*self.names[:12], "...")
        return f"declared are {', '.join(shown) or 'no names at all'}"


def _kind(name: str, words: str) -> tuple[str, list[str]]:
    """Return the kind, and the relations that follow it."""
    kinds, relations = [], []
    for part in re.split(r",(?![^(\[]*[)\]])|;", words):
        if _RELATION.search(part):
            relations.append(part.strip())
        elif part.strip():
            kinds.append(part.strip())
    whole = ", ".join(kinds)
    if kind_of(whole) is not None:
        return whole, relations
    merged = " ".join(kinds)
    if len(kinds) > 1 and kind_of(merged) is None:
        raise InputError(
            f"symbols: {name} cannot be {whole!r}", argument="symbols", hint="give it one kind"
        )
    return merged or "real", relations


def _relation(sign: str, left: Any, right: Any) -> Any:
    import sympy

    return {"<": sympy.Lt, "<=": sympy.Le}[sign](left, right, evaluate=False)


_SIGNS = {"<": "negative", "<=": "nonpositive", ">": "positive", ">=": "nonnegative",
          "!=": "nonzero"}  # fmt: skip
_WHOLE = {">=": "natural", ">": "positive integer"}
_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "!=": "!="}


def _sharpened(symbols: Symbols) -> Symbols:
    """Turn 0 < c into the assumption that c is positive, and drop what follows from a kind."""
    import sympy

    renewed: dict[str, str] = {}
    for relation in symbols.constraints:
        left, sign, right = relation.lhs, relation.rel_op, relation.rhs
        if left == 0:
            left, sign, right = right, _MIRRORED.get(sign, sign), left
        declared = next((d for d in symbols.declarations if d.object == left), None)
        if right == 0 and declared is not None:
            known = {"real": _SIGNS, "integer": _WHOLE}.get(declared.kind, {})
            if sign in known:
                renewed.setdefault(declared.name, known[sign])
    changed, swaps = [], {}
    for declared in symbols.declarations:
        kind = renewed.get(declared.name, declared.kind)
        fresh = declared
        if kind != declared.kind:
            fresh = dataclasses.replace(declared, kind=kind, object=made(declared.name, kind))
            swaps[declared.object] = fresh.object
        changed.append(fresh)
    kept = [
        relation.func(*(a.xreplace(swaps) for a in relation.args), evaluate=False)
        for relation in symbols.constraints
    ]
    kept = [relation for relation in kept if relation.func(*relation.args) != sympy.true]
    return dataclasses.replace(symbols, declarations=tuple(changed), constraints=tuple(kept))
