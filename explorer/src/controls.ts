/** The left column: step sizes, methods, the problem, noise and length. */

import type { App, Part } from "./app";
import { button, h } from "./dom";
import { Unreadable, readMatrix, readVector, writeMatrix } from "./matrixtext";
import { color, dashes, LOOKS } from "./look";
import { RULES, type Key } from "./optimizers";
import { presetsOf } from "./presets";
import { show } from "./scale";
import { reachOf, Slider, type SliderSpec } from "./sliders";
import { chooseMatrix, chooseMethods, MOST_KAPPA, problemOf, STEPS, TOLERANCES, type State } from "./state";
import { markerPath } from "./svg";
import { bestPair, fastestPair, isLinear } from "./theory";
import type { Words } from "./words";

function stepSpecs(words: Words): SliderSpec[] {
  const c = words.controls;
  return [
    {
      id: "alpha", symbol: "α", label: c.alpha, digits: 3, allowed: [1e-300, 1e300],
      get: (s) => s.alpha, set: (s, v) => void (s.alpha = v),
      range: (app) => {
        const scale = Math.max(...app.model.problem.lambda.map(Math.abs));
        return { low: 0.004 / scale, high: 5 / scale, log: true };
      },
    },
    {
      id: "mu", symbol: "μ", label: c.mu, digits: 3, allowed: [0, 1], get: (s) => s.mu, set: (s, v) => void (s.mu = v),
      range: () => ({ low: 0, high: 1, log: false }),
    },
    {
      id: "rate", symbol: "α′", label: c.rate, digits: 3, allowed: [1e-300, 1e300], get: (s) => s.rate, set: (s, v) => void (s.rate = v),
      range: (app) => ({ low: reachOf(app) * 1e-3, high: reachOf(app), log: true }),
    },
  ];
}

/** Degrees from the first axis to the flat direction; a matrix has one in two dimensions. */
function angleOf(state: State): number {
  if (!state.matrix) return state.angle;
  const { d, Q } = problemOf(state);
  return d === 2 ? Math.round(((Math.atan2(Q[0][1], Q[0][0]) * 180) / Math.PI + 360) * 10) / 10 % 180 : NaN;
}

function problemSpecs(words: Words): SliderSpec[] {
  const c = words.controls;
  return [
    {
      id: "kappa", symbol: "κ", label: c.kappa, digits: 3, allowed: [1, MOST_KAPPA], isProblem: true,
      get: (s) => (s.matrix ? problemOf(s).kappa : s.kappa),
      set: (s, v) => {
        if (s.matrix) s.angle = Math.round(angleOf(s)) || 0;
        s.kappa = v;
        s.matrix = null;
      },
      range: () => ({ low: 1, high: MOST_KAPPA, log: true }),
    },
    {
      id: "angle", symbol: "∠", label: c.angle, digits: 3, allowed: [-180, 180], isProblem: true,
      get: angleOf, set: (s, v) => {
        const { kappa } = problemOf(s);
        if (s.matrix && kappa <= MOST_KAPPA) s.kappa = Number(kappa.toPrecision(5));
        s.angle = Math.round(v);
        s.matrix = null;
      },
      range: () => ({ low: 0, high: 180, log: false }),
    },
  ];
}

function noiseSpec(words: Words): SliderSpec {
  return {
    id: "sigma", symbol: "σ", label: words.controls.sigma, digits: 2, allowed: [0, 1e300], get: (s) => s.sigma, set: (s, v) => void (s.sigma = v),
    range: (app) => {
      const most = Math.max(...app.model.problem.lambda.map(Math.abs)) * reachOf(app);
      return { low: 1e-4 * most, high: most, log: true, zero: true };
    },
  };
}

/** Sliders for α, μ and α′, and buttons that set them to what theory says. */
export class StepControls implements Part {
  readonly element: HTMLElement;
  private readonly sliders: Slider[];
  private readonly setters: HTMLElement;

