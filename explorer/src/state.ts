/** Everything that the user has chosen, and the same as text behind the # of the address. */

import type { Matrix, Vector } from "./linear";
import { LARGEST } from "./matrixtext";
import { RULES, type Key } from "./optimizers";
import { components, makeProblem, ravine, type Problem } from "./problem";

export interface Source {
  A: Matrix;
  b: Vector | null;
  name: string;
}

export interface State {
  /** The user's own matrix; null for the ravine of κ and angle. */
  matrix: Source | null;
  kappa: number;
  /** Degrees. */
  angle: number;
  alpha: number;
  mu: number;
  /** The step size of the methods that scale each coordinate. */
  rate: number;
  chosen: Key[];
  start: Vector;
  steps: number;
  tolerance: number;
  /** The step that is looked at. */
  at: number;
  sigma: number;
  seed: number;
  /** Which method the map is of. */
  map: "hb" | "nag";
  /** The eigendirection of the phase portrait, from 1. */
  along: number;
  theme: "auto" | "light" | "dark";
  predict: boolean;
}

export const STEPS = [30, 60, 100, 150, 250, 500, 1000, 2000] as const;
export const TOLERANCES = [1e-2, 1e-3, 1e-4, 1e-6, 1e-8, 1e-10] as const;
export const MOST_KAPPA = 1e4;

export function defaults(): State {
  return {
    matrix: null, kappa: 100, angle: 34, alpha: 0.15, mu: 0.8, rate: 0.3, chosen: ["gd", "hb"],
    start: [-7.4, -6.8], steps: 150, tolerance: 1e-6, at: 0, sigma: 0, seed: 1, map: "hb", along: 1,
    theme: "auto", predict: false,
  };
}

/** What the Python side writes into the page. */
export interface Preset {
  A?: Matrix;
  b?: Vector | null;
  name?: string;
  start?: Vector;
  optimizers?: string[];
  alpha?: number;
  mu?: number;
  rate?: number;
  steps?: number;
  tolerance?: number;
  /** Said under the heading: for instance, that this is a plane of a larger problem. */
  note?: string;
  theme?: "light" | "dark";
  /** Sits inside another page, which has its own heading and address. */
  embedded?: boolean;
}

export function applied(preset: Preset): State {
  const state = defaults();
  if (preset.A) chooseMatrix(state, { A: preset.A, b: preset.b ?? null, name: preset.name ?? "A" });
  for (const name of ["alpha", "mu", "rate", "steps", "tolerance"] as const)
    if (preset[name] !== undefined) state[name] = preset[name];
  if (preset.theme) state.theme = preset.theme;
  if (preset.start) state.start = [...preset.start];
  if (preset.optimizers) chooseMethods(state, known(preset.optimizers));
  return state;
}

/** Tick methods; the map is of the momentum method that is ticked. */
export function chooseMethods(state: State, keys: Key[]): void {
  state.chosen = keys;
  if (keys.includes("nag") !== keys.includes("hb")) state.map = keys.includes("nag") ? "nag" : "hb";
}

function known(keys: readonly string[]): Key[] {
  return RULES.map((rule) => rule.key).filter((key) => keys.includes(key));
}

let kept: { text: string; problem: Problem } | null = null;

/** The problem of a state; the last one is kept, for it rarely changes. */
export function problemOf(state: State): Problem {
  const { matrix } = state;
  const text = matrix ? JSON.stringify(matrix) : `${state.kappa} ${state.angle}`;
  if (kept?.text !== text)
    kept = {
      text,
      problem: matrix ? makeProblem(matrix.A, matrix.b, matrix.name) : ravine(state.kappa, state.angle),
    };
  return kept.problem;
}

/** Take a matrix, with a start and step sizes that suit it. */
export function chooseMatrix(state: State, source: Source): void {
  state.matrix = source;
  const problem = problemOf(state);
  state.start = usualStart(problem);
  suit(state, problem);
}

/** The critical point plus one unit along every eigendirection, as `--start excite` has it. */
export function usualStart(problem: Problem): Vector {
  const point = problem.critical.map((x, i) => problem.Q.reduce((total, q) => total + q[i], x));
  const size = Math.max(...point.map(Math.abs));
  return point.map((x) => (Math.abs(x) < 1e-12 * size ? 0 : Number(x.toPrecision(6))));
}

/** Step sizes at three quarters of the limit, where the former would mean nothing. */
export function suit(state: State, problem: Problem): void {
  const scale = problem.top > 0 ? problem.top : Math.max(...problem.lambda.map(Math.abs), 1e-300);
  if (!(state.alpha * scale > 0.01 && state.alpha * scale < 6))
    state.alpha = Number((1.5 / scale).toPrecision(3));
  const reach = Math.max(...components(problem, displacement(state, problem)).map(Math.abs));
  if (!(state.rate > 1e-3 * reach && state.rate < reach)) state.rate = Number((reach / 20).toPrecision(2));
}

