/** Figure 4: the worst factor over (α, μ). The colours are painted on a canvas behind the SVG. */

import type { Extra, Figure } from "./figure";
import { below, beside, frame, usual, type Box } from "./axes";
import { cividis, color } from "../look";
import type { Model } from "../model";
import { linear, percent, show, type Scale } from "../scale";
import { markers, path, star, tag, text, through } from "../svg";
import { bestPair, limit, stepsByFormula, worst, type Linear } from "../theory";

export interface MapWindow {
  box: Box;
  alpha: Scale;
  mu: Scale;
}

/** αλmax at the right edge: a little past the farthest point of the cliff. */
const REACH: Record<Linear, number> = { gd: 2.4, hb: 4.3, nag: 2.4 };

export function mapWindow(model: Model, width: number, height: number): MapWindow {
  const box: Box = { left: 58, right: width - 14, top: 26, bottom: height - 42 };
  const scale = model.problem.top > 0 ? model.problem.top : 1;
  return { box, alpha: linear(0, REACH[model.state.map] / scale, box.left, box.right), mu: linear(0, 1, box.bottom, box.top) };
}

function drawable(model: Model): boolean {
  return model.problem.lambda[0] >= 0 && model.problem.top > 0;
}

export const map: Figure = {
  id: "map",
  interactive: true,
  height: (width, model) => (drawable(model) ? Math.round(Math.min(400, Math.max(270, width * 0.72))) : 60),
  name: (words) => words.figures.map.name,
  how: (words) => words.figures.map.how,
  title(model, { words }) {
    const w = words.figures.map;
    if (!drawable(model)) return w.none;
    const { map: key, alpha, mu } = model.state;
    const share = (alpha * model.problem.top) / limit(key, mu);
    return share < 1 - 1e-13 && mu < 1 ? w.inside(words.names[key], percent(share)) : w.outside(words.names[key]);
  },
  draw(model, width, extra) {
    const w = extra.words.figures.map;
    const shown = mapWindow(model, width, this.height(width, model));
    const { box, alpha, mu } = shown;
    if (!drawable(model)) return text(width / 2, 36, w.noneHere, { anchor: "middle", fill: "var(--muted)" });
    const { problem, state } = model;
    let out = beside(box, mu, [0, 0.25, 0.5, 0.75, 1], w.y, show, false) + below(box, alpha, usual(alpha, box.right - box.left), w.x);
    out += legend(box, w.slow, w.fast) + frame(box);
    const edge = through(61, (k) => alpha(limit(state.map, k / 60) / problem.top), (k) => mu(k / 60));
    out += path(edge, { stroke: color("gd"), "stroke-width": 2.4 });
    out += tag("circle", { cx: alpha(2 / problem.top), cy: mu(0), r: 4.5, fill: color("gd"), stroke: "var(--paper)" });
    out += damping(model, shown) + best(model, shown, extra);
    if (state.alpha <= alpha.high) {
      const place = { cx: alpha(state.alpha), cy: mu(state.mu), fill: "none" };
      out += tag("circle", { ...place, r: 7.5, stroke: "#fff", "stroke-width": 5 }) + tag("circle", { ...place, r: 7.5, stroke: "#111", "stroke-width": 2.2 });
    }
    return out;
  },
};

/** Where the slowest and the steepest direction are critically damped: μ = (1 - √(αλ))². */
function damping(model: Model, { alpha, mu }: MapWindow): string {
  if (model.state.map !== "hb") return "";
  return [model.problem.low, model.problem.top].map((value) =>
    path(through(81, (k) => alpha((alpha.high * k) / 80), (k) => {
      const level = (1 - Math.sqrt((alpha.high * k * value) / 80)) ** 2;
      return level <= 1 ? mu(level) : NaN;
    }), { stroke: "#fff", "stroke-dasharray": "3 4", opacity: 0.85 })).join("");
}

function best(model: Model, { alpha, mu }: MapWindow, { fastest }: Extra): string {
  const { problem, state } = model;
  if (!(problem.lambda[0] > 0)) return "";
  const pair = bestPair(state.map, problem.low, problem.top);
  let out = star(alpha(pair.alpha), mu(pair.mu), 9, color("best"));
  if (fastest) out += markers("best", [[alpha(fastest.alpha), mu(fastest.mu)]], 5.5);
  return out;
}

