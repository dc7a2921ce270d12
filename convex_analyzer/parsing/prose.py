r"""Words round a formula: which of them are prose, and which belong to the formula.

An upright word right before an operand may be a function (``\mathrm{ReLU}(x)``): it is passed over
only where it is known to be prose.
"""

from __future__ import annotations

import re

__all__ = [
    "ARROW_WORDS",
    "COMMON",
    "DEFINING",
    "REASON_WORDS",
    "TEXT",
    "begins_formula",
    "condition_end",
    "denies",
    "is_heading",
    "says_something",
]

TEXT = re.compile(r"\\(?:text|textrm|mbox|textit|hbox|textnormal|mathrm|textup)\s*\{([^{}]*)\}")
ARROW_WORDS = frozenset({"so", "hence", "thus", "therefore", "then", "and so", "it follows that"})
_ACTS = (
    "add", "apply", "cancel", "collect", "combine", "complete", "divide", "expand", "factor",
    "insert", "multiply", "rearrange", "simplify", "solve", "square", "substitute", "subtract",
    "take", "use",
)  # fmt: skip
#: Words that begin a reason.
REASON_WORDS = (
    "because", "since", "by", "using", "due to", "as", "from", "where", "if", "for", "when",
    "provided", "assuming", "so that", "with", "definition", *_ACTS,
)  # fmt: skip
#: Words that make a line prose.
COMMON = frozenset({
    "also", "and", "are", "at", "be", "because", "but", "by", "first", "follows", "for", "from",
    "get", "give", "gives", "have", "hence", "holds", "if", "in", "is", "it", "next", "now", "of",
    "obtain", "on", "proof", "rule", "since", "so", "start", "that", "the", "then", "therefore",
    "this", "thus", "to", "use", "using", "we", "where", "which", "with", "finally",
    "consequently", "clearly", "note", "recall", "consider",
})  # fmt: skip
#: Words that begin a definition.
DEFINING = frozenset({"let", "define", "put", "set", "where", "with", "write"})
_HEADING = re.compile(rf"\s*(?:{'|'.join(_ACTS)})(?:ing)?\b", re.IGNORECASE)
_RELATION = re.compile(r"[=<>≤≥≠]|\\(?:leq?|geq?|neq?|lt|gt|in)(?![A-Za-z])")
_CLAIMS = frozenset({
    "is", "are", "not", "equals", "equal", "minus", "plus", "times", "over", "less", "greater",
    "never", "cannot", "does", "divided", "to", "squared", "or", "unless", "except", "nor", "mod",
})  # fmt: skip
_DENIALS = frozenset({
    "not", "false", "never", "wrong", "untrue", "impossible", "contradiction", "cannot", "no",
    "isn't", "doesn't", "fails", "unless", "except",
})  # fmt: skip
_CONDITIONAL = frozenset({"since", "because", "as", "if", "when", "for", "provided", "assuming"})
_OPERAND = re.compile(r"\s*(?:\\(?:left|[bB]igg?l?)(?![A-Za-z])\s*)?[(\[{_^]")


def is_heading(line: str) -> bool:
    r"""Return whether a line says what is done next, such as ``Factor out m:``.

    Examples
    --------
    >>> is_heading("Factor out m:"), is_heading(r"\text{Divide by } m:"), is_heading("m + 1")
    (True, True, False)
    """
    words = TEXT.sub(lambda match: match[1], line).strip()
    said = TEXT.match(line.strip())
    if said and _HEADING.match(said[1]) and said[1].split()[-1] in {"by", "out", "for", "with"}:
        return not _RELATION.search(words)
    return words.endswith(":") and bool(_HEADING.match(words)) and not _RELATION.search(words)


def begins_formula(macro: str, words: str, after: str) -> bool:
    r"""Return whether upright words at the begin of a line belong to the formula behind them.

    Parameters
    ----------
    macro
        As written, ``\text{Var}``.
    words
        What stands in its braces.
    after
        The rest of the line.

    Examples
    --------
    >>> begins_formula(r"\mathrm{ReLU}", "ReLU", "(x)"), begins_formula(r"\text{So }", "So ", "x")
    (True, False)
    >>> begins_formula(r"\text{minus }", "minus ", "x")
    True
    """
    plain = words.strip(" ,.:;()").lower()
    if not after.strip() or plain in ARROW_WORDS or plain == "let":
        return False
    if says_something(words):
        return True
    if _OPERAND.match(after) and not words.endswith((" ", ":", ",")):
        return True
    if words.rstrip().endswith((":", ",", ".")) or after.lstrip().startswith((":", ",")):
        return False
    upright = macro.startswith((r"\mathrm", r"\textup"))
    parts = plain.split()
    if len(parts) == 1:
        return upright or parts[0] not in COMMON
    return not any(part in COMMON for part in parts)


def condition_end(words: str, rest: str) -> tuple[bool, int]:
    r"""Return whether words open a condition, and where it ends in the rest of the line.

    It ends with the last words of the line, or with a colon or comma of its own; 0: not at all, so
    that nobody knows whether ``\text{if } x > 0`` is a claim.

    Examples
    --------
    >>> condition_end("since", r" m > 0, \text{ we get } x"), condition_end("if", " x > 0")
    ((True, 23), (True, 0))
    >>> condition_end("By symmetry", " x = y")
    (False, 0)
    """
    first = words.strip(" ,.:;()").lower().split()[:1]
    if not first or first[0] not in _CONDITIONAL:
        return False, 0
    if words.rstrip().endswith((":", ",")):
        return False, 0
    ends = [match.end() for match in TEXT.finditer(rest)]
    if ends:
        return True, ends[-1]
    return True, len(rest) if rest.rstrip().endswith(",") else 0


def denies(words: str) -> bool:
    """Return whether words say of the formula beside them that it does not hold.

    Examples
    --------
    >>> denies("It is not true that"), denies("since m is not zero"), denies("It follows that")
    (True, False, False)
    """
    said = re.findall(r"[a-z']+", words.lower().replace("’", "'"))
    return bool(said) and said[0] not in REASON_WORDS and not _DENIALS.isdisjoint(said)


def says_something(words: str) -> bool:
    """Return whether words behind a formula change what it says: x > 0 *is false*."""
    first = words.strip(" ,.:;()").lower().split()[:1]
    return bool(first) and (first[0] in _CLAIMS or denies(words))
