import { NumericalError } from '../errors.js';
import type { PreparedField } from '../fields/index.js';
import { type DormandPrince5, denseWeights, FINEST_LEVEL, NODES } from './dopri5.js';
import { StageCache } from './stage-cache.js';
import type { Transport, Workspace } from './transport.js';
import { addStatistics, type Frames, type IntegrationStatistics, NO_STATISTICS } from './transport.js';

/* Keys of samples, as in assembly/cells.ts. */
const DONE = 0xffffffff;
const LEVEL_BITS = 5;
const LEVEL_MASK = 31;
/** Positions count in units of the finest step. */
const END = 2 ** FINEST_LEVEL;

/** Bytes before the frames' weights, and of the seven weights of each. */
const FRAME_HEADER = 24;
const FRAME_WEIGHTS = 56;

/**
 * What rounding alone may make of an error estimate, relative to what is rounded. Lower tolerances are raised to it, or
 * steps would shrink without end.
 */
const ROUNDING = { f32: 2 ** -21, f64: 2 ** -49 } as const;

/** Adaptive steps through a field whose stages are made as samples come to them. */
export function adaptiveSteps(integrator: DormandPrince5, space: Workspace, field: PreparedField): Transport {
  const { kernels, particles, dimensions, scratch } = space;
  const lane = kernels.lane(space.precision);
  const cache = new StageCache(kernels, field, NODES.length);
  const memory = placeMemory(integrator, space);
  const startLevel = firstLevel(integrator, ROUNDING[space.precision]);
  let statistics = NO_STATISTICS;

  function integrate(count: number, inverse: boolean, first: number, frames?: Frames): void {
    const time = (position: number) => (inverse ? END - position : position) / END;
    const samples = Math.ceil(count / 4) * 4;
    kernels.f64View(space.logDet, samples).fill(0);
    kernels.u32View(memory.taken, samples).fill(0);
    kernels.u32View(memory.tried, samples).fill(0);
    kernels.u32View(memory.keys, samples).fill(startLevel, 0, count).fill(DONE, count);
    const [start] = cache.at([time(0)]);
    const blocks = Math.ceil(count / lane.lanes);
    lane.dormandPrinceStart(field.code, field.parameters, start, memory.state, particles, dimensions, blocks, scratch);
    const frameRoom = frames ? memory.roomForFrames(frames.progress.length) : 0;
    for (;;) {
      const members = kernels.common.nextCell(memory.keys, samples, memory.members);
      if (members === 0) break;
      const key = kernels.u32View(memory.keys, samples)[kernels.u32View(memory.members, 1)[0]];
      const position = key >>> LEVEL_BITS;
      const step = END / 2 ** (key & LEVEL_MASK);
      const stages = cache.at(NODES.map((c) => time(position + c * step)));
      kernels.u32View(memory.stages, NODES.length).set(stages);
      const failed = lane.dormandPrinceStep(
        field.code,
        field.parameters,
        memory.stages,
        (inverse ? -step : step) / END,
        memory.state,
        memory.control,
        memory.members,
        members,
        frames && placeFrames(frames, frameRoom, position, step) ? frameRoom : 0,
        particles,
        dimensions,
        memory.work,
        scratch,
      );
      if (failed >= 0) throw failure(failed, first + failed, time(position), step / END);
    }
    statistics = addStatistics(statistics, countSteps(count));
  }

  /** Places the weights of the frames within a step; whether there are any. */
  function placeFrames(frames: Frames, room: number, position: number, step: number): boolean {
    const within = Array.from(frames.progress.keys()).filter((f) => {
      const at = frames.progress[f] * END;
      return at > position && at <= position + step;
    });
    if (within.length === 0) return false;
    const [from] = within;
    kernels
      .u32View(room, 5)
      .set([
        within.length,
        frames.positionBytes,
        frames.positions + from * frames.positionBytes,
        frames.logDetBytes,
        frames.logDet + from * frames.logDetBytes,
      ]);
    const weights = kernels.f64View(room + FRAME_HEADER, within.length * 7);
    within.forEach((f, i) => {
      weights.set(denseWeights((frames.progress[f] * END - position) / step), i * 7);
    });
    return true;
  }

  function countSteps(count: number): IntegrationStatistics {
    const taken = kernels.u32View(memory.taken, count);
    const tried = kernels.u32View(memory.tried, count);
    let [steps, tries, mostSteps] = [0, 0, 0];
    for (let s = 0; s < count; s++) {
      steps += taken[s];
      tries += tried[s];
      mostSteps = Math.max(mostSteps, tried[s]);
    }
    return { samples: count, steps, rejected: tries - steps, evaluations: count + 6 * tries, mostSteps };
  }

  function failure(sample: number, name: number, t: number, step: number): NumericalError {
    const tried = kernels.u32View(memory.tried, sample + 1)[sample];
    const at = `sample ${name}: integration stopped at t = ${t.toPrecision(6)} in step ${tried}, of size ${step}`;
    const finite = (base: number) => {
      const l = lane.lanes;
      const C = particles * dimensions;
      const block = kernels.view(space.precision, base + Math.floor(sample / l) * C * 16, C * l);
      return block.every((value, c) => c % l !== sample % l || Number.isFinite(value));
    };
    if (!finite(space.positions)) return new NumericalError(`${at}: its configuration is not finite`);
    if (!finite(memory.slopes) || !Number.isFinite(kernels.f64View(memory.divergences, sample + 1)[sample])) {
      return new NumericalError(`${at}: the velocity there is not finite; the model's parameters may have diverged`);
    }
    const advice = 'raise the tolerances (rtol, atol, atolLogDet), allow more steps (maxSteps), or use rk4';
    if (tried >= integrator.maxSteps) {
      return new NumericalError(`${at}: all ${integrator.maxSteps} steps are used up: ${advice}`);
    }
    return new NumericalError(`${at}: no step is short enough for the tolerances: ${advice}`);
  }

  return {
    integrate,
    takeStatistics() {
      const done = statistics;
      statistics = NO_STATISTICS;
      return done;
    },
  };
}

