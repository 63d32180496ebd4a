// Who steps next, and how far. A field is prepared at single times, so steps of adaptive size are dyadic, as the block
// time-steps of N-body codes are: 2^-level from a multiple of 2^-level. A position with a level is a cell. All samples of a
// cell take the same step at the same time, so that the integrator gathers them into full blocks of lanes.
//
// A sample's key is its position, in units of 2^-20, shifted by five bits, plus its level: the smallest key is the earliest
// position and there the longest step. Samples come to a cell from earlier ones or, rejected, from a longer step at the same
// position, so in the order of keys every cell is met once with all its samples.

import { VECTOR } from './lanes';

const POSITION_BITS: u32 = 20;
const LEVEL_BITS: u32 = 5;
const LEVEL_MASK: u32 = (1 << LEVEL_BITS) - 1;
const END: u32 = 1 << POSITION_BITS;
/** Key of a sample that has arrived, or does not exist. */
const DONE: u32 = 0xffffffff;

/** Twice the step has 2^5 times the error; with a margin, so that it is not rejected at once. */
const COARSEN_BELOW: f64 = 0.25 / 32;
/** Relative error that a refined step has to promise. */
const PROMISE: f64 = 0.5;
/** Halvings that one rejection may ask for: the estimate of a step that went far astray says little. */
const MOST_HALVINGS: u32 = 4;

/**
 * Writes the samples with the smallest key to `members` and returns their number; 0 when all have arrived.
 * `samples` is a multiple of four, `keys` and `members` are u32 [samples].
 */
export function nextCell(keys: usize, samples: i32, members: usize): i32 {
  const end = keys + (<usize>samples << 2);
  let smallest = i32x4.splat(<i32>DONE);
  for (let p = keys; p < end; p += VECTOR) smallest = i32x4.min_u(smallest, v128.load(p));
  smallest = i32x4.min_u(smallest, v128.shuffle<i32>(smallest, smallest, 2, 3, 0, 1));
  smallest = i32x4.min_u(smallest, v128.shuffle<i32>(smallest, smallest, 1, 0, 3, 2));
  const key = <u32>i32x4.extract_lane(smallest, 0);
  if (key == DONE) return 0;
  let out = members;
  for (let p = keys; p < end; p += VECTOR) {
    if (!v128.any_true(i32x4.eq(v128.load(p), smallest))) continue;
    for (let lane: usize = 0; lane < VECTOR; lane += 4) {
      if (load<u32>(p + lane) != key) continue;
      store<u32>(out, <u32>((p + lane - keys) >> 2));
      out += 4;
    }
  }
  return <i32>((out - members) >> 2);
}

/**
 * The key after an accepted step whose error was `ratio` of the tolerance: on, and with twice the step where that is small
 * and a multiple of the longer step has been reached.
 */
export function keyAfter(key: u32, ratio: f64, coarsest: u32): u32 {
  let level = key & LEVEL_MASK;
  const position = (key >> LEVEL_BITS) + (END >> level);
  if (position >= END) return DONE;
  if (ratio < COARSEN_BELOW && level > coarsest && (position & ((END >> (level - 1)) - 1)) == 0) level--;
  return (position << LEVEL_BITS) | level;
}

/** The key after a rejected step: the same position, with a step that promises to be accepted. `ratio` may be NaN. */
export function keyAgain(key: u32, ratio: f64): u32 {
  let halvings: u32 = 1;
  for (let bound = 32 * PROMISE; !(ratio <= bound) && halvings < MOST_HALVINGS; bound *= 32) halvings++;
  return key + halvings;
}

/** Whether a key asks for a step shorter than there are positions for. */
export function beyondFinest(key: u32): bool {
  return (key & LEVEL_MASK) > POSITION_BITS;
}

export function arrived(key: u32): bool {
  return key == DONE;
}
