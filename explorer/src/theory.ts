/**
 * What theory says of the rules without accumulators. Along an eigendirection with eigenvalue λ the
 * error follows z_{k+1} = p z_k - q z_{k-1}, z_{-1} = z_0. No simulation in here.
 */

import type { Key } from "./optimizers";
import type { Problem } from "./problem";

export type Linear = Extract<Key, "gd" | "hb" | "nag">;

export function isLinear(key: Key): key is Linear {
  return key === "gd" || key === "hb" || key === "nag";
}

export interface Complex {
  re: number;
  im: number;
}

/** p and q, with αλ for the eigenvalue. */
export function recurrence(key: Linear, mu: number, step: number): [number, number] {
  if (key === "gd") return [1 - step, 0];
  if (key === "hb") return [1 + mu - step, mu];
  return [(1 + mu) * (1 - step), mu * (1 - step)];
}

/** The roots of z² - p z + q, the larger one first; one root where q is zero. */
export function roots(p: number, q: number): Complex[] {
  if (q === 0) return [{ re: p, im: 0 }];
  const square = p * p - 4 * q;
  if (square < 0) {
    const im = Math.sqrt(-square) / 2;
    return [{ re: p / 2, im }, { re: p / 2, im: -im }];
  }
  const large = (p + (p >= 0 ? 1 : -1) * Math.sqrt(square)) / 2;
  return [{ re: large, im: 0 }, { re: large === 0 ? 0 : q / large, im: 0 }];
}

/** The factor per step of one direction: the larger modulus of the two roots. */
export function factor(p: number, q: number): number {
  const square = p * p - 4 * q;
  return square < 0 ? Math.sqrt(q) : (Math.abs(p) + Math.sqrt(square)) / 2;
}

/** αλ must stay below this, strictly. */
export function limit(key: Linear, mu: number): number {
  if (key === "gd") return 2;
  return key === "hb" ? 2 * (1 + mu) : (2 * (1 + mu)) / (1 + 2 * mu);
}

export type Fate = "converges" | "cycles" | "diverges";

const ROUNDING = 1e-13; // αλ this close to a limit is the limit

/** What happens along one direction with αλ = `step` > 0. */
export function fate(key: Linear, mu: number, step: number): Fate {
  const most = limit(key, mu);
  if (Math.abs(step - most) <= ROUNDING * most) return "cycles";
  if (step > most) return "diverges";
  return key === "hb" && mu >= 1 ? "cycles" : "converges";
}

/** The worst factor over the curved directions. */
export function worst(key: Linear, alpha: number, mu: number, lambda: readonly number[]): number {
  let most = 0;
  for (const value of lambda)
    if (value !== 0) most = Math.max(most, factor(...recurrence(key, mu, alpha * value)));
  return most;
}

/** z_k / z_0 for k = 0..steps, from the roots. */
export function response(p: number, q: number, steps: number): Float64Array {
  if (q === 0) return powers(p, steps + 1);
  const sums = partialSums(p, q, steps + 1);
  for (let k = steps; k > 0; k--) sums[k] -= q * sums[k - 1];
  return sums;
}

const BLOCK = 64;

/** base^k for k = 0..count-1: a power of whole blocks times one inside the block, both by `**`. */
function powers(base: number, count: number): Float64Array {
  const out = new Float64Array(count);
  const inside = Array.from({ length: Math.min(BLOCK, count) }, (_, m) => base ** m);
  for (let k = 0; k < count; k += BLOCK) {
    const outer = base ** k;
    for (let m = 0; m < inside.length && k + m < count; m++) out[k + m] = outer * inside[m];
  }
  return out;
}

/**
 * (r₁^{k+1} - r₂^{k+1})/(r₁ - r₂) for k = 0..count-1, without cancellation where the roots (nearly)
 * meet. In blocks as above: sin(a + b) and expm1(a + b) come from their parts without cancelling.
 */
