// The reverse pass of the dense field, from positions alone: the hidden units are computed again.

import { VECTOR } from './lanes';
import { TILE, TILE_ROW, hiddenPass, outputPass } from './dense';

/** sums[unit][c] += Σ_b left[unit][b] · right[b][c], with the strides of either layout of `sums`. */
// @ts-ignore: decorator
@inline
function outerPass<T extends number>(
  count: i32,
  left: usize,
  right: usize,
  sums: usize,
  unitStride: usize,
  coordinateStride: usize,
  hidden: i32,
  coordinates: i32,
): void {
  const block = <usize>coordinates * VECTOR;
  for (let h: usize = 0; h < <usize>hidden; h++) {
    const row = left + h * TILE_ROW;
    const l0 = v128.load(row);
    const l1 = v128.load(row, 16);
    const l2 = v128.load(row, 32);
    const l3 = v128.load(row, 48);
    let at = sums + h * unitStride;
    for (let p = right; p < right + block; p += VECTOR) {
      let sum = v128.add<T>(v128.load(at), v128.mul<T>(l0, v128.load(p)));
      if (count == 4) {
        sum = v128.add<T>(sum, v128.mul<T>(l1, v128.load(p + block)));
        sum = v128.add<T>(sum, v128.mul<T>(l2, v128.load(p + 2 * block)));
        sum = v128.add<T>(sum, v128.mul<T>(l3, v128.load(p + 3 * block)));
      }
      v128.store(at, sum);
      at += coordinateStride;
    }
  }
}

// @ts-ignore: decorator
@inline
function reverseTile<T extends number>(
  count: i32,
  parameters: usize,
  stage: usize,
  stageBar: usize,
  x: usize,
  vBar: usize,
  divBar: usize,
  xBar: usize,
  coordinates: i32,
  scratch: usize,
): void {
  const hidden = load<i32>(parameters);
  const size = sizeof<T>();
  const inputWeights = <usize>load<u32>(parameters, 4);
  const outputWeights = <usize>load<u32>(parameters, 8);
  const trace = <usize>load<u32>(parameters, 12);
  const inputBar = <usize>load<u32>(parameters, 20);
  const outputBar = <usize>load<u32>(parameters, 24);
  const traceBar = <usize>load<u32>(parameters, 28);
  const biasBar = <usize>load<u32>(parameters, 32);
  const block = <usize>coordinates * VECTOR;
  const activationBar = scratch + <usize>hidden * TILE_ROW;
  const one = v128.splat<T>(<T>1);

  hiddenPass<T>(count, parameters, stage, x, coordinates, scratch, 0);
  for (let h: usize = 0; h < <usize>hidden; h++) {
    const g = v128.load_splat<T>(trace + h * size);
    let stageSum = v128.load(stageBar + h * VECTOR);
    let traceSum = v128.load(traceBar + h * VECTOR);
    for (let b: usize = 0; b < <usize>count; b++) {
      const y = v128.load(scratch + h * TILE_ROW + b * VECTOR);
      const delta = v128.load(divBar + b * VECTOR);
      let yBar = v128.mul<T>(v128.mul<T>(delta, v128.add<T>(y, y)), v128.neg<T>(g));
      let w = outputWeights + h * size;
      for (let p = vBar + b * block; p < vBar + (b + 1) * block; p += VECTOR) {
        yBar = v128.add<T>(yBar, v128.mul<T>(v128.load_splat<T>(w), v128.load(p)));
        w += <usize>hidden * size;
      }
      const slope = v128.sub<T>(one, v128.mul<T>(y, y));
      const bar = v128.mul<T>(yBar, slope);
      v128.store(activationBar + h * TILE_ROW + b * VECTOR, bar);
      stageSum = v128.add<T>(stageSum, bar);
      traceSum = v128.add<T>(traceSum, v128.mul<T>(delta, slope));
    }
    v128.store(stageBar + h * VECTOR, stageSum);
    v128.store(traceBar + h * VECTOR, traceSum);
  }
  outputPass<T>(
    count, inputWeights, <usize>coordinates * size, size, 0, hidden, activationBar, xBar, coordinates,
  );
  outerPass<T>(count, activationBar, x, inputBar, block, VECTOR, hidden, coordinates);
  outerPass<T>(count, scratch, vBar, outputBar, VECTOR, <usize>hidden * VECTOR, hidden, coordinates);
  for (let b: usize = 0; b < <usize>count; b++) {
    for (let c: usize = 0; c < block; c += VECTOR) {
      v128.store(biasBar + c, v128.add<T>(v128.load(biasBar + c), v128.load(vBar + b * block + c)));
    }
  }
}

/**
 * Reverse pass of `denseField` at one stage: `vBar` (blocks of T) and `divBar` (one vector of T a block) are the cotangents
 * of velocity and divergence; `xBar` is written; `stageBar` and the parameters' cotangents are added to.
 */
export function denseFieldReverse<T extends number>(
  parameters: usize,
  stage: usize,
  stageBar: usize,
  x: usize,
  vBar: usize,
  divBar: usize,
  xBar: usize,
  coordinates: i32,
  blocks: i32,
  scratch: usize,
): void {
  const block = <usize>coordinates * VECTOR;
  let b = 0;
  for (; b + TILE <= blocks; b += TILE) {
    const at = <usize>b * block;
    const d = divBar + <usize>b * VECTOR;
    reverseTile<T>(4, parameters, stage, stageBar, x + at, vBar + at, d, xBar + at, coordinates, scratch);
  }
  for (; b < blocks; b++) {
    const at = <usize>b * block;
    const d = divBar + <usize>b * VECTOR;
    reverseTile<T>(1, parameters, stage, stageBar, x + at, vBar + at, d, xBar + at, coordinates, scratch);
  }
}
