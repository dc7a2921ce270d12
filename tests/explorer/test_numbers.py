"""The explorer's numbers are those of the package: its script, run by node, against Python."""

from __future__ import annotations

import math

import numpy as np
import pytest
from explorer_bundle import run
from explorer_walks import RATES, STEPS, TURNED, python_rule, worst_deviations

import convex_analyzer as ca
from convex_analyzer.explorer.page import RULES


def test_every_optimizer_walks_as_in_python():
    worst = worst_deviations(run)
    assert max(worst.values()) < 1e-12, worst


def test_theory_is_that_of_python():
    """Factors, limits, best pairs and curves by formula, against the analyses of the package."""
    data = [{"key": key, "alpha": RATES[key], "mu": 0.8} for key in ("gd", "hb", "nag")]
    program = f"""
    const A = {TURNED};
    const problem = E.makeProblem(A, null, "A");
    const z = problem.Q.map((q) => q[0] * -7.4 + q[1] * -6.8);
    return data.map(({{ key, alpha, mu }}) => ({{
      worst: E.theory.worst(key, alpha, mu, problem.lambda),
      limit: E.theory.limit(key, mu) / problem.top,
      best: E.theory.bestPair(key, problem.low, problem.top),
      curve: E.theory.gapByFormula(key, problem, alpha, mu, z, {STEPS}),
      steps: E.theory.stepsByFormula(key, problem, alpha, mu, z, 1e-6, 20000),
      fastest: E.theory.fastestPair(key, problem, z, 1e-6),
    }}));
    """
    problem = ca.Quadratic(TURNED)
    start = [-7.4, -6.8]
    for case, got in zip(data, run(program, data), strict=True):
        rule = python_rule(case["key"], case["alpha"])
        analysis = ca.analyze(problem, rule)
        assert got["worst"] == pytest.approx(analysis.rate, rel=1e-12)
        assert got["limit"] == pytest.approx(rule.published_limit() / 10, rel=1e-12)
        best = ca.tune(problem, type(rule))
        assert got["best"]["alpha"] == pytest.approx(best.learning_rate, rel=1e-9)
        loss = ca.simulate(problem, rule, start, 1500, record="path").loss
        assert np.abs(np.array(got["curve"]) - loss[: STEPS + 1]).max() < 1e-12 * loss[0]
        assert got["steps"] == np.flatnonzero(loss <= 1e-6 * loss[0])[0]
        assert got["steps"] == analysis.steps_to(1e-6, start=start)
        assert got["fastest"]["steps"] <= got["steps"]


def test_steps_are_those_of_a_comparison():
    """On a chain of springs whose gap swings: it is at the goal at 58, and once more above it."""
    A = 2 * np.eye(8) - np.eye(8, k=1) - np.eye(8, k=-1)
    start = [1.74498, 1.53451, -0.816497, 1.25095, -0.210471, 0.0, 0.494037, -0.283566]
    keys = ["gd", "hb", "nag", "adam", "amsgrad"]
    program = """
    const hash = `#A=${data.A}&x=${data.x}&o=${data.keys}&a=0.15&m=0.8&r=0.05&n=100`;
    const state = E.fromHash(hash, E.defaults());
    return E.compute(state).series.map((one) => [one.predicted, one.run.arrival]);
    """
    rows = ";".join(",".join(map(str, row)) for row in A)
    got = run(program, {"A": rows, "x": ",".join(map(str, start)), "keys": ",".join(keys)})
    rules = [python_rule(key, 0.05 if key in ("adam", "amsgrad") else 0.15) for key in keys]
    compared = ca.compare(ca.Quadratic(A), rules, start=start, steps=500)
    assert [tuple(pair) for pair in got] == [
        (entry.predicted_steps, entry.simulated_steps) for entry in compared.entries
    ]
    assert got[1] == [58, 58]


def test_formulas_hold_where_the_roots_meet():
    """At critical damping, next to it and with one root at zero: against the bare recurrence."""
    pairs = [(0.9, 0.2025), (0.9, 0.2025 * (1 + 1e-12)), (0.9, 0.2025 * (1 - 1e-12)), (0.5, 0.0)]
    pairs += [(-1.2, 0.36), (0.3, -0.2), (1.99, 0.9901)]
    got = run(f"return data.map(([p, q]) => E.theory.response(p, q, {STEPS}))", pairs)
    for (p, q), curve in zip(pairs, got, strict=True):
        z = [1.0, p - q]
        for _ in range(STEPS - 1):
            z.append(p * z[-1] - q * z[-2])
        assert np.abs(np.array(curve) - z).max() < 1e-12, (p, q)


