// Dormand–Prince 5(4) of (x, log|det|) with a step size of each sample's own, decided by its error alone. The samples of a
// cell (cells.ts) are gathered into full blocks, stepped together through stages that are exact at their times, judged one by
// one, and put back. What happens to a sample does not depend on which others there are.
//
// State of the samples: at `state` u32 addresses of
//   x and its velocities (blocks of T), f64 divergences, f64 log|det|, u32 keys, u32 steps taken, u32 steps tried.
// At `control`: f64 rtol, atol, tolerance of log|det|, rounding; u32 the coarsest level, the steps that may be tried.

import { VECTOR, lanes } from './lanes';
import { arrived, beyondFinest, keyAfter, keyAgain } from './cells';
import { addSlopes, divergenceError, divergenceSum, errorNorms, stageArgument } from './dormand-prince-tableau';
import { velocity } from './field';

/** Bytes of positions and slopes that are worked on at a time: with the tables of a stage they stay in L2. */
const BATCH_BYTES: i32 = 131072;
const SLOPES: i32 = 7;
/** Start, argument and slopes. */
const ARRAYS: i32 = SLOPES + 2;

// @ts-ignore: decorator
@inline
function batchBlocks(coordinates: i32): i32 {
  const blocks = max(1, BATCH_BYTES / (ARRAYS * coordinates * <i32>VECTOR));
  return blocks > 8 ? blocks & ~7 : blocks;
}

/** Bytes of working memory beside the field's scratch. */
export function dormandPrinceScratch<T extends number>(coordinates: i32): i32 {
  return batchBlocks(coordinates) * (ARRAYS * coordinates * <i32>VECTOR + (SLOPES + 3) * lanes<T>() * 8);
}

/** Address of a sample's first coordinate in blocks at `base`. */
// @ts-ignore: decorator
@inline
function laneOf<T extends number>(base: usize, sample: u32, blockBytes: usize): usize {
  const l = <u32>lanes<T>();
  return base + <usize>(sample / l) * blockBytes + <usize>(sample % l) * sizeof<T>();
}

/** Copies one sample between blocks. */
// @ts-ignore: decorator
@inline
function copySample<T extends number>(from: usize, to: usize, blockBytes: usize): void {
  for (let c: usize = 0; c < blockBytes; c += VECTOR) store<T>(to + c, load<T>(from + c));
}

/** Velocities and divergences of all samples where they start: the first slope of each one's first step. */
export function dormandPrinceStart<T extends number>(
  kind: i32,
  parameters: usize,
  stage: usize,
  state: usize,
  particles: i32,
  dimensions: i32,
  blocks: i32,
  scratch: usize,
): void {
  velocity<T>(
    kind, parameters, stage, load<u32>(state), load<u32>(state, 4), load<u32>(state, 8),
    particles, dimensions, blocks, scratch,
  );
}

/**
 * The error of a step as a multiple of what is allowed: the larger of rms(e)/(atol + rtol·rms(x)) and that of log|det|.
 * Root mean squares over all coordinates of a sample know no directions and no labels, so steps are invariant where the
 * field is equivariant. Rounding, of positions and of the growth of each coordinate, never counts as an error.
 */
// @ts-ignore: decorator
@inline
function errorRatio(control: usize, e2: f64, x2: f64, coordinates: i32, h: f64, div: usize, stride: usize): f64 {
  const rounding = load<f64>(control, 24);
  const rms = sqrt(x2 / <f64>coordinates);
  const allowed = max(load<f64>(control, 8) + load<f64>(control) * rms, rounding * rms);
  const ratio = sqrt(e2 / <f64>coordinates) / allowed;
  const allowedLogDet = max(load<f64>(control, 16), rounding * <f64>coordinates);
  // `max` hands NaN on.
  return max(ratio, abs(h * divergenceError(div, stride)) / allowedLogDet);
}

/**
 * One step of signed size `h` for the `count` samples `members` of a cell. `stages`: u32 addresses of the field's stages at
 * the fractions 1/5, 3/10, 4/5, 8/9 and 1 of the step. `frames`: 0, or where dense output goes: u32 their number, u32 bytes
 * and u32 address of their positions (blocks like x), u32 bytes and u32 address of their log|det|, a pad, then for each the f64
 * weights of the seven slopes.
 *
 * @returns a sample that cannot go on because its steps are used up or too short, or −1
 */
