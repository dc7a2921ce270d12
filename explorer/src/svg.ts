/** Pieces of SVG as text. Attributes only, no classes: a figure looks the same when exported. */

import { color, dashes, LINE, LOOKS } from "./look";
import type { Key } from "./optimizers";

export const SMALL = 11.5;

export function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
}

export function round(x: number): number {
  return Math.round(x * 100) / 100;
}

type Attributes = Record<string, string | number | undefined>;

function attributes(extra: Attributes): string {
  let out = "";
  for (const [name, value] of Object.entries(extra))
    if (value !== undefined && value !== "") out += ` ${name}="${typeof value === "number" ? round(value) : value}"`;
  return out;
}

export function tag(name: string, extra: Attributes, inner = ""): string {
  return `<${name}${attributes(extra)}>${inner}</${name}>`;
}

export function line(x1: number, y1: number, x2: number, y2: number, extra: Attributes = {}): string {
  return tag("line", { x1, y1, x2, y2, stroke: "var(--ink)", "stroke-width": 1, ...extra });
}

export function path(d: string, extra: Attributes = {}): string {
  return tag("path", { d, fill: "none", stroke: "var(--ink)", "stroke-width": 1, ...extra });
}

export interface TextStyle {
  anchor?: "start" | "middle" | "end";
  fill?: string;
  size?: number;
  weight?: number;
  /** A rim in the colour of the paper, so that lines behind do not cut letters. */
  halo?: boolean;
  turn?: number;
}

export function text(x: number, y: number, words: string, style: TextStyle = {}): string {
  return tag("text", {
    x, y, "text-anchor": style.anchor === "start" ? undefined : style.anchor,
    fill: style.fill ?? "var(--ink)", "font-size": style.size ?? SMALL, "font-weight": style.weight,
    ...(style.halo
      ? { stroke: "var(--paper)", "stroke-width": 3.5, "stroke-linejoin": "round", "paint-order": "stroke" }
      : {}),
    ...(style.turn ? { transform: `rotate(${style.turn} ${round(x)} ${round(y)})` } : {}),
  }, escaped(words));
}

/** Width of a text, roughly: enough to keep labels apart. */
export function widthOf(words: string, size = SMALL): number {
  return words.length * size * 0.56;
}

const TENTHS: string[] = [];

/** A place on the page to a tenth of a pixel: nobody sees less, and there are few such texts. */
function tenth(x: number): string {
  const n = Math.round(x * 10);
  return n >= 0 && n < 2e4 ? (TENTHS[n] ??= String(n / 10)) : String(n / 10);
}

/** A line through points; broken where one is not a number. */
export function through(count: number, x: (k: number) => number, y: (k: number) => number): string {
  let d = "";
  let pen = "M";
  for (let k = 0; k < count; k++) {
    const [a, b] = [x(k), y(k)];
    if (!Number.isFinite(a) || !Number.isFinite(b)) {
      pen = "M";
      continue;
    }
    d += `${pen}${tenth(a)} ${tenth(b)}`;
    pen = "L";
  }
  return d;
}

const MARKERS: Record<string, (x: number, y: number, r: number) => string> = {
  o: (x, y, r) => `M${x - r} ${y}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0z`,
  s: (x, y, r) => `M${x - r} ${y - r}h${2 * r}v${2 * r}h${-2 * r}z`,
  "^": (x, y, r) => `M${x - r * 1.1} ${y + r}h${2.2 * r}l${-1.1 * r} ${-2.1 * r}z`,
  v: (x, y, r) => `M${x - r * 1.1} ${y - r}h${2.2 * r}l${-1.1 * r} ${2.1 * r}z`,
  D: (x, y, r) => `M${x - r * 1.2} ${y}l${1.2 * r} ${-1.2 * r}l${1.2 * r} ${1.2 * r}l${-1.2 * r} ${1.2 * r}z`,
  P: (x, y, r) => plus(x, y, r, [[1, 0], [0, 1]]),
  X: (x, y, r) => plus(x, y, r, [[Math.SQRT1_2, Math.SQRT1_2], [-Math.SQRT1_2, Math.SQRT1_2]]),
  h: (x, y, r) =>
    [0, 1, 2, 3, 4, 5].map((i) => {
      const angle = (Math.PI * (2 * i + 1)) / 6;
      return `${i ? "L" : "M"}${round(x + 1.15 * r * Math.cos(angle))} ${round(y + 1.15 * r * Math.sin(angle))}`;
    }).join("") + "z",
};

