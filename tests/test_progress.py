"""Where long work stands: stages, shares, names, files, and silence without a listener."""

from __future__ import annotations

import numpy as np
import pytest

from convex_analyzer import compare, gallery, optimizers, simulate
from convex_analyzer.files import write_bytes
from convex_analyzer.optimizers.gradient import GradientDescent
from convex_analyzer.progress import (
    Stage,
    both,
    each,
    ignore,
    listening,
    share,
    stage,
    wrote,
)


class Recorder:
    def __init__(self):
        self.shares, self.over, self.files = [], [], []

    def changed(self, stages):
        self.shares.append(share(stages))

    def ended(self, stage):
        self.over.append((stage.text, stage.done, stage.total, stage.whole, tuple(stage.names)))

    def wrote(self, path):
        self.files.append(path)


@pytest.fixture
def heard():
    recorder = Recorder()
    with listening(recorder):
        yield recorder


def test_nobody_listens():
    with stage("working", 3) as advance:
        assert advance is ignore
        advance(2, "x")
    assert list(each("ab", "reading")) == ["a", "b"]
    wrote("file")
    assert both(None, ignore) is None
    assert both(print, ignore) is print


def test_stages_within_stages(heard):
    with stage("outer", 2, "things") as advance:
        for letter in each("abcd", "inner", "letters", str.upper):
            assert letter in "abcd"
        advance(1, "first")
    assert heard.over == [
        ("inner", 4, 4, True, ("A", "B", "C", "D")), ("outer", 1, 2, True, ("first",))
    ]  # fmt: skip
    assert heard.shares == [0, 0, 1 / 8, 2 / 8, 3 / 8, 4 / 8, 1 / 2]
    assert share([Stage("outer"), Stage("inner", 2, done=1)]) is None
    assert share([Stage("outer", 4), Stage("inner", None, done=7)]) == 0


def test_a_stage_that_breaks_is_not_whole(heard):
    def work():
        with stage("dividing", 2) as advance:
            advance()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        work()
    assert heard.over == [("dividing", 1, 2, False, ())]


def test_simulations_tell_every_step_of_every_tile(heard, monkeypatch):
    from convex_analyzer.simulation import engine

    monkeypatch.setattr(engine, "TILE_ELEMENTS", 1)
    counts = []
    start = np.ones((engine.TILE_RUNS + 1, 2))
    simulate(gallery.toy(), GradientDescent(0.1), start, 100, progress=counts.append)
    assert heard.over == [("running GradientDescent", 200, 200, True, ())]
    assert sum(counts) == 200
    assert heard.shares[-1] == 1


def test_comparisons_name_what_is_done_and_searches_are_told(heard):
    compare(gallery.toy(), [GradientDescent, optimizers.find("Adam")], steps=10)
    told = {text: (done, total, names) for text, done, total, _, names in heard.over}
    assert told["comparing"] == (2, 2, ("GradientDescent", "Adam"))
    assert told["tuning Adam"][1] == 2
    assert all(part is None or 0 <= part <= 1 for part in heard.shares)


def test_files_that_lie_whole_on_disk_are_told(heard, tmp_path):
    write_bytes(tmp_path / "a", b"text")
    assert heard.files == [tmp_path / "a"]
