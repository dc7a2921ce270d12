"""The style that every notation shares: how a name is typeset, and in which order terms stand.

One reading of a name serves Typst, LaTeX and plain letters. Known words become signs (Greek
letters, ``_hat``, ``_bar``, ``_tilde``, ``_star``), trailing digits and ``_parts`` become
subscripts, ``__parts`` superscripts, and any other word of more than one letter stands upright, so
that no name can break a page.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

__all__ = [
    "GREEK",
    "Name",
    "float_parts",
    "name_of",
    "ordered_matrices",
    "ordered_terms",
    "read_name",
    "typst_quote",
]

_NAMES = (
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho "
    "sigma tau upsilon phi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega"
)
GREEK = dict(zip(_NAMES.split(), "αβγδεζηθικλμνξοπρστυφχψωΓΔΘΛΞΠΣΥΦΨΩ", strict=True))
_LETTERS = frozenset(GREEK.values())
_ACCENTS = {"hat": ("hat", r"\hat", "\u0302"), "bar": ("overline", r"\overline", "\u0304")}
_ACCENTS["tilde"] = ("tilde", r"\tilde", "\u0303")
_LATEX_SPECIAL = re.compile(r"[\\{}$&#%_^~ ]")
_LATEX_ESCAPES = {"\\": r"\backslash ", "~": r"\sim ", "^": r"\wedge "}


def typst_quote(text: str) -> str:
    r"""Text as a Typst string, which math sets upright and never reads as markup.

    Examples
    --------
    >>> print(typst_quote('say "x"'))
    "say \"x\""
    """
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


@dataclass(frozen=True, slots=True)
class Name:
    """A name taken apart: accents and scripts around a base."""

    base: str
    accents: tuple[str, ...] = ()
    subscripts: tuple[str, ...] = ()
    superscripts: tuple[str, ...] = ()

    def typst(self, indices: str = "") -> str:
        """Typst math for the name, with further subscripts that are Typst math already."""
        out = _typst_word(self.base)
        for accent in self.accents:
            out = f"{_ACCENTS[accent][0]}({out})"
        below = [*map(_typst_word, self.subscripts), *([indices] if indices else [])]
        if below:
            out += f"_({' comma '.join(below)})"
        if self.superscripts:
            out += f"^({' comma '.join(map(_typst_word, self.superscripts))})"
        return out

    def latex(self) -> str:
        """LaTeX for the name."""
        out = _latex_word(self.base)
        for accent in self.accents:
            out = f"{_ACCENTS[accent][1]}{{{out}}}"
        if self.subscripts:
            out += f"_{{{','.join(map(_latex_word, self.subscripts))}}}"
        if self.superscripts:
            out += f"^{{{','.join(map(_latex_word, self.superscripts))}}}"
        return out

    def plain(self) -> str:
        """Plain letters, Greek ones as themselves."""
        out = GREEK.get(self.base, self.base)
        out += "".join(_ACCENTS[accent][2] for accent in self.accents)
        if self.subscripts:
            out += "_" + ",".join(GREEK.get(part, part) for part in self.subscripts)
        for part in self.superscripts:
            out += "⋆" if part == "star" else f"^{GREEK.get(part, part)}"
        return out


def read_name(name: str) -> Name:
    r"""Take a name apart.

    Examples
    --------
    >>> print(read_name("lambda_max").typst(), read_name("theta_star").latex())
    lambda_("max") \theta^{\star}
    """
    base, *rest = re.split("(__?)", name)
    word = base.rstrip("0123456789")
    if any(not part for part in rest) or not (len(word) == 1 or word in GREEK or base.isdigit()):
        return Name(name)  # an ordinary word: its underscores are part of it
    accents, below, above = [], [], []
    if word and word != base:
        below.append(base[len(word) :])
        base = word
    for mark, part in zip(rest[::2], rest[1::2], strict=True):
        if mark == "_" and part in _ACCENTS:
            accents.append(part)
        elif mark == "__" or part == "star":
            above.append(part)
        else:
            below.append(part)
    return Name(base, tuple(accents), tuple(below), tuple(above))


def name_of(symbol: Any, names: Mapping[str, str]) -> Name:
    """Take the name of a SymPy symbol apart, after renaming."""
    return read_name(names.get(symbol.name, symbol.name))


def ordered_terms(terms: list[Any]) -> list[Any]:
    """Order a sum as lecturers do: 1 - αλ, 1 + μ - αλ, κ - 1, but x² + 2x + 1 and the index k + 1.

    Parameters
    ----------
    terms
        The terms of a SymPy sum, highest power first.
    """
    factors = [factor for term in terms for factor in term.as_ordered_factors()]
    powers = [factor for factor in factors if _is_high_power(factor)]
    if powers:
        base = max(powers, key=lambda power: power.exp).base
        return sorted(terms, key=lambda term: -term.as_powers_dict()[base])
    if terms[0].is_Symbol and terms[0].is_integer:
        return terms
    constant_first = terms[-1].is_number and not _is_negative(terms[-1])
    if not constant_first and not _is_negative(terms[0]):
        return terms
    return sorted(terms, key=lambda term: (_is_negative(term), not term.is_number))


def ordered_matrices(e: Any) -> list[Any]:
    """Order a sum of matrices: negative terms last, long products first (θᵀAθ + bᵀθ, I - αA)."""

    def key(term: Any) -> tuple[bool, int]:
        scalar, matrices = term.as_coeff_mmul()[0], getattr(term, "args", ())
        return _is_negative(scalar), -len(matrices) if term.is_Mul else -1

    return sorted(e.args, key=key)


def float_parts(e: Any, digits: int | None = None) -> tuple[str, int]:
    """Mantissa and decimal exponent (0: none) of a SymPy float, with as many digits as it needs.

    Examples
    --------
    >>> import sympy as sp
    >>> float_parts(sp.Float(1.5e-7)), float_parts(sp.Float(12.0)), float_parts(sp.pi.n(40), 3)
    (('1.5', -7), ('12', 0), ('3.14', 0))
    """
    import sympy as sp

    if digits is not None:
        shown = str(e.n(digits))
    else:
        fits = sp.Rational(e) == sp.Rational(float(e))  # is a Python float exactly
        shown = repr(float(e)) if fits else str(e)
    if len(shown.partition(".")[0]) > 17:
        shown = f"{Decimal(shown).normalize():e}"
    mantissa, _, exponent = shown.partition("e")
    mantissa = mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa
    return mantissa, int(exponent or 0)


def _is_negative(term: Any) -> bool:
    return bool(term.as_coeff_Mul()[0].is_negative)


def _is_high_power(factor: Any) -> bool:
    return bool(
        factor.is_Pow and factor.exp.is_Integer and factor.exp >= 2 and not factor.is_number
    )


def _is_sign(word: str) -> bool:
    if not word.isascii():
        return word in _LETTERS
    return word.isdigit() or (len(word) == 1 and word.isalpha())


def _typst_word(word: str) -> str:
    if word == "star":
        return "star.op"
    return word if word in GREEK or _is_sign(word) else typst_quote(word)


def _latex_word(word: str) -> str:
    if word == "star":
        return r"\star"
    if word in GREEK:
        return "o" if word == "omicron" else f"\\{word}"
    if _is_sign(word):
        return word
    escaped = _LATEX_SPECIAL.sub(lambda m: _LATEX_ESCAPES.get(m[0], f"\\{m[0]}"), word)
    return rf"\mathrm{{{escaped}}}"
