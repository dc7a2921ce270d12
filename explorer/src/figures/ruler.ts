/** Figure 1: where each eigenvalue stands on the scale of αλ. */

import type { Figure } from "./figure";
import { logarithmic, logTicks, percent, show, type Scale } from "../scale";
import { clip, hatching, line, spread, tag, text, widthOf } from "../svg";
import { beneath } from "./ruler_parts";

export const ruler: Figure = {
  id: "ruler",
  wide: true,
  height: (_, model) => (model.problem.lambda[0] > 0 ? 130 : 144),
  name: (words) => words.figures.ruler.name,
  how: (words) => words.figures.ruler.how,
  title(model, { words }) {
    const w = words.figures.ruler;
    const { problem, state } = model;
    const bad = problem.lambda.filter((value) => value <= 0).length;
    const past = problem.lambda.filter((value) => state.alpha * value > 2 * (1 + 1e-13)).length;
    if (past) return w.beyond(past);
    if (bad && problem.shape !== "valley") return w.negative(bad);
    const share = (state.alpha * problem.top) / 2;
    return Math.abs(share - 1) <= 1e-13 ? w.cycle : w.safe(percent(share));
  },
  draw(model, width, { words }) {
    const w = words.figures.ruler;
    const { problem, state } = model;
    const [left, right, top, bottom] = [12, width - 14, 30, 92];
    const steps = problem.lambda.map((value) => state.alpha * value);
    const positive = steps.filter((step) => step > 0);
    const low = Math.min(0.3, Math.max(1e-6, Math.min(...positive, 1) / 2));
    const x = logarithmic(low, Math.max(6, Math.min(1e4, Math.max(...positive, 1) * 2)), left, right);
    const zones: [number, number, string, string][] = [
      [left, x(1), "var(--stable)", w.monotone], [x(1), x(2), "var(--flips)", w.flips], [x(2), right, "var(--unstable)", w.grows],
    ];
    let out = hatching("ruler-hatch") + clip("ruler-clip", left, 0, right - left, 150);
    for (const [a, b, fill, label] of zones) {
      out += tag("rect", { x: a, y: top, width: b - a, height: bottom - top, fill });
      if (fill === "var(--unstable)") out += tag("rect", { x: a, y: top, width: b - a, height: bottom - top, fill: "url(#ruler-hatch)" });
      if (b - a > widthOf(label) + 8) out += text((a + b) / 2, top - 9, label, { anchor: "middle", fill: "var(--muted)" });
    }
    out += line(x(1), top, x(1), bottom, { stroke: "var(--muted)", "stroke-dasharray": "2 3" });
    out += line(x(2), top - 6, x(2), bottom + 5, { stroke: "var(--bad)", "stroke-width": 2.2 });
    out += ticksOf(steps, x, top, bottom, right);
    const marks = logTicks(x.low, x.high).filter((value) => width > 600 || /^[12]0*$|^0\.0*1$|e-\d+$/.test(String(value)));
    out += beneath(marks.filter((value) => String(value).replace(/[0.]|e-?\d+/g, "") !== "5" || width > 900), x, bottom, right, w.unit);
    const outside = problem.lambda.map((value, i) => ({ value, i })).filter((one) => one.value <= 0);
    if (outside.length)
      out += text(left, bottom + 46, w.outside(outside.map((one) => `λ${sub(one.i + 1)} = ${show(one.value)}`).join(", ")), { fill: "var(--bad-ink)" });
    return out;
  },
};

function ticksOf(steps: number[], x: Scale, top: number, bottom: number, right: number): string {
  const shown = steps.map((step, i) => ({ step, i })).filter((one) => one.step > 0);
  const places = shown.map((one) => x(one.step));
  const labels = shown.map((one) => `λ${sub(one.i + 1)} ×${show(1 - one.step, 3)}`);
  const room = Math.max(...labels.map((label) => widthOf(label)), 10) * 1.12 + 10;
  const [low, high] = [room / 2 + 4, x(x.high) - room / 2];
  const fits = room * shown.length < high - low;
  const centres = fits ? spread(places, room, low, high) : places;
  const bound = x(2);
  const wide = labels.map((label) => widthOf(label) * 1.12);
  if (fits) beside(bound, places, centres, wide, room, low, high);
  let out = "";
  shown.forEach((one, k) => {
    out += line(places[k], top + 22, places[k], bottom, { "stroke-width": 2.4, stroke: one.step > 2 ? "var(--bad-ink)" : "var(--ink)" });
    if (!fits && k !== 0 && k !== shown.length - 1) return;
    out += line(places[k], top + 22, centres[k], top + 17, { stroke: "var(--muted)" });
    let anchor: "start" | "middle" | "end" = fits ? "middle" : k === 0 ? "start" : "end";
    if (anchor === "end" && places[k] > bound - 3 && places[k] - wide[k] < bound && places[k] + wide[k] < right) anchor = "start";
    out += text(centres[k], top + 14, labels[k], { anchor, halo: true, weight: 600 });
  });
  return out;
}

/** Move labels off the bound, each to the side of its tick, where there is room. */
function beside(bound: number, places: number[], centres: number[], wide: number[], room: number, low: number, high: number): void {
  centres.forEach((centre, k) => {
    const half = wide[k] / 2 + 4;
    if (Math.abs(centre - bound) >= half) return;
    const after = places[k] > bound;
    const edge = after ? bound + half : bound - half;
    const [from, to] = after ? [k, places.length] : [0, k + 1];
    if (room * (to - from - 1) > (after ? high - edge : edge - low)) return;
    spread(places.slice(from, to), room, after ? edge : low, after ? high : edge).forEach((place, i) => (centres[from + i] = place));
  });
}

const DIGITS = "₀₁₂₃₄₅₆₇₈₉";

export function sub(n: number): string {
  return String(n).split("").map((c) => DIGITS[Number(c)]).join("");
}
