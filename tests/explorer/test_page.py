"""The page as Python writes it: what is in it, what cannot break out, what is refused."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
import shutil
import subprocess

import numpy as np
import pytest
from explorer_bundle import PAGE, SOURCES, run, script
from scipy.sparse.linalg import LinearOperator

import convex_analyzer as ca
from convex_analyzer.cli import run as command
from convex_analyzer.explorer import LARGEST, can_show, embed, page
from convex_analyzer.explorer.page import RULES
from convex_analyzer.plot.style import BEST, look_of


def preset_of(text: str) -> dict:
    (found,) = re.findall(
        r'<script type="application/json" id="preset">(.*?)</script>', text, re.DOTALL
    )
    return json.loads(found)


def test_the_page_is_built_from_these_sources():
    """Fails when a source was changed and not built: cd explorer && npm ci && npm run build."""
    files = [path for path in (SOURCES / "src").rglob("*") if path.is_file()]
    files += [SOURCES / name for name in ("build.mjs", "package.json", "tsconfig.json")]
    digest = hashlib.sha256()
    for name, path in sorted((path.relative_to(SOURCES).as_posix(), path) for path in files):
        content = path.read_bytes()
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    assert f'<meta name="sources" content="{digest.hexdigest()}">' in PAGE.read_text("utf-8")


def test_building_again_gives_the_same_bytes():
    if not (SOURCES / "node_modules" / "esbuild").is_dir():
        pytest.skip("esbuild is not installed: npm ci in explorer/")
    node = shutil.which("node")
    assert node, "esbuild without node"
    command = [node, "build.mjs", "--check"]
    done = subprocess.run(command, cwd=SOURCES, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_page_is_one_file_that_loads_nothing():
    text = page()
    assert not re.search(r'(?:src|href)="(?!data:|\$)', text)
    assert not re.search(r"\b(?:fetch|XMLHttpRequest|WebSocket|EventSource|import)\s*\(", text)
    assert "url(http" not in text
    assert set(re.findall(r"https?://[^\"'`)\s]+", text)) == {"http://www.w3.org/2000/svg"}
    assert len(text.encode()) < 160_000
    assert "</script" not in script().lower()
    digest = base64.b64encode(hashlib.sha256(script().encode()).digest()).decode()
    assert f"default-src 'none'; script-src 'sha256-{digest}'" in text  # and the browser sees to it


def test_a_problem_is_written_exactly_and_cannot_break_out():
    A = np.array([[0.1 + 0.2, 1 / 3], [1 / 3, 7.0]])
    name = "</script><script>alert(1)</script> & <!-- θ \u2028 名前"
    text = page(ca.Quadratic(A, [1e-300, -2.0], name=name), start=[1.0, -0.1])
    assert text.count("</script>") == page().count("</script>")
    assert "<!--" not in text
    preset = preset_of(text)
    assert np.array_equal(preset["A"], A)
    assert preset["b"] == [1e-300, -2.0]
    assert preset["name"] == name
    assert preset["start"] == [1.0, -0.1]
    assert len(preset_of(page(ca.Quadratic(A, name="x" * 500)))["name"]) <= 80


def test_optimizers_tick_boxes_and_set_sliders():
    adam = ca.Adam(0.02)
    chosen = [ca.HeavyBall(0.3, momentum=0.7), ca.GradientDescent(0.1), ca.Nesterov, adam, adam]
    preset = preset_of(page(np.eye(2), chosen))
    assert preset["optimizers"] == ["hb", "gd", "nag", "adam"]
    assert (preset["alpha"], preset["mu"], preset["rate"]) == (0.3, 0.7, 0.02)
    assert preset["note"] == "One α is for all: 0.3, that of HeavyBall."
    cls, fixed = RULES["rmsprop"]
    assert "note" not in preset_of(page(np.eye(2), [cls(0.1, **fixed)]))
    assert "lecture 000" in preset_of(page(np.eye(2), [ca.RMSProp(0.1)]))["note"]
    assert "alpha" not in preset_of(page(np.eye(2), [ca.HeavyBall]))
    assert [can_show(cls) for cls, _ in RULES.values()] == [True] * 7
    assert not can_show(ca.LBFGS())
    assert not can_show(ca.GradientDescent(ca.schedules.Step(0.1, 0.5, 30)))


def test_large_problems_are_refused_or_seen_in_a_plane():
    problem = ca.Quadratic(np.diag(np.arange(1.0, 21.0)), np.ones(20))
    with pytest.raises(ca.InputError, match=r"room for 8 dimensions.*20.*plane=True"):
        page(problem)
    preset = preset_of(page(problem, plane=True, start=np.arange(20.0)))
    assert preset["A"] == [[1.0, 0.0], [0.0, 20.0]]
    assert np.abs(preset["b"]) == pytest.approx([1, 1])
    assert np.abs(preset["start"]) == pytest.approx([0, 19])
    assert "λ = 1 and 20" in preset["note"]
    assert "20 dimensions" in preset["note"]
    assert "note" in preset_of(html.unescape(embed(problem)))
    assert len(preset_of(page(np.eye(LARGEST)))["A"]) == LARGEST


@pytest.mark.parametrize(
    ("arguments", "options", "words"),
    [
        (([[1.0, 2.0], [0.0, 1.0]],), {}, "symmetric"),
        ((np.eye(2), [ca.LBFGS()]), {}, "does not have LBFGS.*it has GradientDescent"),
        ((np.eye(2), [ca.LBFGS]), {}, "does not have LBFGS"),
        ((np.eye(2), [ca.HeavyBall(ca.schedules.Step(0.1, 0.5, 30))]), {}, "one number"),
        ((np.eye(2),), {"start": [1.0]}, "start"),
        (
            (ca.Quadratic(LinearOperator((9000, 9000), matvec=np.copy)),),
            {"plane": True},
            "too many",
        ),
        ((None,), {"start": [1.0]}, "needs a problem"),
        ((np.eye(2),), {"theme": "pink"}, "auto, light or dark"),
    ],
)
def test_what_cannot_be_shown_is_refused(arguments, options, words):
    with pytest.raises(ca.InputError, match=words):
        page(*arguments, **options)


def test_a_frame_holds_the_whole_page():
    text = embed([[2.0, 1.0], [1.0, 3.0]], [ca.HeavyBall(0.2)], theme="light")
    assert re.fullmatch(r'<iframe [^<>]*srcdoc="[^"<>]*"></iframe>', text)
    inside = html.unescape(re.search(r'srcdoc="([^"]*)"', text)[1])
    assert inside == page(
        [[2.0, 1.0], [1.0, 3.0]], [ca.HeavyBall(0.2)], theme="light", embedded=True
    )


def test_explore_writes_a_page_and_nothing_else(tmp_path):
    written = ca.explore(ca.gallery.toy(), tmp_path / "toy.html", [ca.GradientDescent(0.4)])
    assert preset_of(written.read_text("utf-8"))["alpha"] == 0.4
    with pytest.raises(ca.InputError, match=r"ends in \.html"):
        ca.explore(ca.gallery.toy(), tmp_path / "toy.pdf")
    with pytest.raises(ca.InputError, match="no folder"):
        ca.explore(ca.gallery.toy(), tmp_path / "no" / "toy.html")
    assert [path.name for path in tmp_path.iterdir()] == ["toy.html"]


def test_the_command_line_writes_the_same_page(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    A = np.array([[2.0, 1.0], [1.0, 3.0]])
    np.save("A.npy", A)
    assert command(["explore"]) == 0
    assert "explore.html" in capsys.readouterr().out
    assert (tmp_path / "explore.html").read_text("utf-8") == page()
    words = ["-o", "HeavyBall(0.2, momentum=0.5)", "-o", "Adam", "-o", "GD:lr=0.1"]
    assert command(["explore", "A.npy", *words, "--start", "1,2", "--out", "a.html"]) == 0
    chosen = [ca.HeavyBall(0.2, momentum=0.5), ca.Adam, ca.GradientDescent(0.1)]
    expected = preset_of(page(A, chosen, start=[1.0, 2.0]))
    assert preset_of((tmp_path / "a.html").read_text("utf-8")) == {**expected, "name": "A"}
    capsys.readouterr()
    (tmp_path / "b.html").symlink_to("A.npy")
    before = (tmp_path / "A.npy").read_bytes()
    assert command(["explore", "A.npy", "--out", "b.html"]) == 2
    assert "input of this run" in capsys.readouterr().err
    assert (tmp_path / "A.npy").read_bytes() == before


def test_colours_dashes_and_markers_are_those_of_the_figures():
    found = run("return E.LOOKS")
    for key, (cls, _) in RULES.items():
        look = look_of(cls.__new__(cls))
        dash = [] if look.dash == "-" else list(look.dash[1])
        assert found[key] == {"color": look.color, "dash": dash, "marker": look.marker}, key
    assert found["best"]["color"] == BEST.color
    assert found["best"]["marker"] == BEST.marker
    style = (SOURCES / "src" / "style.css").read_text("utf-8")
    for key, look in found.items():
        assert f"--{key}: light-dark({look['color'].lower()}," in style


def test_the_rules_are_those_of_python():
    rules = {rule["key"]: rule for rule in run("return E.RULES.map((rule) => ({ ...rule }))")}
    assert list(rules) == list(RULES)
    for key, (cls, fixed) in RULES.items():
        assert rules[key]["python"] == cls.__name__
        made = cls(learning_rate=0.1, **fixed)
        assert rules[key]["memory"] == list(made.memory)
