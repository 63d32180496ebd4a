// What the reverse passes over pairs share: the table's own pass, and what a pair hands to its particles.

import { REVERSE_ENTRY } from './pair-tiles';

// @ts-ignore: decorator
@inline
function addRow<T extends number>(p: usize, row: v128): void {
  v128.store(p, v128.add<T>(v128.load(p), row));
}

/**
 * Per pair, with L = a f + 2δ(s f_u + D f), a the projection and δ the divergence's cotangent: f into the entry's first
 * vector, (∂L/∂d)/d into its second, and ∂L/∂c_p added to the table's cotangents, one row a lane.
 */
// @ts-ignore: decorator
@inline
export function reverseTablePass<T extends number>(
  D: i32,
  base: u32,
  barBase: u32,
  invSpacingSquared: v128,
  delta: v128,
  p: usize,
  end: usize,
): void {
  const twoDelta = v128.add<T>(delta, delta);
  for (; p < end; p += REVERSE_ENTRY) {
    const u = v128.load(p, 16);
    const s = v128.load(p, 32);
    const projection = v128.load(p, 48);
    let c0: v128, c1: v128, c2: v128, c3: v128;
    let q0: u32, q1: u32, q2: u32, q3: u32;
    if (sizeof<T>() == 4) {
      q0 = load<u32>(p);
      q1 = load<u32>(p, 4);
      q2 = load<u32>(p, 8);
      q3 = load<u32>(p, 12);
      const a0 = v128.load(<usize>(q0 + base));
      const a1 = v128.load(<usize>(q1 + base));
      const a2 = v128.load(<usize>(q2 + base));
      const a3 = v128.load(<usize>(q3 + base));
      const t0 = v128.shuffle<i32>(a0, a1, 0, 4, 1, 5);
      const t1 = v128.shuffle<i32>(a0, a1, 2, 6, 3, 7);
      const t2 = v128.shuffle<i32>(a2, a3, 0, 4, 1, 5);
      const t3 = v128.shuffle<i32>(a2, a3, 2, 6, 3, 7);
      c0 = v128.shuffle<i64>(t0, t2, 0, 2);
      c1 = v128.shuffle<i64>(t0, t2, 1, 3);
      c2 = v128.shuffle<i64>(t1, t3, 0, 2);
      c3 = v128.shuffle<i64>(t1, t3, 1, 3);
    } else {
      q0 = load<u32>(p);
      q1 = load<u32>(p, 8);
      q2 = 0;
      q3 = 0;
      const a0 = v128.load(<usize>(q0 + base));
      const a1 = v128.load(<usize>(q1 + base));
      const b0 = v128.load(<usize>(q0 + base), 16);
      const b1 = v128.load(<usize>(q1 + base), 16);
      c0 = v128.shuffle<i64>(a0, a1, 0, 2);
      c1 = v128.shuffle<i64>(a0, a1, 1, 3);
      c2 = v128.shuffle<i64>(b0, b1, 0, 2);
      c3 = v128.shuffle<i64>(b0, b1, 1, 3);
    }
    const cubic = v128.mul<T>(c3, u);
    const a = v128.add<T>(cubic, c2);
    const b = v128.add<T>(v128.mul<T>(a, u), c1);
    const f = v128.add<T>(v128.mul<T>(b, u), c0);
    const slope = v128.add<T>(v128.mul<T>(v128.add<T>(a, cubic), u), b);
    const halfCurvature = v128.add<T>(v128.add<T>(cubic, cubic), a);
    const curvature = v128.add<T>(halfCurvature, halfCurvature);

    const inner = v128.add<T>(v128.mul<T>(slope, v128.splat<T>(<T>(D + 1))), v128.mul<T>(s, curvature));
    const along = v128.add<T>(v128.mul<T>(projection, slope), v128.mul<T>(twoDelta, inner));
    // Coincident particles have no direction; the bound keeps 0/0 out of samples that are thrown away anyway.
    const radial = v128.div<T>(v128.mul<T>(along, invSpacingSquared), v128.pmax<T>(s, v128.splat<T>(<T>1e-12)));
    v128.store(p, f);
    v128.store(p, radial, 16);

    const valueBar = v128.add<T>(projection, v128.mul<T>(twoDelta, v128.splat<T>(<T>D)));
    const slopeBar = v128.mul<T>(twoDelta, s);
    // ∂f/∂c_p = u^p, ∂f_u/∂c_p = p u^{p−1}
    const w = v128.mul<T>(valueBar, u);
    const w1 = v128.add<T>(w, slopeBar);
    const w2 = v128.mul<T>(v128.add<T>(w1, slopeBar), u);
    const w3 = v128.mul<T>(v128.add<T>(w2, v128.mul<T>(slopeBar, u)), u);
    if (sizeof<T>() == 4) {
      const t0 = v128.shuffle<i32>(valueBar, w1, 0, 4, 1, 5);
      const t1 = v128.shuffle<i32>(w2, w3, 0, 4, 1, 5);
      const t2 = v128.shuffle<i32>(valueBar, w1, 2, 6, 3, 7);
      const t3 = v128.shuffle<i32>(w2, w3, 2, 6, 3, 7);
      addRow<T>(<usize>(q0 + barBase), v128.shuffle<i64>(t0, t1, 0, 2));
      addRow<T>(<usize>(q1 + barBase), v128.shuffle<i64>(t0, t1, 1, 3));
      addRow<T>(<usize>(q2 + barBase), v128.shuffle<i64>(t2, t3, 0, 2));
      addRow<T>(<usize>(q3 + barBase), v128.shuffle<i64>(t2, t3, 1, 3));
    } else {
      addRow<T>(<usize>(q0 + barBase), v128.shuffle<i64>(valueBar, w1, 0, 2));
      addRow<T>(<usize>(q0 + barBase) + 16, v128.shuffle<i64>(w2, w3, 0, 2));
      addRow<T>(<usize>(q1 + barBase), v128.shuffle<i64>(valueBar, w1, 1, 3));
      addRow<T>(<usize>(q1 + barBase) + 16, v128.shuffle<i64>(w2, w3, 1, 3));
    }
  }
}

/** What a pair adds to one coordinate's cotangent of its first particle: (w_i − w_j) f + (x_i − x_j) (∂L/∂d)/d. */
// @ts-ignore: decorator
@inline
export function pairBar<T extends number>(wi: v128, wj: v128, f: v128, xi: v128, xj: v128, radial: v128): v128 {
  return v128.add<T>(v128.mul<T>(v128.sub<T>(wi, wj), f), v128.mul<T>(v128.sub<T>(xi, xj), radial));
}
