"""From a comparison to pages: the right findings, one set of numbers, nothing half-written."""

from __future__ import annotations

import dataclasses
import hashlib
import importlib.util
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse
import scipy.sparse.linalg
from cases import each

import convex_analyzer as ca
from convex_analyzer.diagnosis.recap import recap
from convex_analyzer.domains import Positive
from convex_analyzer.errors import InputError
from convex_analyzer.reporting import document as d
from convex_analyzer.reporting import typst as pages
from convex_analyzer.reporting.build import build
from convex_analyzer.reporting.markdown import to_markdown
from convex_analyzer.reporting.recap_page import call_text
from convex_analyzer.tables import format_count, format_number


class Cubic(ca.Optimizer):
    """A rule that is not linear."""

    learning_rate: Positive

    def step(self, problem, t, theta):
        gradient = problem.gradient(theta)
        return theta - self.learning_rate * (gradient + gradient * gradient * gradient)


class ThreeSlots(ca.Optimizer):
    """A linear rule that has theory and no printed derivation."""

    learning_rate: Positive

    def step(self, problem, t, theta, u, v):
        u = 0.9 * u - self.learning_rate * problem.gradient(theta)
        v = 0.5 * v - self.learning_rate * problem.gradient(theta)
        return theta + u + v, u, v


class Unnamed(ca.Optimizer):
    """Gradient descent whose step size has another name."""

    lr: Positive

    def step(self, problem, t, theta):
        return theta - self.lr * problem.gradient(theta)


class Frame:
    """As much of a data frame as least_squares looks at."""

    def __init__(self, values, columns):
        self.values, self.columns = values, columns

    def __array__(self, dtype=None, copy=None):
        return np.array(self.values, dtype=dtype)


MARKUP = [r"*a*_b_#c", "`d` $e$ @f", r"<g>&amp; [h](i)", r"|j| \k //l /*m*/ ~"]


def labelled():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(20, 4)) * [1.0, 5.0, 0.2, 1.0]
    return ca.least_squares(Frame(X, MARKUP), X.sum(axis=1), intercept=True)


def sparse():
    return ca.Quadratic(scipy.sparse.csr_array(ca.gallery.laplacian_2d(10).operator.to_dense()))


def operator():
    A = ca.gallery.laplacian_1d(60).operator.to_dense()
    return ca.Quadratic(scipy.sparse.linalg.aslinearoperator(A))


# What each situation must say: titles of the first two cards, and words of the third.
SITUATIONS = {
    "toy": (lambda: ca.compare(ca.gallery.toy()), "Stable.", "Moderate.", "HeavyBall with α"),
    "longley": (
        lambda: ca.compare(ca.gallery.longley()),
        "Stable.",
        "Ill-conditioned.",
        "what is left is collinearity",
    ),
    "saddle": (
        lambda: ca.compare(ca.gallery.saddle()),
        "Saddle.",
        "Conditioning.",
        "with l2 of more than 1 gives it a minimum",
    ),
    "drifting": (
        lambda: ca.compare(ca.gallery.singular(bounded=False)),
        "No minimum.",
        "Well-conditioned.",
        "outside the range of A",
    ),
    "diverging": (
        lambda: ca.compare(ca.gallery.toy(), [ca.GradientDescent(0.6)]),
        "Unstable.",
        "Moderate.",
        "GradientDescent(α = 0.47619) converges in 70 steps",
    ),
    "boundary": (
        lambda: ca.compare(ca.gallery.toy(), [ca.GradientDescent(0.5), ca.HeavyBall]),
        "On the boundary.",
        "Moderate.",
        "HeavyBall with α",
    ),
    "slow": (
        lambda: ca.compare(ca.gallery.toy(), [ca.GradientDescent(0.01)]),
        "Stable.",
        "Moderate.",
        "GradientDescent(α = 0.47619) needs 70 steps",
    ),
    "flat": (lambda: ca.compare([[0.0]]), "Flat.", "No curvature.", "Nothing here converges"),
    "one": (
        lambda: ca.compare([[3.0]]),
        "Stable.",
        "Well-conditioned.",
        "GradientDescent is already the fastest of these: 1 step (simulated: 1).",
    ),
    "sparse": (lambda: ca.compare(sparse()), "Stable.", "Moderate.", "Nesterov with α"),
    "operator": (lambda: ca.compare(operator()), "Stable.", "Ill-conditioned.", "with α"),
    "cubic": (
        lambda: ca.compare(ca.gallery.toy(), [Cubic(0.01)]),
        "No closed form.",
        "Moderate.",
        "Cubic reaches the goal in 2,681 steps. HeavyBall(α = 0.667907, μ = 0.402605) would need",
    ),
    "three slots": (
        lambda: ca.compare(ca.gallery.toy(), [ThreeSlots(0.1)]),
        "Stable.",
        "Moderate.",
        "ThreeSlots needs 33 steps (simulated: 33).",
    ),
    "unnamed": (
        lambda: ca.compare(ca.gallery.toy(), [Unnamed(0.1)]),
        "Stable.",
        "Moderate.",
        "HeavyBall(α = 0.667907, μ = 0.402605) would need 24 steps (predicted).",
    ),
    "labels": (lambda: ca.compare(labelled()), "Stable.", "Ill-conditioned.", "Standardising"),
}


