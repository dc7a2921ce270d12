/** Figure 8: position against change per step along one eigendirection: a spiral, or a straight way home. */

import { below, beside, frame, usual, type Box } from "./axes";
import type { Figure } from "./figure";
import { sub } from "./ruler";
import { dot } from "../linear";
import type { Model, Series } from "../model";
import { linear, percent, show, type Scale } from "../scale";
import { clip, curve, line, markers, star, text, through } from "../svg";
import { factor, isLinear, recurrence, response, roots, type Linear } from "../theory";
import type { Words } from "../words";

const MOST = 300; // steps that are drawn: later ones are too small to see
const FAR = 3; // times the start, where it grows

export type Damping = "under" | "critical" | "over" | "flips" | "grows" | "still";

/** The direction that is looked at; the slowest where the problem has not as many. */
export function directionOf(model: Model): number {
  return Math.min(model.state.along, model.problem.d) - 1;
}

/** What happens along one direction, from its two roots. */
export function dampingOf(key: Linear, mu: number, step: number): Damping {
  if (step === 0) return "still";
  const [p, q] = recurrence(key, mu, step);
  if (factor(p, q) > 1 + 1e-13) return "grows";
  const square = p * p - 4 * q;
  if (q !== 0 && Math.abs(square) <= 1e-9 * p * p) return p > 0 ? "critical" : "flips";
  if (square < 0) return "under";
  return roots(p, q)[0].re < 0 ? "flips" : "over";
}

/** The αλ with complex roots, between two double roots. */
export function swinging(key: Linear, mu: number): [number, number] {
  return key === "hb" ? [(1 - Math.sqrt(mu)) ** 2, (1 + Math.sqrt(mu)) ** 2] : [((1 - mu) / (1 + mu)) ** 2, 1];
}

/**
 * The curve (z, change of z) / z₀ by formula: through whole steps, and between them too where the
 * roots allow it: ρᵗ(cos φt + c sin φt) for a complex pair. A negative root has nothing between.
 */
export function portrait(p: number, q: number, steps: number, wanted = 1): [number, number][] {
  const square = p * p - 4 * q;
  if (q > 0 && square < -1e-9 * p * p) {
    const [rho, angle] = [Math.sqrt(q), Math.atan2(Math.sqrt(-square), p)];
    const c = (Math.cos(angle) - rho) / Math.sin(angle); // so that the change at step 0 is zero
    const at = (t: number): number => rho ** t * (Math.cos(angle * t) + c * Math.sin(angle * t));
    const parts = wanted * Math.min(8, Math.max(1, Math.ceil(angle * 5)));
    return Array.from({ length: steps * parts + 1 }, (_, i) => [at(i / parts), at(i / parts) - at(i / parts - 1)]);
  }
  const shape = response(p, q, steps);
  return Array.from(shape, (value, k) => [value, k ? value - shape[k - 1] : 0]);
}

function shownOf(model: Model): (Series & { key: Linear })[] {
  return model.series.filter((one): one is Series & { key: Linear } => isLinear(one.key) && one.rule.momentum);
}

/** (z, change of z) of the simulation, 0..count. */
function walked(model: Model, one: Series, i: number): [number, number][] {
  const { d, Q } = model.problem;
  const out: [number, number][] = [];
  let before = model.z0[i];
  for (let k = 0; k <= Math.min(model.state.steps, MOST); k++) {
    const z = dot(Q[i], one.run.path.subarray(k * d, k * d + d));
    if (!Number.isFinite(z)) break;
    out.push([z, z - before]);
    before = z;
    if (Math.abs(z) > 10 * FAR * Math.abs(model.z0[i])) break;
  }
  return out;
}

