"""How often is the judge of derivations wrong?  ``python -m benchmarks.derivation_mutants [count]``

Every one-edit mutant of the lines of all exercises is judged against the first line, and judged
again by an oracle that shares no code with the judge. Reported: false proofs (the oracle finds a
difference), false refutations (the counterexample does not confirm), undecided, and times.
"""

from __future__ import annotations

import collections
import functools
import random
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from benchmarks.derivation_oracle import confirms, same
from convex_analyzer.derivations.exercises import Exercise, exercise, exercise_names
from convex_analyzer.derivations.judging.clock import spent
from convex_analyzer.derivations.judging.edits import edits
from convex_analyzer.derivations.judging.judge import judge
from convex_analyzer.errors import InputError
from convex_analyzer.parsing.expressions import read_expression


@dataclass
class Tally:
    """What came out."""

    counts: collections.Counter[str] = field(default_factory=collections.Counter)
    times: list[float] = field(default_factory=list)
    works: list[int] = field(default_factory=list)  # units of work: microseconds, everywhere
    false_proofs: list[tuple[Any, ...]] = field(default_factory=list)
    false_refutations: list[tuple[Any, ...]] = field(default_factory=list)
    missed: list[tuple[Any, ...]] = field(default_factory=list)

    @property
    def judged(self) -> int:
        """How many mutants were judged."""
        return len(self.times)

    def __str__(self) -> str:
        times = sorted(self.times)
        counts = ", ".join(f"{n} {name}" for name, n in sorted(self.counts.items()))
        return (
            f"{self.judged} mutants: {counts}; {len(self.false_proofs)} false proofs, "
            f"{len(self.false_refutations)} false refutations, {len(self.missed)} differences "
            f"that only the oracle found; median {1e3 * times[len(times) // 2]:.1f} ms, "
            f"95 % {1e3 * times[int(0.95 * len(times))]:.0f} ms, max {1e3 * times[-1]:.0f} ms"
        )


def mutants(task: Exercise) -> list[str]:
    """Return every one-edit mutant of the lines but the first."""
    texts: dict[str, None] = {}
    for line in task.lines[:0:-1]:
        tree = read_expression(line, task.symbols).tree
        texts.update((edit.text, None) for edit in edits(line, tree, task.symbols))
    return list(texts)


@functools.lru_cache(maxsize=1)
def shuffled(names: tuple[str, ...], seed: int) -> tuple[tuple[Exercise, str], ...]:
    """Return the mutants of some exercises in random order."""
    tasks = [exercise(name) for name in names]
    everything = [(task, text) for task in tasks for text in mutants(task)]
    random.Random(seed).shuffle(everything)
    return tuple(everything)


def run(
    count: int | None = None,
    seed: int = 1,
    names: Sequence[str] | None = None,
    part: tuple[int, int] = (0, 1),
) -> Tally:
    """Judge mutants: all that can be read, or `count` of them at random.

    `part` is (k, n): only every n-th of them, from the k-th on, so that others can judge the rest.
    """
    tally = Tally()
    for task, text in shuffled(tuple(names or exercise_names()), seed)[part[0] :: part[1]]:
        if tally.judged == count:
            break
        try:
            after = read_expression(text, task.symbols).value
        except InputError:
            continue
        before = task.values[0]
        start, begun = time.thread_time(), spent()
        verdict = judge(before, after, task.symbols)
        tally.works.append(spent() - begun)
        tally.times.append(time.thread_time() - start)
        tally.counts[verdict.status] += 1
        where = (task.name, text, verdict.reason)
        if verdict.status == "refuted":
            shown = verdict.counterexample
            if shown is not None and confirms(shown, before, after, task.symbols) is False:
                tally.false_refutations.append((*where, str(shown)))
        elif same(before, after, task.symbols) is False:
            found = tally.false_proofs if verdict.status == "proved" else tally.missed
            found.append(where)
    return tally


def main() -> None:
    """Run and print."""
    tally = run(int(sys.argv[1]) if len(sys.argv) > 1 else None)
    print(tally)
    for name in ("false_proofs", "false_refutations", "missed"):
        for entry in getattr(tally, name)[:20]:
            print(name, *entry)


if __name__ == "__main__":
    main()
