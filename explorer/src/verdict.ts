/** What it all comes to, in sentences. */

import type { Model, Series } from "./model";
import { percent, show } from "./scale";
import type { Words } from "./words";

export type Tone = "good" | "edge" | "bad" | "none";

export interface Verdict {
  tone: Tone;
  headline: string;
  reason: string;
}

export function verdictOf(model: Model, words: Words): Verdict {
  const { problem } = model;
  const v = words.verdict;
  if (problem.shape === "saddle" || problem.shape === "peak")
    return { tone: "bad", headline: v[problem.shape], reason: v.saddleReason(show(problem.lambda[0]), escapeFactor(model)) };
  if (problem.shape === "slope") return { tone: "bad", headline: v.slope, reason: v.slopeReason };
  if (problem.shape === "flat") return { tone: "none", headline: v.flat, reason: "" };
  const judged = model.series.filter((one) => one.fate !== null);
  if (!model.series.length) return { tone: "none", headline: v.nothing, reason: "" };
  if (!judged.length) return { tone: "none", headline: v.adaptiveOnly, reason: v.adaptiveReason(show(model.state.rate)) };
  const tone = judged.some((one) => one.fate === "diverges") ? "bad" : judged.some((one) => one.fate === "cycles") ? "edge" : "good";
  const groups = (["converges", "cycles", "diverges"] as const)
    .map((fate) => ({ fate, names: judged.filter((one) => one.fate === fate).map((one) => words.names[one.key]) }))
    .filter((group) => group.names.length)
    .map(({ fate, names }) => v[fate](words.list(names), names.length > 1));
  return { tone, headline: sentence(groups.join("; ")), reason: reason(model, worstOf(judged), words) };
}

/** The method to give the reason for: one that does not converge, where there is one. */
function worstOf(judged: Series[]): Series {
  return judged.find((one) => one.fate === "diverges") ?? judged.find((one) => one.fate === "cycles") ?? judged[0];
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

/** How far the first judged method is from its limit, strictly. */
function reason(model: Model, one: Series, words: Words): string {
  const v = words.verdict;
  const { problem, state } = model;
  const most = one.limit as number;
  const bound = show(most / problem.top, 4);
  if (one.fate === "cycles") return v.atLimit(show(most, 4), one.key === "hb" && state.mu >= 1);
  const valley = problem.shape === "valley" ? ` ${v.valley}` : "";
  const share = (state.alpha * problem.top) / most;
  const name = words.names[one.key];
  return (one.fate === "diverges"
    ? v.beyond(show(state.alpha, 4), bound, name, one.key)
    : v.below(show(state.alpha, 4), percent(share), bound, name, one.key)) + valley;
}

function escapeFactor(model: Model): string | null {
  const first = model.series.find((one) => one.factor !== null);
  return first ? show(first.factor as number, 4) : null;
}