export function displacement(state: State, problem: Problem): Vector {
  return problem.critical.map((x, i) => state.start[i] - x);
}

// -- the address ---------------------------------------------------------------------------------

const NUMBERS = {
  a: "alpha", m: "mu", r: "rate", k: "kappa", t: "angle", n: "steps", e: "tolerance", at: "at",
  s: "sigma", seed: "seed", q: "along",
} as const;

const RANGES: Record<(typeof NUMBERS)[keyof typeof NUMBERS], readonly [number, number]> = {
  alpha: [1e-300, 1e300], mu: [0, 1], rate: [1e-300, 1e300], kappa: [1, MOST_KAPPA],
  angle: [-180, 180], steps: [1, 2000], tolerance: [1e-14, 0.5], at: [0, 2000], sigma: [0, 1e300],
  seed: [0, 4294967295], along: [1, LARGEST],
};

const WHOLE: readonly string[] = ["steps", "at", "seed", "along"];

/** Left out where they are as on every page; the others may be preset. */
const OPTIONAL: readonly string[] = ["at", "sigma", "seed", "along"];

export function toHash(state: State): string {
  const usual = defaults();
  const isNeeded = (name: string): boolean => !OPTIONAL.includes(name) && !(state.matrix && (name === "kappa" || name === "angle"));
  const parts = Object.entries(NUMBERS)
    .filter(([, name]) => state[name] !== usual[name] || isNeeded(name))
    .map(([key, name]) => `${key}=${state[name]}`);
  parts.push(`o=${state.chosen.join(",")}`, `x=${state.start.join(",")}`);
  if (state.matrix) {
    parts.push(`A=${state.matrix.A.map((row) => row.join(",")).join(";")}`);
    if (state.matrix.b?.some((x) => x !== 0)) parts.push(`b=${state.matrix.b.join(",")}`);
    parts.push(`name=${encodeURIComponent(state.matrix.name)}`);
  }
  parts.push(`map=${state.map}`);
  if (state.theme !== usual.theme) parts.push(`theme=${state.theme}`);
  if (state.predict) parts.push("guess=1");
  return `#${parts.join("&")}`;
}

/** Read an address over a state; what cannot be read stays as it was. */
export function fromHash(hash: string, base: State): State {
  const state: State = { ...base, chosen: [...base.chosen], start: [...base.start] };
  const words = new Map(hash.replace(/^#/, "").split("&").map((part) => {
    const [key, ...rest] = part.split("=");
    return [key, rest.join("=")];
  }));
  readSource(words, state);
  for (const [key, name] of Object.entries(NUMBERS)) {
    const value = Number(words.get(key) ?? NaN);
    const [low, high] = RANGES[name];
    if (words.get(key) && value >= low && value <= high && (!WHOLE.includes(name) || Number.isInteger(value)))
      state[name] = value;
  }
  if (words.has("o")) state.chosen = known((words.get("o") ?? "").split(","));
  const start = numbers(words.get("x"));
  if (start && start.length === problemOf(state).d) state.start = start;
  const map = words.get("map");
  if (map === "hb" || map === "nag") state.map = map;
  const theme = words.get("theme");
  if (theme === "light" || theme === "dark") state.theme = theme;
  state.predict = words.get("guess") === "1";
  state.at = Math.min(state.at, state.steps);
  return state;
}

function readSource(words: Map<string, string>, state: State): void {
  const A = words.get("A")?.split(";").map((row) => numbers(row));
  const rows = (A ?? []).filter((row): row is Vector => row !== null);
  const d = rows.length;
  if (A && d === A.length && d >= 1 && d <= LARGEST && rows.every((row) => row.length === d)) {
    const even = rows.every((row, i) => row.every((x, j) => x === rows[j][i]));
    if (!even || rows.flat().every((x) => x === 0)) return;
    const b = numbers(words.get("b"));
    chooseMatrix(state, { A: rows, b: b?.length === d ? b : null, name: decoded(words.get("name")) });
  } else if (words.has("k") || words.has("t")) state.matrix = null;
}

function decoded(text: string | undefined): string {
  try {
    return decodeURIComponent(text ?? "") || "A";
  } catch {
    return "A";
  }
}

function numbers(text: string | undefined): Vector | null {
  if (!text) return null;
  const values = text.split(",").map(Number);
  return values.every(Number.isFinite) ? values : null;
}
