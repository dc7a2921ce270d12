/** Figure 7: the factor of gradient descent against α, one V per eigenvalue. */

import type { Figure } from "./figure";
import { below, beside, frame, usual, type Box } from "./axes";
import { color } from "../look";
import { linear, show } from "../scale";
import { clip, hatching, line, path, star, tag, text, through } from "../svg";

export const factor: Figure = {
  id: "factor",
  wide: true,
  height: (width) => (width > 640 ? 260 : Math.round(Math.min(380, Math.max(240, width * 0.66)))),
  name: (words) => words.figures.factor.name,
  how: (words) => words.figures.factor.how,
  title(model, { words }) {
    const { problem } = model;
    if (!(problem.lambda[0] > 0)) return words.figures.factor.none;
    const best = 2 / (problem.low + problem.top);
    return words.figures.factor.best(show(best), show(1 - best * problem.low, 4));
  },
  draw(model, width, { words }) {
    const w = words.figures.factor;
    const { problem, state } = model;
    const height = this.height(width, model);
    const box: Box = { left: 58, right: width - 14, top: 20, bottom: height - 42 };
    const scale = problem.top > 0 ? problem.top : Math.abs(problem.lambda[0]) || 1;
    const x = linear(0, 2.6 / scale, box.left, box.right);
    const y = linear(0, 1.6, box.bottom, box.top);
    let out = hatching("factor-hatch") + clip("factor-clip", box.left, box.top, box.right - box.left, box.bottom - box.top);
    out += tag("rect", { x: box.left, y: box.top, width: box.right - box.left, height: y(1) - box.top, fill: "var(--unstable)" });
    out += tag("rect", { x: box.left, y: box.top, width: box.right - box.left, height: y(1) - box.top, fill: "url(#factor-hatch)" });
    out += beside(box, y, [0, 0.5, 1, 1.5], w.y) + below(box, x, usual(x, box.right - box.left), w.x);
    const at = (value: number) => (alpha: number): number => Math.abs(1 - alpha * value);
    let inside = "";
    const bent = (f: (alpha: number) => number, corner: number): string => {
      const alphas = [0, corner > 0 && corner < x.high ? corner : 0, x.high]; // straight between
      return through(3, (k) => x(alphas[k]), (k) => y(f(alphas[k])));
    };
    for (const value of problem.lambda) inside += path(bent(at(value), 1 / value), { stroke: "var(--muted)" });
    const ends = [problem.lambda[0], problem.lambda[problem.d - 1]]; // |1 - αλ| is convex in λ
    const most = (alpha: number): number => Math.max(...ends.map((value) => at(value)(alpha)));
    inside += path(bent(most, 2 / (ends[0] + ends[1])), { stroke: color("gd"), "stroke-width": 2.6 });
    out += `<g clip-path="url(#factor-clip)">${inside}</g>` + frame(box);
    out += line(box.left, y(1), box.right, y(1), { "stroke-width": 1.2 });
    if (state.alpha <= x.high) {
      const place = x(state.alpha);
      out += line(place, box.top, place, box.bottom, { stroke: "var(--ink)", "stroke-dasharray": "4 3" });
      out += tag("circle", { cx: place, cy: y(Math.min(most(state.alpha), 1.6)), r: 5, fill: "var(--paper)", stroke: "var(--ink)", "stroke-width": 1.8 });
      out += text(place, box.top - 7, `${w.chosen} α`, { anchor: place > box.right - 40 ? "end" : "middle" });
    }
    if (problem.lambda[0] > 0) {
      const best = 2 / (problem.low + problem.top);
      out += star(x(best), y(most(best)), 8, color("best"));
    }
    return out;
  },
};