def test_eigenvalues_are_those_of_lapack():
    rng = np.random.default_rng(5)
    matrices = [rng.normal(size=(d, d)) for d in (1, 2, 3, 5, 8, 8)]
    matrices = [(M + M.T) / 2 for M in matrices] + [np.eye(4), np.ones((3, 3)), np.diag([3.0, -1])]
    got = run("return data.map((A) => E.eigen(A))", [M.tolist() for M in matrices])
    for M, one in zip(matrices, got, strict=True):
        values, vectors = np.array(one["values"]), np.array(one["vectors"])
        scale = np.abs(M).max()
        assert np.abs(values - np.linalg.eigvalsh(M)).max() < 1e-13 * scale
        assert np.abs(vectors @ vectors.T - np.eye(len(M))).max() < 1e-13
        assert np.abs(M @ vectors.T - vectors.T * values).max() < 1e-13 * scale


def test_the_verdict_flips_at_the_bound_and_knows_every_shape():
    cases = {
        "below": (TURNED, 0.199), "at": (TURNED, 0.2), "beyond": (TURNED, 0.201),
        "saddle": ([[1.0, 2.0], [2.0, 1.0]], 0.1), "valley": ([[2.0, 2.0], [2.0, 2.0]], 0.1),
    }  # fmt: skip
    program = """
    return data.map(([A, alpha]) => {
      const state = { ...E.defaults(), matrix: { A, b: null, name: "A" }, alpha, chosen: ["gd"] };
      return E.verdictOf(E.compute(state), E.english);
    });
    """
    said = dict(zip(cases, run(program, list(cases.values())), strict=True))
    tones = {name: one["tone"] for name, one in said.items()}
    assert tones == {
        "below": "good", "at": "edge", "beyond": "bad", "saddle": "bad", "valley": "good"
    }  # fmt: skip
    assert said["below"]["headline"] == "Gradient descent converges."
    assert "neither converges nor diverges" in said["at"]["headline"]
    assert "strict" in said["at"]["reason"]
    assert said["beyond"]["headline"] == "Gradient descent diverges."
    assert "saddle" in said["saddle"]["headline"]
    assert "flat direction" in said["valley"]["reason"]


def test_a_pasted_matrix_is_read_or_refused_in_words():
    good = {
        "2, 1; 1, 3": ([[2, 1], [1, 3]], None),
        "2\t1\n1\t3\n": ([[2, 1], [1, 3]], None),
        "[[2, 1], [1, 3]]": ([[2, 1], [1, 3]], None),
        '{"A": [[2, 1], [1, 3]], "b": [1, 0]}': ([[2, 1], [1, 3]], [1, 0]),
        "−1e0": ([[-1]], None),
    }
    bad = {
        "": "first",
        "1 2; 3 4": "symmetric: entry (2, 1) is 3",
        "1 2 3; 2 1 0": "square: it has 2 rows, and row 1 has 3 numbers",
        "2,5;1": "decimals with a point, 2.5",
        "2,5 1; 1 3,5": "decimals with a point, 2.5",
        "1 x; x 1": "“x” is not a number",
        "[[1, 2], [2, null]]": "“null” is not a number",
        "[1, 2]": "JSON",
        "{]": "JSON",
        '{"A": [[1]], "b": [1, 2]}': "b has 2 numbers, and A needs 1",
        "0 0; 0 0": "zero",
        "1e200": "scale",
        "; ".join([" ".join(["1"] * 9)] * 9): "9 × 9; this page takes up to 8 × 8",
    }
    program = """
    return data.map((text) => {
      try { return E.readMatrix(text, E.english); }
      catch (error) { return { said: error.message }; }
    });
    """
    got = run(program, [*good, *bad])
    for (text, (A, b)), one in zip(good.items(), got, strict=False):
        assert (one["A"], one["b"]) == (A, b), text
    for (text, words), one in zip(bad.items(), got[len(good) :], strict=True):
        assert words in one["said"], text


def test_the_address_keeps_the_state_and_survives_nonsense():
    program = """
    const state = { ...E.defaults(), alpha: 0.123, mu: 0.45, chosen: ["nag", "adam"], sigma: 0.5,
      matrix: { A: [[2, 1], [1, 3]], b: [1, -1], name: "a&b=c #1 <é>" }, start: [1.5, -2], at: 7,
      map: "nag", theme: "dark", predict: true };
    const again = E.fromHash(E.toHash(state), E.defaults());
    const odd = ["#", "#a=x&m=7&k=-1&o=zz&A=1,2;3", "#A=1,2;3,4&a=-1", "#name=%E0%A4%A&A=2&x=1,2",
      "#n=99999&at=1.5&e=0"].map((hash) => E.fromHash(hash, E.defaults()));
    return { state, again, odd, usual: E.defaults() };
    """
    got = run(program)
    assert got["again"] == got["state"]
    for one in got["odd"][:3]:
        assert (one["alpha"], one["mu"], one["matrix"]) == (0.15, 0.8, None)
    assert got["odd"][3]["matrix"]["A"] == [[2]]
    assert len(got["odd"][3]["start"]) == 1
    assert (got["odd"][4]["steps"], got["odd"][4]["at"]) == (150, 0)


