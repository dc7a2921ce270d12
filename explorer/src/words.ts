/** Every word of the page. Another language is another object of this type. */

import type { Key } from "./optimizers";

const names: Record<Key, string> = {
  gd: "gradient descent", hb: "heavy ball", nag: "Nesterov", adagrad: "AdaGrad",
  rmsprop: "RMSProp", adam: "Adam", amsgrad: "AMSGrad",
};

const bounds: Record<string, string> = {
  gd: "2/λmax", hb: "2(1 + μ)/λmax", nag: "2(1 + μ)/((1 + 2μ)λmax)",
};

export const english = {
  language: "en", page: "Convergence explorer",
  title: "Where does it converge, and why?",
  lead: "Minimise J(θ) = ½ θᵀAθ + bᵀθ. Move a slider; every picture answers.",
  about: (name: string): string => `${name}: J(θ) = ½ θᵀAθ + bᵀθ. Move a slider; every picture answers.`,
  names,
  short: { gd: "GD", hb: "heavy ball", nag: "Nesterov", adagrad: "AdaGrad", rmsprop: "RMSProp", adam: "Adam", amsgrad: "AMSGrad" } as Record<Key, string>,
  bounds,
  list: (items: string[]): string =>
    items.length < 2 ? items.join("") : `${items.slice(0, -1).join(", ")} and ${items[items.length - 1]}`,
  controls: {
    steps: "Step sizes", alpha: "learning rate", mu: "momentum", rate: "learning rate, adaptive",
    problem: "The problem", kappa: "condition number", angle: "angle of the valley, °", family: "Start from",
    methods: "Methods", noise: "Noise and length", sigma: "noise per gradient entry (std. dev.)",
    seed: "seed of the noise", length: "steps drawn", tolerance: "goal for the gap ratio", start: "start θ₀",
    matrix: "Your own matrix A", matrixHint: "Up to 8 × 8, symmetric: rows on lines or between semicolons, or JSON. Taken when you press the button.",
    b: "b (may be left out)", use: "Use this matrix", toLimit: "2/λmax", toBest: "best α", toPair: "best pair", toFast: "fewest steps",
    setTo: "Set to", adaptiveNote: "AdaGrad, RMSProp, Adam and AMSGrad move by about this much per step, so they have a step size of their own.",
  },
  presets: {
    toy: "toy, κ = 20", ravine: "ravine, κ = 100", steep: "ravine, κ = 1000", round: "round bowl, κ = 1",
    saddle: "saddle (indefinite)", singular: "flat valley (singular)", slope: "no minimum: b leaves the range of A",
    hilbert: "Hilbert 4 × 4, κ = 15 514", chain: "chain of springs, 8 × 8", own: "your own matrix",
  },
  verdict: {
    converges: (who: string, many: boolean) => `${who} converge${many ? "" : "s"}`,
    cycles: (who: string, many: boolean) => `${who} neither converge${many ? "" : "s"} nor diverge${many ? "" : "s"}`,
    diverges: (who: string, many: boolean) => `${who} diverge${many ? "" : "s"}`,
    below: (alpha: string, share: string, bound: string, name: string, key: string) =>
      `α = ${alpha} is ${share} of ${name}’s limit ${bounds[key]} = ${bound}.`,
    beyond: (alpha: string, bound: string, name: string, key: string) =>
      `α = ${alpha} is beyond ${name}’s limit ${bounds[key]} = ${bound}; the bound is strict.`,
    atLimit: (limit: string, energy: boolean) =>
      energy ? "At μ = 1 no energy is lost: it never settles."
        : `αλmax = ${limit} exactly: along the steepest direction the error keeps its size and flips its sign in every step, a cycle of two points. The bound is strict.`,
    saddle: "Nothing converges: A is indefinite, and J has a saddle.",
    peak: "Nothing converges: every direction leads down.",
    saddleReason: (lambda: string, factor: string | null) =>
      `λ₁ = ${lambda} is negative, so the error along q₁ grows whatever α > 0 is${factor ? `, by a factor of up to ${factor} per step` : ""}. Only a start exactly on the stable directions stays.`,
    slope: "There is no minimum: b points along a flat direction of A.",
    slopeReason: "Along that direction the gradient is constant, so J falls without end, whatever α is.",
    flat: "Nothing curves here.",
    valley: "Along the flat direction nothing moves: the run ends at the point of the valley floor that its start points to.",
    nothing: "Choose a method.",
    adaptiveOnly: "Adaptive methods have no limit in λ here.",
    adaptiveReason: (rate: string) => `They move by about their own learning rate, ${rate}, per step and coordinate, whatever the curvature; watch where they stall.`,
  },
  table: {
    caption: "Each method: factor per step, distance to its limit, steps to the goal", method: "method", factor: "worst factor",
    share: "of limit", steps: (goal: string) => `steps to ${goal}, formula`, counted: "simulated",
    more: (n: number) => `> ${n}`, never: "never", stalls: (gap: string) => `stalls near ${gap}`, none: "–", peak: (x: string) => `rises to ${x}×`,
  },
  figures: {
    ruler: {
      name: "Spectrum ruler", how: "One tick per eigenvalue, at αλ. Below 1 the error shrinks without changing sign, between 1 and 2 it flips and shrinks, from 2 on it does not decay (gradient descent).",
      safe: (share: string) => `α uses ${share} of what the steepest direction allows`, cycle: "αλmax = 2: the steepest direction neither grows nor decays",
      beyond: (count: number) => `Past 2: gradient descent diverges along ${count === 1 ? "one direction" : `${count} directions`}`,
      negative: (count: number) => `${count === 1 ? "One eigenvalue is" : `${count} eigenvalues are`} not positive: not on this ruler`,
      monotone: "shrinks", flips: "flips and shrinks", grows: "does not decay", unit: "αλ", outside: (items: string) => `off the scale: ${items}`
    },
    contours: {
      name: "Level sets and paths", how: "Curves of equal loss, half a decade apart; a dot per step. Drag the ring to start elsewhere; with the ring in focus, arrow keys move it.",
      nearest: (who: string, k: string) => `After ${k} steps ${who} is nearest to the minimum`, none: "Level sets of J", away: "Downhill has no end here",
      lost: "Every path leaves the picture", plane: (i: string, j: string) => `the plane of ${i} and ${j}`, handle: "Start point; arrow keys move it", along: (i: string) => `along ${i}`, start: "start",
    },
    gap: {
      name: "Gap to the minimum", how: "Lines: formulas. Hollow markers: simulation. Dotted: the goal. Click to look at a step.",
      winner: (who: string, n: number, goal: string) => `${who} reaches ${goal} first: ${n} steps`, nobody: (goal: string, n: number) => `None reaches ${goal} within ${n} steps`,
      alone: (who: string, n: number, goal: string) => `${who} needs ${n} steps to ${goal}`, absolute: "Loss against the critical point (absolute value)",
      deviation: (x: string) => `formula and simulation agree to ${x}`, x: "step k", y: "gap / gap at the start", yAbsolute: "|J − J at the critical point|", goal: "goal", floor: "floor",
    },
    map: {
      name: "Map of (α, μ)", how: "Worst factor per step. Light is fast, hatched does not converge. Ring: chosen. Star: smallest factor. Diamond: fewest steps from this start. Click or drag to choose.",
      inside: (who: string, share: string) => `${capital(who)} is at ${share} of its cliff`, outside: (who: string) => `Here ${who} does not converge`,
      compare: (best: number | null, fast: number) => best === null ? `Fewest steps: ${fast}.` : `Star: ${best} steps to the goal. Diamond: ${fast}.`, x: "learning rate α", y: "momentum μ", cliff: "cliff", none: "No map: A has a negative eigenvalue", noneHere: "heavy ball converges for no pair (α, μ)", gd: "GD’s limit", of: "Map of", fast: "fast", slow: "slow",
    },
    roots: {
      name: "Roots", how: "One pair of roots per direction and method: inside the circle it decays, off the real axis it swings. Filled: steepest direction. Thin line: where α × 1.1 takes the root.",
      inside: "All roots lie inside the circle", on: "A root lies on the circle", outside: "A root lies outside the circle: it grows", none: "Choose a method with roots: gradient descent, heavy ball or Nesterov",
      swings: "All inside; off the axis: it swings",
    },
    phase: {
      name: "Phase portrait", how: "Position along one eigendirection against its change per step. Line: formula; hollow markers: simulation. A spiral swings around the minimum; a dotted line is an eigenvector of the step, and no path crosses it. More α or more μ turns one into the other.",
      of: "direction of the phase portrait", none: "Choose heavy ball or Nesterov: their steps have a memory",
      nothing: (q: string) => `The start has nothing along ${q}`, x: (i: string) => `position z = q${i}ᵀ(θ − θ*)`, y: "change of z per step",
      swings: (who: string, low: string, high: string) => `${who} swings: ${low} < α < ${high}`,
      says: {
        under: (who: string, q: string, turn: string, left: string) => `${who} swings along ${q} (under-damped): ${turn} steps per turn, ${left} left after it`,
        critical: (who: string, q: string) => `${who} comes straight home along ${q} (critically damped): it neither creeps nor swings`,
        over: (who: string, q: string) => `${who} creeps home along ${q} (over-damped)`,
        flips: (who: string, q: string) => `${who} jumps across the minimum along ${q} in every step`,
        grows: (who: string, q: string) => `${who} is driven away along ${q}`,
        still: (_: string, q: string) => `Nothing moves along ${q}: it is flat`,
      } as Record<"under" | "critical" | "over" | "flips" | "grows" | "still", (who: string, q: string, turn: string, left: string) => string>,
    },
    directions: {
      name: "Error by direction", how: "Share of the loss gap in each eigendirection, over the gap at the start. The numbers: this direction’s share of the gap at the start, and at the end for the first method.",
      left: (share: string, q: string, lambda: string) => `What is left is ${share} ${q} (λ = ${lambda})`, title: "Where the error lives", share: (a: string, b: string) => `${a} → ${b}`,
    },
    factor: {
      name: "Factor against α", how: "|1 − αλ| for every eigenvalue; the thick line is the worst of them. It is lowest where the slowest and the steepest line cross.",
      best: (alpha: string, rho: string) => `Gradient descent is fastest at α = ${alpha}: factor ${rho}`, none: "Some direction never decays", chosen: "chosen", optimum: "best", x: "learning rate α", y: "factor per step",
    },
    panels: {
      name: "One by one", how: "Line: formula where there is one. Markers: simulation. Dashed level: where it stalls by formula (RMSProp: α²sᵀAs/8 once it has settled; with noise: the stationary gap).",
      stall: (who: string) => `${who} stall${who.includes(" and ") ? "" : "s"} above the goal`, fine: "Each method by itself", arrives: (k: number) => `goal at ${k}`, lost: "diverges", floor: (x: string) => `floor ${x}`, not: (n: number) => `not in ${n}`,
    },
  },
  stepper: {
    name: "Step by step", how: "What every method remembers after step k, coordinate by coordinate.", back: "one step back", on: "one step on", play: "play", pause: "pause", at: "step", first: "to the start",
    gradient: "last gradient", theta: "θ", gap: "gap ratio",
    memory: { velocity: "velocity v", square_sum: "sum of squares s", square: "mean square s", mean: "mean m", largest: "largest square u" } as Record<string, string>,
  },
  predict: {
    name: "Predict first", question: (who: string, goal: string) => `How many steps will ${who} need until the gap is ${goal} of its start?`, guess: "Your guess", reveal: "Reveal", hidden: "Hidden until you have guessed",
    never: "It never does.", more: (n: number) => `More than ${n} steps.`, answer: (n: number, guess: number) => `It takes ${n}; you said ${guess}: ${ratio(n, guess)}`, said: (guess: number) => ` You said ${guess}.`, score: (good: number, all: number) => `Within a factor of 1.5: ${good} of ${all}.`, neverButton: "never",
    on: "Predict first", off: "Stop guessing", again: "Change anything for the next question.",
  },
  buttons: { export: "SVG", exportHint: (name: string) => `Save “${name}” as SVG`, command: "Copy as command", link: "Copy link", theme: "Light or dark", keys: "Keys", close: "Close", copied: "Copied", notCopied: "Select and copy:", reset: "Reset" },
  keys: [
    ["← →", "move the slider in focus; with none in focus, α"], ["↑ ↓", "with none in focus, μ"], ["a m k r", "go to α, μ, κ, angle"],
    ["1 … 7", "switch a method on or off"], ["[ ]", "one step back, one step on"], ["space", "play, pause"], ["g", "predict first"], ["d", "light or dark"], ["?", "this list"],
  ] as [string, string][],
  keysTitle: "Keys",
  commandTitle: "The same on the command line",
  matrix: {
    comma: " A comma parts two entries: write decimals with a point, 2.5.", empty: "Type or paste a matrix first, for instance 2, 1; 1, 3.", json: "This is not a matrix in JSON: write [[2, 1], [1, 3]] or {\"A\": [[2, 1], [1, 3]], \"b\": [1, 0]}.",
    notANumber: (text: string) => `“${text}” is not a number.`, notSquare: (d: number, row: number, length: number) => `A must be square: it has ${d} row${d === 1 ? "" : "s"}, and row ${row} has ${length} number${length === 1 ? "" : "s"}.`,
    tooLarge: (d: number, most: number) => `A is ${d} × ${d}; this page takes up to ${most} × ${most}. For larger ones use convex-analyzer compare, or explore --plane.`,
    notSymmetric: (i: number, j: number, a: number, b: number) => `A must be symmetric: entry (${i}, ${j}) is ${a}, and (${j}, ${i}) is ${b}. For a matrix that is not, use (A + Aᵀ)/2, which has the same J.`,
    zero: "A is zero: there is no curvature to explore.", scale: "The numbers of A are too large or too small; scale the problem to ordinary sizes.",
    length: (name: string, got: number, wanted: number) => `${name} has ${got} number${got === 1 ? "" : "s"}, and A needs ${wanted}.`,
    taken: (d: number, low: string, top: string) => `Taken: ${d} × ${d}, eigenvalues from ${low} to ${top}.`,
  },
  footer: "convex_analyzer · one file, no network · the same numbers as the Python package",
};

export type Words = typeof english;

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function ratio(truth: number, guess: number): string {
  const factor = guess > 0 ? truth / guess : Infinity;
  if (factor > 0.9 && factor < 1.1) return "right.";
  return factor > 1 ? `${Number(factor.toPrecision(2))} times as many.` : `${Number((1 / factor).toPrecision(2))} times too many.`;
}