export const phase: Figure = {
  id: "phase",
  height: (width) => (width > 640 ? 340 : Math.round(Math.min(380, Math.max(240, width * 0.66)))),
  name: (words) => words.figures.phase.name,
  how: (words) => words.figures.phase.how,
  title(model, { words }) {
    const w = words.figures.phase;
    const [one] = shownOf(model);
    if (!one) return w.none;
    const i = directionOf(model);
    const q = `q${sub(i + 1)}`;
    if (Math.abs(model.z0[i]) < 1e-12 * Math.hypot(...model.z0)) return w.nothing(q);
    const step = model.state.alpha * model.problem.lambda[i];
    const [p, minor] = recurrence(one.key, model.state.mu, step);
    const turn = (2 * Math.PI) / Math.atan2(Math.sqrt(Math.max(4 * minor - p * p, 0)), p);
    const said = w.says[dampingOf(one.key, model.state.mu, step)](words.names[one.key], q, show(turn, 3), percent(minor ** (turn / 2)));
    return said.charAt(0).toUpperCase() + said.slice(1);
  },
  draw(model, width, { words }) {
    const w = words.figures.phase;
    const height = this.height(width, model);
    const i = directionOf(model);
    const box: Box = { left: 62, right: width - 14, top: 14, bottom: height - 42 };
    const shown = shownOf(model);
    const walks = shown.map((one) => walked(model, one, i));
    const start = Math.abs(model.z0[i]) || 1;
    const x = linear(...rangeOf(walks, 0, start, FAR * start), box.left, box.right);
    const y = linear(...rangeOf(walks, 1, start, 2 * FAR * start), box.bottom, box.top);
    let out = clip("phase-clip", box.left, box.top, box.right - box.left, box.bottom - box.top);
    out += beside(box, y, usual(y, (box.bottom - box.top) * 1.4), w.y, show, false) + below(box, x, usual(x, box.right - box.left), w.x(sub(i + 1)));
    out += line(box.left, y(0), box.right, y(0), { stroke: "var(--level)" }) + line(x(0), box.top, x(0), box.bottom, { stroke: "var(--level)" });
    let inside = "";
    shown.forEach((one, n) => (inside += drawn(model, one, i, walks[n], x, y)));
    inside += star(x(0), y(0), 7, "var(--ink)");
    out += `<g clip-path="url(#phase-clip)">${inside}</g>` + frame(box);
    return out + limits(model, shown, i, box, words);
  },
};

/** What is shown of one axis: where the methods go, zero, and some air. */
function rangeOf(walks: [number, number][][], axis: 0 | 1, start: number, most: number): [number, number] {
  const places = walks.flat().map((one) => one[axis]);
  const low = Math.max(Math.min(0, ...places), -most);
  const high = Math.min(Math.max(0, ...places), most);
  const air = Math.max(0.12 * (high - low), 0.02 * start);
  return [low - air, high + air];
}

function drawn(model: Model, one: Series & { key: Linear }, i: number, walk: [number, number][], x: Scale, y: Scale): string {
  const [z0, { alpha, mu, at }] = [model.z0[i], model.state];
  const [p, q] = recurrence(one.key, mu, alpha * model.problem.lambda[i]);
  let out = "";
  const square = p * p - 4 * q;
  if (square > 0 && q !== 0) // the eigenvectors of one step: no way crosses them
    for (const { re } of roots(p, q)) {
      const slope = 1 - 1 / re;
      out += line(x(x.low), y(slope * x.low), x(x.high), y(slope * x.high), { stroke: `var(--${one.key})`, "stroke-dasharray": "2 4", opacity: 0.8 });
    }
  const points = portrait(p, q, walk.length - 1).filter(([z]) => Math.abs(z) < 100 * FAR);
  out += curve(one.key, through(points.length, (k) => x(z0 * points[k][0]), (k) => y(z0 * points[k][1])), 1.5);
  const near = Math.hypot(x.high, y.high) * 1e-3;
  const places = walk.filter(([z, change], k) => k <= 60 && (k < 3 || Math.hypot(z, change) > near)).map(([z, change]): [number, number] => [x(z), y(change)]);
  out += markers(one.key, places, 2.8);
  return at && at < walk.length ? out + markers(one.key, [[x(walk[at][0]), y(walk[at][1])]], 6, true) : out;
}

/** For which α this direction swings. */
function limits(model: Model, shown: (Series & { key: Linear })[], i: number, box: Box, words: Words): string {
  const value = model.problem.lambda[i];
  if (!(value > 0)) return "";
  return shown.map((one, n) => {
    const [low, high] = swinging(one.key, model.state.mu).map((step) => show(step / value));
    return text(box.right - 4, box.top + 12 + 15 * n, words.figures.phase.swings(words.short[one.key], low, high),
      { anchor: "end", fill: `var(--${one.key}-ink)`, halo: true });
  }).join("");
}
