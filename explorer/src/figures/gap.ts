/** Figure 3: the gap, by formula and by simulation. */

import type { Figure } from "./figure";
import { below, beside, frame, power, powers, usual, type Box } from "./axes";
import { remembered } from "../memo";
import { PATIENCE, type Model, type Series } from "../model";
import { linear, logarithmic, show, type Scale } from "../scale";
import { clip, curve, line, markers, path, spread, text, through } from "../svg";
import { color } from "../look";
import type { Run } from "../simulate";
import type { Words } from "../words";

/** Whether the gap is a gap: there is a minimum, and the start is above it. */
export function hasGap(model: Model): boolean {
  return (model.problem.shape === "minimum" || model.problem.shape === "valley") && model.gap0 > 0;
}

/** What is drawn for a gap: over its start, or its absolute value where there is no minimum. */
export function ratioOf(model: Model): (gap: number) => number {
  const scale = hasGap(model) ? model.gap0 : 1;
  return (gap) => {
    const value = Math.abs(gap) / scale;
    return value > 0 ? value : NaN;
  };
}

export function boxOf(width: number, height: number, right: number): Box {
  return { left: 58, right: width - right, top: 14, bottom: height - 42 };
}

/** The smallest gap above zero, and the largest that is finite. */
export function extremes(run: Run): [number, number] {
  return remembered(run, "extremes", "", () => {
    let [low, high] = [Infinity, 0];
    for (const value of run.gap) {
      const size = Math.abs(value);
      if (size > 0 && size < low) low = size;
      if (size > high && size < Infinity) high = size;
    }
    return [low, high];
  });
}

/** Smallest and largest gap of all methods, as they are drawn. */
function rangeOf(model: Model): [number, number] {
  const scale = hasGap(model) ? model.gap0 : 1;
  let [low, high] = hasGap(model) ? [model.state.tolerance / 10, 1] : [Infinity, 0];
  for (const one of model.series) {
    const [least, most] = extremes(one.run);
    low = Math.min(low, least / scale);
    high = Math.max(high, most / scale);
  }
  return [low, high];
}

/** The range of the gap axis: even decades, at most sixteen below the start. */
export function gapScale(model: Model, box: Box, floor = 1e-16): Scale {
  let [low, high] = rangeOf(model);
  if (!(high > 0)) [low, high] = [1e-2, 1e2];
  const even = (value: number, round: (x: number) => number): number => 10 ** (2 * round(Math.log10(value) / 2));
  const cut = hasGap(model) ? 1e4 : 1e30;
  const top = even(Math.min(Math.max(high * 1.5, 3), cut), Math.ceil);
  return logarithmic(even(Math.max(low, floor * (hasGap(model) ? 1 : high), top * 1e-24), Math.floor), top, box.bottom, box.top);
}

/** A curve thinned to the highest and the lowest point of every column of pixels. */
export function thinned(x: Scale, y: Scale, values: ArrayLike<number>, ratio: (v: number) => number): string {
  const n = values.length;
  const columns = Math.abs(x(x.high) - x(x.low));
  const Y = (k: number): number => Math.max(Math.min(y(ratio(values[k])), 1e4), -1e4);
  if (n < 3 * columns) return through(n, x, Y);
  const picks: number[] = [];
  const size = n / columns;
  for (let c = 0; c < columns; c++) {
    let least = -1;
    let most = -1;
    for (let k = Math.floor(c * size); k < Math.min(n, Math.floor((c + 1) * size)); k++) {
      const share = ratio(values[k]); // the axis rises with it
      if (!Number.isFinite(share)) continue;
      if (least < 0 || share < ratio(values[least])) least = k;
      if (most < 0 || share > ratio(values[most])) most = k;
    }
    if (least < 0) continue;
    picks.push(Math.min(least, most));
    if (least !== most) picks.push(Math.max(least, most));
  }
  return through(picks.length, (i) => x(picks[i]), (i) => Y(picks[i]));
}

/** One method in one frame; drawn anew only where the run or the frame is another. */
export function drawSeries(model: Model, one: Series, x: Scale, y: Scale, spacing: number): string {
  const place = [x(0), x(x.high), y(y.low), y(y.high), y.low, y.high].join();
  return remembered(one, `gap ${spacing}`, place, () => drawnSeries(model, one, x, y, spacing));
}

