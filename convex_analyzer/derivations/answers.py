r"""Files with derivations: plain text, ``align`` blocks of a .tex file, blocks of a .md file."""

from __future__ import annotations

import re
from pathlib import Path

from convex_analyzer.errors import InputError

__all__ = ["answer_in", "derivations_in", "read_text"]

_LARGEST = 1_000_000  # bytes
_FENCE = re.compile(
    r"^(?P<fence>`{3,}|~{3,})[ \t]*derivation\b[^\n]*\n(?P<body>.*?)^(?P=fence)[ \t]*$",
    re.MULTILINE | re.DOTALL,
)
_DISPLAYS = r"align|alignat|flalign|gather|multline|equation|eqnarray|displaymath|math"
_BLOCK = re.compile(
    rf"(?P<body>\\begin\{{(?P<name>(?:{_DISPLAYS})\*?)\}}.*?\\end\{{(?P=name)\}}"
    r"|\\\[.*?\\\]|\$\$.*?\$\$)",
    re.DOTALL,
)
_COMMENT = re.compile(r"(?<!\\)%[^\n]*")
_HEADER = re.compile(r"%+(?P<body>[ \t]*(?:symbols|given|notation)[ \t]*:[^\n]*)")


def read_text(path: str | Path) -> str:
    """Return the text of a file.

    Raises
    ------
    InputError
        The file is missing, larger than a megabyte, or no text: says which.
    """
    file = Path(path)
    try:
        with file.open("rb") as stream:
            data = stream.read(_LARGEST + 1)
    except (OSError, ValueError) as error:
        reason = (getattr(error, "strerror", None) or str(error)).lower()
        raise InputError(f"{file}: {reason}", argument="path", value=str(path)) from None
    return text_of(data, str(file))


def text_of(data: bytes, name: str) -> str:
    """Return bytes as text; `name` is what they are called in an error.

    Examples
    --------
    >>> text_of("αλ".encode(), "answer.txt")
    'αλ'
    """
    if len(data) > _LARGEST:
        raise InputError(f"{name}: larger than {_LARGEST:,} bytes", argument="path")
    wide = data[:2] in (b"\xff\xfe", b"\xfe\xff")
    try:
        text = data.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(
            f"{name} is not text in UTF-8", argument="path", hint="save it as plain text"
        ) from None
    if "\0" in text:
        raise InputError(f"{name} is not text: it holds zero bytes", argument="path")
    if not text.strip():
        raise InputError(f"{name} is empty", argument="path")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def derivations_in(text: str, suffix: str = "") -> tuple[str, ...]:
    r"""Return the derivations of a file, each with empty lines in front: lines keep their numbers.

    Parameters
    ----------
    text
        The whole file.
    suffix
        ``.md``: blocks fenced as ``derivation``; ``.tex``: displayed formulas, and
        ``% symbols: ...`` before them; else the text itself is one derivation.

    Raises
    ------
    InputError
        A Markdown file without such a block.

    Examples
    --------
    >>> derivations_in("# Notes\n```derivation\nx + x\n2*x\n```\n", ".md")
    ('\n\nx + x\n2*x\n',)
    """
    if suffix.lower() in (".md", ".markdown"):
        found = tuple(_kept(text, [m.span("body")]) for m in _FENCE.finditer(text))
        if not found:
            raise InputError(
                "the file has no block fenced as ```derivation", argument="text",
                hint="put the lines between ```derivation and ```",
            )  # fmt: skip
        return found
    if suffix.lower() == ".tex":
        headers, bare = _uncommented(text)
        blocks = [match.span("body") for match in _BLOCK.finditer(bare)]
        if blocks:
            return tuple(
                _kept(bare, [*(h for h in headers if h[0] < start), (start, end)])
                for start, end in blocks
            )
    return (text,)


def _uncommented(text: str) -> tuple[list[tuple[int, int]], str]:
    """Return where ``% symbols:`` lines stand, and the text with comments blanked."""
    headers = [match.span("body") for match in _HEADER.finditer(text)]
    letters = list(text)
    for match in _COMMENT.finditer(text):
        head = _HEADER.match(text, match.start())
        stop = head.start("body") if head else match.end()
        letters[match.start() : stop] = " " * (stop - match.start())
    return headers, "".join(letters)


def _kept(text: str, spans: list[tuple[int, int]]) -> str:
    """Return the spans of a text, all else blanked: lines and columns stay."""
    kept, last = [], 0
    for start, end in sorted(spans):
        kept += [re.sub(r"[^\n]", " ", text[last:start]), text[start:end]]
        last = end
    return re.sub(r"(?m)^[ \t]+$", "", "".join(kept))


def answer_in(text: str, suffix: str = "") -> str:
    """Return an answer to one exercise: all derivations of a file as one, or the text itself.

    Examples
    --------
    >>> answer_in("x + x = 2*x", ".md")
    'x + x = 2*x'
    """
    try:
        parts = derivations_in(_HEADER.sub("", text) if suffix == ".tex" else text, suffix)
    except InputError:
        return text
    if parts == (text,):
        return text
    lines = max(part.count("\n") for part in parts) + 1
    rows = [""] * lines
    for part in parts:
        for number, line in enumerate(part.split("\n")):
            if line.strip():
                rows[number] = line
    return "\n".join(rows)
