"""LaTeX macros that are read, and those that are understood and refused."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["BEGIN", "FUNCTIONS", "REFUSED_MACROS", "SIGNS", "SKIPPED", "WORDS"]

#: Macros that only change the look.
SKIPPED: frozenset[str] = frozenset({
    ",", ";", ":", "!", " ", "displaystyle", "textstyle", "limits", "nolimits", "left", "right",
    "middle", "big", "Big", "bigg", "Bigg", "bigl", "bigr", "Bigl", "Bigr", "biggl", "biggr",
    "Biggl", "Biggr", "thinspace", "nonumber", "notag", "scriptstyle", "allowbreak", "strut",
    "mathstrut", "/", "-", "noindent", "centering", "medspace", "thickspace", "enspace",
})  # fmt: skip

#: Signs by macro: kind and value of the token.
SIGNS: Mapping[str, tuple[str, str]] = {
    **dict.fromkeys(("cdot", "times", "ast", "cdotp"), ("op", "*")),
    **dict.fromkeys(("le", "leq", "leqslant", "leqq"), ("rel", "<=")),
    **dict.fromkeys(("ge", "geq", "geqslant", "geqq"), ("rel", ">=")),
    **dict.fromkeys(("ne", "neq"), ("rel", "!=")),
    **dict.fromkeys(("coloneqq", "coloneq", "triangleq", "equiv"), ("rel", "=")),
    **dict.fromkeys(("implies", "Rightarrow", "Longrightarrow"), ("arrow", "=>")),
    **dict.fromkeys(("iff", "Leftrightarrow", "Longleftrightarrow"), ("arrow", "<=>")),
    **dict.fromkeys(("impliedby", "Leftarrow", "Longleftarrow"), ("arrow", "<==")),
    **dict.fromkeys(("land", "wedge"), ("logic", "and")),
    **dict.fromkeys(("lor", "vee"), ("logic", "or")),
    **dict.fromkeys(("lnot", "neg"), ("logic", "not")),
    "_": ("sub", "_"),  # as Markdown needs it
    "lt": ("rel", "<"), "gt": ("rel", ">"), "in": ("in", "in"), "div": ("op", "/"),
    "|": ("norm", "||"), "Vert": ("norm", "||"), "lVert": ("norm", "||open"),
    "rVert": ("norm", "||close"), "vert": ("bar", "|"), "lvert": ("bar", "|open"),
    "rvert": ("bar", "|close"), "{": ("open", "\\{"), "}": ("close", "\\}"),
    "lbrace": ("open", "\\{"), "rbrace": ("close", "\\}"), "lbrack": ("open", "["),
    "rbrack": ("close", "]"), "quad": ("gap", "a gap"), "qquad": ("gap", "a gap"),
    "infty": ("infinity", "infinity"), "langle": ("open", "<"), "rangle": ("close", ">"),
}  # fmt: skip

#: Functions by macro or by the word in \operatorname.
FUNCTIONS: Mapping[str, str] = {
    **{name: name for name in ("sin", "cos", "tan", "sinh", "cosh", "tanh", "exp", "log", "det")},
    "ln": "log", "arcsin": "asin", "arccos": "acos", "arctan": "atan", "max": "Max", "min": "Min",
    "lg": "log10", "sign": "sign", "sgn": "sign", "tr": "trace", "trace": "trace", "Tr": "trace",
    "abs": "Abs", "inv": "inv", "sqrt": "sqrt", "Re": "re", "Im": "im",
}  # fmt: skip

#: Macros that begin an operand of their own form.
BEGIN: Mapping[str, str] = {
    "frac": "frac", "dfrac": "frac", "tfrac": "frac", "cfrac": "frac", "sqrt": "sqrt",
    "sum": "Sum", "prod": "Product", "boxed": "box", "underbrace": "brace", "overbrace": "brace",
    "mathopen": "box", "ensuremath": "box",
}  # fmt: skip

#: Words in \text{...} that join claims.
WORDS: Mapping[str, tuple[str, str]] = {
    "and": ("logic", "and"), "or": ("logic", "or"), "not": ("logic", "not"),
    "iff": ("arrow", "<=>"), "if and only if": ("arrow", "<=>"), "in": ("in", "in"),
    "implies": ("arrow", "=>"), "hence": ("arrow", "=>"), "so": ("arrow", "=>"),
    "thus": ("arrow", "=>"), "therefore": ("arrow", "=>"), "i.e.": ("arrow", "<=>"),
    "that is": ("arrow", "<=>"), ",": ("comma", ","),
}  # fmt: skip

_DOTS = ("dots leave terms out", r"write \sum_{i=0}^{k}")
_VAGUE = ("an approximation cannot be proved", "write =, or bound the error")
_LIMIT = ("a limit is not read", "write what holds for every k")
_TWO = ("it makes two statements of one", "write each of them")
#: Macros that are understood, and not read: why, and what to write.
REFUSED_MACROS: Mapping[str, tuple[str, str]] = {
    **dict.fromkeys(("dots", "ldots", "cdots", "vdots", "ddots"), _DOTS),
    **dict.fromkeys(("approx", "simeq", "cong", "approxeq"), _VAGUE),
    **dict.fromkeys(("sim", "propto", "ll", "gg", "lesssim", "gtrsim", "asymp"),
                    ("it has no exact meaning here", "write =, < or a factor")),
    **dict.fromkeys(("pm", "mp"), _TWO),
    **dict.fromkeys(("to", "rightarrow", "longrightarrow", "lim", "limsup", "liminf"), _LIMIT),
    **dict.fromkeys(("int", "iint", "oint"), ("integrals are not read", "")),
    **dict.fromkeys(("binom", "choose", "dbinom"), ("binomials are not read", "")),
    **dict.fromkeys(("argmin", "argmax", "sup", "inf"), ("it is not read", "write its value")),
    **dict.fromkeys(("input", "include", "write", "openout", "def", "newcommand", "let", "csname",
                     "catcode", "immediate", "read", "loop", "expandafter", "usepackage"),
                    ("macros are not run", "write the formula alone")),
    "cancel": ("what is struck out is not read", "write the line without it"),
    "nabla": ("a gradient is one declared name", r"declare \nabla J"),
    "over": ("\\over is not read", "write \\frac{a}{b}"),
    "forall": ("for all is not read", "declare the symbol with its range"),
    "mathbb": ("a set is not read here", "declare the symbol as real or natural"),
    "circ": ("it is not read", ""), "odot": ("products by entries are not read", ""),
    "otimes": ("tensor products are not read", ""), "dagger": ("write ^\\top", ""),
}  # fmt: skip