function drawnSeries(model: Model, one: Series, x: Scale, y: Scale, spacing: number): string {
  const ratio = ratioOf(model);
  let out = "";
  const line = one.formula ?? (one.rule.adaptive || model.problem.shape === "slope" ? one.run.gap : null);
  if (line && model.noise.sigma > 0 && one.formula)
    out += path(thinned(x, y, one.run.gap, ratio), { stroke: color(one.key), "stroke-width": 0.8, opacity: 0.7 });
  if (line) out += curve(one.key, thinned(x, y, line, ratio));
  const stride = Math.max(1, Math.round(spacing / Math.abs(x(1) - x(0))));
  const points: [number, number][] = [];
  for (let k = 0; k < one.run.gap.length; k += stride) {
    const place = y(ratio(one.run.gap[k]));
    if (place > y(y.high) - 6 && place < y(y.low) + 6) points.push([x(k), place]);
  }
  return out + markers(one.key, points, 2.9);
}

export const gap: Figure = {
  id: "gap",
  interactive: true,
  height: (width) => Math.round(Math.min(420, Math.max(280, width * 0.78))),
  name: (words) => words.figures.gap.name,
  how: (words) => words.figures.gap.how,
  title(model, { words }) {
    const w = words.figures.gap;
    if (!hasGap(model)) return w.absolute;
    const goal = show(model.state.tolerance);
    const there = model.series.filter((one) => one.run.arrival !== null);
    if (!there.length) return w.nobody(goal, PATIENCE);
    const best = there.reduce((a, b) => ((b.run.arrival as number) < (a.run.arrival as number) ? b : a));
    const said = model.series.length > 1 ? w.winner : w.alone;
    const text = said(words.names[best.key], best.run.arrival as number, goal);
    return text.charAt(0).toUpperCase() + text.slice(1);
  },
  draw(model, width, { words }) {
    const w = words.figures.gap;
    const height = this.height(width, model);
    const box = boxOf(width, height, 74);
    const x = linear(0, model.state.steps, box.left, box.right);
    const y = gapScale(model, box);
    let out = clip("gap-clip", box.left - 4, box.top - 4, box.right - box.left + 8, box.bottom - box.top + 6);
    out += beside(box, y, powers(y, box.bottom - box.top), hasGap(model) ? w.y : w.yAbsolute, power);
    out += below(box, x, usual(x, box.right - box.left), w.x);
    let inside = "";
    for (const one of model.series) inside += drawSeries(model, one, x, y, 15);
    out += `<g clip-path="url(#gap-clip)">${inside}</g>` + frame(box);
    if (hasGap(model)) out += goalLine(model, box, x, y);
    const { at } = model.state;
    if (at) out += line(x(at), box.top, x(at), box.bottom, { stroke: "var(--ink)", "stroke-dasharray": "1 3" });
    out += labels(model, box, y, words);
    const worst = Math.max(...model.series.map((one) => one.deviation ?? -1));
    if (worst >= 0 && width > 330)
      out += text(box.left + 8, box.bottom - 8, w.deviation(show(worst, 1)), { fill: "var(--muted)", halo: true });
    return out;
  },
};

function goalLine(model: Model, box: Box, x: Scale, y: Scale): string {
  const place = y(model.state.tolerance);
  let out = line(box.left, place, box.right, place, { stroke: "var(--ink)", "stroke-dasharray": "2 3" });
  for (const one of model.series) {
    const k = one.run.arrival;
    if (k !== null && k <= model.state.steps) out += line(x(k), place - 6, x(k), place + 6, { stroke: color(one.key), "stroke-width": 2.4 });
  }
  return out;
}

/** The name of each curve where it leaves the picture. */
function labels(model: Model, box: Box, y: Scale, words: Words): string {
  const ratio = ratioOf(model);
  const places = model.series.map((one) => {
    let k = one.run.gap.length - 1;
    while (k > 0 && !Number.isFinite(ratio(one.run.gap[k]))) k--;
    const value = one.run.lost !== null ? y.high : ratio(one.run.gap[k]) || y.low;
    return y(Math.min(Math.max(value, y.low), y.high));
  });
  const apart = spread(places, 15, box.top + 4, box.bottom - 2);
  return model.series.map((one, i) =>
    text(box.right + 8, apart[i] + 4, words.short[one.key], { fill: `var(--${one.key}-ink)`, weight: 600 })).join("");
}
