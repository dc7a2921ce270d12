r"""LaTeX to tokens: names, numbers, signs, and the macros that have a form of their own."""

from __future__ import annotations

import re

from convex_analyzer.parsing.latex_macros import (
    BEGIN,
    FUNCTIONS,
    REFUSED_MACROS,
    SIGNS,
    SKIPPED,
    WORDS,
)
from convex_analyzer.parsing.names import ACCENTS, FONTS, GREEK, LETTERS
from convex_analyzer.parsing.plain_lexer import REFUSED, number_text
from convex_analyzer.parsing.symbols import Symbols
from convex_analyzer.parsing.tokens import MOST_TOKENS, Source, Token

__all__ = ["LatexLexer"]

_MACRO = re.compile(r"\\(?:[A-Za-z]+|.)", re.DOTALL)
_NUMBER = re.compile(r"\d+(?:\.\d+)?|\.\d+", re.ASCII)
_POWER_OF_TEN = re.compile(r"[eE][+-]?\d", re.ASCII)
_RUN = re.compile(r"[A-Za-z]+", re.ASCII)
_ARGUMENT = re.compile(r"\s*(?:\{([^{}]*)\}|(\\[A-Za-z]+|[A-Za-z0-9]))")
_ENVIRONMENT = re.compile(r"\\(begin|end)\s*\{([A-Za-z]+)\*?\}")
_GRADIENT = re.compile(
    r"\\nabla\s*(?:\\math(?:cal|bf|rm)\s*\{\s*)?(\\[A-Za-z]+|[A-Za-z])(?:\s*\})?"
)
_LETTER = re.compile(r"\s*(\\[A-Za-z]+|[A-Za-z])\s*$")
_SIZED = re.compile(r"\\(left|right|[bB]ig{1,2}[lr]?)\s*(\\\||\\[A-Za-z]+|[|.<>])")
_SIGNS = {
    "+": ("op", "+"), "-": ("op", "-"), "−": ("op", "-"), "*": ("op", "*"), "·": ("op", "*"),
    "/": ("op", "/"), "=": ("rel", "="), "<": ("rel", "<"), ">": ("rel", ">"),
    "≤": ("rel", "<="), "≥": ("rel", ">="), "≠": ("rel", "!="), "(": ("open", "("),
    "[": ("open", "["), "{": ("open", "{"), ")": ("close", ")"), "]": ("close", "]"),
    "}": ("close", "}"), ",": ("comma", ","), "|": ("bar", "|"), "^": ("sup", "^"),
    "_": ("sub", "_"), "'": ("prime", "'"), "′": ("prime", "'"), "&": ("cell", "&"),
    "⊤": ("transpose", "T"), "ᵀ": ("transpose", "T"), "×": ("op", "*"), "⋅": ("op", "*"),
    "∈": ("in", "in"), "⇒": ("arrow", "=>"),
    "⇔": ("arrow", "<=>"), "⟹": ("arrow", "=>"), "⟺": ("arrow", "<=>"),
}  # fmt: skip
_PAIRS = {"<=": ("rel", "<="), ">=": ("rel", ">="), ":=": ("rel", "="), "!=": ("rel", "!="),
          "||": ("norm", "||"), "=>": ("arrow", "=>"), "**": ("op", "**")}  # fmt: skip


