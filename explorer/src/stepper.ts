/** Step by step: what every optimizer remembers. */

import type { App, Part } from "./app";
import { button, h } from "./dom";
import { hasGap } from "./figures/gap";
import { sub } from "./figures/ruler";
import { remembered } from "./memo";
import type { Model, Series } from "./model";
import { Layer } from "./patch";
import { show } from "./scale";
import { memoryAfter } from "./simulate";
import type { Words } from "./words";

export class Stepper implements Part {
  readonly element: HTMLElement;
  private readonly slider: HTMLInputElement;
  private readonly count: HTMLElement;
  private readonly cards = h("div", { class: "cards" });
  private readonly inside = new Layer(this.cards);
  private readonly player: HTMLButtonElement;
  private timer = 0;

  constructor(private readonly app: App) {
    const s = app.words.stepper;
    this.slider = h("input", { type: "range", id: "at", min: "0", step: "1", "aria-label": s.at });
    this.slider.addEventListener("input", () => this.go(Number(this.slider.value)));
    this.count = h("output", { for: "at" });
    this.player = button("▶", () => this.play(), { "aria-label": s.play, title: s.play });
    this.element = h("section", { class: "stepper figure wide spoiler", "data-hidden": app.words.predict.hidden },
      h("p", { class: "name" }, s.name), h("h2", {}, s.how),
      h("div", { class: "transport" }, button("|◀", () => this.go(0), { "aria-label": s.first, title: s.first }),
        button("◀", () => this.by(-1), { "aria-label": s.back, title: s.back }), this.player,
        button("▶|", () => this.by(1), { "aria-label": s.on, title: s.on }), this.slider, this.count),
      this.cards);
    this.watch();
  }

  go(step: number): void {
    this.app.change((state) => void (state.at = Math.min(Math.max(step, 0), state.steps)), true);
  }

  by(steps: number): void {
    this.go(this.app.state.at + steps);
  }

  /** One step after the other; slower for people who want less motion. */
  play(): void {
    const s = this.app.words.stepper;
    if (this.timer) {
      clearInterval(this.timer);
      this.timer = 0;
    } else {
      const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
      if (this.app.state.at >= this.app.state.steps) this.go(0);
      this.timer = window.setInterval(() => (this.app.state.at < this.app.state.steps ? this.by(1) : this.play()), calm ? 1200 : 350);
    }
    const label = this.timer ? s.pause : s.play;
    this.player.textContent = this.timer ? "❚❚" : "▶";
    this.player.setAttribute("aria-label", label);
    this.player.title = label;
  }

  /** The cards wait, like figures, while they are out of sight. */
  private isSeen = true;

  private watch(): void {
    new IntersectionObserver((seen) => {
      this.isSeen = seen[seen.length - 1].isIntersecting;
      if (this.isSeen) this.app.schedule();
    }, { rootMargin: "120px" }).observe(this.element);
  }

  draw(app: App, all = false): void {
    const { at, steps } = app.state;
    this.slider.max = String(steps);
    this.slider.value = String(at);
    this.slider.style.setProperty("--filled", `${(100 * at) / steps}%`);
    this.count.textContent = `${app.words.stepper.at} ${at} / ${steps}`;
    if (!all && !this.isSeen) return;
    this.cards.classList.toggle("wide", app.model.problem.d > 4);
    this.inside.inside = app.model.series.map((one) => card(app.model, one, app.words)).join("");
  }
}

function card(model: Model, one: Series, words: Words): string {
  const s = words.stepper;
  const { problem, state, e0, noise } = model;
  const { d } = problem;
  const path = one.run.path.subarray(state.at * d, state.at * d + d);
  const memory = remembered(one, "memory", String(state.at), () => memoryAfter(problem, one.rule, one.settings, e0, state.at, noise));
  const rows: [string, ArrayLike<number>][] = [[s.theta, Array.from(path, (x, i) => x + problem.critical[i])]];
  rows.push([s.gradient, state.at ? memory.gradient : []]);
  memory.names.forEach((name, i) => rows.push([s.memory[name] ?? name, memory.values[i]]));
  const cells = (values: ArrayLike<number>): string =>
    Array.from({ length: d }, (_, i) => `<td>${values.length ? show(values[i]) : "–"}</td>`).join("");
  const head = Array.from({ length: d }, (_, i) => `<th scope="col">θ${sub(i + 1)}</th>`).join("");
  const gap = hasGap(model) ? `<span>${s.gap} ${show(one.run.gap[state.at] / model.gap0)}</span>` : "";
  return `<div class="card" style="--c:var(--${one.key});--ci:var(--${one.key}-ink)"><h3>${words.names[one.key]}${gap}</h3><div class="scroll" tabindex="0" role="region" aria-label="${words.names[one.key]}"><table><thead><tr><td></td>${head}</tr></thead><tbody>` +
    rows.map(([name, values]) => `<tr><th scope="row">${name}</th>${cells(values)}</tr>`).join("") + "</tbody></table></div></div>";
}