/** Level of the first step: where the error of a step, h⁵ in natural units, is about the tolerance. Rejection mends the rest. */
function firstLevel({ rtol, atol, maxStep }: DormandPrince5, rounding: number): number {
  const tolerance = Math.max(rtol, atol, rounding);
  let level = coarsestLevel(maxStep);
  while (2 ** (-5 * level) > tolerance) level++;
  return Math.min(level, FINEST_LEVEL);
}

/** The longest step is the power of two that `maxStep` allows. */
function coarsestLevel(maxStep: number): number {
  let level = 0;
  while (2 ** -level > maxStep) level++;
  return level;
}

/** Reserves and fills what assembly/dormand-prince.ts reads. */
function placeMemory(integrator: DormandPrince5, space: Workspace) {
  const { kernels, precision, capacity, positions, logDet } = space;
  const lane = kernels.lane(precision);
  const C = space.particles * space.dimensions;
  const slopes = kernels.allocate(capacity * C * lane.bytes);
  const divergences = kernels.allocate(capacity * 8);
  const [keys, taken, tried, members] = Array.from({ length: 4 }, () => kernels.allocate(capacity * 4));
  const state = kernels.allocate(28);
  kernels.u32View(state, 7).set([positions, slopes, divergences, logDet, keys, taken, tried]);
  const control = kernels.allocate(40);
  const { rtol, atol, atolLogDet, maxStep, maxSteps } = integrator;
  kernels.f64View(control, 4).set([rtol, atol, atolLogDet, ROUNDING[precision]]);
  kernels.u32View(control + 32, 2).set([coarsestLevel(maxStep), maxSteps]);
  const stages = kernels.allocate(NODES.length * 4);
  const work = kernels.allocate(lane.dormandPrinceScratch(C));
  let [frames, frameCapacity] = [0, 0];
  return {
    slopes,
    divergences,
    keys,
    taken,
    tried,
    members,
    state,
    control,
    stages,
    work,
    roomForFrames(count: number): number {
      if (count > frameCapacity) {
        frames = kernels.allocate(FRAME_HEADER + count * FRAME_WEIGHTS);
        frameCapacity = count;
      }
      return frames;
    },
  };
}
