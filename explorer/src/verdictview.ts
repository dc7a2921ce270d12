/** The verdict on the page, and the table under it. */

import type { App, Part } from "./app";
import { h } from "./dom";
import { extremes, hasGap } from "./figures/gap";
import { LOOKS, color } from "./look";
import { PATIENCE, type Model, type Series } from "./model";
import { Layer } from "./patch";
import { percent, show, unbroken } from "./scale";
import { markerPath } from "./svg";
import { verdictOf } from "./verdict";
import type { Words } from "./words";

export class VerdictView implements Part {
  readonly element: HTMLElement;
  private readonly headline = h("p", { id: "verdict", role: "status", "aria-live": "polite" });
  private readonly reason = h("p", { class: "reason" });
  private readonly table = h("table", {});
  private readonly rows = new Layer(this.table);

  constructor() {
    this.element = h("section", { class: "verdict spoiler" }, this.headline, this.reason, h("div", { class: "scroll", tabindex: "0", role: "region" }, this.table));
  }

  draw(app: App): void {
    const verdict = verdictOf(app.model, app.words);
    this.element.dataset["tone"] = verdict.tone;
    this.element.dataset["hidden"] = app.words.predict.hidden;
    this.element.querySelector(".scroll")?.setAttribute("aria-label", app.words.table.caption);
    if (this.headline.textContent !== verdict.headline) this.headline.textContent = verdict.headline;
    this.reason.textContent = verdict.reason;
    this.rows.inside = app.model.series.length ? rows(app.model, app.words) : "";
  }
}

function rows(model: Model, words: Words): string {
  const t = words.table;
  const goal = hasGap(model);
  const steps = goal ? [unbroken(t.steps(show(model.state.tolerance))), t.counted] : [];
  const head = [t.method, ...steps, t.factor, t.share];
  const body = model.series.map((one) => {
    const cells = [...(goal ? counts(model, one, words) : []), one.factor === null ? t.none : show(one.factor, 4), shareOf(model, one, t.none)];
    const mark = `<svg width="14" height="14" aria-hidden="true"><path d="${markerPath(LOOKS[one.key].marker, 7, 7, 4)}" fill="${color(one.key)}"></path></svg>`;
    return `<tr><th scope="row">${mark}<span class="long">${words.names[one.key]}</span><span class="brief">${words.short[one.key]}</span></th>${cells.map((cell) => `<td>${cell}</td>`).join("")}</tr>`;
  });
  return `<caption>${t.caption}</caption><thead><tr>${head.map((cell) => `<th scope="col">${cell}</th>`).join("")}</tr></thead><tbody>${body.join("")}</tbody>`;
}

function shareOf(model: Model, one: Series, none: string): string {
  if (one.limit === null || !(model.problem.top > 0)) return none;
  return percent((one.settings.alpha * model.problem.top) / one.limit);
}

/** Steps by formula and by simulation; how high it rises first; or where it stalls. */
function counts(model: Model, one: Series, words: Words): [string, string] {
  const t = words.table;
  const never = one.fate !== null && one.fate !== "converges";
  const predicted = one.limit === null ? t.none : never ? t.never : one.predicted === null ? t.more(PATIENCE) : String(one.predicted);
  if (one.run.lost !== null) return [predicted, t.never];
  const peak = extremes(one.run)[1] / model.gap0;
  const rise = one.run.arrival !== null && peak > 1.05 ? ` <small>${t.peak(show(peak, 2))}</small>` : "";
  if (one.run.arrival === null && one.floor !== null) return [predicted, t.stalls(show(one.floor / model.gap0, 2))];
  return [predicted, one.run.arrival === null ? (never ? t.never : t.more(PATIENCE)) : `${one.run.arrival}${rise}`];
}
