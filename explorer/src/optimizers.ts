/**
 * The optimizers of lecture 000, step by step as `convex_analyzer.optimizers` defines them: the
 * learning rate inside the velocity; ε inside the root for AdaGrad and RMSProp, outside for Adam
 * and AMSGrad; the accumulators of AMSGrad not corrected. Operations stand in the same order.
 */

export type Key = "gd" | "hb" | "nag" | "adagrad" | "rmsprop" | "adam" | "amsgrad";

export interface Settings {
  alpha: number;
  mu: number;
}

export type Gradient = (theta: Float64Array) => Float64Array;

export interface Rule {
  key: Key;
  /** Name of the class in Python. */
  python: string;
  /** The settings that its preset of lecture 000 changes, as the command line writes them. */
  fixed: string;
  /** What it remembers between steps. */
  memory: readonly string[];
  /** Whether it has the slider μ. */
  momentum: boolean;
  /** Whether it divides each coordinate by its own gradients; then it has the slider for that. */
  adaptive: boolean;
  /** One step; changes `theta` and `memory`. */
  step(gradient: Gradient, t: number, theta: Float64Array, memory: Float64Array[], h: Settings): void;
}

const EPSILON = 1e-8;
const [BETA1, BETA2, DECAY] = [0.9, 0.999, 0.9];

const gd: Rule = {
  key: "gd", python: "GradientDescent", fixed: "", memory: [], momentum: false, adaptive: false,
  step(gradient, _t, theta, _memory, { alpha }) {
    const g = gradient(theta);
    for (let i = 0; i < theta.length; i++) theta[i] -= alpha * g[i];
  },
};

const hb: Rule = {
  key: "hb", python: "HeavyBall", fixed: "", memory: ["velocity"], momentum: true, adaptive: false,
  step(gradient, _t, theta, [v], { alpha, mu }) {
    const g = gradient(theta);
    for (let i = 0; i < theta.length; i++) {
      v[i] = mu * v[i] - alpha * g[i];
      theta[i] += v[i];
    }
  },
};

const nag: Rule = {
  key: "nag", python: "Nesterov", fixed: "", memory: ["velocity"], momentum: true, adaptive: false,
  step(gradient, _t, theta, [v], { alpha, mu }) {
    const ahead = theta.slice();
    for (let i = 0; i < theta.length; i++) ahead[i] += mu * v[i];
    const g = gradient(ahead);
    for (let i = 0; i < theta.length; i++) {
      v[i] = mu * v[i] - alpha * g[i];
      theta[i] += v[i];
    }
  },
};

const adagrad: Rule = {
  key: "adagrad", python: "AdaGrad", fixed: "epsilon=1e-8,epsilon_inside=true",
  memory: ["square_sum"], momentum: false, adaptive: true,
  step(gradient, _t, theta, [s], { alpha }) {
    const g = gradient(theta);
    for (let i = 0; i < theta.length; i++) {
      s[i] += g[i] * g[i];
      theta[i] -= (alpha * g[i]) / Math.sqrt(s[i] + EPSILON);
    }
  },
};

const rmsprop: Rule = {
  key: "rmsprop", python: "RMSProp", fixed: "decay=0.9,epsilon=1e-8,epsilon_inside=true",
  memory: ["square"], momentum: false, adaptive: true,
  step(gradient, _t, theta, [s], { alpha }) {
    const g = gradient(theta);
    for (let i = 0; i < theta.length; i++) {
      s[i] = DECAY * s[i] + (1 - DECAY) * (g[i] * g[i]);
      theta[i] -= alpha * (g[i] / Math.sqrt(s[i] + EPSILON));
    }
  },
};

const adam: Rule = {
  key: "adam", python: "Adam", fixed: "", memory: ["mean", "square"], momentum: false,
  adaptive: true,
  step(gradient, t, theta, [m, s], { alpha }) {
    const g = gradient(theta);
    const filled = 1 - BETA1 ** t;
    const root = Math.sqrt(1 - BETA2 ** t);
    const rate = (alpha * root) / filled;
    for (let i = 0; i < theta.length; i++) {
      m[i] = BETA1 * m[i] + (1 - BETA1) * g[i];
      s[i] = BETA2 * s[i] + (1 - BETA2) * (g[i] * g[i]);
      theta[i] -= (rate * m[i]) / (Math.sqrt(s[i]) + root * EPSILON);
    }
  },
};

const amsgrad: Rule = {
  key: "amsgrad", python: "AMSGrad", fixed: "variant=raw", memory: ["mean", "square", "largest"],
  momentum: false, adaptive: true,
  step(gradient, _t, theta, [m, s, u], { alpha }) {
    const g = gradient(theta);
    for (let i = 0; i < theta.length; i++) {
      m[i] = BETA1 * m[i] + (1 - BETA1) * g[i];
      s[i] = BETA2 * s[i] + (1 - BETA2) * (g[i] * g[i]);
      u[i] = Math.max(u[i], s[i]);
      theta[i] -= (alpha * m[i]) / (Math.sqrt(u[i]) + EPSILON);
    }
  },
};

export const RULES: readonly Rule[] = [gd, hb, nag, adagrad, rmsprop, adam, amsgrad];

export function ruleOf(key: string): Rule | undefined {
  return RULES.find((rule) => rule.key === key);
}
