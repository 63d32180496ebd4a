// Metropolis Monte Carlo with all-particle normal moves, one chain a lane (f64), as the paper's training data were made.

import { VECTOR } from './lanes';
import { log } from './math';
import { normalLanes, philoxLanes, uniformOpen } from './random';
import { energyScratch, potential } from './energy';

/** Bytes of scratch: the proposal of four chains, its energies, random words, and what the energy needs. */
export function metropolisScratch(particles: i32, dimensions: i32): i32 {
  return (2 * particles * dimensions + 2 + 4) * <i32>VECTOR + energyScratch(particles);
}

/**
 * `steps` steps, numbered from `firstStep`, of 4·groups chains numbered from `firstChain`. `x`: f64 blocks
 * [2·groups][coordinates], mean-free, in place; `energies`, `accepted`: f64 per chain, updated;
 * `stepSizes`: f64 per group. Moves x' = x + stepSize·P·normal are accepted with probability min(1, exp(−β ΔU)). NaN energies are rejected.
 */
export function metropolis(
  terms: usize,
  termCount: i32,
  x: usize,
  energies: usize,
  accepted: usize,
  particles: i32,
  dimensions: i32,
  groups: i32,
  steps: i32,
  firstStep: u32,
  firstChain: u32,
  seed: u32,
  stream: u32,
  stepSizes: usize,
  beta: f64,
  scratch: usize,
): void {
  const coordinates = particles * dimensions;
  const block = <usize>coordinates * VECTOR;
  const proposal = scratch;
  const proposed = proposal + 2 * block;
  const words = proposed + 2 * VECTOR;
  const spare = words + 4 * VECTOR;
  const invN = f64x2.splat(1.0 / <f64>particles);
  const stride = <usize>dimensions * VECTOR;
  const one = f64x2.splat(1);
  const minusBeta = f64x2.splat(-beta);
  for (let g = 0; g < groups; g++) {
    const chain = <u64>(firstChain + 4 * g);
    for (let step = 0; step < steps; step++) {
      const third = firstStep + step;
      normalLanes(seed, stream, chain, third, load<f64>(stepSizes), coordinates, 1, proposal, words);
      for (let part: usize = 0; part < 2; part++) {
        const at = part * block;
        for (let axis: usize = 0; axis < stride; axis += VECTOR) {
          let mean = f64x2.splat(0);
          for (let p = axis; p < block; p += stride) mean = f64x2.add(mean, v128.load(proposal + at + p));
          mean = f64x2.mul(mean, invN);
          for (let p = axis; p < block; p += stride) {
            const q = proposal + at + p;
            v128.store(q, f64x2.add(v128.load(x + at + p), f64x2.sub(v128.load(q), mean)));
          }
        }
      }
      potential<f64>(terms, termCount, proposal, proposed, 0, particles, dimensions, 2, spare);
      // the draw after the last of the normals
      philoxLanes(seed, stream, chain, (coordinates + 1) >> 1, third, words);
      for (let part: usize = 0; part < 2; part++) {
        const e = part * VECTOR;
        const u = part == 0 ? uniformOpen(words, 0) : uniformOpen(words, 1);
        const change = f64x2.sub(v128.load(proposed + e), v128.load(energies + e));
        const take = f64x2.lt(log(u), f64x2.mul(minusBeta, change));
        v128.store(energies + e, v128.bitselect(v128.load(proposed + e), v128.load(energies + e), take));
        v128.store(accepted + e, f64x2.add(v128.load(accepted + e), v128.and(take, one)));
        const at = part * block;
        for (let p = at; p < at + block; p += VECTOR) {
          v128.store(x + p, v128.bitselect(v128.load(proposal + p), v128.load(x + p), take));
        }
      }
    }
    x += 2 * block;
    energies += 2 * VECTOR;
    accepted += 2 * VECTOR;
    stepSizes += 8;
  }
}