def test_floors_are_those_of_simulations():
    """RMSProp's cycle, and the stationary gap under noise, which is seeded."""
    program = """
    const base = { ...E.defaults(), steps: 2000 };
    const cycle = E.compute({ ...base, matrix: { A: data, b: null, name: "A" }, chosen: ["rmsprop"],
      rate: 0.2 }).series[0];
    const noisy = (seed) => E.compute({ ...base, kappa: 4, sigma: 1, seed, alpha: 0.3, mu: 0.5,
      chosen: ["gd", "hb", "nag"] }).series;
    const [one, again, other] = [noisy(1), noisy(1), noisy(2)];
    const mean = (run) => run.gap.slice(200).reduce((a, b) => a + b, 0) / (run.gap.length - 200);
    const [a, b, c] = [one, again, other].map((series) => series[0].run.gap[99]);
    return { cycle: [cycle.floor, cycle.run.gap[2000]], same: a === b, differs: a !== c,
      noise: one.map((series, i) => [series.floor, (mean(series.run) + mean(other[i].run)) / 2]) };
    """
    got = run(program, TURNED)
    assert got["cycle"][0] == pytest.approx(got["cycle"][1], rel=1e-3)
    assert got["same"]
    assert got["differs"]
    for floor, seen in got["noise"]:
        assert 0.8 < seen / floor < 1.25


def test_the_command_is_one_that_the_command_line_reads():
    from convex_analyzer.optimizers.parse import parse_optimizer

    program = """
    const keys = E.RULES.map((rule) => rule.key);
    return E.commandOf({ ...E.defaults(), chosen: keys, sigma: 2, angle: 34 });
    """
    words = run(program).split()
    specs = [words[i + 1] for i, word in enumerate(words) if word == "-o"]
    for (key, (cls, fixed)), spec in zip(RULES.items(), specs, strict=True):
        found, given = parse_optimizer(spec)
        assert found is cls
        assert {name: given[name] for name in fixed} == fixed, key
    (gallery,) = (word for word in words if word.startswith("gallery:"))
    angle = float(gallery.partition("angle=")[2])
    assert math.degrees(angle) == pytest.approx(34)
    assert words[words.index("--noise") + 1] == "4"


def test_the_ravine_is_that_of_the_gallery():
    got = run("return E.ravine(50, 34).A")
    truth = ca.gallery.ravine(50, math.radians(34)).operator.multiply(np.eye(2))
    assert np.abs(np.array(got) - truth).max() < 1e-14


def test_every_figure_draws_every_kind_of_problem():
    """No exception, and no NaN in a drawing, whatever is on the page; and the address holds it."""
    rng = np.random.default_rng(8)
    matrices = []
    for d in (1, 3):
        M = rng.normal(size=(d, d))
        kinds = [M @ M.T, M + M.T, np.outer(M[0], M[0]), -M @ M.T - np.eye(d), np.eye(d)]
        matrices += [*kinds, 1e60 * kinds[0], 1e-60 * kinds[0]]
    matrices.append(np.diag(np.arange(1.0, 9.0)))
    program = """
    const wrong = [];
    data.forEach((A, t) => {
      const d = A.length;
      const state = E.fromHash("#A=" + A.map((row) => row.join()).join(";"), E.defaults());
      state.matrix.b = t % 3 ? null : A.map((_, i) => A[0][0] * (i + 1));
      Object.assign(state, { steps: [1, 30, 600][t % 3], mu: [0, 0.9, 1, 0.5][t % 4], at: t % 2,
        sigma: t % 5 ? 0 : 0.1, map: t % 2 ? "nag" : "hb",
        alpha: state.alpha * [0.01, 1, 40][t % 3],
        chosen: E.RULES.map((rule) => rule.key).slice(t % 5) });
      for (const start of [state.start, E.compute(state).problem.critical]) {
        const model = E.compute({ ...state, start: [...start] });
        const extra = { fastest: null, words: E.english };
        const drawn = E.FIGURES.map((f) => [f.height(320, model), f.title(model, extra),
          f.draw(model, 320, extra)].join());
        const verdict = E.verdictOf(model, E.english);
        const text = [...drawn, verdict.headline, verdict.reason].join(" ");
        const found = text.match(/.{0,40}(NaN|Infinity|undefined|null).{0,10}/);
        if (found || !verdict.headline) wrong.push([t, d, found && found[0]]);
      }
      const again = E.fromHash(E.toHash(state), E.defaults());
      if (JSON.stringify(again) !== JSON.stringify(state)) wrong.push([t, d, E.toHash(state)]);
    });
    return wrong;
    """
    data = [((A + A.T) / 2).tolist() for A in matrices]
    assert run(program, data) == []