@pytest.fixture(scope="module")
def made():
    """Each comparison, and its documents, once."""
    comparisons, documents = {}, {}

    def get(name, level="brief"):
        if name not in comparisons:
            comparisons[name] = SITUATIONS[name][0]()
        if (name, level) not in documents:
            documents[name, level] = build(comparisons[name], level)
        return comparisons[name], documents[name, level]

    return get


every_situation = pytest.mark.parametrize("name", SITUATIONS, ids=str)


def blocks(document, kind):
    return [block for block in document.blocks if isinstance(block, kind)]


def cells(table):
    return [
        [d.plain_text(cell.text if isinstance(cell, d.Chip) else cell) for cell in row]
        for row in table.rows
    ]


def table_headed(document, first):
    (found,) = [t for t in blocks(document, d.Table) if d.plain_text(t.columns[0].header) == first]
    return found


# -- what the pages say ----------------------------------------------------------------------------


@every_situation
def test_the_three_cards(made, name):
    _, stable, conditioning, change = SITUATIONS[name]
    comparison, document = made(name)
    cards = blocks(document, d.Cards)[0].cards
    titles = [d.plain_text(card.title) for card in cards]
    assert titles == [stable, conditioning, "What to change."]
    assert change in d.plain_text(cards[2].text)
    colours = {"Stable.": "ok", "Flat.": "info", "No closed form.": "info"}
    expected = "warn" if stable == "On the boundary." else colours.get(stable, "bad")
    assert cards[0].kind == expected
    assert document.title == f"Convergence report: {comparison.problem.name}"


@every_situation
def test_the_table_of_optimizers_has_the_counts_of_the_comparison(made, name):
    comparison, document = made(name)
    rows = cells(table_headed(document, "optimizer"))
    assert [row[0] for row in rows] == [entry.label for entry in comparison.entries]
    for row, entry in zip(rows, comparison.entries, strict=True):
        predicted, simulated = row[4], row[5]
        if entry.predicted_steps is None:
            assert predicted == ("–" if entry.analysis is None else "never")
        else:
            assert predicted.removeprefix("≤ ") == format_count(entry.predicted_steps)
        if entry.simulated_steps is not None:
            assert simulated.endswith(format_count(entry.simulated_steps))
        if entry.analysis is not None and comparison.spectrum.rank:
            assert row[2] == entry.analysis.rate_text


