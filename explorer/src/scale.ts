/** From numbers to places, and the ticks between; and numbers as text. */

export interface Scale {
  (value: number): number;
  invert(place: number): number;
  low: number;
  high: number;
}

export function linear(low: number, high: number, from: number, to: number): Scale {
  const slope = (to - from) / (high - low);
  const scale = ((value: number) => from + (value - low) * slope) as Scale;
  return Object.assign(scale, { invert: (place: number) => low + (place - from) / slope, low, high });
}

export function logarithmic(low: number, high: number, from: number, to: number): Scale {
  const inner = linear(Math.log(low), Math.log(high), from, to);
  const scale = ((value: number) => inner(Math.log(value))) as Scale;
  return Object.assign(scale, { invert: (place: number) => Math.exp(inner.invert(place)), low, high });
}

/** Round numbers, about `count` of them. */
export function ticks(low: number, high: number, count: number): number[] {
  const raw = (high - low) / Math.max(count, 1);
  const unit = 10 ** Math.floor(Math.log10(raw));
  const step = unit * ([1, 2, 5, 10].find((m) => m * unit >= raw) ?? 10);
  const out = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high * (1 + 1e-12) + 1e-12 * step; i++)
    out.push(Number((i * step).toPrecision(12)));
  return out;
}

/** Powers of ten, thinned to at most `count`. */
export function decades(low: number, high: number, count: number): number[] {
  const [first, last] = [Math.ceil(Math.log10(low) - 1e-9), Math.floor(Math.log10(high) + 1e-9)];
  const stride = Math.max(1, Math.ceil((last - first + 1) / count));
  const out = [];
  for (let e = first; e <= last; e++) if (e % stride === 0) out.push(Number(`1e${e}`));
  return out;
}

/** 1, 2, 5 × powers of ten. */
export function logTicks(low: number, high: number): number[] {
  const out = [];
  for (let e = Math.floor(Math.log10(low)); e <= Math.log10(high); e++)
    for (const m of [1, 2, 5]) {
      const value = Number(`${m}e${e}`);
      if (value >= low && value <= high) out.push(value);
    }
  return out;
}

const MINUS = "−";

/** A number as a person writes it: 0.15, 1e-6, −3.2. */
export function show(value: number, digits = 3): string {
  if (Number.isNaN(value)) return "–";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : `${MINUS}∞`;
  if (value === 0) return "0";
  const size = Math.abs(value);
  let text;
  if (size >= 1e-3 && size < 1e5) text = String(Number(value.toPrecision(digits)));
  else text = value.toExponential(digits - 1).replace(/\.?0+e/, "e").replace("e+", "e");
  return text.replace(/^-/, MINUS);
}

/** The hyphen of 1e-6 is no place to break a line. */
export function unbroken(text: string): string {
  return text.replace(/e-(\d)/g, "e\u2060-\u2060$1");
}

/** A power of ten for an axis. */
export function power(value: number): string {
  const e = Math.round(Math.log10(value));
  return e >= 0 && e <= 3 ? String(Number(`1e${e}`)) : `1e${e}`;
}

export function percent(share: number): string {
  if (!Number.isFinite(share)) return "–";
  const p = 100 * share;
  if (p > 99.9 && p < 100) return ">\u00a099.9\u00a0%"; // spaces that do not break
  if (p > 0 && p < 0.1) return "<\u00a00.1\u00a0%";
  const digits = Math.abs(p - 100) < 1 && p !== 100 ? 5 : p < 1 ? 1 : p < 10 ? 2 : 3;
  return `${Number(p.toPrecision(digits))}\u00a0%`;
}