class LatexLexer:
    """Turns one statement in LaTeX into tokens."""

    def __init__(self, source: Source, symbols: Symbols) -> None:
        self.source, self.symbols = source, symbols
        self.text = source.plain
        self.tokens: list[Token] = []

    def read(self, start: int, end: int) -> list[Token]:
        """Return the tokens between two places, with one of kind ``end`` behind them."""
        self.source.check(start, end)
        at = start
        while at < end:
            if self.text[at].isspace() or self.text[at] in "~$":
                at += 1
                continue
            at = self.one(at, end)
            if len(self.tokens) > MOST_TOKENS:
                message = f"more than {MOST_TOKENS} signs"
                raise self.source.error(message, start, "write shorter lines")
        self.add("end", "the end", end, end)
        self.close_gaps()
        return self.tokens

    def add(self, kind: str, value: str, start: int, end: int) -> int:
        """Add a token; return where it ends."""
        spaced = start > 0 and self.text[start - 1].isspace()
        self.tokens.append(Token(kind, value, start, end, spaced))
        return end

    def close_gaps(self) -> None:
        r"""Drop \quad beside what separates claims anyway; elsewhere it is asked about."""
        kept: list[Token] = []
        tokens = [*self.tokens]
        for i, token in enumerate(tokens):
            if token.kind != "gap":
                kept.append(token)
                continue
            after = next(t for t in tokens[i:] if t.kind != "gap")
            before = kept[-1].kind if kept else "end"
            harmless = {"comma", "logic", "arrow", "end", "rel", "text"}
            if before not in harmless and after.kind not in harmless:
                raise self.source.error(
                    "a wide gap between formulas", token.start, r"write a comma or \text{and}"
                )
        self.tokens = kept

    def one(self, at: int, end: int) -> int:
        """Read one token; return where it ends."""
        letter = self.text[at]
        if letter == "\\":
            return self.macro(at, end)
        if letter in GREEK:
            return self.add("name", letter, at, at + 1)
        run = _RUN.match(self.text, at, end)
        if run:
            return self.run(run)
        number = _NUMBER.match(self.text, at, end)
        if number:
            return self.number(number, end)
        pair = _PAIRS.get(self.text[at : min(at + 2, end)])
        if pair == ("op", "**"):
            raise self.source.error("a power is written ^ in LaTeX", at)
        if pair:
            return self.add(*pair, at, at + 2)
        if letter in _SIGNS:
            return self.add(*_SIGNS[letter], at, at + 1)
        if letter == ".":
            raise self.source.error("a point does not belong here", at)
        message, hint = REFUSED.get(letter, (f"{letter!r} is not read", "use the usual signs"))
        raise self.source.error(message, at, hint)

    def number(self, match: re.Match[str], end: int) -> int:
        """Read a number; 1e-8 is asked about, since LaTeX prints a product and a difference."""
        at, stop = match.span()
        if _POWER_OF_TEN.match(self.text, stop, end):
            raise self.source.error(
                "this can be read in two ways", at, "write 10^{-8}, or put a sign before e"
            )
        return self.add("number", number_text(self.source, match[0], at), at, stop)

    def run(self, match: re.Match[str]) -> int:
        """Read letters side by side: a product, unless together they are one declared name."""
        word, (at, end) = match[0], match.span()
        if len(word) > 1:
            apart = all(letter in self.symbols for letter in word)
            if word in self.symbols or word in FUNCTIONS:
                if apart:
                    raise self.source.error(
                        "this can be read in two ways", at,
                        rf"write \mathrm{{{word}}} or {' '.join(word)}",
                    )  # fmt: skip
                return self.add("name" if word in self.symbols else "func", word, at, end)
        for i, letter in enumerate(word):
            self.add("name", letter, at + i, at + i + 1)
        return end

    # -- macros -------------------------------------------------------------------------------

    def macro(self, at: int, end: int) -> int:
        """Read a macro."""
        sized = _SIZED.match(self.text, at, end)
        if sized:
            return self.sized(sized)
        match = _MACRO.match(self.text, at, end)
        if match is None:
            raise self.source.error("a backslash at the end", at)
        name, stop = match[0][1:], match.end()
        if name in {"begin", "end"}:
            return self.environment(at, end)
        if name in LETTERS:
            return self.add("name", match[0], at, stop)
        if name in SIGNS:
            return self.add(*SIGNS[name], at, stop)
        if name in SKIPPED:
            return stop
        if name == "\\":
            return self.add("row", "\\\\", at, stop)
        if name in BEGIN:
            return self.add("big", BEGIN[name], at, stop)
        if name in FUNCTIONS:
            return self.add("func", FUNCTIONS[name], at, stop)
        return self.other(name, at, stop, end)

    def other(self, name: str, at: int, stop: int, end: int) -> int:
        """Read accents, fonts, words; refuse what is left."""
        if name in ACCENTS:
            return self.accented(name, at, stop, end)
        if name == "nabla":
            gradient = _GRADIENT.match(self.text, at, end)
            if gradient and rf"\nabla {gradient[1]}" in self.symbols:
                return self.add("name", rf"\nabla {gradient[1]}", at, gradient.end())
        if name in {"top", "intercal", "prime", "star", "partial"}:
            return self.add("mark", name, at, stop)
        if name in {"hspace", "vspace", "phantom", "label", "tag", "color"}:
            argument = _ARGUMENT.match(self.text, stop, end)
            return argument.end() if argument else stop
        if name in FONTS or name in {"mbox", "hbox", "textnormal"}:
            argument = _ARGUMENT.match(self.text, stop, end)
            if argument:
                return self.font(name, at, argument)
        why, hint = REFUSED_MACROS.get(name, ("this macro is not read", "use the usual ones"))
        raise self.source.error(f"\\{name}: {why}"[:200], at, hint)

    def accented(self, name: str, at: int, stop: int, end: int) -> int:
        r"""Read \hat{m} as one name."""
        argument = _ARGUMENT.match(self.text, stop, end)
        inner = (argument[1] or argument[2] or "") if argument else ""
        if argument is None or not _LETTER.match(inner):
            raise self.source.error(f"\\{name} stands over one letter", at)
        return self.add("name", rf"\{name}{{{inner.strip()}}}", at, argument.end())

    def font(self, name: str, at: int, argument: re.Match[str]) -> int:
        r"""Read \mathbf{x} as x, \operatorname{sign} as a function, \text{and} as a word."""
        inner = " ".join((argument[1] if argument[1] is not None else argument[2]).split())
        end = argument.end()
        if name in {"text", "textrm", "mbox", "hbox", "textnormal", "textit"}:
            word = WORDS.get(inner.strip(" ,").lower())
            if word:
                return self.add(*word, at, end)
            if not inner.strip(" ,."):
                return end
        if name == "mathbb" and inner not in self.symbols:
            raise self.source.error(f"\\mathbb{{{inner}}}: {REFUSED_MACROS['mathbb'][0]}", at,
                                    REFUSED_MACROS["mathbb"][1])  # fmt: skip
        if inner in self.symbols or _LETTER.match(inner):
            return self.add("name", inner, at, end)
        if inner in FUNCTIONS:
            return self.add("func", FUNCTIONS[inner], at, end)
        return self.add("text", inner, at, end)

    def sized(self, match: re.Match[str]) -> int:
        r"""Read \left| as an opening bar, \right\| as a closing one."""
        at, end = match.span()
        side, sign = match[1], match[2]
        opens = side == "left" or side.endswith("l")
        closes = side == "right" or side.endswith("r")
        state = "open" if opens else "close" if closes else ""
        if sign in {"|", r"\vert", r"\lvert", r"\rvert"}:
            return self.add("bar", "|" + state, at, end)
        if sign in {r"\|", r"\Vert", r"\lVert", r"\rVert"}:
            return self.add("norm", "||" + state, at, end)
        if sign == ".":
            raise self.source.error(f"\\{side}. leaves a bracket open", at)
        if sign in "<>":
            return self.add("open" if opens else "close", sign, at, end)
        return match.start(2)  # a macro such as \langle: read next

    def environment(self, at: int, end: int) -> int:
        r"""Read \begin{pmatrix}."""
        match = _ENVIRONMENT.match(self.text, at, end)
        if match is None:
            raise self.source.error("the name of the environment is missing", at)
        name = match[2]
        if name not in {"pmatrix", "bmatrix", "matrix", "vmatrix", "smallmatrix", "Bmatrix"}:
            raise self.source.error(f"the environment {name[:20]} is not read here", at)
        kind = "begin" if match[1] == "begin" else "finish"
        return self.add(kind, name, at, match.end())