@every_situation
def test_the_recap_is_the_tables_own(made, name):
    comparison, document = made(name)
    table = recap(comparison)
    rows = cells(table_headed(document, "problem"))
    assert [row[0] for row in rows] == [row.problem for row, _ in table.tested]
    for row, (_, found) in zip(rows, table.tested, strict=True):
        assert row[2:4] == [found.evidence, found.verdict]
        assert row[4].endswith(found.prediction)
    notes = [d.plain_text(note.text) for note in blocks(document, d.Note)]
    assert table.untested_sentence() in notes
    kinds = {
        chip.text: chip.kind
        for row in table_headed(document, "problem").rows
        for chip in row
        if isinstance(chip, d.Chip)
    }
    meaning = {"present": "bad", "possible": "warn", "absent": "ok"}
    assert {d.plain_text(text): kind for text, kind in kinds.items()}.items() <= meaning.items()


@every_situation
def test_directions_are_those_of_the_matrix(made, name):
    comparison, document = made(name)
    if comparison.entries[0].analysis is None:
        assert "direction" not in [
            d.plain_text(t.columns[0].header) for t in blocks(document, d.Table)
        ]
        return
    table = table_headed(document, "direction")
    rows = cells(table)
    assert len(rows) <= 10
    hidden = re.match(r"(\d+) directions", d.plain_text(table.note) or "0 directions")
    if comparison.spectrum.is_interval:
        assert [row[0] for row in rows] == ["flattest", "steepest"]
        return
    assert len(rows) + int(hidden[1]) == comparison.problem.dimension
    if comparison.spectrum.data is not None:  # κ²: eigvalsh of the Gram matrix knows no digits
        return
    values = np.linalg.eigvalsh(comparison.problem.operator.to_dense())
    ends = [float(rows[i][1].replace("−", "-")) for i in (0, -1)]
    assert ends == pytest.approx([values[0], values[-1]], rel=1e-5, abs=1e-12 * abs(values[-1]))
    if comparison.problem.why_no_minimum:  # no minimum, no gap
        assert {row[2] for row in rows} == {"–"}
    elif int(hidden[1]) == 0 and comparison.spectrum.rank:
        shares = [float(row[2].removesuffix(" %")) for row in rows]
        assert sum(shares) == pytest.approx(100, abs=0.2)


def test_shares_of_the_gap_by_hand(made):
    """Toy from (1, 1): 0.1 of 2.1 in the flat direction."""
    _, document = made("toy")
    shares = [row[2] for row in cells(table_headed(document, "direction"))]
    assert shares == [f"{format_number(100 * part / 4.2, 3)} %" for part in (0.2, 4.0)]


def test_a_saddle_has_no_flattest_direction(made):
    _, document = made("saddle")
    names = [row[0] for row in cells(table_headed(document, "direction"))]
    assert names == ["q1 (lowest)", "q2 (highest)"]


def test_a_rule_without_theory_shows_its_reason(made):
    comparison, document = made("cubic")
    text = d.plain_text(blocks(document, d.Cards)[0].cards[0].text)
    assert comparison.entries[0].reason in text
    assert "product" in text


def test_a_short_run_claims_nothing_about_the_whole(made):
    comparison, document = made("longley")
    assert not any(entry.complete for entry in comparison.entries)
    change = d.plain_text(blocks(document, d.Cards)[0].cards[2].text)
    assert "not simulated: too many" in change
    assert "never rises" not in change
    assert any("first steps only" in d.plain_text(n.text) for n in blocks(document, d.Note))


def test_the_costs_of_longley_are_those_of_its_singular_values(made):
    """Predicted counts, from singular values of X in 50 digits and nothing of the package."""
    import mpmath

    comparison, document = made("longley")
    X = comparison.problem.X
    with mpmath.workdps(50):
        values = mpmath.svd_r(mpmath.matrix(X.tolist()), compute_uv=False)
        kappa = (max(values) / min(values)) ** 2
        digit = mpmath.log(10) * (kappa + 1) / 2  # ln 10 / -ln((κ-1)/(κ+1))
    text = d.plain_text(blocks(document, d.Cards)[0].cards[1].text)
    assert f"each further digit of θ costs {format_number(float(digit), 2)}" in text
    assert f"κ = {format_number(float(kappa), 7)}" in text