  constructor(app: App) {
    this.sliders = stepSpecs(app.words).map((spec) => new Slider(app, spec));
    const c = app.words.controls;
    const low = (): number => app.model.problem.low || app.model.problem.top;
    const top = (): number => app.model.problem.top;
    const to = (pick: () => { alpha: number; mu?: number }) => () => app.change((state) => Object.assign(state, pick()));
    this.setters = h("div", { class: "chips", role: "group", "aria-label": c.setTo },
      button(c.toLimit, to(() => ({ alpha: 2 / top() })), { id: "to-limit" }),
      button(c.toBest, to(() => ({ alpha: bestPair("gd", low(), top()).alpha }))),
      button(c.toPair, to(() => bestPair(app.state.map, low(), top()))),
      button(c.toFast, to(() => {
        const { state: { map, tolerance }, model: { problem, z0 } } = app;
        const { alpha, mu } = app.fastest ?? fastestPair(map, problem, z0, tolerance) ?? bestPair(map, low(), top());
        return { alpha, mu };
      })));
    this.element = h("section", { class: "steps", "aria-label": c.steps }, ...this.sliders.map((one) => one.element), this.setters);
  }

  draw(app: App): void {
    for (const slider of this.sliders) slider.draw();
    const some = (test: (key: Key) => boolean): boolean => app.state.chosen.some(test);
    this.sliders[2].element.hidden = !some((key) => !isLinear(key));
    this.setters.hidden = !(app.model.problem.top > 0);
  }
}

/** One check box per optimizer, with its line and marker: the legend of every figure. */
export class MethodControls implements Part {
  readonly element: HTMLElement;
  private readonly boxes = new Map<Key, HTMLInputElement>();

  constructor(app: App) {
    const list = h("div", { class: "methods" });
    RULES.forEach((rule, i) => {
      const box = h("input", { type: "checkbox", value: rule.key, id: `method-${rule.key}` });
      box.addEventListener("change", () => this.toggle(app, rule.key));
      this.boxes.set(rule.key, box);
      const sample = `<svg width="38" height="14" aria-hidden="true"><path d="M1 7H37" stroke="${color(rule.key)}" stroke-width="2" stroke-dasharray="${dashes(rule.key, 2)}"/><path d="${markerPath(LOOKS[rule.key].marker, 19, 7, 3.6)}" fill="var(--paper)" stroke="${color(rule.key)}" stroke-width="1.4"/></svg>`;
      const label = h("label", { title: `${i + 1}` }, box);
      label.insertAdjacentHTML("beforeend", sample);
      label.append(app.words.names[rule.key]);
      list.append(label);
    });
    this.element = h("fieldset", {}, h("legend", {}, app.words.controls.methods), list, h("p", { class: "hint" }, app.words.controls.adaptiveNote));
  }

  toggle(app: App, key: Key): void {
    app.change((state) => {
      const chosen = new Set(state.chosen);
      if (!chosen.delete(key)) chosen.add(key);
      chooseMethods(state, RULES.map((rule) => rule.key).filter((one) => chosen.has(one)));
    });
  }

  draw(app: App): void {
    for (const [key, box] of this.boxes) box.checked = app.state.chosen.includes(key);
    const hint = this.element.querySelector<HTMLElement>(".hint");
    if (hint) hint.hidden = !app.state.chosen.some((key) => !isLinear(key));
  }
}

/** κ and the angle, classics by name, or the user's own matrix. */
export class ProblemControls implements Part {
  readonly element: HTMLElement;
  private readonly sliders: Slider[];
  private readonly family: HTMLSelectElement;
  private readonly area: HTMLTextAreaElement;
  private readonly linear: HTMLInputElement;
  private readonly said: HTMLElement;
  private readonly start: HTMLInputElement;
  private shown = "";

  constructor(private readonly app: App) {
    const c = app.words.controls;
    this.sliders = problemSpecs(app.words).map((spec) => new Slider(app, spec));
    this.family = h("select", { id: "family" });
    for (const preset of presetsOf(app.words)) this.family.append(h("option", { value: preset.id }, preset.label));
    this.family.append(h("option", { value: "own" }, app.words.presets.own));
    this.family.addEventListener("change", () => this.choose());
    this.area = h("textarea", { id: "matrix", rows: "3", spellcheck: "false", autocomplete: "off" });
    this.linear = h("input", { type: "text", id: "linear", spellcheck: "false", autocomplete: "off" });
    this.start = h("input", { type: "text", id: "start", spellcheck: "false", autocomplete: "off" });
    this.start.addEventListener("change", () => this.takeStart());
    this.said = h("p", { class: "said", role: "status" });
    this.element = h("fieldset", {}, h("legend", {}, c.problem),
      h("label", { class: "row", for: "family" }, c.family, this.family), ...this.sliders.map((one) => one.element),
      h("label", { class: "row", for: "start" }, c.start, this.start),
      h("details", { id: "own" }, h("summary", {}, c.matrix), h("p", { class: "hint" }, c.matrixHint),
        h("label", { for: "matrix", class: "field" }, "A", this.area), h("label", { for: "linear", class: "field" }, c.b, this.linear),
        button(c.use, () => this.take(), { class: "main", id: "use-matrix" })), this.said);
  }

