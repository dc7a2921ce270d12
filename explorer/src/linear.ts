/** Small dense symmetric matrices: products and eigenvalues. */

export type Vector = number[];
export type Matrix = number[][];

export function multiply(A: Matrix, v: ArrayLike<number>): Vector {
  return A.map((row) => {
    let sum = 0;
    for (let j = 0; j < row.length; j++) sum += row[j] * v[j];
    return sum;
  });
}

export function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

export interface Eigen {
  /** Ascending. */
  values: Vector;
  /** `vectors[i]` belongs to `values[i]`; its largest component is positive. */
  vectors: Vector[];
}

const SWEEPS = 60;

/** Eigenvalues and eigenvectors of a symmetric matrix, by cyclic Jacobi rotations. */
export function eigen(matrix: Matrix): Eigen {
  const d = matrix.length;
  const A = matrix.map((row) => [...row]);
  const V = A.map((_, i) => A.map((__, j) => (i === j ? 1 : 0)));
  for (let sweep = 0; sweep < SWEEPS && offDiagonal(A) > 0; sweep++)
    for (let p = 0; p < d - 1; p++) for (let q = p + 1; q < d; q++) rotate(A, V, p, q);
  const order = A.map((row, i) => ({ value: row[i], i })).sort((a, b) => a.value - b.value);
  return {
    values: order.map((one) => one.value),
    vectors: order.map((one) => turned(V.map((row) => row[one.i]))),
  };
}

function offDiagonal(A: Matrix): number {
  let sum = 0;
  for (let i = 0; i < A.length; i++) for (let j = 0; j < i; j++) sum += Math.abs(A[i][j]);
  return sum;
}

/** One rotation that makes A[p][q] zero (Golub & Van Loan, section 8.5). */
function rotate(A: Matrix, V: Matrix, p: number, q: number): void {
  const off = A[p][q];
  if (off === 0) return;
  if (Math.abs(off) < 1e-17 * Math.sqrt(Math.abs(A[p][p] * A[q][q]))) {
    A[p][q] = A[q][p] = 0;
    return;
  }
  const tau = (A[q][q] - A[p][p]) / (2 * off);
  const t = (tau >= 0 ? 1 : -1) / (Math.abs(tau) + Math.hypot(1, tau));
  const c = 1 / Math.hypot(1, t);
  const s = t * c;
  A[p][p] -= t * off;
  A[q][q] += t * off;
  A[p][q] = A[q][p] = 0;
  for (let k = 0; k < A.length; k++) {
    if (k !== p && k !== q) {
      const [kp, kq] = [A[k][p], A[k][q]];
      A[k][p] = A[p][k] = c * kp - s * kq;
      A[k][q] = A[q][k] = s * kp + c * kq;
    }
    const [vp, vq] = [V[k][p], V[k][q]];
    V[k][p] = c * vp - s * vq;
    V[k][q] = s * vp + c * vq;
  }
}

function turned(v: Vector): Vector {
  const largest = v.reduce((a, b) => (Math.abs(b) > Math.abs(a) * (1 + 1e-12) ? b : a), 0);
  return largest < 0 ? v.map((x) => -x || 0) : v;
}
