/** How each optimizer is drawn: colour, dash and marker, those of `convex_analyzer/plot/style.py`. */

import type { Key } from "./optimizers";

export interface Look {
  /** On white paper; the dark page has its own, in style.css, under the same variable. */
  color: string;
  /** On, off, ... in line widths; empty for a solid line. */
  dash: readonly number[];
  /** Matplotlib's letter. */
  marker: "o" | "s" | "^" | "v" | "P" | "X" | "h" | "D";
}

export const LOOKS: Readonly<Record<Key | "best", Look>> = {
  gd: { color: "#D55E00", dash: [], marker: "o" },
  hb: { color: "#0072B2", dash: [4.5, 1.5], marker: "s" },
  nag: { color: "#8d4b77", dash: [1.2, 1.2], marker: "^" },
  adagrad: { color: "#555555", dash: [2, 1], marker: "X" },
  rmsprop: { color: "#007a58", dash: [7, 1.5], marker: "P" },
  adam: { color: "#8a5f00", dash: [3, 1, 1, 1, 1, 1], marker: "v" },
  amsgrad: { color: "#332288", dash: [3, 1, 1, 1], marker: "h" },
  best: { color: "#009E73", dash: [6, 1.2, 1.2, 1.2], marker: "D" },
};

export const LINE = 1.8;

/** The colour as the page's style sheet has it: light or dark. */
export function color(key: Key | "best"): string {
  return `var(--${key})`;
}

export function dashes(key: Key | "best", width = LINE): string {
  return LOOKS[key].dash.map((part) => Math.round(part * width * 10) / 10).join(" ");
}

/** Cividis at 0, 1/16, ..., 1. */
const CIVIDIS = [
  [0, 34, 78], [0, 46, 106], [26, 56, 111], [50, 67, 109], [67, 78, 108], [83, 90, 109],
  [97, 101, 111], [111, 112, 115], [125, 124, 120], [140, 136, 120], [155, 148, 118],
  [171, 160, 114], [188, 174, 108], [205, 187, 99], [222, 201, 88], [240, 216, 70], [254, 232, 56],
] as const;

/** The colour of a share in [0, 1], as red, green, blue up to 255. */
export function cividis(share: number): [number, number, number] {
  const place = Math.min(Math.max(share, 0), 1) * (CIVIDIS.length - 1);
  const i = Math.min(Math.floor(place), CIVIDIS.length - 2);
  const [a, b, t] = [CIVIDIS[i], CIVIDIS[i + 1], place - i];
  return [0, 1, 2].map((c) => Math.round(a[c] + t * (b[c] - a[c]))) as [number, number, number];
}
