/** Figure 6: how much of the gap lies in each eigendirection. */

import type { Figure } from "./figure";
import { hasGap } from "./gap";
import { sub } from "./ruler";
import { remembered } from "../memo";
import type { Model, Series } from "../model";
import { dot } from "../linear";
import { linear, logarithmic, percent, power, show, type Scale } from "../scale";
import { clip, curve, line, text, through } from "../svg";

/** ½|λ| z² along one direction, for the steps 0, stride, 2 stride, ... */
function energy(model: Model, one: Series, i: number, stride: number): Float64Array {
  const { d, lambda, Q } = model.problem;
  const count = Math.floor(model.state.steps / stride) + 1;
  const out = new Float64Array(count);
  const { path } = one.run;
  const q = Q[i];
  for (let k = 0; k < count; k++) {
    let z = 0;
    for (let j = 0; j < d; j++) z += q[j] * path[k * stride * d + j];
    // far out, what is left in a direction is rounding of the others
    const isFar = Math.abs(one.run.gap[k * stride]) > 1e8 * Math.abs(model.gap0 || 1);
    out[k] = isFar ? NaN : 0.5 * Math.abs(lambda[i]) * z * z;
  }
  return out;
}

/** Which points a curve needs: all but those whose neighbours are below the picture, as they are. */
function visible(values: Float64Array, low: number): number[] {
  const isBelow = (k: number): boolean => k < 0 || k >= values.length || values[k] < low;
  const out: number[] = [];
  for (let k = 0; k < values.length; k++) if (!(isBelow(k - 1) && isBelow(k) && isBelow(k + 1))) out.push(k);
  return out;
}

/** Each direction's share of the gap at one step. */
function shares(model: Model, one: Series, k: number): number[] {
  const { d, lambda, Q } = model.problem;
  const parts = lambda.map((value, i) => {
    const z = dot(Q[i], one.run.path.subarray(k * d, k * d + d));
    return 0.5 * Math.abs(value) * z * z;
  });
  const sum = parts.reduce((a, b) => a + b, 0);
  return parts.map((part) => part / sum);
}

function columnsOf(model: Model, width: number): number {
  const { d } = model.problem;
  const rows = Math.ceil(d / Math.max(1, Math.min(d, Math.floor(width / 150))));
  return Math.ceil(d / rows); // rows of equal length
}

export const directions: Figure = {
  id: "directions",
  height(width, model) {
    const rows = Math.ceil(model.problem.d / columnsOf(model, width));
    return rows === 1 ? Math.round(Math.min(380, Math.max(240, width * 0.66))) : rows * 160 + 24;
  },
  name: (words) => words.figures.directions.name,
  how: (words) => words.figures.directions.how,
  title(model, { words }) {
    const w = words.figures.directions;
    const first = model.series[0];
    if (!first || !hasGap(model) || first.run.lost !== null) return w.title;
    const last = shares(model, first, Math.min(model.state.steps, first.run.arrival ?? model.state.steps));
    const most = last.reduce((a, b, i) => (b > last[a] ? i : a), 0);
    return last[most] > 0.5 ? w.left(percent(last[most]), `q${sub(most + 1)}`, show(model.problem.lambda[most])) : w.title;
  },
  draw(model, width, { words }) {
    const { d } = model.problem;
    const columns = columnsOf(model, width);
    const rows = Math.ceil(d / columns);
    const [left, top] = [44, 38];
    const cell = { width: (width - left) / columns, height: (this.height(width, model) - 24) / rows };
    const stride = Math.max(1, Math.ceil(model.state.steps / Math.max(60, cell.width * 0.7)));
    const scale = model.gap0 !== 0 ? Math.abs(model.gap0) : 1;
    let out = "";
    for (let i = 0; i < d; i++) {
      const [c, r] = [i % columns, Math.floor(i / columns)];
      const box = { x: left + c * cell.width, y: top + r * cell.height, w: cell.width - 14, h: cell.height - top - 8 };
      const x = linear(0, model.state.steps / stride, box.x, box.x + box.w);
      const y = logarithmic(hasGap(model) ? 1e-12 : 1e-8, hasGap(model) ? 1e2 : 1e8, box.y + box.h, box.y);
      out += panel(model, i, box, x, y, stride, scale, c === 0);
      const first = model.series[0];
      if (first && hasGap(model)) {
        const end = first.run.lost === null ? percent(shares(model, first, model.state.steps)[i]) : "–";
        const said = words.figures.directions.share(percent(shares(model, first, 0)[i]), end);
        out += text(box.x, box.y - 7, said, { fill: `var(--${first.key}-ink)`, size: 11 });
      }
    }
    return out + text(left + (width - left) / 2, this.height(width, model) - 5, `${words.figures.gap.x}: 0 … ${model.state.steps}`, { anchor: "middle", fill: "var(--muted)" });
  },
};

function panel(
  model: Model, i: number, box: { x: number; y: number; w: number; h: number }, x: Scale, y: Scale, stride: number,
  scale: number, labelled: boolean,
): string {
  const id = `directions-${i}`;
  let out = clip(id, box.x, box.y, box.w, box.h);
  for (const value of y.high > 1e2 ? [1e-8, 1, 1e8] : [1e-12, 1e-8, 1e-4, 1]) {
    out += line(box.x, y(value), box.x + box.w, y(value), { stroke: "var(--grid)" });
    if (labelled) out += text(box.x - 6, y(value) + 4, power(value), { anchor: "end", fill: "var(--muted)" });
  }
  out += text(box.x, box.y - 22, `q${sub(i + 1)}, λ = ${show(model.problem.lambda[i])}`, { weight: 600 });
  let inside = "";
  for (const one of model.series) {
    const place = [stride, scale, y.high, box.x, box.y, box.w, box.h].join();
    inside += remembered(one, id, place, () => {
      const values = energy(model, one, i, stride).map((value) => Math.max(value / scale, 1e-300));
      const seen = visible(values, y.low);
      return curve(one.key, through(seen.length, (n) => x(seen[n]), (n) => y(values[seen[n]])), 1.5);
    });
  }
  out += `<g clip-path="url(#${id})">${inside}</g>`;
  return out + line(box.x, box.y + box.h, box.x + box.w, box.y + box.h, { stroke: "var(--axis)" });
}
