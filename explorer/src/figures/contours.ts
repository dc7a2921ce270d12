/** Figure 2: level sets, and where each method goes. */

import type { Figure } from "./figure";
import { remembered } from "../memo";
import type { Model, Series } from "../model";
import { linear, show, ticks, type Scale } from "../scale";
import { clip, curve, line, markers, path, round, star, text, through } from "../svg";
import { sub } from "./ruler";
import { color } from "../look";

export interface Plane {
  /** Unit vectors of the two axes of the picture, in coordinates of θ. */
  across: number[];
  up: number[];
  /** Curvature along eigendirections, and those as (x, y) in the picture. */
  slow: { value: number; x: number; y: number };
  steep: { value: number; x: number; y: number };
}

/** θ₁ and θ₂ in two dimensions; otherwise the slowest and the steepest eigendirection. */
export function planeOf(model: Model): Plane {
  const { Q, d, lambda } = model.problem;
  if (d === 2)
    return {
      across: [1, 0], up: [0, 1], slow: { value: lambda[0], x: Q[0][0], y: Q[0][1] },
      steep: { value: lambda[1], x: Q[1][0], y: Q[1][1] },
    };
  const up = d === 1 ? [0] : Q[d - 1];
  return { across: Q[0], up, slow: { value: lambda[0], x: 1, y: 0 }, steep: { value: lambda[d - 1], x: 0, y: 1 } };
}

export interface Window {
  x: Scale;
  y: Scale;
  plane: Plane;
}

const [LEFT, RIGHT, TOP, BOTTOM] = [44, 8, 8, 40];
const FAR = 2.5; // half-widths of the picture

function inPlane(plane: Plane, e: ArrayLike<number>, at = 0): [number, number] {
  let [a, b] = [0, 0];
  for (let i = 0; i < plane.across.length; i++) {
    a += plane.across[i] * e[at + i];
    b += plane.up[i] * e[at + i];
  }
  return [a, b];
}

/** The part of the plane that is shown: it depends on the start, not on the paths. */
export function windowOf(model: Model, width: number, height: number): Window {
  const plane = planeOf(model);
  const [a, b] = inPlane(plane, model.e0);
  const [w, h] = [width - LEFT - RIGHT, height - TOP - BOTTOM];
  const reach = 1.3 * Math.max(Math.abs(a), Math.abs(b) * (w / h), 1e-12);
  const tall = (reach * h) / w;
  return { plane, x: linear(-reach, reach, LEFT, width - RIGHT), y: linear(-tall, tall, height - BOTTOM, TOP) };
}

/** A place in the picture as a displacement: what lies outside the plane stays. */
export function displacementAt(model: Model, shown: Window, x: number, y: number): number[] {
  const { plane } = shown;
  const [a, b] = inPlane(plane, model.e0);
  const [da, db] = [shown.x.invert(x) - a, shown.y.invert(y) - b];
  return model.e0.map((value, i) => value + da * plane.across[i] + db * plane.up[i]);
}

export function startPlace(model: Model, shown: Window): [number, number] {
  const [a, b] = inPlane(shown.plane, model.e0);
  return [shown.x(a), shown.y(b)];
}