export function dormandPrinceStep<T extends number>(
  kind: i32,
  parameters: usize,
  stages: usize,
  h: f64,
  state: usize,
  control: usize,
  members: usize,
  count: i32,
  frames: usize,
  particles: i32,
  dimensions: i32,
  work: usize,
  scratch: usize,
): i32 {
  const coordinates = particles * dimensions;
  const blockBytes = <usize>coordinates * VECTOR;
  const l = lanes<T>();
  const sumBytes = <usize>(l * 8);
  const batch = batchBlocks(coordinates);
  const stride = <usize>batch * blockBytes;
  const divStride = <usize>batch * sumBytes;
  const start = work;
  const argument = start + stride;
  const slopes = argument + stride;
  const divs = slopes + <usize>SLOPES * stride;
  const ratios = divs + <usize>SLOPES * divStride;
  const norms = ratios + divStride;
  const x = <usize>load<u32>(state);
  const firstSlope = <usize>load<u32>(state, 4);
  const firstDiv = <usize>load<u32>(state, 8);
  let failed = -1;
  for (let first = 0; first < count; first += batch * l) {
    const samples = min(batch * l, count - first);
    const blocks = (samples + l - 1) / l;
    const list = members + (<usize>first << 2);
    for (let s = 0; s < blocks * l; s++) {
      // Idle lanes of the last block repeat the last sample.
      const sample = load<u32>(list + (<usize>min(s, samples - 1) << 2));
      copySample<T>(laneOf<T>(x, sample, blockBytes), laneOf<T>(start, s, blockBytes), blockBytes);
      copySample<T>(laneOf<T>(firstSlope, sample, blockBytes), laneOf<T>(slopes, s, blockBytes), blockBytes);
      store<f64>(divs + (<usize>s << 3), load<f64>(firstDiv + (<usize>sample << 3)));
    }
    for (let stage: i32 = 1; stage < SLOPES; stage++) {
      stageArgument<T>(stage, h, start, slopes, stride, argument, <usize>blocks * blockBytes);
      const table = <usize>load<u32>(stages + (<usize>min(stage - 1, 4) << 2));
      velocity<T>(
        kind, parameters, table, argument, slopes + <usize>stage * stride, divs + <usize>stage * divStride,
        particles, dimensions, blocks, scratch,
      );
    }
    for (let b = 0; b < blocks; b++) {
      const at = <usize>b * blockBytes;
      errorNorms<T>(h, start + at, slopes + at, stride, norms, blockBytes);
      for (let lane = 0; lane < l; lane++) {
        const norm = norms + (<usize>lane << 3);
        const s = <usize>(b * l + lane) << 3;
        const ratio = errorRatio(
          control, load<f64>(norm), load<f64>(norm + sumBytes), coordinates, h, divs + s, divStride,
        );
        store<f64>(ratios + s, ratio);
      }
    }
    if (frames != 0) {
      writeFrames<T>(frames, h, state, list, samples, start, slopes, stride, argument, divs, divStride, ratios, blockBytes);
      // The frames were made where the end of the step stood.
      stageArgument<T>(SLOPES - 1, h, start, slopes, stride, argument, <usize>blocks * blockBytes);
    }
    for (let s = 0; s < samples; s++) {
      const sample = load<u32>(list + (<usize>s << 2));
      const at = <usize>s << 3;
      const ratio = load<f64>(ratios + at);
      if (ratio <= 1) {
        copySample<T>(laneOf<T>(argument, s, blockBytes), laneOf<T>(x, sample, blockBytes), blockBytes);
        const last = laneOf<T>(slopes + <usize>(SLOPES - 1) * stride, s, blockBytes);
        copySample<T>(last, laneOf<T>(firstSlope, sample, blockBytes), blockBytes);
        store<f64>(firstDiv + (<usize>sample << 3), load<f64>(divs + at + <usize>(SLOPES - 1) * divStride));
        const logDet = <usize>load<u32>(state, 12) + (<usize>sample << 3);
        store<f64>(logDet, load<f64>(logDet) + h * divergenceSum(divs + at, divStride));
      }
      if (!moveOn(state, control, sample, ratio)) failed = <i32>sample;
    }
  }
  return failed;
}

/** Counts a step and decides what the sample does next. Returns false if it cannot. */
function moveOn(state: usize, control: usize, sample: u32, ratio: f64): bool {
  const offset = <usize>sample << 2;
  const keyAt = <usize>load<u32>(state, 16) + offset;
  const taken = <usize>load<u32>(state, 20) + offset;
  const tried = <usize>load<u32>(state, 24) + offset;
  const tries = load<u32>(tried) + 1;
  const key = load<u32>(keyAt);
  store<u32>(tried, tries);
  if (!(ratio <= 1)) {
    const again = keyAgain(key, ratio);
    if (beyondFinest(again) || tries >= load<u32>(control, 36)) return false;
    store<u32>(keyAt, again);
    return true;
  }
  store<u32>(taken, load<u32>(taken) + 1);
  const next = keyAfter(key, ratio, load<u32>(control, 32));
  store<u32>(keyAt, next);
  return arrived(next) || tries < load<u32>(control, 36);
}

/** Dense output of the samples whose step is accepted: x + h Σ w_j k_j and likewise log|det|. `room` is for one frame of a batch. */
function writeFrames<T extends number>(
  frames: usize,
  h: f64,
  state: usize,
  list: usize,
  samples: i32,
  start: usize,
  slopes: usize,
  stride: usize,
  room: usize,
  divs: usize,
  divStride: usize,
  ratios: usize,
  blockBytes: usize,
): void {
  const count = load<u32>(frames);
  const bytes = <usize>((samples + lanes<T>() - 1) / lanes<T>()) * blockBytes;
  for (let f: usize = 0; f < <usize>count; f++) {
    const w = frames + 24 + f * 56;
    const positions = <usize>load<u32>(frames, 8) + f * <usize>load<u32>(frames, 4);
    const logDets = <usize>load<u32>(frames, 16) + f * <usize>load<u32>(frames, 12);
    addSlopes<T>(
      7, load<f64>(w), load<f64>(w, 8), load<f64>(w, 16), load<f64>(w, 24), load<f64>(w, 32), load<f64>(w, 40),
      load<f64>(w, 48), h, start, slopes, stride, room, bytes,
    );
    for (let s = 0; s < samples; s++) {
      const at = <usize>s << 3;
      if (!(load<f64>(ratios + at) <= 1)) continue;
      const sample = load<u32>(list + (<usize>s << 2));
      copySample<T>(laneOf<T>(room, s, blockBytes), laneOf<T>(positions, sample, blockBytes), blockBytes);
      let sum = 0.0;
      for (let j: usize = 0; j < <usize>SLOPES; j++) {
        if (j != 1) sum += load<f64>(w + (j << 3)) * load<f64>(divs + at + j * divStride);
      }
      const logDet = load<f64>(<usize>load<u32>(state, 12) + (<usize>sample << 3));
      store<f64>(logDets + (<usize>sample << 3), logDet + h * sum);
    }
  }
}
