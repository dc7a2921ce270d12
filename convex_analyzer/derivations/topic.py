"""What a topic is, and the list of all of them.

A topic is one module of `convex_analyzer.derivations.topics` with a `TOPIC`; nothing else names it.
"""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from convex_analyzer.derivations.lines import Derivation
from convex_analyzer.errors import InputError

__all__ = ["Topic", "find_topic", "registered_topics"]


@dataclass(frozen=True)
class Topic:
    """One thing that can be derived.

    Attributes
    ----------
    name
        What `derive` calls it.
    about
        One line.
    build
        Makes the derivation of what the topic is about.
    natural
        What it is about when nothing is named: the names of optimizers, or a formula; empty when
        it is about the data alone.
    takes
        ``"rule"``: one optimizer; ``"rules"``: two; ``"formula"``; ``"nothing"``.
    """

    name: str
    about: str
    build: Callable[..., Derivation]
    natural: tuple[str, ...] = ()
    takes: str = "rule"


@functools.cache
def registered_topics() -> dict[str, Topic]:
    """Return every topic by name.

    Examples
    --------
    >>> registered_topics()["jury"].natural
    ('HeavyBall',)
    """
    package: Any = importlib.import_module("convex_analyzer.derivations.topics")
    found = {}
    for info in pkgutil.iter_modules(package.__path__):
        topic: Topic = importlib.import_module(f"{package.__name__}.{info.name}").TOPIC
        found[topic.name] = topic
    return found


def find_topic(name: str) -> Topic:
    """Return a topic.

    Raises
    ------
    InputError
        There is none of this name; the message names the nearest, or all.
    """
    topics = registered_topics()
    key = name.strip().lower().replace("-", "_").replace(" ", "_")
    if key not in topics:
        import difflib

        near = difflib.get_close_matches(key, topics, n=1)
        listed = f"did you mean {near[0]}?" if near else f"topics: {', '.join(topics)}"
        raise InputError(f"there is no derivation of {name!r}", argument="topic", hint=listed)
    return topics[key]
