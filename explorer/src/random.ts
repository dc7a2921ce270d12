/** Normal random numbers that a seed names: the same in every browser. */

/** Uniform numbers in (0, 1): mulberry32 (T. Ettinger, public domain). */
function uniform(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let x = state;
    x = Math.imul(x ^ (x >>> 15), x | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return ((x ^ (x >>> 14)) >>> 0) / 4294967296 + 2 ** -33;
  };
}

/** Standard normal numbers, by Box and Muller. */
export function normals(seed: number): () => number {
  const next = uniform(seed);
  let kept: number | null = null;
  return () => {
    if (kept !== null) {
      const value = kept;
      kept = null;
      return value;
    }
    const r = Math.sqrt(-2 * Math.log(next()));
    const angle = 2 * Math.PI * next();
    kept = r * Math.sin(angle);
    return r * Math.cos(angle);
  };
}
