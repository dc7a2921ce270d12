/** Classics by name. */

import { defaults, chooseMatrix, suit, problemOf, type Source, type State } from "./state";
import type { Words } from "./words";

export interface Named {
  id: string;
  label: string;
  apply(state: State): void;
  matches(state: State): boolean;
}

function hilbert(d: number): number[][] {
  return Array.from({ length: d }, (_, i) => Array.from({ length: d }, (__, j) => 1 / (i + j + 1)));
}

/** Springs in a row, fixed at both ends: 2 on the diagonal, -1 beside it. */
function chain(d: number): number[][] {
  return Array.from({ length: d }, (_, i) => Array.from({ length: d }, (__, j) => (i === j ? 2 : Math.abs(i - j) === 1 ? -1 : 0)));
}

export function presetsOf(words: Words): Named[] {
  const p = words.presets;
  return [
    valley("ravine", p.ravine, 100, 34), valley("steep", p.steep, 1000, 34), valley("round", p.round, 1, 0),
    own("toy", p.toy, { A: [[0.2, 0], [0, 4]], b: null, name: "toy" }, [-5, -2], 0.375),
    own("saddle", p.saddle, { A: [[1, 2], [2, 1]], b: [1, 0], name: "saddle" }),
    own("singular", p.singular, { A: [[2, 2], [2, 2]], b: [-6, -6], name: "singular" }, [4, 1]),
    own("slope", p.slope, { A: [[2, 2], [2, 2]], b: [-6, -5], name: "slope" }, [4, 1]),
    own("hilbert", p.hilbert, { A: hilbert(4), b: null, name: "hilbert" }),
    own("chain", p.chain, { A: chain(8), b: null, name: "chain" }),
  ];
}

function valley(id: string, label: string, kappa: number, angle: number): Named {
  return {
    id, label,
    apply(state) {
      Object.assign(state, { matrix: null, kappa, angle, start: defaults().start, at: 0 });
      suit(state, problemOf(state));
      state.alpha = Number((1.5 / problemOf(state).top).toPrecision(3));
    },
    matches: (state) => !state.matrix && state.kappa === kappa && state.angle === angle,
  };
}

function own(id: string, label: string, source: Source, start?: number[], alpha?: number): Named {
  return {
    id, label,
    apply(state) {
      chooseMatrix(state, source);
      const { top } = problemOf(state);
      state.alpha = alpha ?? Number((1.5 / top).toPrecision(3));
      if (start) state.start = [...start];
      suit(state, problemOf(state));
      state.at = 0;
    },
    matches: (state) => JSON.stringify([state.matrix?.A, state.matrix?.b ?? null]) === JSON.stringify([source.A, source.b]),
  };
}
