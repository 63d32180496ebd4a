/* Calls of single kernels on blocks that stand ready, so that a time is the kernel's and not its surroundings'. */
import type { Field } from '../src/fields/index.js';
import { chunkSamples, SampleBlocks } from '../src/flows/sample-blocks.js';
import { Kernels, type Precision, STREAM } from '../src/kernels/index.js';
import { placeTerms } from '../src/systems/energy.js';
import type { System } from '../src/systems/index.js';
import { SEED } from './cases.js';

/** A call and the samples (or other units) that it works on. */
export interface KernelCall {
  readonly units: number;
  readonly run: () => number;
}

/** Time of the stage at which fields are evaluated. */
export const STAGE_TIME = 0.25;

/** Velocity and divergence of a field at `STAGE_TIME`, per sample; `run` returns the divergence of the first. */
export function rightHandSide(field: Field, precision: Precision, x: Float64Array): KernelCall {
  const k = new Kernels();
  const { particles, dimensions } = field;
  const C = particles * dimensions;
  const lane = k.lane(precision);
  const n = Math.min(chunkSamples(precision, C), x.length / C) & ~3;
  const blocks = new SampleBlocks(k, precision, particles, dimensions, n);
  const { code, parameters, stages, scratchBytes } = field.prepare(k, precision, Float64Array.of(STAGE_TIME));
  const velocity = k.allocate(n * C * 8);
  const divergence = k.allocate(n * 8);
  const scratch = k.allocate(scratchBytes);
  blocks.load(x, 0, n);
  const count = n / lane.lanes;
  const first = k.f64View(divergence, 1);
  const run = () => {
    lane.velocity(
      code,
      parameters,
      stages,
      blocks.positions,
      velocity,
      divergence,
      particles,
      dimensions,
      count,
      scratch,
    );
    return first[0];
  };
  return { units: n, run };
}

/** Energies, or energies and gradients, per sample. */
export function energies(system: System, precision: Precision, x: Float64Array, withGradient: boolean): KernelCall {
  const k = new Kernels();
  const { particles, dimensions } = system;
  const C = particles * dimensions;
  const lane = k.lane(precision);
  const n = Math.min(256, x.length / C) & ~3;
  const blocks = new SampleBlocks(k, precision, particles, dimensions, n);
  const { terms, count } = placeTerms(k, system, precision);
  const energy = k.allocate(n * 8);
  const gradient = withGradient ? k.allocate(n * C * 8) : 0;
  const scratch = k.allocate(k.common.energyScratch(particles));
  blocks.load(x, 0, n);
  const first = k.f64View(energy, 1);
  const run = () => {
    const { positions } = blocks;
    lane.potential(terms, count, positions, energy, gradient, particles, dimensions, n / lane.lanes, scratch);
    return first[0];
  };
  return { units: n, run };
}

/** Metropolis steps of 64 chains, per step of one chain. Each call goes on where the last one ended. */
export function metropolisSteps(system: System): KernelCall & { readonly energyError: () => number } {
  const k = new Kernels();
  const { particles, dimensions, sampling } = system;
  const C = particles * dimensions;
  const [groups, steps] = [16, 16];
  const chains = 4 * groups;
  const blocks = new SampleBlocks(k, 'f64', particles, dimensions, chains);
  const { terms, count } = placeTerms(k, system);
  const energy = k.allocate(chains * 8);
  const check = k.allocate(chains * 8);
  const accepted = k.allocate(chains * 8);
  const scratch = k.allocate(k.common.metropolisScratch(particles, dimensions));
  const stepSizes = k.place(new Float64Array(groups).fill(sampling.metropolisStep));
  const start = Float64Array.from({ length: chains * C }, (_, c) => sampling.start[c % C]);
  blocks.load(start, 0, chains);
  const x = blocks.positions;
  k.f64.potential(terms, count, x, energy, 0, particles, dimensions, chains / 2, scratch);
  const energyView = k.f64View(energy, chains);
  let step = 0;
  const run = () => {
    k.common.metropolis(
      terms,
      count,
      x,
      energy,
      accepted,
      particles,
      dimensions,
      groups,
      steps,
      step,
      0,
      SEED,
      STREAM.metropolis,
      stepSizes,
      1,
      scratch,
    );
    step += steps;
    return energyView[0];
  };
  const energyError = () => {
    k.f64.potential(terms, count, x, check, 0, particles, dimensions, chains / 2, scratch);
    const again = k.f64View(check, chains);
    return energyView.reduce((largest, u, c) => Math.max(largest, Math.abs(u - again[c])), 0);
  };
  return { units: chains * steps, run, energyError };
}

