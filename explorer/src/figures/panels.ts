/** Figure 10: each method by itself. */

import type { Figure } from "./figure";
import { drawSeries, gapScale, hasGap, ratioOf } from "./gap";
import type { Box } from "./axes";
import { power } from "./axes";
import type { Model, Series } from "../model";
import { PATIENCE } from "../model";
import { decades, linear, show } from "../scale";
import { clip, line, text } from "../svg";
import type { Words } from "../words";

function columnsOf(model: Model, width: number): number {
  return Math.max(1, Math.min(model.series.length, Math.floor(width / 230), 4));
}

const ROW = 190;

export const panels: Figure = {
  id: "panels",
  wide: true,
  height: (width, model) => Math.max(1, Math.ceil(model.series.length / columnsOf(model, width))) * ROW + 8,
  name: (words) => words.figures.panels.name,
  how: (words) => words.figures.panels.how,
  title(model, { words }) {
    const w = words.figures.panels;
    if (!hasGap(model)) return w.fine;
    const stuck = model.series.filter((one) => one.floor !== null && one.floor > model.state.tolerance * model.gap0);
    if (!stuck.length) return w.fine;
    const said = w.stall(words.list(stuck.map((one) => words.names[one.key])));
    return said.charAt(0).toUpperCase() + said.slice(1);
  },
  draw(model, width, { words }) {
    const columns = columnsOf(model, width);
    const cell = width / columns;
    return model.series.map((one, i) => panel(model, one, (i % columns) * cell, Math.floor(i / columns) * ROW, cell, words)).join("");
  },
};

function panel(model: Model, one: Series, left: number, top: number, width: number, words: Words): string {
  const box: Box = { left: left + 46, right: left + width - 10, top: top + 28, bottom: top + ROW - 26 };
  const x = linear(0, model.state.steps, box.left, box.right);
  const y = gapScale(model, box);
  const id = `panels-${one.key}`;
  let out = clip(id, box.left - 3, box.top - 3, box.right - box.left + 6, box.bottom - box.top + 6);
  for (const value of decades(y.low, y.high, 5)) {
    out += line(box.left, y(value), box.right, y(value), { stroke: "var(--grid)" });
    out += text(box.left - 6, y(value) + 4, power(value), { anchor: "end", fill: "var(--muted)", size: 11 });
  }
  out += `<g clip-path="url(#${id})">${drawSeries(model, one, x, y, 11)}</g>`;
  if (hasGap(model)) out += line(box.left, y(model.state.tolerance), box.right, y(model.state.tolerance), { "stroke-dasharray": "2 3" });
  if (one.floor !== null && hasGap(model)) {
    const place = y(Math.min(Math.max(ratioOf(model)(one.floor), y.low), y.high));
    out += line(box.left, place, box.right, place, { stroke: "var(--ink)", "stroke-dasharray": "7 4", "stroke-width": 1.4 });
    out += text(box.right - 2, place - 6, words.figures.panels.floor(show(one.floor / model.gap0, 2)), { anchor: "end", halo: true, size: 11 });
  }
  out += line(box.left, box.bottom, box.right, box.bottom, { stroke: "var(--axis)" });
  for (const k of [0, model.state.steps]) out += text(x(k), box.bottom + 15, String(k), { anchor: k ? "end" : "start", fill: "var(--muted)", size: 11 });
  out += text(box.left, top + 16, words.short[one.key], { weight: 700, fill: `var(--${one.key}-ink)`, size: 12.5 });
  return out + text(box.right, top + 16, outcome(model, one, words), { anchor: "end", fill: "var(--muted)" });
}

function outcome(model: Model, one: Series, words: Words): string {
  const w = words.figures.panels;
  if (one.run.lost !== null || one.fate === "diverges") return w.lost;
  if (!hasGap(model)) return "";
  return one.run.arrival === null ? w.not(PATIENCE) : w.arrives(one.run.arrival);
}