# -- levels ----------------------------------------------------------------------------------------


def headings(document):
    return [d.plain_text(block.text) for block in blocks(document, d.Heading) if block.level == 1]


@pytest.mark.parametrize("name", ["toy", "cubic"])
def test_levels_add_pages(made, name):
    brief, teach, full = (headings(made(name, level)[1]) for level in ("brief", "teach", "full"))
    assert "Derivation" not in brief
    assert "Derivation" in teach
    assert set(brief) <= set(teach) <= set(full)
    for document in (brief, teach, full):
        assert document.count("What it looks like") == 1
        assert document[-2:] == ["Problem, diagnosis, workaround", "Conventions and reproduction"]


def test_derivations_are_numbered_through_and_say_what_they_lack(made):
    _, document = made("boundary", "teach")
    numbers = []
    for lines in blocks(document, d.DerivationLines):
        numbers += range(lines.start, lines.start + len(lines.lines))
        assert {d.plain_text(line.status.text) for line in lines.lines} == {"proved"}
    assert numbers == list(range(1, len(numbers) + 1))
    for name, reason in (("cubic", "not linear"), ("three slots", "3 state slots")):
        table = table_headed(made(name, "teach")[1], "rule")
        assert "without a closed form" in d.plain_text(table.caption)
        assert any(reason in d.plain_text(row[1]) for row in table.rows), table.rows


class Hopeful(ca.GradientDescent):
    """A published limit that is too large."""

    def published_limit(self):
        return 3


def test_a_refuted_line_is_red(made):
    comparison = ca.compare(ca.gallery.toy(), [Hopeful(0.1)])
    chips = [
        line.status
        for lines in blocks(build(comparison, "teach"), d.DerivationLines)
        for line in lines.lines
    ]
    assert [chip.kind for chip in chips if d.plain_text(chip.text) == "refuted"] == ["bad"]


def test_transients_are_told_in_full(made):
    comparison, document = made("toy", "full")
    text = to_markdown(document)
    entry = comparison["HeavyBall"]
    theta, velocity, sizes = 1.0, 0.0, []
    alpha, mu = entry.optimizer.learning_rate, entry.optimizer.momentum
    for _ in range(40):  # along λ = 4 from rest, by hand
        velocity = mu * velocity - alpha * 4 * theta
        theta += velocity
        sizes.append(abs(theta))
    peak = int(np.argmax(sizes))
    assert f"grows to ×{format_number(sizes[peak], 4)} after {peak + 1} steps" in text


def test_growth_without_a_double_root_is_not_blamed_on_one():
    """αλ = 3.6 at μ = 0.9: complex roots, and the first step goes from 1 to -2.6."""
    comparison = ca.compare(ca.gallery.toy(), [ca.HeavyBall(0.9, 0.9)])
    (card,) = [
        card
        for group in blocks(build(comparison, "full"), d.Cards)
        for card in group.cards
        if d.plain_text(card.title) == "Transient growth: HeavyBall."
    ]
    theta, velocity, largest = 1.0, 0.0, 1.0
    for _ in range(50):
        velocity = 0.9 * velocity - 3.6 * theta
        theta += velocity
        largest = max(largest, abs(theta))
    text = d.plain_text(card.text)
    assert f"grows to ×{format_number(largest, 4)} after" in text
    assert "its modes first add up" in text


class Slanted(ca.Quadratic):
    """A quadratic whose gradient is wrong."""

    def gradient(self, theta):
        return 1.1 * super().gradient(theta)