function partialSums(p: number, q: number, count: number): Float64Array {
  const square = p * p - 4 * q;
  if (square < 0) {
    const angle = Math.atan2(Math.sqrt(-square), p);
    const sine = Math.sin(angle);
    const [sines, cosines] = [Math.sin, Math.cos].map((f) => Float64Array.from({ length: BLOCK }, (_, m) => f((m + 1) * angle)));
    return each(powers(Math.sqrt(q), count), (k) => [Math.sin(k * angle), Math.cos(k * angle)], ([s, c], m) => (s * cosines[m] + c * sines[m]) / sine);
  }
  const large = (p + (p >= 0 ? 1 : -1) * Math.sqrt(square)) / 2;
  const ratio = q / (large * large);
  const outer = powers(large, count);
  if (ratio < 0) {
    const inner = powers(ratio, count + 1);
    return outer.map((value, k) => (value * (1 - inner[k + 1])) / (1 - ratio));
  }
  const delta = Math.sqrt(square) / Math.abs(large); // 1 - ratio
  if (delta === 0) return outer.map((value, k) => value * (k + 1));
  const log = Math.log1p(-delta);
  const parts = Float64Array.from({ length: BLOCK }, (_, m) => Math.expm1((m + 1) * log));
  return each(outer, (k) => Math.expm1(k * log), (whole, m) => -(whole * parts[m] + whole + parts[m]) / delta);
}

/** Multiply every entry by what a number (or more) per block, and the place in the block, say. */
function each<T>(values: Float64Array, block: (k: number) => T, factor: (of: T, m: number) => number): Float64Array {
  for (let k = 0; k < values.length; k += BLOCK) {
    const of = block(k);
    for (let m = 0; m < BLOCK && k + m < values.length; m++) values[k + m] *= factor(of, m);
  }
  return values;
}

/** The gap (loss above the critical point) for k = 0..steps, by formula. */
export function gapByFormula(
  key: Linear, problem: Problem, alpha: number, mu: number, z: readonly number[], steps: number,
): Float64Array {
  const out = new Float64Array(steps + 1);
  problem.lambda.forEach((value, i) => {
    if (value === 0) return;
    const shape = response(...recurrence(key, mu, alpha * value), steps);
    const weight = 0.5 * value * z[i] * z[i];
    for (let k = 0; k <= steps; k++) out[k] += weight * shape[k] * shape[k];
  });
  return out;
}

/**
 * First step with the gap at most tolerance × its start; null when it takes more than `patience`.
 *
 * `forGood`: the first after which it stays there. That goes on until the amplitudes themselves,
 * which only shrink, are below the goal.
 */
export function stepsByFormula(
  key: Linear, problem: Problem, alpha: number, mu: number, z: readonly number[],
  tolerance: number, patience: number, forGood = false,
): number | null {
  const active = problem.lambda.map((value, i) => ({ value, weight: 0.5 * value * z[i] * z[i] }))
    .filter((one) => one.weight > 0)
    .map(({ value, weight }) => {
      const [p, q] = recurrence(key, mu, alpha * value);
      return { p, q, weight, now: 1, before: 1 };
    });
  const goal = tolerance * active.reduce((sum, one) => sum + one.weight, 0);
  let above = 0;
  for (let k = 1; k <= 2 * patience + 100; k++) {
    let [gap, most] = [0, 0];
    for (const one of active) {
      const next = one.p * one.now - one.q * one.before;
      one.before = one.now;
      one.now = next;
      gap += one.weight * next * next;
      if (forGood && gap <= goal) most += one.weight * amplitude(one.p, one.q, next, one.before) ** 2;
    }
    if (!(gap <= goal)) above = k;
    else if (!forGood || most <= goal) return above + 1;
    if (above >= patience || !(gap < 1e60)) return null;
  }
  return null;
}

