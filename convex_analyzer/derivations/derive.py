"""From an update rule to what it does, line by line: one function, many topics.

Each statement is built from the rule's own `step`, run on symbols, and each is checked by a
computation that does not reuse the one that produced it. What is printed are the very objects that
were checked.
"""

from __future__ import annotations

import functools
from typing import Any

from convex_analyzer.derivations.conditions import best_lines, stability_lines
from convex_analyzer.derivations.linear import gradient_line, matrix_lines, step_line
from convex_analyzer.derivations.lines import Derivation
from convex_analyzer.derivations.setting import Setting
from convex_analyzer.derivations.topic import Topic, find_topic, registered_topics
from convex_analyzer.errors import InputError
from convex_analyzer.optimizers import find
from convex_analyzer.optimizers.base import Optimizer
from convex_analyzer.tables import Table

__all__ = ["Deriver", "derive"]


class Deriver:
    """What `derive` is: callable, and able to list its topics."""

    __name__ = "derive"

    def __call__(
        self, topic: str | type[Optimizer] | Optimizer, about: Any = None, other: Any = None
    ) -> Derivation:
        """Derive a topic from the update rule of an optimizer, or from a formula.

        Parameters
        ----------
        topic
            A name (`topics` lists them). An optimizer in its place stands for all that is known of
            its convergence: rule, solution, stability, best setting.
        about
            What the topic is derived for: an optimizer, as a class, an instance or a name; a
            formula for ``"convexity"``. The topic's natural example when left out.
        other
            The second optimizer, for ``"equivalence"``.

        Returns
        -------
        Derivation
            Numbered lines, each with its reason and its check; `stopped` says where it ends short.

        Raises
        ------
        InputError
            No such topic, or arguments that it does not take.
        NotDerivableError
            Nothing can be derived for this rule; says why, and where in `step`.

        Examples
        --------
        >>> from convex_analyzer.optimizers.gradient import GradientDescent
        >>> derivation = derive("solution", GradientDescent)
        >>> derivation.proved, derivation.lines[-2].text
        (True, 'Eq(x[k], (-alpha*lambda + 1)**k*x[0])')
        >>> derive("jury").lines[-1].text
        '(0 < alpha*lambda) & (alpha*lambda < 2*mu + 2)'
        """
        if not isinstance(topic, str):
            return _of_rules(_convergence, (topic,))
        found = find_topic(topic)
        given = [value for value in (about, other) if value is not None]
        if found.takes == "nothing" and given:
            raise InputError(
                f"{found.name} is about the data alone and takes no optimizer", argument="about"
            )
        most = {"rules": 2, "nothing": 0}.get(found.takes, 1)
        if len(given) > most:
            raise InputError(f"{found.name} takes one argument, got two", argument="other")
        if found.takes in {"formula", "nothing"}:
            return found.build(*(given or found.natural))
        rules = tuple(_rule(value, found) for value in given)
        named = tuple(find(name) for name in found.natural[len(rules) :])
        return _of_rules(found.build, (*rules, *named))

    def topics(self) -> Table:
        """Return what can be derived, as a table.

        Examples
        --------
        >>> derive.topics().columns
        ('topic', 'what is derived', 'natural example')
        """
        rows = tuple(
            (topic.name, topic.about, ", ".join(topic.natural))
            for topic in registered_topics().values()
        )
        return Table(("topic", "what is derived", "natural example"), rows, left=3)


derive = Deriver()


def _rule(value: Any, topic: Topic) -> type[Optimizer] | Optimizer:
    if isinstance(value, str):
        return find(value)
    if isinstance(value, Optimizer) or (isinstance(value, type) and issubclass(value, Optimizer)):
        return value
    raise InputError(
        f"{topic.name} is derived for an optimizer, got {type(value).__name__}",
        argument="about",
        hint="pass a class such as HeavyBall, an instance, or a name",
    )


@functools.lru_cache(maxsize=128)
def _of_rules(build: Any, rules: tuple[Any, ...]) -> Derivation:
    made: Derivation = build(*rules)
    return made


def _convergence(optimizer: type[Optimizer] | Optimizer) -> Derivation:
    s = Setting(optimizer)
    s.require_slots(1, 2)
    lines = [gradient_line(s), step_line(s), *matrix_lines(s)]
    stable, unlimited = stability_lines(s)
    best, unknown = best_lines(s)
    notes = " ".join(f"{note}." for note in (unlimited, unknown) if note)
    return Derivation(f"How {s.name} converges", tuple(lines + stable + best), notes)