def test_a_run_that_contradicts_its_theory_is_reported():
    comparison = ca.compare(Slanted([[1.0, 0.0], [0.0, 3.0]]), [ca.GradientDescent(0.1)])
    assert comparison.entries[0].status == "refuted"
    document = build(comparison)
    notes = " ".join(d.plain_text(note.text) for note in blocks(document, d.Note))
    assert "GradientDescent: the run contradicts the theory beyond rounding." in notes
    rows = {row[0]: row[3] for row in cells(table_headed(document, "problem"))}
    assert rows["incorrect gradients"] == "present"


def test_columns_that_are_standardised_already_are_left_alone():
    rng = np.random.default_rng(0)
    X, _ = np.linalg.qr(rng.normal(size=(30, 3)))
    document = build(ca.compare(ca.least_squares(X, X.sum(axis=1))))
    change = d.plain_text(blocks(document, d.Cards)[0].cards[2].text)
    assert "Standardising the columns would not help" in change


# -- the call that reproduces ----------------------------------------------------------------------


@pytest.mark.survey
@pytest.mark.parametrize(
    ("arguments", "level"),
    [
        ({}, "brief"),
        (
            {"optimizers": [ca.GradientDescent(0.1), (ca.HeavyBall, {"momentum": 0.5})]},
            "teach",
        ),
        ({"optimizers": [Cubic(0.01), ThreeSlots(0.1)], "tolerance": 1e-3}, "brief"),
    ],
    ids=["default", "mixed", "own"],
)
def test_the_printed_call_makes_the_same_report(tmp_path, arguments, level):
    problem = ca.gallery.toy()
    first = build(ca.compare(problem, **arguments), level)
    (code,) = blocks(first, d.CodeBlock)
    names = {"ca": ca, "problem": problem, "Cubic": Cubic, "ThreeSlots": ThreeSlots}
    exec(code.text, {**names, "path": tmp_path / "again.md"})
    assert (tmp_path / "again.md").read_text(encoding="utf-8") == to_markdown(first)


def test_a_start_of_ones_own_is_part_of_the_call():
    document = build(ca.compare(ca.gallery.toy(), start=[-5.0, -2.0]))
    assert "start=start" in blocks(document, d.CodeBlock)[0].text


def test_a_command_replaces_the_call(made):
    comparison, _ = made("toy")
    document = build(comparison, command="convex-analyzer report gallery:toy")
    assert blocks(document, d.CodeBlock)[0].text == "convex-analyzer report gallery:toy"


@each("name", ca.optimizers.registered())
def test_every_listed_rule_can_be_called_as_printed(name):
    """The printed command gives the rule back, whether or not `ca` itself names it."""
    cls = ca.optimizers.registered()[name]
    needed = [f.name for f in cls.fields() if f.default is dataclasses.MISSING]
    values = {one: 2.0 if one == "largest" else 0.5 for one in needed}
    rule = cls.example() if hasattr(cls, "example") else cls(**values)
    assert eval(call_text(rule), {"ca": ca}) == rule  # our own text


def test_a_schedule_can_be_called_as_printed():
    rule = ca.HeavyBall(ca.schedules.Step(0.1, 0.5, 30), momentum=0.8)
    text = "ca.HeavyBall(learning_rate=ca.schedules.Step(initial=0.1, factor=0.5, every=30)"
    assert call_text(rule).startswith(text)
    assert eval(call_text(rule), {"ca": ca}) == rule


# -- one set of numbers in every format ------------------------------------------------------------