/**
 * Leapfrog steps of HMC (`leapfrogSteps` > 1) or MALA (1) on 64 chains, and the evaluations of a step alone: gradients in f32, and
 * in the end an energy with its gradient in f64. Per gradient.
 */
export function leapfrogs(
  system: System,
  leapfrogSteps: number,
): { readonly sampler: KernelCall & { readonly energyError: () => number }; readonly evaluations: KernelCall } {
  const k = new Kernels();
  const { particles, dimensions, sampling } = system;
  const C = particles * dimensions;
  const [groups, steps] = [16, 4];
  const chains = 4 * groups;
  const blocks = new SampleBlocks(k, 'f64', particles, dimensions, chains);
  const single = new SampleBlocks(k, 'f32', particles, dimensions, chains);
  const { terms, count } = placeTerms(k, system);
  const forceTerms = placeTerms(k, system, 'f32').terms;
  const [energy, accepted, gradient, force] = [1, 1, C, C].map((numbers) => k.allocate(chains * numbers * 8));
  const samplerScratch = k.allocate(k.common.hamiltonianScratch(particles, dimensions));
  const scratch = k.allocate(k.common.energyScratch(particles));
  const stepSizes = k.place(new Float64Array(groups).fill(0.01));
  const start = Float64Array.from({ length: chains * C }, (_, c) => sampling.start[c % C]);
  for (const place of [blocks, single]) place.load(start, 0, chains);
  const x = blocks.positions;
  const first = k.f64View(energy, 1);
  const evaluate = () => {
    for (let l = 1; l < leapfrogSteps; l++) {
      k.common.forces32(forceTerms, count, single.positions, force, particles, dimensions, chains / 4, scratch);
    }
    k.f64.potential(terms, count, x, energy, gradient, particles, dimensions, chains / 2, scratch);
    return first[0];
  };
  evaluate();
  let step = 0;
  const run = () => {
    k.common.hamiltonian(
      terms,
      forceTerms,
      count,
      x,
      gradient,
      energy,
      accepted,
      particles,
      dimensions,
      groups,
      steps,
      step,
      0,
      SEED,
      STREAM.hmc,
      leapfrogSteps,
      stepSizes,
      0,
      1,
      samplerScratch,
    );
    step += steps;
    return first[0];
  };
  /** What the chains carry along against energies computed anew. */
  const energyError = () => {
    const carried = Float64Array.from(k.f64View(energy, chains));
    evaluate();
    const again = k.f64View(energy, chains);
    return carried.reduce((largest, u, c) => Math.max(largest, Math.abs(u - again[c])), 0);
  };
  return {
    sampler: { units: chains * steps * leapfrogSteps, run, energyError },
    evaluations: { units: chains * leapfrogSteps, run: evaluate },
  };
}

/** Momenta of 64 chains at a time, per number. */
export function chainMomenta(system: System): KernelCall {
  const k = new Kernels();
  const numbers = (system.particles - 1) * system.dimensions;
  const groups = 16;
  const out = k.allocate(k.common.momentaBytes(numbers, groups));
  const first = k.f64View(out, 1);
  let step = 0;
  const run = () => {
    k.common.momenta(SEED, STREAM.hmc, 0, step++, numbers, groups, out);
    return first[0];
  };
  return { units: 4 * groups * numbers, run };
}

/** Box–Muller normals of 256 samples of 8 coordinates, per number. */
export function priorNormals(): KernelCall {
  const k = new Kernels();
  const [samples, coordinates] = [256, 8];
  const out = k.allocate(samples * coordinates * 8);
  const words = k.allocate(64);
  const first = k.f64View(out, 1);
  const run = () => {
    k.common.normals(SEED, STREAM.prior, 0, 0, 1, coordinates, samples / 4, out, words);
    return first[0];
  };
  return { units: samples * coordinates, run };
}

/** All 41 stage tables of RK4×20 from new parameters. */
export function tableBuild(field: Field, precision: Precision, times: Float64Array): KernelCall {
  const k = new Kernels();
  const prepared = field.prepare(k, precision, times);
  const first = k.view(precision, prepared.stages, 1);
  const run = () => {
    prepared.update(field.parameters);
    return first[0];
  };
  return { units: 1, run };
}
