/** Axes: a calm frame of two lines, ticks, and words. */

import { line, SMALL, text } from "../svg";
import { decades, power, show, ticks, type Scale } from "../scale";

export interface Box {
  left: number;
  right: number;
  top: number;
  bottom: number;
}

const MUTED = "var(--muted)";

export function frame(box: Box): string {
  return line(box.left, box.bottom, box.right, box.bottom, { stroke: "var(--axis)" }) +
    line(box.left, box.top, box.left, box.bottom, { stroke: "var(--axis)" });
}

export function below(box: Box, x: Scale, values: number[], label: string, format: (v: number) => string = show): string {
  let out = "";
  for (const value of values) {
    out += line(x(value), box.bottom, x(value), box.bottom + 4, { stroke: "var(--axis)" });
    out += text(x(value), box.bottom + 16, format(value), { anchor: "middle", fill: MUTED });
  }
  return out + text((box.left + box.right) / 2, box.bottom + 33, label, { anchor: "middle", fill: MUTED });
}

export function beside(box: Box, y: Scale, values: number[], label: string, format: (v: number) => string = show, grid = true): string {
  let out = "";
  for (const value of values) {
    if (grid) out += line(box.left, y(value), box.right, y(value), { stroke: "var(--grid)" });
    out += text(box.left - 7, y(value) + 4, format(value), { anchor: "end", fill: MUTED });
  }
  return out + (label ? text(box.left - 44, (box.top + box.bottom) / 2, label, { anchor: "middle", fill: MUTED, turn: -90 }) : "");
}

export function usual(scale: Scale, pixels: number): number[] {
  return ticks(scale.low, scale.high, Math.max(2, pixels / 75));
}

export function powers(scale: Scale, pixels: number): number[] {
  return decades(scale.low, scale.high, Math.max(2, Math.floor(pixels / 26)));
}

export { power, SMALL };
