"""Plain text to tokens: Python's operators, and what people type instead of them."""

from __future__ import annotations

import re
from collections.abc import Mapping

from convex_analyzer.parsing.names import GREEK, SUBSCRIPTS, SUPERSCRIPTS
from convex_analyzer.parsing.plain_functions import FUNCTION_NAMES
from convex_analyzer.parsing.symbols import Symbols
from convex_analyzer.parsing.tokens import MOST_TOKENS, Source, Token

__all__ = ["REFUSED", "PlainLexer", "number_text"]

_NUMBER = re.compile(r"(?:\d+(?:\.\d+|\.(?![A-Za-z]))?|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_WORD = re.compile(r"[A-Za-z](?:[A-Za-z0-9_]*[A-Za-z0-9])?", re.ASCII)
_TAIL = re.compile(r"(?:[A-Za-z0-9_]*[A-Za-z0-9])?", re.ASCII)
_GREEK = f"[{''.join(GREEK)}]"
_DECORATION = re.compile(
    rf"(?:_\{{[^{{}}]{{1,40}}\}}|₍[^₍₎\n]{{1,40}}₎|[{''.join(SUBSCRIPTS)}]+|_(?:{_GREEK}|[A-Za-z0-9]+))?"
    rf"(?:\^\{{[^{{}}]{{1,40}}\}}|\^\*)?['′]{{0,3}}⋆?"
)
_ACCENT = re.compile("[\u0302\u0303\u0304\u0305\u0307\u20d7]+")
_RAISED = re.compile(f"[{''.join(map(re.escape, SUPERSCRIPTS))}]+")
_SHIFT = re.compile(r"[+-]\d+(?![\w.])")
_LONGEST_NAME = 60
_SPACE = re.compile(r"[\s\u00a0\u2007\u2009\u202f\u2002\u2003\u2005]+")
_TRANSPOSED = re.compile(r"\.T(?![A-Za-z0-9_])|[ᵀ⊤]")
_FRACTIONS: Mapping[str, str] = {"½": "1/2", "⅓": "1/3", "¼": "1/4", "¾": "3/4", "⅔": "2/3",
                                 "⅛": "1/8"}  # fmt: skip
_LOGIC: Mapping[str, str] = {"and": "and", "or": "or", "not": "not", "∧": "and", "∨": "or",
                             "¬": "not"}  # fmt: skip
_SIGNS: tuple[tuple[str, str, str], ...] = (
    ("<==>", "arrow", "<=>"), ("<=>", "arrow", "<=>"), ("==>", "arrow", "=>"),
    ("<==", "arrow", "<=="), ("=>", "arrow", "=>"), ("⇒", "arrow", "=>"), ("⟹", "arrow", "=>"),
    ("⇔", "arrow", "<=>"), ("⟺", "arrow", "<=>"), ("⇐", "arrow", "<=="),
    ("<=", "rel", "<="), (">=", "rel", ">="), ("==", "rel", "="), ("!=", "rel", "!="),
    (":=", "rel", "="), ("≤", "rel", "<="), ("≥", "rel", ">="), ("⩽", "rel", "<="),
    ("⩾", "rel", ">="), ("≠", "rel", "!="), ("<", "rel", "<"), (">", "rel", ">"),
    ("=", "rel", "="), ("∈", "in", "in"), ("**", "op", "^"), ("^", "op", "^"),
    ("||", "norm", "||"), ("‖", "norm", "||"), ("|", "bar", "|"), ("+", "op", "+"),
    ("-", "op", "-"), ("−", "op", "-"), ("–", "op", "-"), ("*", "op", "*"), ("·", "op", "*"),
    ("⋅", "op", "*"), ("∗", "op", "*"), ("×", "op", "*"), ("/", "op", "/"), ("÷", "op", "/"),
    ("(", "open", "("), ("[", "open", "["), ("{", "open", "{"), (")", "close", ")"),
    ("]", "close", "]"), ("}", "close", "}"), (",", "comma", ","), ("√", "prefix", "sqrt"),
)  # fmt: skip
#: Signs that are understood, and not read: the reason.
REFUSED: Mapping[str, tuple[str, str]] = {
    "≈": ("an approximation cannot be proved", "write =, or bound the error"),
    "±": ("± makes two statements of one", "write each of them"),
    "∓": ("∓ makes two statements of one", "write each of them"),
    "≪": ("≪ has no exact meaning", "write a relation with < and a factor"),
    "≫": ("≫ has no exact meaning", "write a relation with > and a factor"),
    "∼": ("∼ has no exact meaning here", "write =, < or <="),
    "∝": ("∝ leaves the factor out", "write = with the factor"),
    "≡": ("≡ is not read", "write ="),
    "∑": ("a sum is written with its bounds", "Sum(u**i, (i, 0, k))"),
    "∏": ("a product is written with its bounds", "Product(u, (i, 1, k))"),
    "…": ("dots leave terms out", "write Sum(u**i, (i, 0, k))"),
    "→": ("a limit is not read", "write what holds for every k"),
    "←": ("an assignment is written =", ""),
    "∞": ("infinity is no number", "write a relation without it"),
    "∂": ("a derivative is written diff(f, x)", ""),
    "!": ("factorials are not read", ""),
    "%": ("percent is not read", "write 1/100"),
    "@": ("a product is written *", ""),
    "'": ("a prime belongs to a declared name", "a transpose is written A.T"),
    '"': ("quotation marks do not belong in a formula", ""),
    "`": ("quotation marks do not belong in a formula", ""),
    ".": ("only .T is read after a dot", "write sqrt(x), not np.sqrt(x)"),
    ":": ("a colon does not belong in a formula", ""),
    ";": ("one statement a line", ""),
    "?": ("a question mark does not belong in a formula", ""),
    "~": ("~ is not read", "write not"),
    "&": ("& is not read", "write and"),
    "$": ("$ is not closed", ""),
    "#": ("a remark does not belong here", ""),
    "\\": ("a backslash belongs to LaTeX", ""),
    "_": ("a name does not begin with _", ""),
}


def number_text(source: Source, text: str, position: int) -> str:
    """Return a number as it is written, after a look at its size."""
    digits, _, power = text.lower().partition("e")
    if len(digits) > 60 or len(power) > 4 or (power and abs(int(power)) > 300):
        raise source.error("this number is too long", position, "60 digits, powers up to e300")
    return text


class PlainLexer:
    """Turns one statement into tokens; each name is found among those declared."""

    def __init__(self, source: Source, symbols: Symbols) -> None:
        self.source, self.symbols = source, symbols
        self.text = source.plain
        self.tokens: list[Token] = []
        self.notes: list[str] = []

    def read(self, start: int, end: int) -> list[Token]:
        """Return the tokens between two places, with one of kind ``end`` behind them."""
        self.source.check(start, end)
        self.run(start, end)
        self.tokens.append(Token("end", "the end", end, end))
        return self.tokens

    def run(self, start: int, end: int) -> None:
        """Read tokens between two places."""
        at = start
        while at < end:
            space = _SPACE.match(self.text, at, end)
            if space:
                at = space.end()
                continue
            at = self.one(at, end, at > start and space_before(self.text, at))
            if len(self.tokens) > MOST_TOKENS:
                raise self.source.error(
                    f"more than {MOST_TOKENS} signs", start, "write shorter lines"
                )

    def add(self, kind: str, value: str, start: int, end: int, *, spaced: bool = False) -> int:
        """Add a token; return where it ends."""
        self.tokens.append(Token(kind, value, start, end, spaced))
        return end

    def one(self, at: int, end: int, spaced: bool) -> int:
        """Read one token; return where it ends."""
        letter = self.text[at]
        if letter.isascii() and letter.isalpha():
            return self.word(at, end, spaced)
        if letter in GREEK or letter == "∇":
            return self.greek(at, end, spaced)
        if letter in _FRACTIONS:
            return self.add("number", _FRACTIONS[letter], at, at + 1, spaced=spaced)
        number = _NUMBER.match(self.text, at, end)
        if number:
            return self.number(number, end, spaced)
        transposed = _TRANSPOSED.match(self.text, at, end)
        if transposed:
            return self.add("transpose", "T", at, transposed.end(), spaced=spaced)
        raised = _RAISED.match(self.text, at, end)
        if raised:
            return self.raised(raised, spaced)
        return self.sign(at, end, spaced)

    def sign(self, at: int, end: int, spaced: bool) -> int:
        """Read a sign."""
        letter = self.text[at]
        if self.text.startswith("->", at, end):
            raise self.source.error(REFUSED["→"][0], at, REFUSED["→"][1])
        for sign, kind, value in _SIGNS:
            if self.text.startswith(sign, at, end):
                return self.add(kind, value, at, at + len(sign), spaced=spaced)
        if letter in _LOGIC:
            return self.add("logic", _LOGIC[letter], at, at + 1)
        letter = "…" if self.text.startswith("..", at, end) else letter
        message, hint = REFUSED.get(letter, (f"{letter!r} is not read", "use the usual signs"))
        raise self.source.error(message, at, hint)

    def number(self, match: re.Match[str], end: int, spaced: bool) -> int:
        """Read a number; 2e3 is asked about where e is a symbol."""
        at, stop = match.span()
        if "e" in match[0].lower() and "e" in self.symbols:
            raise self.source.error(
                "this can be read in two ways", at, "write 10**3, or 2*e with a sign"
            )
        text = number_text(self.source, match[0], at)
        return self.add("number", text, at, min(stop, end), spaced=spaced)

    def raised(self, match: re.Match[str], spaced: bool) -> int:
        """Read a run of raised characters: ^( ... ), or ᵀ."""
        at, end = match.span()
        inner = "".join(SUPERSCRIPTS[c] for c in match[0])
        if inner == "T":
            return self.add("transpose", "T", at, end)
        self.add("super", inner, at, end, spaced=spaced)
        sub = PlainLexer(Source(self.text[:at] + inner + self.text[end:]), self.symbols)
        sub.run(at, end)
        self.tokens += sub.tokens
        return self.add("close", "super", end, end)

    # -- names --------------------------------------------------------------------------------

    def word(self, at: int, end: int, spaced: bool) -> int:
        """Read a name in Latin letters, with all that is attached to it."""
        match = _WORD.match(self.text, at, end)
        stop = match.end() if match else at + 1
        word = self.text[at:stop]
        if word in _LOGIC and word not in self.symbols:
            return self.add("logic", _LOGIC[word], at, stop, spaced=spaced)
        if word == "in" and word not in self.symbols:
            return self.add("in", "in", at, stop)
        if "__" in word:
            raise self.source.error("a name does not contain __", at)
        return self.decorated(at, stop, end, spaced)

    def decorated(self, at: int, stop: int, end: int, spaced: bool) -> int:
        """Find the longest declared name that begins here."""
        if stop - at > _LONGEST_NAME:
            raise self.source.error(f"a name has at most {_LONGEST_NAME} characters", at)
        accent = _ACCENT.match(self.text, stop, end)
        if accent:
            stop = accent.end()
        decoration = _DECORATION.match(self.text, stop, end)
        full = decoration.end() if decoration else stop
        starred = self.star(at, full, end)
        if starred:
            return self.add("name", self.text[at:starred], at, starred, spaced=spaced)
        self.check_index(at, full, end)
        for cut in range(full, stop - 1, -1):
            if self.text[at:cut] in self.symbols:
                if cut < full and self.text[cut] in "_'′":
                    break
                return self.add("name", self.text[at:cut], at, cut, spaced=spaced)
        word = self.text[at:stop]
        if full > stop and FUNCTION_NAMES.get(word) in {"Sum", "Product"}:
            sign = "∑" if FUNCTION_NAMES[word] == "Sum" else "∏"
            raise self.source.error(REFUSED[sign][0], at, REFUSED[sign][1])
        if full == stop and word in FUNCTION_NAMES:
            return self.add("func", word, at, stop, spaced=spaced)
        if full == stop and self.glued(word):
            return self.apart(word, at, spaced)
        return self.indexed(at, full, spaced) or self.add(
            "name", self.text[at:full], at, full, spaced=spaced
        )

    def glued(self, word: str) -> bool:
        """Return whether a word is none, but declared letters side by side."""
        return 1 < len(word) <= 6 and word.isalpha() and all(c in self.symbols for c in word)

    def apart(self, word: str, at: int, spaced: bool) -> int:
        """Read al as the product a*l, and say so."""
        for i, letter in enumerate(word):
            self.add("name", letter, at + i, at + i + 1, spaced=spaced and i == 0)
        self.notes.append(f"{word} is read as the product {'*'.join(word)}")
        return at + len(word)

    def check_index(self, at: int, full: int, end: int) -> None:
        """Ask about x_k+1 where x_{k+1} is declared too, or x is a sequence."""
        more = _SHIFT.match(self.text, full, end)
        name = self.text[at:full]
        if more is None or "_" not in name or name.endswith("}"):
            return
        base, _, index = name.partition("_")
        shifted = f"{base}_{{{index}{more[0]}}}"
        declared = self.symbols.find(base)
        if shifted in self.symbols or (declared is not None and declared.kind == "sequence"):
            raise self.source.error(
                "this can be read in two ways", full, f"write {shifted} or {name} {more[0][0]} ..."
            )

    def star(self, at: int, full: int, end: int) -> int:
        """Return the end of a starred name such as theta*, if one is declared; else 0."""
        if not self.text.startswith("*", full, end) or f"{self.text[at:full]}*" not in self.symbols:
            return 0
        rest = self.text[full + 1 : end].lstrip()
        spaced = self.text[full + 1 : full + 2].isspace()
        if rest and rest[0] not in "+-*/)]=<>,!^≤≥.|" and rest[0] not in SUPERSCRIPTS:
            if spaced:
                raise self.source.error(
                    "this can be read in two ways", full, "write theta_star, or spaces round *"
                )
            return 0
        if rest.startswith(("-", "+")) and not spaced:
            raise self.source.error(
                "this can be read in two ways", full, "write theta_star, or spaces round *"
            )
        return 0 if rest.startswith("*") and not self.text[full + 1].isspace() else full + 1

    def indexed(self, at: int, full: int, spaced: bool) -> int:
        """Read g_i, g_{k-i} or gᵢ as an element of a declared sequence; 0: it is none."""
        text = self.text[at:full]
        found = re.match(r"([^_₀-₉ₐ-ₜ₊₋ᵢᵣᵤᵥⱼ]+)(_?)(.+)$", text)
        declared = self.symbols.find(found[1]) if found else None
        if found is None or declared is None or declared.kind != "sequence":
            return 0
        self.add("name", found[1], at, at + len(found[1]), spaced=spaced)
        begin = at + found.start(3)
        inner = "".join(SUBSCRIPTS.get(c, c) for c in found[3])
        sub = PlainLexer(Source(self.text[:begin] + inner + self.text[full:]), self.symbols)
        if inner.startswith("{"):
            begin, inner = begin + 1, inner[1:-1]
        self.add("open", "[", begin, begin)
        sub.run(begin, begin + len(inner))
        self.tokens += sub.tokens
        self.add("close", "]", full, full)
        return full

    def greek(self, at: int, end: int, spaced: bool) -> int:
        """Read a Greek letter: λmax if that is declared, else λ alone."""
        stop = at + 1
        if self.text[at] == "∇" and stop < end:
            stop += 1
        tail = _TAIL.match(self.text, stop, end)
        last = tail.end() if tail else stop
        for cut in range(min(last, at + _LONGEST_NAME), stop, -1):
            if self.text[at:cut] in self.symbols:
                return self.decorated(at, cut, end, spaced)
        if self.text[stop : stop + 1].isdigit():  # λ1, not declared: no product
            return self.decorated(at, last, end, spaced)
        return self.decorated(at, stop, end, spaced)


def space_before(text: str, at: int) -> bool:
    """Return whether a space stands before a place."""
    return at > 0 and text[at - 1].isspace()
