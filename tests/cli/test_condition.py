"""``convex-analyzer condition``: words, JSON, reports, bad input."""

import json

import numpy as np
import pytest

import convex_analyzer as ca
from convex_analyzer.conditioning.analysis import condition


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Return a file of data in which `half` is half of `whole`, but for noise, in other units."""
    rng = np.random.default_rng(3)
    whole, other = rng.normal(size=(2, 30))
    half = 1e4 * (0.5 * whole + 1e-3 * rng.normal(size=30))
    table = np.column_stack([whole, other, half, whole + other + rng.normal(size=30)])
    path = tmp_path_factory.mktemp("data") / "data.csv"
    np.savetxt(path, table, delimiter=",", header="whole,other,half,price", comments="")
    return path


def test_one_screen_answers_in_order(cli, data):
    code, out, err = cli("condition", data, "--target", "price")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == "UNITS: columns or coordinates of very different size."
    assert lines[1].startswith("κ(XᵀX) = ")
    assert lines[2].startswith("The least effort")
    assert len(lines) < 50
    order = ["as given", "What it costs", "keeps about", "Which columns collide", "half ≈ ",
             "What each remedy buys", "one pass over the data", "Worth knowing"]  # fmt: skip
    places = [out.index(word) for word in order]
    assert places == sorted(places)
    assert max(len(line) for line in lines if "  " in line) <= 100  # tables fit on a screen
    assert not any(word in out for word in ("nan", "None", "inf "))


def test_bars_are_as_long_as_the_logarithm(cli):
    out = cli("condition", "gallery:lecture001_slide24").out
    bars = {line[:20].strip(): line for line in out.splitlines() if "█" in line or "░" in line}
    given, scaled = bars["as given"], bars["columns scaled"]
    assert given.count("█") == scaled.count("█") + scaled.count("░")
    assert 7 < given.count("█") / scaled.count("█") < 17  # log 1.386e10 / log 6.558 = 12.4


def test_json_holds_the_analysis_of_the_same_problem(cli, data):
    words = ("--target", "price", "--drop-columns", "half", "--no-intercept", "--tolerance", "1e-4")
    code, out, _ = cli("condition", data, *words, "--json")
    plain = json.loads(out)
    assert code == 0
    same = ca.load(data, target="price", drop_columns=("half",), intercept=False)
    assert plain == condition(same, tolerance=1e-4).to_dict()
    assert plain["cause"] == "harmless"
    assert plain["labels"] == ["whole", "other"]


def test_a_matrix_and_a_start_of_ones_own(cli, tmp_path):
    np.save(tmp_path / "A.npy", np.diag([1.0, 4.0]) + 0.1)
    code, out, _ = cli("condition", tmp_path / "A.npy", "--start", "1,2")
    assert code == 0
    assert out.startswith("HARMLESS")
    assert "is small: there is nothing to mend" in out
    assert "from the start as given" in out
    assert "Which columns collide" not in out


def test_large_but_harmless_and_no_minimum_are_said(cli, tmp_path):
    np.save(tmp_path / "A.npy", np.diag([1e-6, 1.0]))
    out = cli("condition", tmp_path / "A.npy", "--start", "0,1").out
    assert out.startswith("HARMLESS")
    assert "little to do along the slow directions" in out
    out = cli("condition", "gallery:singular:bounded=false").out
    assert out.startswith("There is no minimum: ")
    assert "undefined" not in out


def test_out_writes_a_report_and_keeps_stdout_for_json(cli, tmp_path):
    page = tmp_path / "report.md"
    code, out, err = cli("condition", "gallery:toy", "--json", "--out", page)
    assert code == 0
    assert json.loads(out)["cause"] == "harmless"
    assert err.strip().startswith(f"wrote {page}")
    assert "convex-analyzer condition gallery:toy --json --out" in page.read_text()


def test_bad_input_is_one_line(refused, data, tmp_path):
    assert "negative curvature" in refused("condition", "gallery:saddle")
    assert "needs a target" in refused("condition", data)
    assert "the name of a report ends in" in refused(
        "condition", "gallery:toy", "--out", tmp_path / "x.txt"
    )
    assert "--start has 1 number, and" in refused("condition", "gallery:toy", "--start", "1")
    assert "tolerance" in refused("condition", "gallery:toy", "--tolerance", "0")
    assert "gap" in refused("condition", data, "--target", "gap")


def test_help_has_examples(cli):
    code, out, _ = cli("condition", "--help")
    assert code == 0
    assert "convex-analyzer condition examples/data/longley.csv --target TOTEMP" in out
    assert "--optimizer" not in out
