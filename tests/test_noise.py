"""Noise: streams, mini-batches in every loss convention, errors of a given covariance."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
from cases import each
from hypothesis import given, settings
from hypothesis import strategies as st

from convex_analyzer.errors import InputError
from convex_analyzer.noise import AdditiveNoise, MiniBatch, Noise, Sampler, batches, checked_seed
from convex_analyzer.noise import draw as drawn_at
from convex_analyzer.noise.streams import BLOCK_RUNS, per_run, stream
from convex_analyzer.problems.least_squares import LOSSES, least_squares
from convex_analyzer.problems.quadratic import Quadratic
from convex_analyzer.schedules import Exponential, Growing, Table

RNG = np.random.default_rng(7)
ROWS, COLUMNS = 12, 3
X = RNG.normal(size=(ROWS, COLUMNS)) * [1.0, 2.0, 0.3]
Y = RNG.normal(size=ROWS)
PLAIN = Quadratic.diagonal([1.0, 2.0, 3.0])


def regression(loss="half_mse", l2=0.0, *, intercept=False):
    return least_squares(X, Y, l2=l2, intercept=intercept, loss=loss)


def row_gradients(problem, theta):
    """Gradient that each row gives when it is the whole batch, (N, d); written out again."""
    share = {"half_mse": 1, "mse": 2, "half_rss": len(Y), "rss": 2 * len(Y)}[problem.loss]
    penalty = problem.l2 * theta
    if problem.intercept:
        penalty[0] = 0.0
    return share * (problem.X @ theta - Y)[:, None] * problem.X + penalty


CONVENTIONS = [(loss, l2, one) for loss in LOSSES for l2 in (0.0, 0.7) for one in (False, True)]


# -- mini-batches: mean, variance ------------------------------------------------------------------


@each(("loss", "l2", "intercept"), CONVENTIONS)
def test_a_batch_gradient_is_the_mean_of_its_rows_gradients(loss, l2, intercept):
    problem = regression(loss, l2, intercept=intercept)
    theta = RNG.normal(size=problem.dimension)
    each = row_gradients(problem, theta)
    for noise in (MiniBatch(5), MiniBatch(5, replacement=True)):
        for t in (1, 2, 3, 40):
            rows = noise.rows(ROWS, t, 0, 1, seed=3)
            found = drawn_at(noise, problem, t, seed=3).gradient(theta[None, :])
            assert found[0] == pytest.approx(each[rows].mean(axis=0), rel=1e-12, abs=1e-12)


@each(("loss", "l2", "intercept"), CONVENTIONS)
def test_batches_are_unbiased(loss, l2, intercept):
    """Over an epoch the batches, weighted by their sizes, make exactly the gradient."""
    problem = regression(loss, l2, intercept=intercept)
    theta = RNG.normal(size=(4, problem.dimension))
    noise = MiniBatch(5)  # 5 + 5 + 2
    epoch = [(noise.rows(ROWS, t, 0, 1, 0), drawn_at(noise, problem, t)) for t in (4, 5, 6)]
    total = sum(len(rows) * seen.gradient(theta) for rows, seen in epoch) / ROWS
    assert total == pytest.approx(problem.gradient(theta), rel=1e-11, abs=1e-11)


def test_the_last_smaller_batch_is_unbiased_too():
    problem = regression("mse", 0.3)
    theta = RNG.normal(size=3)
    noise = MiniBatch(5, independent=True)
    runs = 20_000
    found = drawn_at(noise, problem, 3, runs).gradient(np.tile(theta, (runs, 1)))
    assert noise.rows(ROWS, 3, 0, runs, 0).shape == (runs, 2)
    spread = found.std(axis=0) / np.sqrt(runs)
    assert np.all(np.abs(found.mean(axis=0) - problem.gradient(theta)) < 4.5 * spread)


@pytest.mark.parametrize("size", [1, 4, 30])
def test_variance_with_replacement_is_that_of_one_row_over_the_size(size):
    problem = regression("half_mse", 0.4, intercept=True)
    theta = RNG.normal(size=problem.dimension)
    runs = 40_000
    noise = MiniBatch(size, replacement=True, independent=True)
    found = drawn_at(noise, problem, 9, runs, seed=1).gradient(np.tile(theta, (runs, 1)))
    one = np.cov(row_gradients(problem, theta).T, bias=True)
    near(np.cov(found.T), one / size)
    assert found.mean(axis=0) == pytest.approx(
        problem.gradient(theta), abs=4.5 * np.sqrt(np.max(one) / size / runs)
    )


@pytest.mark.parametrize("size", [1, 4, 11])
def test_variance_without_replacement_has_the_finite_population_factor(size):
    problem = regression("half_rss")
    theta = RNG.normal(size=problem.dimension)
    runs = 40_000
    noise = MiniBatch(size, independent=True)
    found = drawn_at(noise, problem, 1, runs, seed=2).gradient(np.tile(theta, (runs, 1)))
    one = np.cov(row_gradients(problem, theta).T, bias=True)
    near(np.cov(found.T), one / size * (ROWS - size) / (ROWS - 1))


def near(found, expected, share=0.04):
    """Compare covariances relative to the variances."""
    size = np.sqrt(np.outer(np.diag(expected), np.diag(expected)))
    assert np.max(np.abs(found - expected) / size) < share


def test_value_and_hessian_belong_to_the_batch():
    problem = regression("mse", 0.4, intercept=True)
    theta, v = RNG.normal(size=(2, 6, problem.dimension))
    for noise in (MiniBatch(5), MiniBatch(5, independent=True)):
        seen = drawn_at(noise, problem, 2, 6)
        slope = (seen.value(theta + 1e-3 * v) - seen.value(theta - 1e-3 * v)) / 2e-3
        assert slope == pytest.approx((seen.gradient(theta) * v).sum(axis=1), rel=1e-9)
        bend = seen.gradient(theta + v) - seen.gradient(theta)
        assert seen.hessian_vector(theta, v) == pytest.approx(bend, rel=1e-9, abs=1e-9)
        assert not np.allclose(bend, problem.hessian_vector(theta, v))
    rows = MiniBatch(5).rows(ROWS, 2, 0, 6, 0)
    penalty = 0.4 * (theta[:, 1:] ** 2).sum(axis=1) / 2
    data = ((theta @ problem.X[rows].T - Y[rows]) ** 2).mean(axis=1)
    assert drawn_at(MiniBatch(5), problem, 2, 6).value(theta) == pytest.approx(data + penalty)


def test_the_inverse_hessian_stays_that_of_all_data():
    problem = regression("half_mse", 0.4)
    theta, v = RNG.normal(size=(2, 6, 3))
    seen = drawn_at(MiniBatch(2), problem, 1, 6)  # two rows determine no inverse
    assert np.array_equal(
        seen.inverse_hessian_vector(theta, v), problem.inverse_hessian_vector(theta, v)
    )


# -- mini-batches: which rows ----------------------------------------------------------------------


@each("size", range(1, ROWS + 1))
def test_every_row_comes_once_per_epoch(size):
    noise = MiniBatch(size)
    per_epoch = -(-ROWS // size)
    orders = []
    for epoch in range(3):
        steps = range(epoch * per_epoch + 1, (epoch + 1) * per_epoch + 1)
        rows = [noise.rows(ROWS, t, 0, 1, 5) for t in steps]
        assert sorted(np.concatenate(rows)) == list(range(ROWS))
        sizes = [len(part) for part in rows]
        assert sizes[:-1] == [size] * (per_epoch - 1)
        assert sizes[-1] == ROWS - size * (per_epoch - 1)
        orders.append(tuple(np.concatenate(rows)))
    assert len(set(orders)) == 3, "the rows must be shuffled anew"


def test_orders_are_uniform():
    """Each row is equally often first, and each pair equally often in one batch."""
    noise = MiniBatch(2, independent=True)
    runs = 30_000
    pairs = noise.rows(6, 1, 0, runs, 0)
    counts = np.bincount(pairs[:, 0], minlength=6)
    assert np.all(np.abs(counts - runs / 6) < 4.5 * np.sqrt(runs / 6))
    both = np.bincount(np.sort(pairs, axis=1) @ [6, 1], minlength=36)
    both = both[both > 0]
    assert len(both) == 15
    assert np.all(np.abs(both - runs / 15) < 4.5 * np.sqrt(runs / 15))


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_growing_batches_still_pass_over_the_data_once_per_epoch(data):
    initial, every = data.draw(st.integers(1, 4)), data.draw(st.integers(1, 6))
    size = Growing(initial, 1.7, every, largest=ROWS)
    noise = MiniBatch(size, independent=data.draw(st.booleans()))
    seen: list[int] = []
    for t in range(1, 60):
        rows = noise.rows(ROWS, t, 0, 2, 1)
        one = rows[1] if noise.independent else rows
        left = ROWS - len(seen)
        assert len(one) == min(noise.size_at(t), left)
        seen += one.tolist()
        if len(seen) == ROWS:
            assert sorted(seen) == list(range(ROWS))
            seen = []
    sizes = [noise.size_at(t) for t in range(1, 60)]
    assert sizes == [size.at(t) for t in range(1, 60)]
    assert sizes == sorted(sizes)


def test_positions_of_growing_batches_are_the_same_in_any_order():
    fresh = MiniBatch(Table([3, 5, 4, 7, 2], after="repeat"))
    late = [fresh.rows(ROWS, t, 0, 1, 0).tolist() for t in (23, 2, 7, 23)]
    again = MiniBatch(Table([3, 5, 4, 7, 2], after="repeat"))
    assert late == [again.rows(ROWS, t, 0, 1, 0).tolist() for t in (23, 2, 7, 23)]
    walked = [again.rows(ROWS, t, 0, 1, 0) for t in range(1, 6)]
    assert [len(rows) for rows in walked] == [3, 5, 4, 7, 2]
    assert sorted(np.concatenate(walked[:3])) == list(range(ROWS))  # 3 + 5 + 4 = 12


def test_with_replacement_batches_may_be_larger_than_the_data_and_repeat_rows():
    noise = MiniBatch(40, replacement=True)
    noise.check(regression(), 100)
    rows = noise.rows(ROWS, 3, 0, 1, 0)
    assert rows.shape == (40,)
    assert rows.min() >= 0
    assert rows.max() < ROWS
    counts = sum(np.bincount(noise.rows(ROWS, t, 0, 1, 0), minlength=ROWS) for t in range(1, 400))
    expected = 399 * 40 / ROWS
    assert np.all(np.abs(counts - expected) < 4.5 * np.sqrt(expected))


def test_runs_share_batches_unless_independent():
    shared = MiniBatch(4).rows(ROWS, 2, 512, 300, 0)
    assert shared.shape == (4,)
    assert np.array_equal(shared, MiniBatch(4).rows(ROWS, 2, 0, 5, 0))
    for replacement in (False, True):
        own = MiniBatch(4, replacement, independent=True).rows(ROWS, 2, 0, 600, 0)
        assert own.shape == (600, 4)
        assert len({tuple(sorted(rows)) for rows in own}) > 200
        tile = MiniBatch(4, replacement, independent=True).rows(ROWS, 2, 256, 344, 0)
        assert np.array_equal(own[256:], tile)
        fewer = MiniBatch(4, replacement, independent=True).rows(ROWS, 2, 0, 301, 0)
        assert np.array_equal(own[:301], fewer)


def test_all_rows_are_the_problem_itself():
    problem = regression()
    assert drawn_at(MiniBatch(ROWS), problem, 7) is problem
    growing = MiniBatch(Growing(6, 2.0, 2, largest=ROWS))
    assert drawn_at(growing, problem, 2) is not problem
    assert drawn_at(growing, problem, 3) is problem
    assert drawn_at(MiniBatch(ROWS, replacement=True), problem, 7) is not problem


def test_orders_do_not_depend_on_what_is_kept(monkeypatch):
    noise = MiniBatch(4, independent=True)
    expected = [noise.rows(ROWS, t, 0, 600, 0) for t in (1, 2, 4, 1)]
    monkeypatch.setattr(batches, "_shuffled", batches._Orders(0))
    found = [noise.rows(ROWS, t, 0, 600, 0) for t in (1, 2, 4, 1)]
    assert all(np.array_equal(a, b) for a, b in zip(expected, found, strict=True))


def test_the_store_of_orders_is_bounded():
    store = batches._Orders(3 * 256 * ROWS * 4)
    for block in range(10):
        store(0, 0, block, 256, ROWS)
    assert len(store._kept) == 3
    store(0, 1, 0, 256, ROWS)  # a new epoch
    assert len(store._kept) == 1
    store(0, 0, 0, 256, ROWS)  # back, as a replay goes
    assert len(store._kept) == 1


# -- mini-batches: bad input -----------------------------------------------------------------------


@each(
    ("size", "steps", "sentence"),
    [
        (13, 10, "MiniBatch: a batch of 13 is larger than the data, which have 12 rows"),
        (Growing(4, 2.0, 5, largest=64), 11, "a batch of 16 is larger than the data"),
        (Growing(4, 2.0, 5, largest=64), 10**9, "a batch of 64 is larger than the data"),
        (Table([3, 2, 1]), 4, "covers 3 steps, but the run has 4"),
        (Table([3.0, 0.4]), 2, "MiniBatch: size falls below 1, and a batch has at least one row"),
        (Exponential(8.0, 0.1), 10**7, "size falls below 1"),
        (Exponential(np.array([[8.0], [9.0]]), 0.5), 2, "the same in all runs"),
    ],
)
def test_batches_that_do_not_fit(size, steps, sentence):
    with pytest.raises(InputError, match=r"^[^\n]*$") as caught:
        MiniBatch(size).check(regression(), steps)
    assert sentence in str(caught.value)
    assert caught.value.argument in {"size", "steps"}


def test_a_schedule_that_the_run_does_not_finish_is_fine():
    MiniBatch(Growing(4, 2.0, 5, largest=64)).check(regression(), 10)  # 4, 8
    MiniBatch(Exponential(8.0, 0.5)).check(regression(), 3)  # 8, 4, 2
    MiniBatch(Exponential(8.0, 0.5)).check(regression(), 0)


@each("size", [0, -1, 2.5, "ten", None, True])
def test_sizes_are_whole_numbers(size):
    with pytest.raises(InputError, match="MiniBatch: size must be a whole number, at least 1"):
        MiniBatch(size)


@pytest.mark.parametrize("name", ["replacement", "independent"])
def test_flags_are_flags(name):
    with pytest.raises(InputError, match=f"MiniBatch: {name} must be True or False, got 1"):
        MiniBatch(4, **{name: 1})


def test_batches_need_data():
    with pytest.raises(InputError, match="mini-batches need data, and this problem has none"):
        drawn_at(MiniBatch(1), PLAIN, 1)


def test_plain_data_of_a_batch():
    assert MiniBatch(4.0) == MiniBatch(4)
    assert hash(MiniBatch(4)) == hash(MiniBatch(4))
    assert MiniBatch(4) != MiniBatch(4, replacement=True)
    assert MiniBatch(4).to_dict() == {
        "name": "MiniBatch",
        "size": 4,
        "replacement": False,
        "independent": False,
    }
    grown = MiniBatch(Growing(4, 2.0, 5, largest=64)).to_dict()
    assert grown["size"]["name"] == "Growing"


# -- additive noise --------------------------------------------------------------------------------

MATRIX = np.array([[2.0, -0.6, 0.1], [-0.6, 0.5, 0.0], [0.1, 0.0, 1.0]])
FLAT = np.outer([1.0, 2.0, -1.0], [1.0, 2.0, -1.0])  # of rank one


@each(
    ("covariance", "matrix"),
    [
        (0.3, 0.3 * np.eye(3)),
        ([0.3, 2.0, 0.01], np.diag([0.3, 2.0, 0.01])),
        (MATRIX, MATRIX),
        (FLAT, FLAT),
    ],
)
def test_errors_have_the_covariance_asked_for(covariance, matrix):
    runs = 40_000
    noise = AdditiveNoise(covariance)
    theta = RNG.normal(size=(runs, 3))
    error = drawn_at(noise, PLAIN, 4, runs, seed=6).gradient(theta) - PLAIN.gradient(theta)
    near(error.T @ error / runs, matrix)
    assert np.all(np.abs(error.mean(axis=0)) < 4.5 * np.sqrt(np.diag(matrix) / runs))


def test_errors_of_steps_and_runs_are_independent():
    noise = AdditiveNoise(1.0)
    zero = np.zeros((20_000, 3))
    one, two = (drawn_at(noise, PLAIN, t, 20_000).gradient(zero) for t in (1, 2))
    assert abs(np.mean(one * two)) < 4.5 / np.sqrt(one.size)
    assert abs(np.mean(one[1:] * one[:-1])) < 4.5 / np.sqrt(one.size)
    assert abs(np.mean(one[:256] * one[256:512])) < 4.5 / np.sqrt(3 * 256)


def test_everything_but_the_gradient_is_exact():
    theta, v = RNG.normal(size=(2, 5, 3))
    seen = drawn_at(AdditiveNoise(1.0), PLAIN, 1, 5)
    assert np.array_equal(seen.value(theta), PLAIN.value(theta))
    assert np.array_equal(seen.hessian_vector(theta, v), PLAIN.hessian_vector(theta, v))
    assert seen.dimension == 3
    with pytest.raises(AttributeError):
        _ = seen.nothing_of_the_kind


def test_no_noise_is_no_noise():
    theta = RNG.normal(size=(5, 3))
    seen = drawn_at(AdditiveNoise(0.0), PLAIN, 1, 5)
    assert np.array_equal(seen.gradient(theta), PLAIN.gradient(theta))


@each(
    ("covariance", "sentence"),
    [
        ("large", "covariance must be a variance, d variances or a d x d matrix"),
        (np.nan, "covariance must be a variance, d variances or a d x d matrix"),
        ([1.0, np.inf], "covariance must be a variance, d variances or a d x d matrix"),
        (np.zeros((2, 2, 2)), "covariance must be a variance, d variances or a d x d matrix"),
        (-0.1, "a covariance has no negative eigenvalue, got -0.1"),
        ([0.1, -0.1, 2.0], "a covariance has no negative eigenvalue, got -0.1"),
        ([[1.0, 2.0], [2.0, 1.0]], "a covariance has no negative eigenvalue, got -1"),
        ([[1.0, 0.5], [0.0, 1.0]], "covariance must be symmetric, got shape (2, 2)"),
        (np.ones((2, 3)), "covariance must be symmetric, got shape (2, 3)"),
    ],
)
def test_bad_covariances(covariance, sentence):
    with pytest.raises(InputError, match=r"^AdditiveNoise: [^\n]*$") as caught:
        AdditiveNoise(covariance)
    assert sentence in str(caught.value)
    assert caught.value.argument == "covariance"


@pytest.mark.parametrize("covariance", [[1.0, 2.0], np.eye(4), []])
def test_a_covariance_of_another_dimension(covariance):
    size = np.shape(covariance)[-1]
    with pytest.raises(InputError, match=f"is for {size} parameters, the problem has 3"):
        drawn_at(AdditiveNoise(covariance), PLAIN, 1)


def test_plain_data_of_additive_noise():
    assert AdditiveNoise([1, 2]) == AdditiveNoise([1.0, 2.0])
    assert hash(AdditiveNoise([1, 2])) == hash(AdditiveNoise([1.0, 2.0]))
    assert AdditiveNoise(1.0) != AdditiveNoise(2.0)
    assert AdditiveNoise(1.0) != 1.0
    assert AdditiveNoise(np.eye(2)).to_dict() == {
        "name": "AdditiveNoise",
        "covariance": [[1.0, 0.0], [0.0, 1.0]],
    }
    assert repr(AdditiveNoise([1.0, 2.0])) == "AdditiveNoise([1.0, 2.0])"
    given_array = np.array([1.0, 2.0])
    noise = AdditiveNoise(given_array)
    given_array[0] = 5.0
    assert noise == AdditiveNoise([1.0, 2.0])
    with pytest.raises(ValueError, match="read-only"):
        noise.covariance[0] = 3.0


# -- streams ---------------------------------------------------------------------------------------


def test_streams_differ_by_seed_step_block_and_purpose():
    places = [(s, t, b, p) for s in (0, 1) for t in (1, 2, 10**12) for b in (0, 1) for p in (0, 3)]
    firsts = {float(stream(*place).random()) for place in places}
    assert len(firsts) == len(places)
    assert stream(2**63 - 1, 1, 0, 0).random() == stream(2**63 - 1, 1, 0, 0).random()


def test_a_stream_begins_where_a_new_philox_does():
    """Salmon et al. (2011): key and counter are all there is; nothing is left of earlier draws."""
    for purpose, t in ((0, 1), (3, 2**40)):
        stream(9, 9, 9, 9).integers(10, size=3, dtype=np.int32)  # leaves half a word over
        found = stream(5, t, 2, purpose).integers(2**31, size=9, dtype=np.int32)
        fresh = np.random.Philox(key=[5, (purpose << 48) | 2], counter=[0, 0, t, 0])
        expected = np.random.Generator(fresh).integers(2**31, size=9, dtype=np.int32)
        assert np.array_equal(found, expected)


def test_threads_have_streams_of_their_own():
    from concurrent.futures import ThreadPoolExecutor

    def draws(seed):
        return [per_run(seed, t, 0, 0, (300, 2), "standard_normal") for t in range(50)]

    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(draws, range(4)))
    for seed in range(4):
        assert np.array_equal(together[seed], draws(seed))


@pytest.mark.parametrize("kind", ["standard_normal", "random"])
def test_draws_of_a_run_do_not_depend_on_how_many_there_are(kind):
    whole = per_run(3, 5, 2, 0, (700, 4), kind)
    for first, runs in ((0, 1), (0, 255), (0, 257), (256, 10), (512, 188)):
        assert np.array_equal(per_run(3, 5, 2, first, (runs, 4), kind), whole[first : first + runs])
    assert per_run(3, 5, 2, 0, (0, 4), kind).shape == (0, 4)
    assert BLOCK_RUNS == 256


@pytest.mark.parametrize(
    "noise", [AdditiveNoise(1.0), MiniBatch(3), MiniBatch(3, independent=True)]
)
def test_a_step_sees_one_draw_however_often_it_asks(noise):
    problem = regression()
    theta = RNG.normal(size=(5, 3))
    seen = drawn_at(noise, problem, 2, 5, seed=4)
    first = seen.gradient(theta)
    assert np.array_equal(first, seen.gradient(theta))
    assert np.array_equal(first, drawn_at(noise, problem, 2, 5, seed=4).gradient(theta))
    assert not np.allclose(first, drawn_at(noise, problem, 2, 5, seed=5).gradient(theta))
    assert not np.allclose(first, drawn_at(noise, problem, 3, 5, seed=4).gradient(theta))


def test_draws_of_a_rule_are_new_at_each_call_and_the_same_in_each_replay():
    sampler = Sampler(None, 3, 256, 4, with_draws=True)
    theta = np.zeros((4, 2))
    problem = sampler.at(PLAIN, 7)
    once = [problem.normal(theta), problem.normal(theta), problem.uniform(theta)]
    assert not np.array_equal(once[0], once[1])
    again = sampler.at(PLAIN, 7)
    replayed = [again.normal(theta), again.normal(theta), again.uniform(theta)]
    assert np.array_equal(once, replayed)
    column = sampler.at(PLAIN, 7).uniform(np.zeros((4, 1)))
    assert column.shape == (4, 1)
    assert np.all((once[2] >= 0) & (once[2] < 1))
    scaled = sampler.at(PLAIN, 7).normal(theta, np.array([[4.0], [1.0], [0.0], [9.0]]))
    assert scaled == pytest.approx(once[0] * np.array([[2.0], [1.0], [0.0], [3.0]]))
    assert once[0].flags.f_contiguous, "the memory order of theta"
    assert not hasattr(Sampler(None, 3, 0, 4).at(PLAIN, 7), "normal")


def test_moments_of_the_draws_of_a_rule():
    theta = np.zeros((30_000, 2))
    problem = Sampler(None, 0, 0, 30_000, with_draws=True).at(PLAIN, 1)
    normal, uniform = problem.normal(theta, 4.0), problem.uniform(theta)
    assert normal.mean() == pytest.approx(0, abs=4.5 * 2 / np.sqrt(60_000))
    assert normal.var() == pytest.approx(4, rel=4.5 * np.sqrt(2 / 60_000))
    assert np.mean(normal**4) == pytest.approx(48, rel=0.06)
    assert uniform.mean() == pytest.approx(0.5, abs=4.5 / np.sqrt(12 * 60_000))
    assert uniform.var() == pytest.approx(1 / 12, rel=0.03)


def test_noise_of_gradient_and_draws_of_the_rule_are_unrelated():
    runs = 20_000
    seen = Sampler(AdditiveNoise(1.0), 0, 0, runs, with_draws=True).at(PLAIN, 1)
    zero = np.zeros((runs, 3))
    assert abs(np.mean(seen.gradient(zero) * seen.normal(zero))) < 4.5 / np.sqrt(3 * runs)


@each("seed", [-1, 2**63, 1.0, True, "seven"])
def test_bad_seeds(seed):
    with pytest.raises(InputError, match="seed must be a whole number from 0 to 2\\*\\*63 - 1"):
        checked_seed(seed)


def test_seeds():
    assert checked_seed(None) == 0
    assert checked_seed(np.int64(5)) == 5
    assert type(checked_seed(np.int64(5))) is int


def test_a_drawn_problem_can_be_copied_and_pickled():
    theta = np.ones((1, 3))
    seen = drawn_at(AdditiveNoise(1.0), PLAIN, 1)
    for twin in (copy.copy(seen), pickle.loads(pickle.dumps(seen))):
        assert np.array_equal(twin.gradient(theta), seen.gradient(theta))


def test_a_noise_of_ones_own_must_say_what_it_draws():
    class Silent(Noise):
        pass

    Silent().check(PLAIN, 1)
    with pytest.raises(NotImplementedError):
        Silent().drawn(PLAIN, 1, 0, 1, 0)
    with pytest.raises(NotImplementedError):
        Silent().to_dict()