/** A fat plus sign with arms along two unit vectors at right angles. */
function plus(x: number, y: number, r: number, [[ax, ay], [bx, by]]: number[][]): string {
  const [l, w] = [1.25 * r, 0.45 * r];
  const corners = [[l, w], [w, w], [w, l], [-w, l], [-w, w], [-l, w], [-l, -w], [-w, -w], [-w, -l], [w, -l], [w, -w], [l, -w]];
  return corners.map(([u, v], i) => `${i ? "L" : "M"}${round(x + u * ax + v * bx)} ${round(y + u * ay + v * by)}`).join("") + "z";
}

export function markerPath(marker: string, x: number, y: number, r: number): string {
  return MARKERS[marker](round(x), round(y), r);
}

/** Hollow markers of one optimizer, as one path. */
export function markers(key: Key | "best", points: [number, number][], r = 3.2, filled = false): string {
  const shape = LOOKS[key].marker;
  const inside = points.filter(([x, y]) => Number.isFinite(x) && Number.isFinite(y));
  if (!inside.length) return "";
  return path(inside.map(([x, y]) => markerPath(shape, x, y, r)).join(""), {
    stroke: color(key), "stroke-width": 1.3, fill: filled ? color(key) : "var(--paper)",
  });
}

export function curve(key: Key | "best", d: string, width = LINE): string {
  return path(d, { stroke: color(key), "stroke-width": width, "stroke-dasharray": dashes(key, width), "stroke-linejoin": "round" });
}

/** A star with five points, for a minimum or a best pair. */
export function star(x: number, y: number, r: number, fill: string): string {
  let d = "";
  for (let i = 0; i < 10; i++) {
    const [angle, length] = [(Math.PI * i) / 5 - Math.PI / 2, i % 2 ? r * 0.42 : r];
    d += `${i ? "L" : "M"}${round(x + length * Math.cos(angle))} ${round(y + length * Math.sin(angle))}`;
  }
  return path(`${d}z`, { fill, stroke: "var(--paper)", "stroke-width": 1.2 });
}

/** Diagonal lines, for what does not converge. */
export function hatching(id: string, gap = 7): string {
  return `<defs><pattern id="${id}" width="${gap}" height="${gap}" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><line x1="0" y1="0" x2="0" y2="${gap}" stroke="var(--hatch)" stroke-width="1"></line></pattern></defs>`;
}

export function clip(id: string, x: number, y: number, width: number, height: number): string {
  return `<defs><clipPath id="${id}"><rect x="${x}" y="${y}" width="${round(width)}" height="${round(height)}"></rect></clipPath></defs>`;
}

/** Positions of labels, moved apart so that neighbours are at least `room` away, inside [low, high]. */
export function spread(places: number[], room: number, low: number, high: number): number[] {
  const order = places.map((y, i) => ({ y: Math.min(Math.max(y, low), high), i })).sort((a, b) => a.y - b.y);
  for (let k = 1; k < order.length; k++) order[k].y = Math.max(order[k].y, order[k - 1].y + room);
  let most = high;
  for (let k = order.length - 1; k >= 0; k--) {
    order[k].y = Math.min(order[k].y, most);
    most = order[k].y - room;
  }
  const out = [...places];
  for (const one of order) out[one.i] = one.y;
  return out;
}