  private choose(): void {
    const preset = presetsOf(this.app.words).find((one) => one.id === this.family.value);
    this.said.textContent = "";
    this.said.classList.remove("error");
    if (preset) this.app.change(preset.apply);
    else this.element.querySelector("details")?.setAttribute("open", "");
  }

  private refuse(error: unknown): void {
    if (!(error instanceof Unreadable)) throw error;
    this.said.textContent = error.message;
    this.said.classList.add("error");
  }

  private take(): void {
    const { words } = this.app;
    try {
      const pasted = readMatrix(this.area.value, words);
      const b = pasted.b ?? readVector(this.linear.value, pasted.A.length, words);
      this.app.change((state) => chooseMatrix(state, { A: pasted.A, b, name: "A" }));
      const { lambda, d } = problemOf(this.app.state);
      this.said.textContent = words.matrix.taken(d, show(lambda[0], 4), show(lambda[d - 1], 4));
      this.said.classList.remove("error");
    } catch (error) {
      this.refuse(error);
    }
  }

  private takeStart(): void {
    try {
      const start = readVector(this.start.value, this.app.model.problem.d, this.app.words, "θ₀");
      if (start) this.app.change((state) => void (state.start = start));
      this.said.textContent = "";
    } catch (error) {
      this.refuse(error);
    }
  }

  draw(app: App): void {
    for (const slider of this.sliders) slider.draw();
    const { matrix, start } = app.state;
    const active = document.activeElement;
    if (active !== this.start) this.start.value = start.map((x) => Number(x.toPrecision(5))).join(", ");
    const key = matrix ? JSON.stringify([matrix.A, matrix.b]) : "";
    if (key !== this.shown && active !== this.area) {
      this.shown = key;
      if (matrix) {
        this.area.value = writeMatrix(matrix.A);
        this.area.rows = Math.max(3, matrix.A.length);
        this.linear.value = matrix.b?.some((x) => x !== 0) ? matrix.b.join(", ") : "";
      }
    }
    const preset = presetsOf(app.words).find((one) => one.matches(app.state));
    this.family.value = preset?.id ?? "own";
  }
}

/** How long, how exact, how noisy. */
export class RunControls implements Part {
  readonly element: HTMLElement;
  private readonly sigma: Slider;
  private readonly steps: HTMLSelectElement;
  private readonly tolerance: HTMLSelectElement;
  private readonly seed: HTMLInputElement;
  private readonly seedRow: HTMLElement;

  constructor(app: App) {
    const c = app.words.controls;
    this.sigma = new Slider(app, noiseSpec(app.words));
    this.steps = h("select", { id: "length" }, ...STEPS.map((n) => h("option", { value: String(n) }, String(n))));
    this.steps.addEventListener("change", () => app.change((state) => void (state.steps = Number(this.steps.value))));
    this.tolerance = h("select", { id: "tolerance" }, ...TOLERANCES.map((x) => h("option", { value: String(x) }, show(x))));
    this.tolerance.addEventListener("change", () => app.change((state) => void (state.tolerance = Number(this.tolerance.value))));
    this.seed = h("input", { type: "number", id: "seed", min: "0", max: "4294967295", step: "1" });
    this.seed.addEventListener("change", () => {
      const value = Number(this.seed.value);
      if (Number.isInteger(value) && value >= 0 && value < 2 ** 32) app.change((state) => void (state.seed = value));
    });
    this.seedRow = h("label", { class: "row", for: "seed" }, c.seed, this.seed);
    this.element = h("fieldset", {}, h("legend", {}, c.noise),
      h("label", { class: "row", for: "length" }, c.length, this.steps), h("label", { class: "row", for: "tolerance" }, c.tolerance, this.tolerance),
      this.sigma.element, this.seedRow);
  }

  draw(app: App): void {
    this.sigma.draw();
    choose(this.steps, app.state.steps);
    choose(this.tolerance, app.state.tolerance);
    this.seed.value = String(app.state.seed);
    this.seedRow.hidden = app.state.sigma === 0;
  }
}

/** Select a number; one that is not in the list is put there. */
function choose(select: HTMLSelectElement, value: number): void {
  const text = String(value);
  if (![...select.options].some((option) => option.value === text)) select.append(h("option", { value: text }, show(value)));
  select.value = text;
}
