/** A matrix that a user has pasted: CSV, spaces, semicolons between rows, or JSON. */

import type { Matrix, Vector } from "./linear";
import type { Words } from "./words";

export const LARGEST = 8;
const ASYMMETRY = 1e-12;
const DECIMAL_COMMA = /^[^.[{]*\d,\d[^.]*$/; // perhaps 2,5 for 2.5: no point anywhere

export interface Pasted {
  A: Matrix;
  b: Vector | null;
}

/** Thrown with a sentence for the user. */
export class Unreadable extends Error {}

/** Read A, and b where JSON brings it: [[..],[..]] or {"A": .., "b": ..}. */
export function readMatrix(text: string, words: Words): Pasted {
  const trimmed = text.trim();
  if (!trimmed) throw new Unreadable(words.matrix.empty);
  const pasted = /^[[{]/.test(trimmed) ? fromJson(trimmed, words) : { A: fromRows(trimmed, words), b: null };
  try {
    return { A: symmetric(checked(pasted.A, words), words), b: pasted.b };
  } catch (error) {
    if (!(error instanceof Unreadable) || !DECIMAL_COMMA.test(trimmed)) throw error;
    throw new Unreadable(error.message + words.matrix.comma);
  }
}

export function readVector(text: string, length: number, words: Words, name = "b"): Vector | null {
  const trimmed = text.trim().replace(/^\[|\]$/g, "");
  if (!trimmed) return null;
  const numbers = trimmed.split(/[\s,;]+/).filter(Boolean).map((part) => number(part, words));
  if (numbers.length !== length) throw new Unreadable(words.matrix.length(name, numbers.length, length));
  return numbers;
}

function number(text: string, words: Words): number {
  const value = Number(text.replace("−", "-"));
  if (text.trim() === "" || !Number.isFinite(value)) throw new Unreadable(words.matrix.notANumber(text.slice(0, 24)));
  return value;
}

function fromRows(text: string, words: Words): Matrix {
  return text.split(/[;\n\r]+/).map((row) => row.trim()).filter(Boolean)
    .map((row) => row.split(/[\s,\t]+/).filter(Boolean).map((part) => number(part, words)));
}

function fromJson(text: string, words: Words): Pasted {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Unreadable(words.matrix.json);
  }
  const [A, b] = Array.isArray(value) ? [value, null] : [(value as Record<string, unknown>)["A"], (value as Record<string, unknown>)["b"] ?? null];
  if (!Array.isArray(A) || !A.every(Array.isArray)) throw new Unreadable(words.matrix.json);
  const matrix = A.map((row: unknown[]) => row.map((x) => jsonNumber(x, words)));
  if (b === null) return { A: matrix, b: null };
  if (!Array.isArray(b)) throw new Unreadable(words.matrix.json);
  if (b.length !== matrix.length) throw new Unreadable(words.matrix.length("b", b.length, matrix.length));
  return { A: matrix, b: b.map((x) => jsonNumber(x, words)) };
}

function jsonNumber(x: unknown, words: Words): number {
  if (typeof x !== "number" || !Number.isFinite(x)) throw new Unreadable(words.matrix.notANumber(String(JSON.stringify(x)).slice(0, 24)));
  return x;
}

function checked(A: Matrix, words: Words): Matrix {
  const d = A.length;
  const ragged = A.findIndex((row) => row.length !== d);
  if (ragged >= 0) throw new Unreadable(words.matrix.notSquare(d, ragged + 1, A[ragged].length));
  if (d > LARGEST) throw new Unreadable(words.matrix.tooLarge(d, LARGEST));
  if (A.every((row) => row.every((x) => x === 0))) throw new Unreadable(words.matrix.zero);
  const size = Math.max(...A.flat().map(Math.abs));
  if (!(size < 1e100 && size > 1e-100)) throw new Unreadable(words.matrix.scale);
  return A;
}

/** Average away rounding; refuse what is more than that. */
function symmetric(A: Matrix, words: Words): Matrix {
  const size = Math.max(...A.flat().map(Math.abs));
  for (let i = 0; i < A.length; i++)
    for (let j = 0; j < i; j++)
      if (Math.abs(A[i][j] - A[j][i]) > ASYMMETRY * size)
        throw new Unreadable(words.matrix.notSymmetric(i + 1, j + 1, A[i][j], A[j][i]));
  return A.map((row, i) => row.map((x, j) => (i === j ? x : (x + A[j][i]) / 2)));
}

export function writeMatrix(A: Matrix): string {
  return A.map((row) => row.join(", ")).join("\n");
}
