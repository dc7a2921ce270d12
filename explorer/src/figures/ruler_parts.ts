/** The scale under the ruler. */

import type { Scale } from "../scale";
import { show } from "../scale";
import { line, text } from "../svg";

export function beneath(values: number[], x: Scale, bottom: number, right: number, unit: string): string {
  let out = "";
  let last = -Infinity;
  for (const value of values) {
    const place = x(value);
    out += line(place, bottom, place, bottom + 5, { stroke: "var(--axis)" });
    if (place - last < 34 || place > right - 4) continue;
    out += text(place, bottom + 18, show(value), { anchor: place < 24 ? "start" : "middle", fill: "var(--muted)" });
    last = place;
  }
  return out + text(right, bottom + 34, unit, { anchor: "end", fill: "var(--muted)" });
}