@pytest.mark.parametrize("name", list(SITUATIONS))
def test_json_and_markdown_have_the_same_numbers(made, name, tmp_path):
    comparison, document = made(name)
    (path,) = ca.report(comparison, tmp_path / "out.json")
    text = path.read_text(encoding="utf-8")
    assert "NaN" not in text
    data = json.loads(text)
    assert data["schema"] == "convex_analyzer.report/1"
    entries = data["comparison"]["entries"]
    markdown = to_markdown(document)
    rows = [re.split(r"(?<!\\)\|", line) for line in markdown.splitlines() if line.startswith("|")]
    shown = {row[1].strip(): row for row in rows}
    for one, entry in zip(entries, comparison.entries, strict=True):
        assert one["predicted_steps"] == entry.predicted_steps
        assert one["simulated_steps"] == entry.simulated_steps
        assert one["status"] == entry.status
        row = shown[one["label"]]
        if one["predicted_steps"] is not None:
            assert row[5].strip().removeprefix("≤ ") == format_count(one["predicted_steps"])
        if one["deviation"] is not None:
            assert row[7].strip() == format_number(one["deviation"], 1)
    for one in data["recap"]["rows"]:
        chip = {"present": "✗", "possible": "!", "absent": "✓"}.get(one["verdict"])
        assert (chip is None) == (one["verdict"] == "not tested")
        if chip:
            assert one["verdict"] in shown[one["problem"]][4]


def test_labels_come_out_literally(made):
    comparison, document = made("labels")
    assert comparison.problem.labels == ("intercept", *MARKUP)
    echo = {
        d.plain_text(name): d.plain_text(value)
        for name, value in blocks(document, d.KeyValues)[0].items
    }
    assert echo["columns"] == ", ".join(comparison.problem.labels)
    assert r"\*a\*\_b\_\#c" in to_markdown(document)


def test_a_problem_is_compared_first(tmp_path):
    for result in (ca.gallery.toy(), ca.compare(ca.gallery.toy())):
        ca.report(result, tmp_path / f"{type(result).__name__}.json")
    first, second = sorted(tmp_path.iterdir())
    assert first.read_bytes() == second.read_bytes()


# -- pages -----------------------------------------------------------------------------------------


@every_situation
def test_a_brief_report_is_two_pages(made, name):
    pytest.importorskip("typst")
    assert len(pages.page_fill(made(name)[1])) == 2


def test_a_png_is_a_file_per_page(made, tmp_path):
    pytest.importorskip("typst")
    paths = ca.report(made("one")[0], tmp_path / "page.png")
    assert [path.name for path in paths] == ["page-1.png", "page-2.png"]
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in paths)


@pytest.mark.survey
def test_a_pdf_is_one_file(made, tmp_path):
    pytest.importorskip("typst")
    comparison, _ = made("labels")
    (path,) = ca.report(comparison, tmp_path / "OUT.PDF")
    assert path.read_bytes().startswith(b"%PDF-")


