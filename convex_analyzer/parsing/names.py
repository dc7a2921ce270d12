r"""One name, many spellings: ``lambda_max``, ``λmax`` and ``\lambda_{\max}`` are one.

`fold` brings a spelling to its one form; nothing here knows what is declared.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Mapping

__all__ = ["ACCENTS", "FONTS", "GREEK", "LETTERS", "SUBSCRIPTS", "SUPERSCRIPTS", "fold", "printed"]

_SMALL_NAMES: Mapping[str, str] = {
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "epsilon", "ζ": "zeta",
    "η": "eta", "θ": "theta", "ι": "iota", "κ": "kappa", "λ": "lambda", "μ": "mu", "ν": "nu",
    "ξ": "xi", "π": "pi", "ρ": "rho", "σ": "sigma", "τ": "tau", "υ": "upsilon", "φ": "phi",
    "χ": "chi", "ψ": "psi", "ω": "omega",
}  # fmt: skip
_CAPITALS: Mapping[str, str] = {
    "Γ": "Gamma", "Δ": "Delta", "Θ": "Theta", "Λ": "Lambda", "Ξ": "Xi", "Π": "Pi", "Σ": "Sigma",
    "Φ": "Phi", "Ψ": "Psi", "Ω": "Omega",
}  # fmt: skip
_VARIANTS = {"ϵ": "epsilon", "ϑ": "theta", "ϕ": "phi", "ϱ": "rho", "ς": "sigma", "ϖ": "pi",
             "ϰ": "kappa", "µ": "mu"}  # fmt: skip

#: Names of Greek letters by letter.
GREEK: Mapping[str, str] = {**_SMALL_NAMES, **_CAPITALS, **_VARIANTS}
#: Greek letters by name, the LaTeX variants included.
LETTERS: Mapping[str, str] = {
    **{name: letter for letter, name in {**_SMALL_NAMES, **_CAPITALS}.items()},
    "varepsilon": "ε", "vartheta": "θ", "varphi": "φ", "varrho": "ρ", "varsigma": "σ",
    "varpi": "π", "varkappa": "κ",
}  # fmt: skip
#: Words of accents by LaTeX macro.
ACCENTS: Mapping[str, str] = {
    "hat": "hat", "widehat": "hat", "bar": "bar", "overline": "bar", "tilde": "tilde",
    "widetilde": "tilde", "dot": "dot", "ddot": "ddot", "vec": "vec", "check": "check",
}  # fmt: skip
_COMBINING = {"\u0302": "hat", "\u0304": "bar", "\u0305": "bar", "\u0303": "tilde",
              "\u0307": "dot", "\u20d7": "vec"}  # fmt: skip
#: LaTeX macros that only change the look of a letter.
FONTS: frozenset[str] = frozenset({
    "mathbf", "boldsymbol", "bm", "mathrm", "mathit", "mathsf", "mathcal", "mathbb", "mathfrak",
    "text", "textrm", "textit", "textbf", "operatorname", "mathnormal", "symbf", "rm", "bf",
})  # fmt: skip
#: What a raised or lowered character stands for.
SUPERSCRIPTS: Mapping[str, str] = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁽⁾ⁿⁱᵏᵗᵐʲᵀ", "0123456789+-()niktmjT",
                                           strict=True))  # fmt: skip
SUBSCRIPTS: Mapping[str, str] = dict(zip("₀₁₂₃₄₅₆₇₈₉₊₋₍₎ₐₑₒₓₕₖₗₘₙₚₛₜᵢⱼᵣᵤᵥ",
                                         "0123456789+-()aeoxhklmnpstijruv",
                                         strict=True))  # fmt: skip

_ENCLOSED = re.compile("₍([^₍₎]*)₎")
_LOWERED = re.compile(f"[{''.join(SUBSCRIPTS)}]+")
_RAISED = re.compile(f"[{''.join(SUPERSCRIPTS)}]+")
_TO_PLAIN = str.maketrans({**SUBSCRIPTS, **SUPERSCRIPTS})
_MACRO = re.compile(r"\\([A-Za-z]+)\s*")
_ACCENTED = re.compile(
    rf"\\({'|'.join(ACCENTS)})(?![A-Za-z])\s*(?:\{{\s*([^{{}}]*?)\s*\}}|(\\?[A-Za-z]+|\S))"
)
_STAR = re.compile(r"(?:[_^]\{?\s*(?:\*|star|ast)\s*\}?|\*|_star)$")
_PRIMES = re.compile(r"(?:\^\{?\s*((?:prime\s*)+|['′]+)\s*\}?|(['′]+))(?=[_*^]|$)")
_BASES = "|".join(sorted({*LETTERS}, key=len, reverse=True))
_NUMBERED = re.compile(rf"((?:{_BASES}|[A-Za-z]|[A-Za-z]+)(?:hat|bar|tilde|dot|vec)?)(\d+)$")
_LONG = re.compile(rf"({_BASES}|[A-Za-z])_?(hat|bar|tilde|ddot|dot|vec|check)$")
_WORDY = re.compile(rf"({_BASES})(max|min|star|\d+)$")


@functools.lru_cache(maxsize=4096)
def fold(spelling: str) -> str:
    r"""Return the one form of a name, however it was spelled.

    Parameters
    ----------
    spelling
        As typed, in plain text, with Unicode letters or in LaTeX.

    Returns
    -------
    str
        Letter, accent, ``_`` and subscript, primes, ``*``.

    Examples
    --------
    >>> [fold(s) for s in ("lambda_max", "λmax", r"\lambda_{\max}", r"\lambda_{\text{max}}")]
    ['lambda_max', 'lambda_max', 'lambda_max', 'lambda_max']
    >>> [fold(s) for s in ("x1", "x_1", "x₁", r"\hat{m}_t", "θₖ₊₁", r"\rho^{*}", "g′")]
    ['x_1', 'x_1', 'x_1', 'mhat_t', 'theta_{k+1}', 'rho*', "g'"]
    """
    text = _accents(_lowered(spelling.strip()))
    text = text.replace("\\_", "_")
    text = _MACRO.sub(lambda m: _word(m[1]), text)
    text = "".join(_letter(text, i) for i in range(len(text)))
    star = _STAR.search(text)
    if star and star.start():
        text = text[: star.start()]
    primes = _PRIMES.search(text)
    marks = ""
    if primes and primes.start():
        found = primes[1] or primes[2]
        marks = "'" * (found.count("prime") or len(found))
        text = text[: primes.start()] + text[primes.end() :]
    cut = re.search(r"[_^]", text)
    base, rest = (text[: cut.start()], text[cut.start() :]) if cut else (text, "")
    base, rest = base.strip("{} "), "".join(rest.split())
    base, rest = _parts(base, rest)
    return base + rest + marks + ("*" if star and star.start() else "")


def _parts(base: str, rest: str) -> tuple[str, str]:
    """Return base with its accent, and subscript in its one form."""
    for pattern in (_WORDY, _NUMBERED):
        found = pattern.match(base)
        if found and not rest:
            base, rest = found[1], f"_{found[2]}"
            break
    first, *more = re.split(r"(?=[_^])", rest)[1:] if rest else ("",)
    word = first[1:].strip("{}")
    if word in ACCENTS.values():
        base, first = base + word, ""
    long = _LONG.match(base)
    if long:
        base = long[1] + long[2]
    tail = "".join(_script(part) for part in (first, *more) if part)
    return base, tail


def _script(part: str) -> str:
    """Return _max for _{max}, and _{k+1} for _{ k + 1 }."""
    inside = part[1:]
    if inside.startswith("{") and inside.endswith("}"):
        inside = inside[1:-1]
    if part[0] == "_" and inside.startswith("(") and inside.endswith(")"):
        inside = inside[1:-1]
    inside = inside.replace("−", "-").replace("{", "").replace("}", "").replace("\\", "")
    return part[0] + (inside if inside.isalnum() else f"{{{inside}}}")


def _word(macro: str) -> str:
    if macro in FONTS:
        return ""
    if macro in LETTERS:
        return macro.removeprefix("var") + " "
    return macro + " " if macro in {"prime", "nabla"} else macro


def _accents(text: str) -> str:
    r"""Put the word of an accent behind its letter: \hat{m} and m̂ become mhat."""
    for _ in range(3):  # \bar{\hat{m}}
        text, count = _ACCENTED.subn(lambda m: (m[2] or m[3]) + ACCENTS[m[1]], text)
        if not count:
            break
    if text.isascii():
        return text
    split = "".join(
        unicodedata.normalize("NFD", c) if c not in GREEK and c not in SUPERSCRIPTS else c
        for c in text
    )
    return "".join(_COMBINING.get(c, c) for c in split)


def _lowered(text: str) -> str:
    """Write lowered characters with ``_{ }``, raised ones with ``^{ }``."""
    if text.isascii():
        return text
    text = _ENCLOSED.sub(r"_{\1}", text)
    text = _LOWERED.sub(lambda m: f"_{{{m[0].translate(_TO_PLAIN)}}}", text)
    text = _RAISED.sub(lambda m: f"^{{{m[0].translate(_TO_PLAIN)}}}", text)
    return text.replace("⋆", "*").replace("∗", "*").replace("∇", "nabla")


def _letter(text: str, i: int) -> str:
    """Return one character, a Greek one by its name, with _ before what follows it."""
    name = GREEK.get(text[i])
    if name is None:
        return "" if text[i] == " " else text[i]
    follows = text[i + 1 : i + 2]
    joined = follows.isalnum() and follows not in GREEK
    accent = any(text.startswith(word, i + 1) for word in set(ACCENTS.values()))
    return name + ("_" if joined and not accent else "")


def printed(name: str) -> str:
    """Return a name as it is printed in text.

    Examples
    --------
    >>> printed("lambda_max"), printed("theta_{k+1}"), printed("x")
    ('λ_max', 'θ_{k+1}', 'x')
    """
    match = re.match(r"[A-Za-z]+", name)
    if match is None or match[0] not in LETTERS:
        return name
    return LETTERS[match[0]] + name[match.end() :]