/** What star and diamond stand for, with their step counts. */
export function comparison(model: Model, { fastest, words }: Extra): string {
  if (!fastest || !drawable(model)) return "";
  const { problem, state, z0 } = model;
  const pair = bestPair(state.map, problem.low, problem.top);
  const [star, diamond] = [pair, fastest].map(({ alpha, mu }) => stepsByFormula(state.map, problem, alpha, mu, z0, state.tolerance, 20000));
  return words.figures.map.compare(star, diamond ?? fastest.steps);
}

function legend(box: Box, slow: string, fast: string): string {
  const [cells, size] = [16, 6];
  const left = box.right - cells * size - 34;
  let out = text(left - 6, 15, slow, { anchor: "end", fill: "var(--muted)" });
  for (let i = 0; i < cells; i++)
    out += tag("rect", { x: left + i * size, y: 7, width: size + 0.5, height: 9, fill: `rgb(${cividis(i / (cells - 1)).join()})` });
  return out + text(left + cells * size + 6, 15, fast, { fill: "var(--muted)" });
}

// -- the colours ---------------------------------------------------------------------------------

/** Pixels of the page per cell of the grid; bands of colour. */
const [CELL, BANDS] = [3, 12];

/** A colour as a canvas keeps it: opaque, the bytes in the order of every processor in use. */
function packed([r, g, b]: number[]): number {
  return ((255 << 24) | (b << 16) | (g << 8) | r) >>> 0;
}

/** Paint the worst factor, and hatching where it is not below 1. */
export function paint(canvas: HTMLCanvasElement, model: Model, width: number, height: number, dark: boolean): void {
  const { box, alpha, mu } = mapWindow(model, width, height);
  const [w, h] = [Math.round(box.right - box.left), Math.round(box.bottom - box.top)];
  canvas.style.left = `${box.left}px`;
  canvas.style.top = `${box.top}px`;
  canvas.style.width = `${w}px`;
  canvas.style.height = `${h}px`;
  [canvas.width, canvas.height] = [w, h];
  const context = canvas.getContext("2d");
  if (!context || !drawable(model)) return;
  const image = context.createImageData(w, h);
  const pixels = new Uint32Array(image.data.buffer);
  const [ground, ink] = (dark ? [[59, 36, 26], [125, 90, 74]] : [[248, 221, 208], [185, 143, 125]]).map(packed);
  const shades = Array.from({ length: BANDS }, (_, i) => packed(cividis(i / BANDS)));
  const values = [...new Set([model.problem.low, ...model.problem.lambda.filter((value) => value > 0)])];
  const scale = slowest(model);
  for (let j = 0; j < h; j += CELL)
    for (let i = 0; i < w; i += CELL) {
      const rho = worst(model.state.map, alpha.invert(box.left + i + CELL / 2), mu.invert(box.top + j + CELL / 2), values);
      const shade = rho < 1 ? shades[Math.floor(share(rho, scale) * BANDS)] : null;
      for (let y = j; y < Math.min(j + CELL, h); y++)
        for (let x = i; x < Math.min(i + CELL, w); x++)
          pixels[y * w + x] = shade ?? ((x + y) % 8 < 1 ? ink : ground);
    }
  context.putImageData(image, 0, 0);
}

/** 1 - ρ of the best pair: the light end of the colours. */
function slowest(model: Model): number {
  const { problem, state } = model;
  const pair = bestPair(state.map, problem.low, problem.top);
  return Math.max(1 - worst(state.map, pair.alpha, pair.mu, [problem.low, problem.top]), 1e-12);
}

/** Logarithmic in the steps per digit: from a hundredth of the best speed to the best. */
function share(rho: number, best: number): number {
  return Math.min(Math.max(1 + Math.log10(Math.max(1 - rho, 1e-300) / best) / 2, 0), 0.999);
}

export function paintKey(model: Model, width: number, dark: boolean): string {
  return `${model.problem.lambda.join()} ${model.state.map} ${width} ${dark}`;
}