# -- refusals --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["out.docx", "out", "out.", ".pdf", "out.htm"])
def test_an_unknown_suffix_is_refused_before_anything_is_computed(tmp_path, name):
    words = r"the name of a report ends in \.pdf, \.png, \.html, \.json, \.md or \.tex"
    with pytest.raises(InputError, match=words):
        ca.report(object(), tmp_path / name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", [".pdf", ".png", ".md", ".json"])
def test_an_unknown_level_is_refused(made, tmp_path, suffix):
    comparison, _ = made("one")
    with pytest.raises(InputError, match="level must be one of brief, teach or full, got 'long'"):
        ca.report(comparison, tmp_path / f"out{suffix}", level="long")
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_result_is_refused(tmp_path):
    for result, words in (
        (None, "report takes what the package returned"),
        ("A.npy", "got str"),
        (ca.GradientDescent(0.1), "or a problem; got GradientDescent"),
        ([[1.0]], "must be comparisons or problems, got list"),
        ([], "nothing to report on"),
    ):
        with pytest.raises(InputError, match=words):
            ca.report(result, tmp_path / "out.json")


@pytest.mark.parametrize("suffix", [".pdf", ".png", ".md", ".json"])
def test_an_input_is_never_overwritten(made, tmp_path, suffix):
    if suffix in {".pdf", ".png"}:
        pytest.importorskip("typst")
    comparison, _ = made("one")
    names = {".png": "out-1.png"}
    source = tmp_path / names.get(suffix, f"out{suffix}")
    source.write_text("precious")
    with pytest.raises(InputError, match="input of this run"):
        ca.report(comparison, tmp_path / f"out{suffix}", inputs=[source])
    assert [path.name for path in tmp_path.iterdir()] == [source.name]
    assert source.read_text() == "precious"


def test_where_nothing_can_be_written_nothing_is(made, tmp_path):
    comparison, _ = made("one")
    blocked = tmp_path / "old.json"
    blocked.write_text("old")
    blocked.chmod(0o444)
    for target, words in (
        (tmp_path / "missing" / "out.json", "there is no folder"),
        (blocked / "out.json", "there is no folder"),
        (blocked, "read-only"),
    ):
        with pytest.raises(InputError, match=words):
            ca.report(comparison, target)
    assert [path.name for path in tmp_path.iterdir()] == [blocked.name]
    assert blocked.read_text() == "old"


def test_a_read_only_folder_is_refused(made, tmp_path):
    comparison, _ = made("one")
    folder = tmp_path / "closed"
    folder.mkdir()
    folder.chmod(0o500)
    if os.access(folder, os.W_OK):
        pytest.skip("this user may write anywhere")
    with pytest.raises(InputError, match="cannot write"):
        ca.report(comparison, folder / "out.json")
    assert list(folder.iterdir()) == []


# -- reproducible bytes ----------------------------------------------------------------------------

PROGRAM = """
import hashlib, pathlib, sys
import convex_analyzer as ca
comparison = ca.compare(ca.gallery.toy(), [ca.HeavyBall])
for suffix in sys.argv[1:]:
    for path in ca.report(comparison, f"toy.{suffix}", "full" if suffix == "pdf" else "brief"):
        print(path.name, hashlib.sha256(path.read_bytes()).hexdigest())
"""


def test_bytes_are_the_same_in_every_process(tmp_path):
    suffixes = ["json", "md", "html", *(["pdf"] if importlib.util.find_spec("typst") else [])]
    running = []
    for seed in ("1", "2"):
        folder = tmp_path / seed
        folder.mkdir()
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONWARNINGS": "error"}
        root = str(Path(ca.__file__).parents[1])
        running.append(
            subprocess.Popen(
                [sys.executable, "-c", PROGRAM, *suffixes],
                cwd=folder,
                env={**environment, "PYTHONPATH": root},
                stdout=subprocess.PIPE,
                text=True,
            )
        )
    first, second = (process.communicate()[0] for process in running)
    assert [process.returncode for process in running] == [0, 0]
    assert first == second
    assert len(first.splitlines()) == len(suffixes)
    for line in first.splitlines():  # and the files are what they were hashed as
        name, digest = line.split()
        assert hashlib.sha256((tmp_path / "1" / name).read_bytes()).hexdigest() == digest


def test_a_noisy_report_says_what_the_noise_leaves_and_promises_no_count():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(64, 2))
    problem = ca.least_squares(X, X @ [1.0, -2.0] + rng.normal(size=64))
    comparison = ca.compare(problem, [ca.GradientDescent(0.1)], noise=ca.MiniBatch(4), steps=300)
    document = build(comparison)
    change = d.plain_text(blocks(document, d.Cards)[0].cards[2].text)
    floor = comparison.entries[0].analysis.noise_floor(ca.MiniBatch(4), problem).value
    assert f"the loss hovers {format_number(floor, 3)} above its minimum" in change
    share = f"×{format_number(floor / comparison.entries[0].gap[0], 3)}"
    text = to_markdown(document)  # card, figure, table and the table of problems: one floor
    for told in (f"({share} of the first gap)", f"noise floor, {share}", f"| {share} |",
                 f"noise floor, the mean, is {share}"):  # fmt: skip
        assert told in text
    assert "steps" not in change
    echo = dict(blocks(document, d.KeyValues)[0].items)
    said = {d.plain_text(name): d.plain_text(value) for name, value in echo.items()}
    assert said["gradients"] == "from 4 of 64 rows at a time, each row once per epoch"
