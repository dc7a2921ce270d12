/** The page: puts the parts together, and listens to keys, the address and the colour scheme. */

import { App } from "./app";
import { Board, isDark } from "./board";
import { commandOf } from "./command";
import { MethodControls, ProblemControls, RunControls, StepControls } from "./controls";
import { button, copy, h } from "./dom";
import { RULES } from "./optimizers";
import { Predict } from "./predict";
import { applied, fromHash, toHash, type Preset } from "./state";
import { Stepper } from "./stepper";
import { VerdictView } from "./verdictview";
import type { Words } from "./words";

export function mount(root: HTMLElement, preset: Preset, words: Words): App {
  document.documentElement.lang = words.language;
  document.title = words.page;
  const first = applied(preset);
  const app = new App(location.hash.length > 1 ? fromHash(location.hash, first) : first, words);
  const parts = {
    steps: new StepControls(app), methods: new MethodControls(app), problem: new ProblemControls(app), run: new RunControls(app),
    verdict: new VerdictView(), predict: new Predict(app), board: new Board(app), stepper: new Stepper(app),
  };
  const keys = keysDialog(words);
  const act = actions(app, parts, keys, first);
  const command = h("pre", { tabindex: "0", "aria-label": words.buttons.command }, h("code", {}));
  const side = h("div", { class: "side", role: "region", "aria-label": words.controls.steps }, parts.steps.element, parts.methods.element, parts.problem.element, parts.run.element);
  parts.board.element.append(parts.stepper.element);
  const main = h("main", {}, parts.predict.element, parts.verdict.element, parts.board.element, commandBox(app, command));
  root.replaceChildren(header(app, preset, act), h("div", { class: "layout" }, side, main), h("footer", {}, words.footer), keys);
  if (preset.embedded) document.documentElement.classList.add("embedded");
  for (const part of Object.values(parts)) app.add(part);
  app.add({ draw: () => void (command.firstElementChild as HTMLElement).replaceChildren(commandOf(app.state)) });
  app.add({ draw: () => theme(app) });
  theme(app);
  app.redraw(true);
  listen(app, act, first);
  return app;
}

interface Actions {
  theme(): void;
  predict(): void;
  keys(): void;
  reset(): void;
  play(): void;
  step(by: number): void;
  method(index: number): void;
}

function actions(
  app: App, parts: { predict: Predict; stepper: Stepper; methods: MethodControls }, keys: HTMLDialogElement, first: App["state"],
): Actions {
  return {
    theme: () => app.change((state) => void (state.theme = isDark() ? "light" : "dark"), true),
    predict: () => parts.predict.toggle(),
    keys: () => keys.showModal(),
    reset: () => app.change((state) => Object.assign(state, structuredClone(first))),
    play: () => parts.stepper.play(),
    step: (by) => parts.stepper.by(by),
    method: (index) => parts.methods.toggle(app, RULES[index].key),
  };
}

function header(app: App, preset: Preset, act: Actions): HTMLElement {
  const { words } = app;
  const said = h("span", { class: "said", role: "status" });
  const buttons = h("div", { class: "buttons" },
    button(words.predict.on, act.predict, { id: "predict" }),
    button(words.buttons.link, () => void copy(location.href.split("#")[0] + toHash(app.state), said, words.buttons.copied, words.buttons.notCopied)),
    button(words.buttons.theme, act.theme, { id: "theme" }), button(words.buttons.reset, act.reset), button(words.buttons.keys, act.keys, { id: "keys" }), said);
  const lead = h("p", { class: "lead" });
  app.add({ draw: () => {
    const name = app.state.matrix?.name ?? "A";
    lead.textContent = name === "A" ? words.lead : words.about(name);
  } });
  if (preset.embedded) buttons.children[1].remove(); // it has no address of its own
  const note = preset.note ? [h("p", { class: "notice" }, preset.note)] : [];
  return h("header", {}, h("div", {}, h("h1", {}, words.title), lead, ...note), buttons);
}

function commandBox(app: App, command: HTMLElement): HTMLElement {
  const { words } = app;
  const said = h("span", { class: "said", role: "status" });
  return h("section", { class: "command" }, h("p", { class: "name" }, words.commandTitle), command,
    button(words.buttons.command, () => void copy(commandOf(app.state), said, words.buttons.copied, ""), { id: "copy-command" }), said);
}

function keysDialog(words: Words): HTMLDialogElement {
  const rows = words.keys.map(([key, what]) => h("tr", {}, h("th", { scope: "row" }, h("kbd", {}, key)), h("td", {}, what)));
  const dialog = h("dialog", { "aria-label": words.keysTitle }, h("h2", {}, words.keysTitle), h("table", {}, h("tbody", {}, ...rows)));
  dialog.append(button(words.buttons.close, () => dialog.close(), { class: "main" }));
  return dialog;
}

function theme(app: App): void {
  const { dataset } = document.documentElement;
  if (app.state.theme === "auto") delete dataset["theme"];
  else dataset["theme"] = app.state.theme;
}

const FOCUS: Record<string, string> = { a: "alpha", m: "mu", k: "kappa", r: "angle" };
const ARROWS: Record<string, [string, number]> = { ArrowLeft: ["alpha", -1], ArrowRight: ["alpha", 1], ArrowDown: ["mu", -1], ArrowUp: ["mu", 1] };

function listen(app: App, act: Actions, first: App["state"]): void {
  document.addEventListener("keydown", (event) => {
    const target = event.target as HTMLElement;
    if (event.ctrlKey || event.metaKey || event.altKey || target.closest("dialog")) return;
    if (target.matches("textarea, select, input:not([type=range]):not([type=checkbox])")) return;
    const { key } = event;
    if (FOCUS[key]) document.getElementById(FOCUS[key])?.focus();
    else if (ARROWS[key] && !target.matches("input[type=range]")) nudge(...ARROWS[key]);
    else if (key === " " && !target.matches("button, summary, input")) act.play();
    else if (key === "[" || key === "]") act.step(key === "]" ? 1 : -1);
    else if (/^[1-7]$/.test(key)) act.method(Number(key) - 1);
    else if (key === "g") act.predict();
    else if (key === "d") act.theme();
    else if (key === "?") act.keys();
    else return;
    event.preventDefault();
  });
  window.addEventListener("hashchange", () => {
    if (location.hash === toHash(app.state)) return;
    app.state = fromHash(location.hash, first);
    app.revealed = false;
    app.schedule();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => app.schedule());
}

/** Move a slider by one position, as its own arrow keys do. */
function nudge(id: string, by: number): void {
  const slider = document.getElementById(id) as HTMLInputElement;
  slider.value = String(Number(slider.value) + by * 5);
  slider.dispatchEvent(new Event("input"));
}
