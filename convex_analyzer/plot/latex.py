"""Words as LaTeX: what LaTeX reads as markup is escaped, and signs become formulas."""

from __future__ import annotations

import itertools
import unicodedata
from collections.abc import Iterable

__all__ = ["PACKAGES", "beyond_latin", "latex_words"]

#: What the signs below need.
PACKAGES = r"\usepackage{amsmath,amssymb}"


def _named(letter: str) -> str:
    """Return a Greek letter as LaTeX calls it."""
    *_, case, _, name = unicodedata.name(letter).replace("LAMDA", "LAMBDA").split()
    return f"\\{name.capitalize() if case == 'CAPITAL' else name.lower()}"


_TO_MATH = {
    **{letter: _named(letter) for letter in "αβγδεζηθικλμνξπρστυφχψωΓΔΘΛΞΠΣΥΦΨΩ"},
    "Α": "A", "Β": "B", "Ε": "E", "Ζ": "Z", "Η": "H", "Ι": "I", "Κ": "K", "Μ": "M", "Ν": "N",
    "Ο": "O", "ο": "o", "Ρ": "P", "Τ": "T", "Χ": "X", "ϵ": r"\epsilon", "ϑ": r"\vartheta",
    "ϕ": r"\phi", "ϱ": r"\varrho", "ς": r"\varsigma", "ϖ": r"\varpi", "ϰ": r"\varkappa",
    "−": "-", "≤": r"\le", "≥": r"\ge", "≠": r"\ne", "≪": r"\ll", "≫": r"\gg", "·": r"\cdot",
    "⋅": r"\cdot", "×": r"\times", "÷": r"\div", "⩽": r"\leqslant", "⩾": r"\geqslant",
    "∇": r"\nabla", "∈": r"\in", "∉": r"\notin", "√": r"\surd", "→": r"\to", "←": r"\leftarrow",
    "↦": r"\mapsto", "ε": r"\varepsilon", "…": r"\dots", "⋯": r"\cdots", "⋮": r"\vdots",
    "Σ": r"\Sigma", "∑": r"\sum", "∏": r"\prod", "∫": r"\int", "≈": r"\approx", "≡": r"\equiv",
    "∼": r"\sim", "∝": r"\propto", "±": r"\pm", "∓": r"\mp", "⇔": r"\Leftrightarrow",
    "⟺": r"\iff", "⇒": r"\Rightarrow", "⟹": r"\implies", "⇐": r"\Leftarrow", "✓": r"\checkmark",
    "∞": r"\infty", "⋆": r"\star", "∗": r"\ast", "•": r"\bullet", "‖": r"\Vert",
    "∥": r"\parallel", "∂": r"\partial", "ℓ": r"\ell", "ℝ": r"\mathbb{R}", "ℕ": r"\mathbb{N}",
    "ℤ": r"\mathbb{Z}", "ℚ": r"\mathbb{Q}", "ℂ": r"\mathbb{C}", "✗": r"\times", "⊤": r"\top",
    "¬": r"\neg", "∧": r"\wedge", "∨": r"\vee", "∀": r"\forall", "∃": r"\exists",
    "∅": r"\emptyset", "∪": r"\cup", "∩": r"\cap", "∖": r"\setminus", "∠": r"\angle",
    "⟨": r"\langle", "⟩": r"\rangle", "⌈": r"\lceil", "⌉": r"\rceil", "⌊": r"\lfloor",
    "⌋": r"\rfloor", "⪰": r"\succeq", "⪯": r"\preceq", "●": r"\bullet", "■": r"\blacksquare",
    "▲": r"\blacktriangle", "▼": r"\blacktriangledown", "◀": r"\blacktriangleleft",
    "▶": r"\blacktriangleright", "★": r"\bigstar", "◆": r"\blacklozenge", "♦": r"\blacklozenge",
    "µ": r"\mu",
}  # fmt: skip
_ABOVE = {"ᵀ": r"\top", "′": r"\prime", "″": r"\prime\prime", "°": r"\circ", "⁻": "-"}
_SPECIAL = {
    "\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", '"': "{''}",
    "[": "{[}", "]": "{]}", "\n": " ", "–": "--", "—": "---", "\u2009": r"\,", "\u00a0": "~",
    "\u202f": "~", "`": r"\textasciigrave{}", "\u200b": "", "\ufffd": r"$\Box$",
    **{sign: f"\\{sign}" for sign in "{}$&#%_"},
}  # fmt: skip
_EASY = 0x180  # below: Latin letters, which pdflatex knows with the encoding T1


def latex_words(text: str) -> str:
    r"""Return plain text as LaTeX.

    Examples
    --------
    >>> print(latex_words("50 % of α_1"))
    50 \% of $\alpha$\_1
    """
    out = []
    pieces = [_piece(letter) for letter in unicodedata.normalize("NFC", text)]
    for kind, group in itertools.groupby(pieces, key=lambda piece: piece[0]):
        inside = [part for _, part in group]
        if kind in ("^", "_"):  # 10⁻⁶ has one exponent, not two
            out.append(f"${{}}{kind}{{{''.join(inside)}}}$" if len(inside) > 1 else
                       f"${{}}{kind}{inside[0]}$")  # fmt: skip
        elif kind == "-":  # two would become a dash
            out.append("{}".join(inside))
        else:
            out.extend(inside)
    return "".join(out)


def _piece(letter: str) -> tuple[str, str]:
    """Return a letter as LaTeX, with the sign that raises or lowers it if one does."""
    if letter in _ABOVE:
        return "^", _ABOVE[letter]
    if letter in _TO_MATH:
        return "", f"${_TO_MATH[letter]}$"
    if letter in _SPECIAL:
        return "", _SPECIAL[letter]
    kind, *codes = unicodedata.decomposition(letter).split() or ("",)
    plain = "".join(chr(int(code, 16)) for code in codes) if kind[:1] == "<" else ""
    plain = "".join(_TO_MATH.get(one, one) for one in plain)
    if kind in ("<super>", "<sub>"):
        return ("^" if kind == "<super>" else "_"), plain
    if kind == "<fraction>" and len(plain) == 3:  # 1⁄2
        return "", rf"$\tfrac{plain[0]}{plain[2]}$"
    return ("-" if letter in "-'" else ""), letter


def beyond_latin(texts: Iterable[str]) -> str:
    """Return the letters of LaTeX text that pdflatex does not know, each one once, in order.

    Examples
    --------
    >>> beyond_latin([latex_words("é, ő, α and 漢字")])
    '漢字'
    """
    found = dict.fromkeys(letter for text in texts for letter in text if ord(letter) >= _EASY)
    return "".join(letter for letter in found if letter not in "–—‘’“”†‡€™")
