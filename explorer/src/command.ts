/** The command line that does the same as the page. */

import { RULES } from "./optimizers";
import type { State } from "./state";

export function commandOf(state: State): string {
  const words = ["convex-analyzer", "compare"];
  let before = "";
  if (state.matrix) {
    before = `${saving(state)}\n`;
    words.push("problem.npz");
  } else {
    words.push(`gallery:ravine:condition_number=${state.kappa},angle=${(state.angle * Math.PI) / 180}`);
  }
  for (const rule of RULES) {
    if (!state.chosen.includes(rule.key)) continue;
    const settings = [`learning_rate=${rule.adaptive ? state.rate : state.alpha}`];
    if (rule.momentum) settings.push(`momentum=${state.mu}`);
    if (rule.fixed) settings.push(rule.fixed);
    words.push("-o", `${rule.python}:${settings.join(",")}`);
  }
  words.push(`--start=${state.start.join(",")}`, "--tolerance", String(state.tolerance), "--steps", String(state.steps));
  if (state.sigma > 0) words.push("--noise", String(state.sigma * state.sigma), "--seed", String(state.seed));
  return before + words.join(" ");
}

/** Python that writes the matrix where the command line finds it. */
function saving(state: State): string {
  const { A, b } = state.matrix ?? { A: [], b: null };
  const rows = A.map((row) => `[${row.join(", ")}]`).join(", ");
  const linear = b?.some((x) => x !== 0) ? `, b=[${b.join(", ")}]` : "";
  return `python -c "import numpy; numpy.savez('problem.npz', A=[${rows}]${linear})"`;
}
