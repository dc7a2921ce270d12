/** All that the figures and the verdict show of one state: computed once, drawn many times. */

import { remembered } from "./memo";
import { ruleOf, type Key, type Rule, type Settings } from "./optimizers";
import { components, lossAbove, type Problem } from "./problem";
import { simulate, type Noise, type Run } from "./simulate";
import { displacement, problemOf, type State } from "./state";
import {
  cycleFloor, fate, gapByFormula, isLinear, limit, noiseFloor, stepsByFormula, worst, type Fate,
} from "./theory";
import type { Vector } from "./linear";

/** How far to look for the step that reaches the goal. */
export const PATIENCE = 3000;

export interface Series {
  key: Key;
  rule: Rule;
  settings: Settings;
  run: Run;
  /** The gap by formula; null for rules that have none. */
  formula: Float64Array | null;
  /** Steps to the goal by formula. */
  predicted: number | null;
  /** Where it stalls, by formula. */
  floor: number | null;
  /** Worst factor per step. */
  factor: number | null;
  /** αλmax must stay below this. */
  limit: number | null;
  fate: Fate | null;
  /** Largest difference of formula and simulation, relative to the gap at the start. */
  deviation: number | null;
}

export interface Model {
  state: State;
  problem: Problem;
  /** Displacement of the start from the critical point, and its components. */
  e0: Vector;
  z0: Vector;
  gap0: number;
  noise: Noise;
  series: Series[];
}

export function compute(state: State): Model {
  const problem = problemOf(state);
  const e0 = displacement(state, problem);
  const z0 = components(problem, e0);
  const noise = { sigma: state.sigma, seed: state.seed };
  const model: Model = { state, problem, e0, z0, gap0: lossAbove(problem, e0), noise, series: [] };
  for (const key of state.chosen) {
    const rule = ruleOf(key);
    if (rule) model.series.push(keptSeries(model, rule));
  }
  return model;
}

/** The run of a method stays while all that it depends on stays: α moves three of seven. */
function keptSeries(model: Model, rule: Rule): Series {
  const { state, problem, e0 } = model;
  const { steps, tolerance, sigma, seed } = state;
  const own = [rule.adaptive ? state.rate : state.alpha, rule.momentum ? state.mu : 0];
  const key = [...own, steps, tolerance, sigma, seed, ...e0].join();
  return remembered(problem, rule.key, key, () => seriesOf(model, rule));
}

function seriesOf(model: Model, rule: Rule): Series {
  const { state, problem, e0, z0, noise } = model;
  const settings = { alpha: rule.adaptive ? state.rate : state.alpha, mu: state.mu };
  const hasGoal = model.gap0 > 0 && (problem.shape === "minimum" || problem.shape === "valley");
  const run = simulate(
    problem, rule, settings, e0, state.steps, noise, hasGoal ? state.tolerance : 0, PATIENCE,
  );
  const one: Series = {
    key: rule.key, rule, settings, run, formula: null, predicted: null, floor: null, factor: null,
    limit: null, fate: null, deviation: null,
  };
  const { alpha, mu } = settings;
  if (!isLinear(rule.key)) {
    if (rule.key === "rmsprop" && hasGoal) one.floor = cycleOf(problem, run, alpha, state.steps);
    return one;
  }
  one.limit = limit(rule.key, mu);
  one.factor = worst(rule.key, alpha, mu, problem.lambda);
  one.fate = problem.top > 0 ? fate(rule.key, mu, alpha * problem.top) : null;
  if (problem.shape !== "slope") one.formula = gapByFormula(rule.key, problem, alpha, mu, z0, state.steps);
  if (hasGoal) one.predicted = stepsByFormula(rule.key, problem, alpha, mu, z0, state.tolerance, PATIENCE);
  if (noise.sigma > 0) one.floor = noiseFloor(rule.key, problem, alpha, mu, noise.sigma);
  else if (one.formula) one.deviation = difference(one.formula, run.gap, model.gap0);
  return one;
}

/** RMSProp's floor, if the run has settled into its cycle: each coordinate flips its sign. */
function cycleOf(problem: Problem, run: Run, alpha: number, steps: number): number | null {
  const { d } = problem;
  if (steps < 2) return null;
  const signs = [];
  for (let i = 0; i < d; i++) {
    const [last, before] = [run.path[steps * d + i], run.path[(steps - 1) * d + i]];
    if (!(last * before < 0 && Math.abs(Math.abs(last) - alpha / 2) < 0.2 * alpha)) return null;
    signs.push(Math.sign(last));
  }
  return cycleFloor(problem, alpha, signs);
}

function difference(formula: Float64Array, gap: Float64Array, start: number): number {
  let most = 0;
  for (let k = 0; k < gap.length; k++) {
    const off = Math.abs(formula[k] - gap[k]) / Math.max(Math.abs(start), Math.abs(formula[k]));
    if (off > most) most = off;
  }
  return most;
}
