/** The state, the model computed from it, and all that is redrawn when it changes. */

import { compute, type Model } from "./model";
import { problemOf, toHash, usualStart, suit, type State } from "./state";
import { fastestPair, type Fastest } from "./theory";
import type { Words } from "./words";

export interface Part {
  /** Draw anew; `all` also what is out of sight. */
  draw(app: App, all?: boolean): void;
}

export class App {
  model: Model;
  fastest: Fastest | null = null;
  /** In "predict first": whether the answer may be seen. */
  revealed = false;
  /** How long the last drawing took. */
  milliseconds = 0;
  private readonly parts: Part[] = [];
  private frame = 0;
  private later = 0;
  private fastestKey = "";

  constructor(public state: State, readonly words: Words) {
    this.model = compute(state);
  }

  add(part: Part): void {
    this.parts.push(part);
  }

  /** Change the state; the page follows with the next frame. */
  change(alter: (state: State) => void, keepsAnswer = false): void {
    alter(this.state);
    const problem = problemOf(this.state);
    if (this.state.start.length !== problem.d) this.state.start = usualStart(problem);
    this.state.at = Math.min(this.state.at, this.state.steps);
    if (!keepsAnswer) this.revealed = false;
    this.schedule();
  }

  /** Another problem: step sizes that mean something there. */
  changeProblem(alter: (state: State) => void): void {
    this.change((state) => {
      alter(state);
      const problem = problemOf(state);
      if (state.start.length !== problem.d) state.start = usualStart(problem);
      suit(state, problem);
    });
  }

  schedule(): void {
    if (!this.frame)
      this.frame = requestAnimationFrame(() => {
        this.frame = 0;
        this.redraw();
      });
  }

  redraw(all = false): number {
    const begin = performance.now();
    this.model = compute(this.state);
    if (this.keyOfFastest() !== this.fastestKey) this.fastest = null;
    for (const part of this.parts) part.draw(this, all);
    this.milliseconds = performance.now() - begin;
    clearTimeout(this.later);
    this.later = window.setTimeout(() => this.settle(), 180);
    return this.milliseconds;
  }

  /** What can wait until the hand rests: the address, and the search for the fewest steps. */
  private settle(): void {
    try {
      history.replaceState(null, "", toHash(this.state));
    } catch {
      // a page inside another page has no address of its own
    }
    const key = this.keyOfFastest();
    if (key !== this.fastestKey) {
      this.fastestKey = key;
      this.fastest = fastestPair(this.state.map, this.model.problem, this.model.z0, this.state.tolerance);
    }
    for (const part of this.parts) part.draw(this, true);
  }

  private keyOfFastest(): string {
    const { problem, z0 } = this.model;
    return [this.state.map, this.state.tolerance, ...problem.lambda, ...z0].join();
  }

  get isHidden(): boolean {
    return this.state.predict && !this.revealed;
  }
}
