"""Docstrings of this package, taken apart: sentences, paragraphs, what each parameter means."""

from __future__ import annotations

import inspect
import re
import textwrap

__all__ = ["first_sentence", "read", "without_name"]


def read(text: str) -> tuple[str, str, dict[str, str]]:
    """Return the first paragraph, the others, and the parameters by name.

    Examples
    --------
    >>> from convex_analyzer.optimizers.gradient import GradientDescent
    >>> head, _, meanings = read(inspect.getdoc(GradientDescent))
    >>> head, meanings
    ('Gradient descent with a constant learning rate (lecture 001, slides 20-22)',
     {'learning_rate': 'α, positive.'})
    """
    body, *sections = re.split(r"\n(?=[A-Z][a-z]+\n-{3,}\n)", text)
    head, _, details = body.strip().partition("\n\n")
    parameters: dict[str, str] = {}
    for section in sections:
        if section.startswith("Parameters\n"):
            parameters = _parameters(section.split("\n", 2)[2])
    return _plain(head).rstrip("."), _plain(details), parameters


def _parameters(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for entry in re.split(r"\n(?=\S)", text.strip("\n")):
        names, _, meaning = entry.partition("\n")
        told = " ".join(_plain(textwrap.dedent(meaning)).split())
        found.update({name.strip(): told for name in names.split(",")})
    return found


def _plain(text: str) -> str:
    """Return text without the marks of reStructuredText."""
    return re.sub(r"(``?)(.+?)\1", r"\2", text, flags=re.DOTALL).strip()


def without_name(name: str, sentence: str) -> str:
    """Return the sentence on one line, without the name in front of it.

    Examples
    --------
    >>> without_name("LBFGS", "L-BFGS: the last pairs of steps")
    'the last pairs of steps'
    """
    text = " ".join(sentence.split())
    first, colon, rest = text.partition(": ")
    return rest if colon and re.sub(r"\W", "", first).lower() == name.lower() else text


def first_sentence(doc: str) -> str:
    """Return the first sentence of a docstring, on one line; empty for an empty one.

    Examples
    --------
    >>> first_sentence("One idea: a mean, e.g. this. And more.")
    'One idea: a mean, e.g. this.'
    """
    paragraph = " ".join(inspect.cleandoc(doc).partition("\n\n")[0].split())
    return _plain(re.split(r"(?<=[.?!]) (?=[A-Z])", paragraph)[0])
