/** A quadratic ½ θᵀAθ + bᵀθ: its spectrum, its critical point, and whether it has a minimum. */

import { dot, eigen, multiply, type Matrix, type Vector } from "./linear";

export type Shape = "minimum" | "valley" | "slope" | "saddle" | "peak" | "flat";

export interface Problem {
  A: Matrix;
  b: Vector;
  d: number;
  name: string;
  /** Eigenvalues, ascending; zero where rounding is all that is left. */
  lambda: Vector;
  /** `Q[i]` is the eigenvector of `lambda[i]`. */
  Q: Vector[];
  /** Where the gradient vanishes, or is smallest. */
  critical: Vector;
  /** The gradient at the critical point: zero, unless b leaves the range of A. */
  residual: Vector;
  shape: Shape;
  /** Largest eigenvalue. */
  top: number;
  /** Smallest positive eigenvalue; 0 when there is none. */
  low: number;
  kappa: number;
}

export function makeProblem(A: Matrix, b: Vector | null, name: string): Problem {
  const d = A.length;
  const { values, vectors } = eigen(A);
  const scale = Math.max(...values.map(Math.abs));
  const zero = d * Number.EPSILON * scale;
  const lambda = values.map((value) => (Math.abs(value) <= zero ? 0 : value));
  const linear = b ?? A.map(() => 0);
  const along = vectors.map((q) => dot(q, linear));
  const critical = A.map((_, i) =>
    lambda.reduce((sum, value, k) => sum - (value ? (along[k] / value) * vectors[k][i] : 0), 0),
  );
  const weight = Math.max(...linear.map(Math.abs));
  const free = along.map((c, k) => (lambda[k] === 0 && Math.abs(c) > 1e-10 * weight ? c : 0));
  const residual = A.map((_, i) => free.reduce((sum, c, k) => sum + c * vectors[k][i], 0));
  const positive = lambda.filter((value) => value > 0);
  const low = positive.length ? positive[0] : 0;
  const top = lambda[d - 1];
  return {
    A, b: linear, d, name, lambda, Q: vectors, critical, residual, top, low,
    shape: shapeOf(lambda, free.some((c) => c !== 0)),
    kappa: lambda[0] > 0 ? top / lambda[0] : Infinity,
  };
}

function shapeOf(lambda: Vector, slides: boolean): Shape {
  const [first, last] = [lambda[0], lambda[lambda.length - 1]];
  if (first < 0) return last > 0 ? "saddle" : "peak";
  if (slides) return "slope";
  if (last === 0) return "flat";
  return first === 0 ? "valley" : "minimum";
}

/** The long narrow valley of `gallery.ravine`: eigenvalues 1/√κ along the angle, √κ across. */
export function ravine(kappa: number, degrees: number): Problem {
  const turn = (degrees * Math.PI) / 180;
  const [c, s] = [Math.cos(turn), Math.sin(turn)];
  const root = Math.sqrt(kappa);
  const A = [
    [(c * c) / root + root * (s * s), (c * s) / root - root * (s * c)],
    [(s * c) / root - root * (c * s), (s * s) / root + root * (c * c)],
  ];
  A[1][0] = A[0][1];
  const problem = makeProblem(A, null, `ravine, κ = ${Number(kappa.toPrecision(4))}`);
  // the spectrum is known; and the vectors too, also where the eigenvalues are equal
  problem.lambda = [1 / root, root];
  problem.Q = [[c, s], [-s, c]];
  problem.low = 1 / root;
  problem.top = root;
  problem.kappa = kappa;
  problem.shape = "minimum";
  return problem;
}

/** Loss above the critical point for the displacement `e` from it. */
export function lossAbove(problem: Problem, e: ArrayLike<number>): number {
  return 0.5 * dot(multiply(problem.A, e), e) + dot(problem.residual, e);
}

/** Components of a displacement along the eigenvectors. */
export function components(problem: Problem, e: ArrayLike<number>): Vector {
  return problem.Q.map((q) => dot(q, e));
}