/** How large |z| can still become, from two neighbours: exact where it swings. */
function amplitude(p: number, q: number, now: number, before: number): number {
  const square = p * p - 4 * q;
  if (square < 0) return Math.sqrt(Math.max(now * now - p * now * before + q * before * before, 0) / (q - (p * p) / 4)) * Math.sqrt(q);
  if (q === 0) return Math.abs(now);
  // z_k = a r^k + b s^k: |a r^k| + |b s^k|; where the roots nearly meet, a rough bound
  const [r, s] = [(p + Math.sqrt(square)) / 2, (p - Math.sqrt(square)) / 2];
  const gap = Math.max(r - s, 1e-9);
  return Math.min((Math.abs(now - s * before) * Math.abs(r) + Math.abs(now - r * before) * Math.abs(s)) / gap, Math.abs(now) + Math.abs(before) * 1e3);
}

export interface Pair {
  alpha: number;
  mu: number;
}

/** The pair with the smallest worst factor (Polyak 1964; Lessard, Recht & Packard 2016). */
export function bestPair(key: Linear, low: number, top: number): Pair {
  if (key === "gd") return { alpha: 2 / (low + top), mu: 0 };
  if (key === "hb") {
    const [a, b] = [Math.sqrt(low), Math.sqrt(top)];
    return { alpha: 4 / (a + b) ** 2, mu: ((b - a) / (b + a)) ** 2 };
  }
  const root = Math.sqrt((3 * top) / low + 1);
  return { alpha: 4 / (3 * top + low), mu: (root - 2) / (root + 2) };
}

export interface Fastest extends Pair {
  steps: number;
}

/** The pair with the fewest steps to the tolerance for good, from this start: a search over exact curves, as `tune`. */
export function fastestPair(
  key: Linear, problem: Problem, z: readonly number[], tolerance: number,
): Fastest | null {
  if (!(problem.lambda[0] > 0)) return null;
  const seed = bestPair(key, problem.low, problem.top);
  const first = stepsByFormula(key, problem, seed.alpha, seed.mu, z, tolerance, 20000, true);
  if (first === null) return null;
  let best: Fastest = { ...seed, steps: first };
  let [width, height] = [limit(key, seed.mu) / problem.top, key === "gd" ? 0 : 1];
  let centre: Pair = { alpha: width / 2, mu: height / 2 };
  for (let round = 0; round < 4; round++) {
    const [columns, rows] = [28, key === "gd" ? 1 : 24];
    for (let j = 0; j < rows; j++)
      for (let i = 0; i < columns; i++) {
        const alpha = centre.alpha + width * ((i + 0.5) / columns - 0.5);
        const mu = key === "gd" ? 0 : centre.mu + height * ((j + 0.5) / rows - 0.5);
        if (!(alpha > 0 && mu >= 0 && mu < 1) || alpha * problem.top >= limit(key, mu)) continue;
        const steps = stepsByFormula(key, problem, alpha, mu, z, tolerance, best.steps - 1, true);
        if (steps !== null) best = { alpha, mu, steps };
      }
    centre = best;
    width /= 5;
    height /= 5;
  }
  return best;
}

/** The gap at which noise of variance σ² per entry holds a converging rule; null if none. */
export function noiseFloor(
  key: Linear, problem: Problem, alpha: number, mu: number, sigma: number,
): number | null {
  let sum = 0;
  for (const value of problem.lambda) {
    if (!(value > 0)) return null;
    const [p, q] = recurrence(key, mu, alpha * value);
    const room = (1 - q) * ((1 + q) ** 2 - p * p);
    if (!(room > 0)) return null;
    sum += (0.5 * value * (1 + q) * alpha * alpha * sigma * sigma) / room;
  }
  return sum;
}

/** RMSProp's stall: α² sᵀAs/8, s the signs of the 2-cycle that it ends in. */
export function cycleFloor(problem: Problem, alpha: number, signs: readonly number[]): number {
  let sum = 0;
  for (let i = 0; i < problem.d; i++)
    for (let j = 0; j < problem.d; j++) sum += signs[i] * problem.A[i][j] * signs[j];
  return (alpha * alpha * sum) / 8;
}
