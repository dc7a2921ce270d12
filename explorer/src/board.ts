/** The figures on the page: their frames, drawing, dragging, saving. */

import type { App, Part } from "./app";
import { button, h, svgElement } from "./dom";
import { FIGURES } from "./figures";
import { displacementAt, startPlace, windowOf } from "./figures/contours";
import type { Figure } from "./figures/figure";
import { boxOf } from "./figures/gap";
import { directionOf } from "./figures/phase";
import { comparison, mapWindow, paint, paintKey } from "./figures/map";
import { Layer } from "./patch";
import { saveSvg } from "./save";
import { sub } from "./figures/ruler";
import { show, unbroken } from "./scale";

const SPOILERS = ["contours", "gap", "phase", "directions", "panels"];
const NUDGE = 12; // pixels that an arrow key moves the start

class Frame {
  readonly element: HTMLElement;
  readonly svg: SVGElement;
  readonly layer = new Layer(svgElement("g"));
  readonly canvas: HTMLCanvasElement | null = null;
  readonly note: HTMLElement;
  private readonly title: HTMLElement;
  private readonly holder: HTMLElement;
  /** Figures out of sight wait until the hand rests. */
  isSeen = true;
  private width = 0;
  private painted = "";
  private box = "";

  constructor(readonly figure: Figure, app: App) {
    const name = figure.name(app.words);
    this.svg = svgElement("svg", { role: figure.id === "contours" ? "group" : "img" });
    this.svg.append(this.layer.element);
    this.title = h("h2", {});
    this.note = h("span", { class: "note" });
    this.holder = h("div", { class: "holder" }, this.svg);
    if (figure.id === "map") {
      this.canvas = h("canvas", { "aria-hidden": "true" });
      this.holder.prepend(this.canvas);
    }
    const save = button(app.words.buttons.export, () => this.save(app), { class: "quiet", "aria-label": app.words.buttons.exportHint(name), title: app.words.buttons.exportHint(name) });
    const classes = `figure ${figure.wide ? "wide" : ""} ${SPOILERS.includes(figure.id) ? "spoiler" : ""}`;
    this.element = h("figure", { class: classes, id: `figure-${figure.id}`, "data-hidden": app.words.predict.hidden },
      h("div", { class: "head" }, h("p", { class: "name" }, name), save), this.title, this.holder,
      h("figcaption", {}, figure.how(app.words), " ", this.note));
  }

  measure(): void {
    this.width = Math.floor(this.holder.clientWidth);
  }

  draw(app: App, dark: boolean): void {
    if (!this.width) this.measure();
    if (this.width < 60) return;
    const extra = { fastest: app.fastest, words: app.words };
    const height = this.figure.height(this.width, app.model);
    const title = unbroken(this.figure.title(app.model, extra));
    if (this.title.textContent !== title) {
      this.title.textContent = title;
      this.svg.setAttribute("aria-label", `${this.figure.name(app.words)}. ${title}.`);
    }
    if (this.box !== `${this.width} ${height}`) {
      this.box = `${this.width} ${height}`; // writing it, even the same, makes the browser lay out every word anew
      this.svg.setAttribute("viewBox", `0 0 ${this.box}`);
      this.svg.setAttribute("width", String(this.width));
      this.svg.setAttribute("height", String(height));
    }
    this.layer.inside = this.figure.draw(app.model, this.width, extra);
    if (!this.canvas) return;
    const note = app.isHidden ? "" : comparison(app.model, extra);
    if (this.note.textContent !== note) this.note.textContent = note;
    const key = `${paintKey(app.model, this.width, dark)} ${height}`;
    if (key !== this.painted) paint(this.canvas, app.model, this.width, height, dark);
    this.painted = key;
  }

  /** Where a pointer is, in the coordinates of the drawing. */
  place(event: PointerEvent): [number, number] {
    const box = this.svg.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  size(app: App): [number, number] {
    return [this.width, this.figure.height(this.width, app.model)];
  }

  save(app: App): void {
    const shape = this.canvas ? { left: this.canvas.style.left, top: this.canvas.style.top, image: this.canvas } : null;
    const [width, height] = this.size(app);
    saveSvg(this.figure.id, this.title.textContent ?? "", this.layer.inside, width, height, shape);
  }
}

export class Board implements Part {
  readonly element: HTMLElement;
  private readonly frames: Frame[];
  private readonly handle: SVGElement;

  constructor(private readonly app: App) {
    this.frames = FIGURES.map((figure) => new Frame(figure, app));
    this.element = h("div", { class: "figures" }, ...this.frames.map((frame) => frame.element));
    this.handle = this.startHandle(this.frame("contours"));
    this.choosing(this.frame("map"));
    this.turning(this.frame("phase"));
    this.stepping(this.frame("gap"));
    const eye = new IntersectionObserver((seen) => {
      for (const { target, isIntersecting } of seen)
        for (const frame of this.frames) if (frame.element === target) frame.isSeen = isIntersecting;
      if (seen.some((one) => one.isIntersecting)) app.schedule();
    }, { rootMargin: "120px" });
    for (const frame of this.frames) eye.observe(frame.element);
    new ResizeObserver(() => {
      for (const frame of this.frames) frame.measure();
      app.schedule();
    }).observe(this.element);
  }

  private frame(id: string): Frame {
    return this.frames.find((one) => one.figure.id === id) as Frame;
  }

  draw(app: App, all = false): void {
    const dark = isDark();
    if (this.mapOf) this.mapOf.value = app.state.map;
    this.directions(app);
    this.element.classList.toggle("many", app.model.problem.d > 4);
    for (const frame of this.frames) if (all || frame.isSeen) frame.draw(app, dark);
    const contours = this.frame("contours");
    const [width, height] = contours.size(app);
    if (width < 60 || this.held) return;
    this.moveHandle(...startPlace(app.model, windowOf(app.model, width, height)));
  }