export const contours: Figure = {
  id: "contours",
  interactive: true,
  height: (width) => Math.round(Math.min(420, Math.max(280, width * 0.78))),
  name: (words) => words.figures.contours.name,
  how: (words) => words.figures.contours.how,
  title(model, { words }) {
    const w = words.figures.contours;
    const { shape } = model.problem;
    if (shape !== "minimum" && shape !== "valley") return w.away;
    const alive = model.series.filter((one) => one.run.lost === null && one.run.gap[model.state.steps] <= model.gap0);
    if (!model.series.length) return w.none;
    if (!alive.length) return w.lost;
    const end = (one: Series): number => one.run.gap[model.state.steps];
    const best = alive.reduce((a, b) => (end(b) < end(a) ? b : a));
    return w.nearest(words.names[best.key], String(model.state.steps));
  },
  draw(model, width, { words }) {
    const height = this.height(width, model);
    const shown = windowOf(model, width, height);
    const { x, y, plane } = shown;
    let out = clip("contours-clip", LEFT, TOP, width - LEFT - RIGHT, height - TOP - BOTTOM);
    let inside = path(levels(model, shown), { stroke: "var(--level)" });
    inside += arrow(shown, plane.slow, `q${sub(1)}`) + (model.problem.d > 1 ? arrow(shown, plane.steep, `q${sub(model.problem.d)}`) : "");
    for (const one of model.series) inside += walk(model, one, shown);
    inside += star(x(0), y(0), 8, "var(--ink)");
    for (const one of model.series) inside += here(model, one, shown);
    out += `<g clip-path="url(#contours-clip)">${inside}</g>`;
    return out + edges(model, shown, width, height, words.figures.contours.along);
  },
};

function edges(model: Model, { x, y }: Window, width: number, height: number, along: (name: string) => string): string {
  const flat = model.problem.d === 2;
  const origin = flat ? model.problem.critical : [0, 0];
  const bottom = height - BOTTOM;
  let out = "";
  const muted = { fill: "var(--muted)" };
  for (const value of ticks(x.low + origin[0], x.high + origin[0], width / 80))
    out += text(x(value - origin[0]), bottom + 16, show(value), { anchor: "middle", ...muted });
  for (const value of ticks(y.low + origin[1], y.high + origin[1], height / 65))
    if (y(value - origin[1]) > TOP + 8) out += text(LEFT - 7, y(value - origin[1]) + 4, show(value), { anchor: "end", ...muted });
  const names = flat ? ["θ₁", "θ₂"] : [along("q₁"), along(`q${sub(model.problem.d)}`)];
  out += text((LEFT + width - RIGHT) / 2, bottom + 33, names[0], { anchor: "middle", ...muted });
  out += flat ? text(LEFT - 7, TOP + 8, names[1], { anchor: "end", ...muted }) : text(11, (TOP + bottom) / 2, names[1], { anchor: "middle", turn: -90, ...muted });
  out += line(LEFT, bottom, width - RIGHT, bottom, { stroke: "var(--axis)" }) + line(LEFT, TOP, LEFT, bottom, { stroke: "var(--axis)" });
  return out;
}

function arrow({ x, y }: Window, direction: { x: number; y: number }, name: string): string {
  const length = 0.16 * (x.high - x.low);
  const [a, b] = [x(length * direction.x), y(length * direction.y)];
  const angle = Math.atan2(b - y(0), a - x(0));
  const head = [2.7, -2.7].map((turn) => `M${round(a)} ${round(b)}L${round(a + 8 * Math.cos(angle + turn))} ${round(b + 8 * Math.sin(angle + turn))}`).join("");
  return path(`M${round(x(0))} ${round(y(0))}L${round(a)} ${round(b)}${head}`, { stroke: "var(--muted)", "stroke-width": 1.2 }) +
    text(a + 10 * Math.cos(angle), b + 10 * Math.sin(angle) + 4, name, { anchor: "middle", fill: "var(--muted)", halo: true });
}

function walk(model: Model, one: Series, shown: Window): string {
  const place = [shown.x.high, shown.y.high, shown.x(0), shown.y(0), shown.x(shown.x.high)].join();
  return remembered(one, "walk", place, () => walked(model, one, shown));
}

function walked(model: Model, one: Series, { x, y, plane }: Window): string {
  const { d } = model.problem;
  const most = Math.min(model.state.steps, 400);
  const points: [number, number][] = [];
  for (let k = 0; k <= most; k++) {
    const [a, b] = inPlane(plane, one.run.path, k * d);
    if (!(Math.abs(x(a)) < 1e5 && Math.abs(y(b)) < 1e5)) break;
    points.push([x(a), y(b)]);
    if (Math.abs(a) > FAR * x.high || Math.abs(b) > FAR * y.high) break; // it does not come back
    if (k > 20 && Math.hypot(x(a) - x(0), y(b) - y(0)) < 0.4 && model.problem.shape === "minimum") break;
  }
  const dots = points.slice(1, 61).map(([a, b]) => `M${round(a)} ${round(b)}h.01`).join("");
  return curve(one.key, through(points.length, (k) => points[k][0], (k) => points[k][1]), 1.5) +
    path(dots, { stroke: color(one.key), "stroke-width": 4.4, "stroke-linecap": "round" });
}

