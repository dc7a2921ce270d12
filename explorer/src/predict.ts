/** Predict first: the answer is hidden until the user has guessed. */

import type { App, Part } from "./app";
import { button, h } from "./dom";
import { hasGap } from "./figures/gap";
import { PATIENCE } from "./model";
import { show } from "./scale";

const CLOSE = 1.5;

export class Predict implements Part {
  readonly element: HTMLElement;
  private readonly question = h("p", { class: "question", "aria-live": "polite" });
  private readonly field: HTMLInputElement;
  private readonly answer = h("p", { class: "answer", role: "status" });
  private readonly form: HTMLFormElement;
  private good = 0;
  private all = 0;

  constructor(private readonly app: App) {
    const p = app.words.predict;
    this.field = h("input", { type: "number", id: "guess", min: "1", step: "1", "aria-label": p.guess });
    const never = button(p.neverButton, () => this.reveal(Infinity));
    this.form = h("form", {}, this.field, h("button", { type: "submit", class: "main" }, p.reveal), never);
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      const guess = Number(this.field.value);
      if (guess >= 1) this.reveal(guess);
    });
    this.element = h("section", { class: "predict", hidden: "" }, h("p", { class: "name" }, p.name), this.question, this.form, this.answer);
  }

  toggle(): void {
    this.app.change((state) => void (state.predict = !state.predict));
    if (this.app.state.predict) requestAnimationFrame(() => this.field.focus());
  }

  private reveal(guess: number): void {
    const p = this.app.words.predict;
    const one = this.app.model.series[0];
    if (!one) return;
    const truth = hasGap(this.app.model) && one.run.lost === null ? one.run.arrival : null;
    const stays = one.run.lost === null && hasGap(this.app.model) && (one.fate === null || one.fate === "converges");
    this.all += 1;
    const right = truth === null ? guess === Infinity || (stays && guess > PATIENCE) : Math.max(truth / guess, guess / truth) <= CLOSE;
    this.good += right ? 1 : 0;
    const said = guess === Infinity ? "" : p.said(guess);
    const fact = truth === null ? (stays ? p.more(PATIENCE) : p.never) + said : guess === Infinity ? String(truth) : p.answer(truth, guess);
    this.answer.textContent = `${fact} ${p.score(this.good, this.all)} ${p.again}`;
    this.app.revealed = true;
    this.app.schedule();
  }

  draw(app: App): void {
    const p = app.words.predict;
    const one = app.model.series[0];
    this.element.hidden = !app.state.predict || !one;
    document.documentElement.classList.toggle("guessing", app.isHidden && Boolean(one));
    if (!one) return;
    const question = p.question(app.words.names[one.key], show(app.state.tolerance));
    if (this.question.textContent !== question) this.question.textContent = question;
    this.form.hidden = !app.isHidden;
    if (app.isHidden) this.answer.textContent = "";
  }
}