  private moveHandle(x: number, y: number): void {
    this.handle.setAttribute("transform", `translate(${x} ${y})`);
  }

  private mapOf: HTMLSelectElement | null = null;

  /** The scale stays still while the ring is held. */
  private held: ReturnType<typeof windowOf> | null = null;

  private startHandle(frame: Frame): SVGElement {
    const w = this.app.words.figures.contours;
    const handle = svgElement("g", { class: "handle", tabindex: "0", role: "button", "aria-label": w.handle });
    handle.append(svgElement("circle", { r: "20", fill: "transparent" }),
      svgElement("circle", { r: "7", fill: "var(--paper)", stroke: "var(--ink)", "stroke-width": "2", class: "ring" }));
    frame.svg.append(handle);
    const go = (x: number, y: number, shown: ReturnType<typeof windowOf>): void => {
      const e = displacementAt(this.app.model, shown, x, y);
      const { critical } = this.app.model.problem;
      this.app.change((state) => void (state.start = critical.map((c, i) => Number((c + e[i]).toPrecision(6)))));
    };
    handle.addEventListener("pointerdown", (event) => {
      this.held = windowOf(this.app.model, ...frame.size(this.app));
      handle.setPointerCapture(event.pointerId);
      event.preventDefault();
      handle.focus();
    });
    handle.addEventListener("pointermove", (event) => {
      if (!this.held) return;
      const [width, height] = frame.size(this.app);
      const [px, py] = frame.place(event);
      const [x, y] = [Math.min(Math.max(px, 46), width - 10), Math.min(Math.max(py, 10), height - 42)];
      go(x, y, this.held);
      this.moveHandle(x, y);
    });
    for (const end of ["pointerup", "pointercancel"])
      handle.addEventListener(end, () => {
        this.held = null;
        this.app.schedule();
      });
    handle.addEventListener("keydown", (event) => {
      const move = ({ ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] } as Record<string, number[]>)[event.key];
      if (!move) return;
      event.preventDefault();
      event.stopPropagation();
      const shown = windowOf(this.app.model, ...frame.size(this.app));
      const [x, y] = startPlace(this.app.model, shown);
      go(x + NUDGE * move[0], y + NUDGE * move[1], shown);
    });
    return handle;
  }

  /** Click or drag on the map to choose (α, μ). */
  private choosing(frame: Frame): void {
    const choose = (event: PointerEvent): void => {
      const { alpha, mu, box } = mapWindow(this.app.model, ...frame.size(this.app));
      const [x, y] = frame.place(event);
      if (x < box.left - 8 || x > box.right + 8 || y < box.top - 8 || y > box.bottom + 12) return;
      const values = { alpha: alpha.invert(Math.min(Math.max(x, box.left + 1), box.right)), mu: Math.min(Math.max(mu.invert(y), 0), 1) };
      this.app.change((state) => Object.assign(state, { alpha: Number(values.alpha.toPrecision(4)), mu: Number(values.mu.toFixed(3)) }));
    };
    dragging(frame.svg, choose);
    const names = this.app.words.names;
    const select = h("select", { id: "map-of", "aria-label": this.app.words.figures.map.of }, ...(["hb", "nag"] as const).map((key) => h("option", { value: key }, names[key])));
    this.mapOf = select;
    select.addEventListener("change", () => this.app.change((state) => void (state.map = select.value === "nag" ? "nag" : "hb")));
    frame.element.querySelector(".head .name")?.append(" ", select);
  }

  private along: HTMLSelectElement | null = null;
  private named = "";

  /** The direction of the phase portrait, by name. */
  private turning(frame: Frame): void {
    const select = h("select", { id: "along", "aria-label": this.app.words.figures.phase.of });
    this.along = select;
    select.addEventListener("change", () => this.app.change((state) => void (state.along = Number(select.value)), true));
    frame.element.querySelector(".head .name")?.append(" ", select);
  }

  private directions(app: App): void {
    if (!this.along) return;
    const names = app.model.problem.lambda.map((value, i) => `q${sub(i + 1)}, λ = ${show(value)}`);
    if (names.join() !== this.named) this.along.replaceChildren(...names.map((name, i) => h("option", { value: String(i + 1) }, name)));
    this.named = names.join();
    this.along.value = String(directionOf(app.model) + 1);
  }

  /** Click or drag on the gap to look at a step. */
  private stepping(frame: Frame): void {
    dragging(frame.svg, (event) => {
      const box = boxOf(...frame.size(this.app), 74);
      const share = (frame.place(event)[0] - box.left) / (box.right - box.left);
      if (share < -0.05 || share > 1.05) return;
      this.app.change((state) => void (state.at = Math.round(Math.min(Math.max(share, 0), 1) * state.steps)), true);
    });
  }
}

function dragging(svg: SVGElement, act: (event: PointerEvent) => void): void {
  let down = false;
  svg.addEventListener("pointerdown", (event) => {
    down = true;
    svg.setPointerCapture(event.pointerId);
    act(event);
  });
  svg.addEventListener("pointermove", (event) => void (down && act(event)));
  for (const end of ["pointerup", "pointercancel"]) svg.addEventListener(end, () => void (down = false));
}

let systemIsDark: boolean | null = null; // asked once: asking makes the browser lay out the page

export function isDark(): boolean {
  const chosen = document.documentElement.dataset["theme"];
  if (systemIsDark === null) {
    const query = matchMedia("(prefers-color-scheme: dark)");
    systemIsDark = query.matches;
    query.addEventListener("change", () => void (systemIsDark = query.matches));
  }
  return chosen ? chosen === "dark" : systemIsDark;
}