/** Where the method is at the step that is looked at. */
function here(model: Model, one: Series, { x, y, plane }: Window): string {
  const { at } = model.state;
  if (!at) return "";
  const [a, b] = inPlane(plane, one.run.path, at * model.problem.d);
  return markers(one.key, [[x(a), y(b)]], 6, true);
}

// -- level sets, half a decade apart -----------------------------------------------------------------

let kept: { key: string; d: string } | null = null;

function levels(model: Model, shown: Window): string {
  const { problem, gap0 } = model;
  const key = [problem.lambda[0], problem.top, shown.plane.slow.x, shown.plane.slow.y, problem.residual.join(), shown.x.low, shown.x(0), shown.x(1), gap0].join();
  if (kept?.key !== key) kept = { key, d: levelPath(model, shown) };
  return kept.d;
}

/** Two arcs between the ends of an axis. */
function ellipse(from: [number, number], to: [number, number], rx: number, ry: number, turn: number): string {
  const arc = ([px, py]: [number, number]): string => `A${round(rx)} ${round(ry)} ${round(turn)} 0 1 ${round(px)} ${round(py)}`;
  return `M${round(from[0])} ${round(from[1])}${arc(to)}${arc(from)}z`;
}

function levelPath({ problem }: Model, shown: Window): string {
  const { x, y, plane } = shown;
  const [low, high] = [plane.slow.value, plane.steep.value];
  const slide = problem.residual.reduce((sum, value, i) => sum + value * problem.Q[problem.lambda.indexOf(0)]?.[i] || 0, 0);
  const reach = Math.hypot(x.high, y.high);
  const top = 0.5 * Math.max(Math.abs(low), Math.abs(high)) * reach * reach;
  const place = (u: number, w: number): [number, number] => [
    x(u * plane.slow.x + w * plane.steep.x), y(u * plane.slow.y + w * plane.steep.y),
  ];
  const along = (f: (t: number) => [number, number], from: number, to: number): string => {
    const points = Array.from({ length: 97 }, (_, i) => place(...f(from + ((to - from) * i) / 96)));
    return through(97, (k) => points[k][0], (k) => points[k][1]);
  };
  const scale = Math.abs(x(1) - x(0)); // the same on both axes
  const turn = (Math.atan2(-plane.slow.y, plane.slow.x) * 180) / Math.PI;
  let d = "";
  for (let k = 0; k < 13; k++) {
    const level = top * 10 ** (-k / 2);
    if (slide) {
      for (const sign of [1, -1])
        d += along((w) => [(sign * (k < 6 ? level : 0) - 0.5 * high * w * w) / slide, w], -reach, reach);
    } else if (low * high > 0) {
      const [a, b] = [Math.sqrt((2 * level) / Math.abs(low)), Math.sqrt((2 * level) / Math.abs(high))];
      d += ellipse(place(a, 0), place(-a, 0), a * scale, b * scale, turn);
    } else if (low < 0 && high > 0) {
      for (const sign of [1, -1]) {
        d += along((u) => [u, sign * Math.sqrt((2 * level - low * u * u) / high)], -reach, reach);
        d += along((w) => [sign * Math.sqrt((2 * level + high * w * w) / -low), w], -reach, reach);
      }
    } else {
      const [bent, isSteep] = high !== 0 ? [high, true] : [low, false];
      const off = Math.sqrt((2 * level) / Math.abs(bent));
      for (const sign of [1, -1]) d += along((t) => (isSteep ? [t, sign * off] : [sign * off, t]), -reach, reach);
    }
  }
  return d;
}
