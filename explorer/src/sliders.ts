/** A slider and a field with its number: the number is exact, the slider follows it. */

import type { App } from "./app";
import { h } from "./dom";
import { components } from "./problem";
import type { State } from "./state";

const POSITIONS = 1000;
const SHOWN = 5; // digits that the field has room for; all of them while it is edited

export interface Range {
  low: number;
  high: number;
  log: boolean;
  /** The left end means zero. */
  zero?: boolean;
}

export interface SliderSpec {
  id: string;
  symbol: string;
  label: string;
  get(state: State): number;
  set(state: State, value: number): void;
  range(app: App): Range;
  /** What may be typed. */
  allowed: readonly [number, number];
  digits: number;
  isProblem?: boolean;
}

export function reachOf(app: App): number {
  return Math.max(...components(app.model.problem, app.model.e0).map(Math.abs), 1e-300);
}

export class Slider {
  readonly element: HTMLElement;
  readonly input: HTMLInputElement;
  private readonly field: HTMLInputElement;
  /** What the field shows: nobody writes into a field that is edited while this stays. */
  private last = NaN;
  private drawn = "";

  constructor(private readonly app: App, private readonly spec: SliderSpec) {
    this.input = h("input", { type: "range", id: spec.id, min: "0", max: String(POSITIONS), step: "1", "aria-label": `${spec.symbol}, ${spec.label}` });
    this.field = h("input", { type: "text", inputmode: "decimal", id: `${spec.id}-number`, class: "number", autocomplete: "off", spellcheck: "false" });
    const label = h("label", { for: `${spec.id}-number` }, h("b", {}, spec.symbol), ` ${spec.label}`);
    this.element = h("div", { class: "slider" }, label, this.field, this.input);
    this.input.addEventListener("input", () => this.take(this.value(Number(this.input.value))));
    this.field.addEventListener("change", () => this.typed());
    this.field.addEventListener("focus", () => {
      this.last = NaN;
      this.draw();
    });
    this.field.addEventListener("blur", () => this.field.matches("[aria-invalid]") || this.draw());
  }

  private take(value: number): void {
    const { app, spec } = this;
    const alter = (state: State): void => spec.set(state, value);
    if (spec.isProblem) app.changeProblem(alter);
    else app.change(alter);
  }

  private typed(): void {
    const value = Number(this.field.value.replace(",", ".").replace("−", "-"));
    const [low, high] = this.spec.allowed;
    const isGood = this.field.value.trim() !== "" && value >= low && value <= high;
    this.field.toggleAttribute("aria-invalid", !isGood);
    if (isGood) this.take(value);
  }

  private value(position: number): number {
    const { low, high, log, zero } = this.spec.range(this.app);
    if (zero && position === 0) return 0;
    const share = position / POSITIONS;
    const raw = log ? low * (high / low) ** share : low + (high - low) * share;
    return Number(raw.toPrecision(this.spec.digits));
  }

  private position(value: number): number {
    const { low, high, log, zero } = this.spec.range(this.app);
    if (zero && value === 0) return 0;
    const share = log ? Math.log(value / low) / Math.log(high / low) : (value - low) / (high - low);
    return Math.round(Math.min(Math.max(share, 0), 1) * POSITIONS);
  }

  draw(): void {
    const value = this.spec.get(this.app.state);
    const isEdited = document.activeElement === this.field;
    const text = Number.isFinite(value) ? String(Number(value.toPrecision(isEdited ? 12 : SHOWN))) : Number.isNaN(value) ? "–" : "∞";
    const position = String(Number.isNaN(value) ? 0 : this.position(value));
    if (this.input.value !== position) this.input.value = position;
    if (!isEdited) {
      if (this.field.value !== text) this.field.value = text;
      this.field.removeAttribute("aria-invalid");
    } else if (!Object.is(value, this.last) && !this.field.matches("[aria-invalid]")) this.field.value = text;
    this.last = value;
    if (this.drawn === `${text} ${position}`) return;
    this.drawn = `${text} ${position}`;
    this.input.setAttribute("aria-valuetext", text);
    this.input.style.setProperty("--filled", `${(Number(position) / POSITIONS) * 100}%`);
  }
}
