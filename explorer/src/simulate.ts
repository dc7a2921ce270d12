/** Runs of an optimizer, by nothing but its rule: no theory in here. */

import type { Rule, Settings } from "./optimizers";
import type { Problem } from "./problem";
import { normals } from "./random";

export interface Noise {
  /** Standard deviation of every entry of every gradient. */
  sigma: number;
  seed: number;
}

export interface Run {
  /** Displacements from the critical point, one row of d numbers per step 0..steps. */
  path: Float64Array;
  /** Loss above the critical point, 0..steps. */
  gap: Float64Array;
  /** First step that is beyond all bounds; null when there is none. */
  lost: number | null;
  /** First step with gap ≤ tolerance × gap[0]; null when none is within `patience`. */
  arrival: number | null;
}

export interface Memory {
  names: readonly string[];
  values: Float64Array[];
  gradient: Float64Array;
}

const BEYOND = 1e150;

/** Steps of one rule, on displacements from the critical point. Makes no new arrays on the way. */
class Walker {
  readonly memory: Float64Array[];
  readonly e: Float64Array;
  /** The one that was asked for last. */
  readonly gradient: Float64Array;
  private readonly A: Float64Array;
  /** A e, where it is known: the gap and the next gradient share it. */
  private readonly product: Float64Array;
  private isKnown = false;
  private readonly draw: (() => number) | null;
  private t = 0;

  constructor(
    private readonly problem: Problem,
    private readonly rule: Rule,
    private readonly settings: Settings,
    start: ArrayLike<number>,
    private readonly noise: Noise,
  ) {
    this.e = Float64Array.from(start);
    this.memory = rule.memory.map(() => new Float64Array(problem.d));
    this.gradient = new Float64Array(problem.d);
    this.A = Float64Array.from(problem.A.flat());
    this.product = new Float64Array(problem.d);
    this.draw = noise.sigma > 0 ? normals(noise.seed) : null;
  }

  private readonly slope = (at: Float64Array): Float64Array => {
    const { gradient } = this;
    const { residual, d } = this.problem;
    if (!(this.isKnown && at === this.e)) this.multiply(at);
    this.isKnown = false;
    for (let i = 0; i < d; i++) {
      gradient[i] = this.product[i] + residual[i];
      if (this.draw) gradient[i] += this.noise.sigma * this.draw();
    }
    return gradient;
  };

  /** Loss above the critical point. */
  get gap(): number {
    const { e, product } = this;
    const { residual, d } = this.problem;
    let twice = 0;
    let rest = 0;
    this.multiply(e);
    this.isKnown = true;
    for (let i = 0; i < d; i++) {
      twice += product[i] * e[i];
      rest += residual[i] * e[i];
    }
    return 0.5 * twice + rest;
  }

  private multiply(at: Float64Array): void {
    const { A, product } = this;
    const { d } = this.problem;
    for (let i = 0, n = 0; i < d; i++) {
      let sum = 0;
      for (let j = 0; j < d; j++) sum += A[n++] * at[j];
      product[i] = sum;
    }
  }

  step(): void {
    this.rule.step(this.slope, ++this.t, this.e, this.memory, this.settings);
    this.isKnown = false;
  }

  get isLost(): boolean {
    const { e } = this;
    for (let i = 0; i < e.length; i++) if (!(Math.abs(e[i]) < BEYOND)) return true;
    return false;
  }
}

/** Run `steps` steps and record them; go on, up to `patience`, until the goal is reached. */
export function simulate(
  problem: Problem, rule: Rule, settings: Settings, start: ArrayLike<number>, steps: number,
  noise: Noise = { sigma: 0, seed: 0 }, tolerance = 0, patience = 0,
): Run {
  const { d } = problem;
  const path = new Float64Array((steps + 1) * d).fill(NaN);
  const gap = new Float64Array(steps + 1).fill(NaN);
  const walker = new Walker(problem, rule, settings, start, noise);
  path.set(walker.e);
  gap[0] = walker.gap;
  const goal = tolerance * gap[0];
  let lost: number | null = null;
  let arrival: number | null = null;
  const isWanted = tolerance > 0 && gap[0] > 0;
  for (let k = 1; k <= Math.max(steps, patience); k++) {
    if (k > steps && (!isWanted || arrival !== null)) break;
    walker.step();
    if (walker.isLost) {
      lost = k;
      break;
    }
    const value = walker.gap;
    if (k <= steps) {
      path.set(walker.e, k * d);
      gap[k] = value;
    }
    if (isWanted && value <= goal) arrival ??= k;
  }
  return { path, gap, lost, arrival: lost === null ? arrival : null };
}

/** What the optimizer remembers after `steps` steps, and the gradient that it last saw. */
export function memoryAfter(
  problem: Problem, rule: Rule, settings: Settings, start: ArrayLike<number>, steps: number,
  noise: Noise,
): Memory {
  const walker = new Walker(problem, rule, settings, start, noise);
  for (let k = 0; k < steps; k++) walker.step();
  return { names: rule.memory, values: walker.memory, gradient: walker.gradient };
}
