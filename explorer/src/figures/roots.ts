/** Figure 5: the roots of each direction, in the unit circle. */

import type { Figure } from "./figure";
import type { Model } from "../model";
import { color } from "../look";
import { linear, show, type Scale } from "../scale";
import { line, markers, path, round, tag, text } from "../svg";
import { isLinear, recurrence, roots as rootsOf, type Complex, type Linear } from "../theory";

interface Mark {
  key: Linear;
  direction: number;
  root: Complex;
  moved: Complex;
}

function marksOf(model: Model): Mark[] {
  const out: Mark[] = [];
  for (const one of model.series) {
    if (!isLinear(one.key)) continue;
    const key = one.key;
    model.problem.lambda.forEach((value, direction) => {
      if (value === 0) return;
      const now = rootsOf(...recurrence(key, model.state.mu, model.state.alpha * value));
      const then = rootsOf(...recurrence(key, model.state.mu, 1.1 * model.state.alpha * value));
      now.forEach((root, i) => out.push({ key, direction, root, moved: then[Math.min(i, then.length - 1)] }));
    });
  }
  return out;
}

export const roots: Figure = {
  id: "roots",
  height: (width) => Math.round(Math.min(400, Math.max(270, width * 0.72))),
  name: (words) => words.figures.roots.name,
  how: (words) => words.figures.roots.how,
  title(model, { words }) {
    const w = words.figures.roots;
    const marks = marksOf(model);
    if (!marks.length) return w.none;
    const most = Math.max(...marks.map((mark) => Math.hypot(mark.root.re, mark.root.im)));
    if (most > 1 + 1e-12) return w.outside;
    if (most > 1 - 1e-12) return w.on;
    return marks.some((mark) => mark.root.im !== 0) ? w.swings : w.inside;
  },
  draw(model, width) {
    const height = this.height(width, model);
    const radius = Math.min(width - 70, height - 26) / 2 / 1.16;
    const [cx, cy] = [width / 2, height / 2];
    const x = linear(-1, 1, cx - radius, cx + radius);
    const y = linear(-1, 1, cy + radius, cy - radius);
    let out = tag("circle", { cx, cy, r: radius, fill: "var(--stable)", stroke: "var(--ink)", "stroke-width": 1.2 });
    out += line(x(-1.14), cy, x(1.14), cy, { stroke: "var(--axis)" }) + line(cx, y(-1.1), cx, y(1.1), { stroke: "var(--axis)" });
    for (const [value, label] of [[-1, "−1"], [1, "1"]] as const)
      out += text(x(value) + (value < 0 ? -6 : 6), cy + 15, label, { anchor: value < 0 ? "end" : "start", fill: "var(--muted)" });
    out += text(cx + 5, y(1) - 5, "i", { fill: "var(--muted)" });
    if (model.series.some((one) => one.key === "hb") && model.state.mu > 0) {
      const inner = radius * Math.sqrt(model.state.mu);
      out += tag("circle", { cx, cy, r: inner, fill: "none", stroke: "var(--muted)", "stroke-dasharray": "4 4" });
      if (model.state.mu > 0.02 && inner < radius - 14) out += text(cx - inner * 0.64, cy + inner * 0.72, "√μ", { fill: "var(--muted)" });
    }
    const marks = marksOf(model);
    for (const one of model.series) out += drawn(marks.filter((mark) => mark.key === one.key), model.problem.d - 1, x, y, width);
    for (const mark of marks) {
      if (Math.abs(mark.root.re) <= 1.5) continue;
      const [px, py] = held(mark.root, x, y, width);
      out += text(px, py - 10, show(mark.root.re), { anchor: px < 30 ? "start" : px > width - 30 ? "end" : "middle", fill: "var(--bad-ink)" });
    }
    return out;
  },
};

/** Roots far outside stand at the edge. */
function held(root: Complex, x: Scale, y: Scale, width: number): [number, number] {
  return [Math.min(Math.max(x(root.re), 10), width - 10), y(root.im)];
}

/** The roots of one method: hollow, those of the steepest direction filled; and where each goes for 1.1 α. */
function drawn(marks: Mark[], steepest: number, x: Scale, y: Scale, width: number): string {
  if (!marks.length) return "";
  const { key } = marks[0];
  const places = (test: (direction: number) => boolean): [number, number][] =>
    marks.filter((mark) => test(mark.direction)).map((mark) => held(mark.root, x, y, width));
  return path(marks.map((mark) => moving(mark, x, y)).join(""), { stroke: color(key), "stroke-width": 1.4 }) +
    markers(key, places((direction) => direction !== steepest), 4.2) + markers(key, places((direction) => direction === steepest), 5, true);
}

function moving(mark: Mark, x: Scale, y: Scale): string {
  if (Math.abs(mark.moved.re) > 1.4 || Math.abs(mark.root.re) > 1.4) return "";
  return `M${round(x(mark.root.re))} ${round(y(mark.root.im))}L${round(x(mark.moved.re))} ${round(y(mark.moved.im))}`;
}
