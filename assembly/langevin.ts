// Hamiltonian Monte Carlo, one chain a lane (f64), with MALA as its case of one leapfrog step.

import { VECTOR } from './lanes';
import { log } from './math';
import { normalLanes, philoxLanes, uniformOpen } from './random';
import { energyScratch, potential } from './energy';

/** Bytes of scratch: positions, moves and gradients of four chains, six vectors of numbers, random words, and for the energy. */
export function hamiltonianScratch(particles: i32, dimensions: i32): i32 {
  return (6 * particles * dimensions + 2 + 2 + 2 + 4) * <i32>VECTOR + energyScratch(particles);
}

/** Removes the centroid of the move at `w`, multiplies it by `factor` and returns Σ w² per lane. */
// @ts-ignore: decorator
@inline
function projectMove(w: usize, block: usize, stride: usize, invN: v128, factor: v128): v128 {
  let squares = f64x2.splat(0);
  for (let axis: usize = 0; axis < stride; axis += VECTOR) {
    let mean = f64x2.splat(0);
    for (let p = axis; p < block; p += stride) mean = f64x2.add(mean, v128.load(w + p));
    mean = f64x2.mul(mean, invN);
    for (let p = axis; p < block; p += stride) {
      const value = f64x2.mul(factor, f64x2.sub(v128.load(w + p), mean));
      squares = f64x2.add(squares, f64x2.mul(value, value));
      v128.store(w + p, value);
    }
  }
  return squares;
}

/** w ← w − kick·gradient and, with `move`, q ← from + w; returns Σ w² per lane. */
// @ts-ignore: decorator
@inline
function kick(w: usize, gradient: usize, size: v128, move: bool, from: usize, q: usize, block: usize): v128 {
  let squares = f64x2.splat(0);
  for (let p: usize = 0; p < block; p += VECTOR) {
    const value = f64x2.sub(v128.load(w + p), f64x2.mul(size, v128.load(gradient + p)));
    v128.store(w + p, value);
    if (move) v128.store(q + p, f64x2.add(v128.load(from + p), value));
    else squares = f64x2.add(squares, f64x2.mul(value, value));
  }
  return squares;
}

/**
 * `steps` steps, numbered from `firstStep`, of 4·groups chains numbered from `firstChain`. `x`: f64 blocks
 * [2·groups][coordinates], mean-free, `gradients`: ∇U there, in place; `energies`, `accepted`: f64 per chain, updated.
 *
 * A step draws a momentum p (unit mass, mean-free), takes `leapfrogSteps` of length ε along H = βU + ½p² and accepts with
 * probability min(1, exp(−ΔH)) (Duane et al., Phys. Lett. B 195 (1987) 216). One leapfrog step is MALA (Roberts and
 * Tweedie, Bernoulli 2 (1996) 341): x' = x − ½ε²β∇U + ε·normal, and exp(−ΔH) is its Metropolis–Hastings ratio (Neal 2011,
 * §5.5.2). What is carried is the move w = εp, so that noise and kicks need no ε of their own.
 *
 * ε = stepSize·(1 ± jitter), uniform, anew for each chain and step: a fixed ε·leapfrogSteps can be a period of the motion,
 * after which a chain stands where it was. Proposals whose ΔH is not finite are rejected.
 */
export function hamiltonian(
  terms: usize,
  termCount: i32,
  x: usize,
  gradients: usize,
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
  leapfrogSteps: i32,
  stepSize: f64,
  jitter: f64,
  beta: f64,
  scratch: usize,
): void {
  const coordinates = particles * dimensions;
  const block = <usize>coordinates * VECTOR;
  const q = scratch;
  const w = q + 2 * block;
  const gradient = w + 2 * block;
  const proposed = gradient + 2 * block;
  const kinetic = proposed + 2 * VECTOR;
  const lengths = kinetic + 2 * VECTOR;
  const words = lengths + 2 * VECTOR;
  const spare = words + 4 * VECTOR;
  const invN = f64x2.splat(1.0 / <f64>particles);
  const stride = <usize>dimensions * VECTOR;
  const one = f64x2.splat(1);
  const half = f64x2.splat(0.5);
  const betas = f64x2.splat(beta);
  const squaredStep = f64x2.splat(stepSize * stepSize);
  for (let g = 0; g < groups; g++) {
    const chain = <u64>(firstChain + 4 * g);
    for (let step = 0; step < steps; step++) {
      const third = firstStep + step;
      normalLanes(seed, stream, chain, third, stepSize, coordinates, 1, w, words);
      // the draw after the last of the normals: two words for the step's length, two for acceptance
      philoxLanes(seed, stream, chain, (coordinates + 1) >> 1, third, words);
      for (let part: usize = 0; part < 2; part++) {
        const u = part == 0 ? uniformOpen(words + 32, 0) : uniformOpen(words + 32, 1);
        const factor = f64x2.add(one, f64x2.mul(f64x2.splat(jitter), f64x2.sub(one, f64x2.add(u, u))));
        const squared = f64x2.mul(squaredStep, f64x2.mul(factor, factor));
        const at = part * block;
        v128.store(lengths + part * VECTOR, squared);
        v128.store(kinetic + part * VECTOR, projectMove(w + at, block, stride, invN, factor));
        kick(w + at, gradients + at, f64x2.mul(half, f64x2.mul(squared, betas)), true, x + at, q + at, block);
      }
      for (let l = 1; l < leapfrogSteps; l++) {
        potential<f64>(terms, termCount, q, proposed, gradient, particles, dimensions, 2, spare);
        for (let part: usize = 0; part < 2; part++) {
          const size = f64x2.mul(v128.load(lengths + part * VECTOR), betas);
          const at = part * block;
          kick(w + at, gradient + at, size, true, q + at, q + at, block);
        }
      }
      potential<f64>(terms, termCount, q, proposed, gradient, particles, dimensions, 2, spare);
      for (let part: usize = 0; part < 2; part++) {
        const e = part * VECTOR;
        const at = part * block;
        const squared = v128.load(lengths + e);
        const squares = kick(w + at, gradient + at, f64x2.mul(half, f64x2.mul(squared, betas)), false, 0, 0, block);
        const change = f64x2.add(
          f64x2.mul(betas, f64x2.sub(v128.load(proposed + e), v128.load(energies + e))),
          f64x2.div(f64x2.mul(half, f64x2.sub(squares, v128.load(kinetic + e))), squared),
        );
        const u = part == 0 ? uniformOpen(words, 0) : uniformOpen(words, 1);
        const finite = f64x2.eq(f64x2.sub(change, change), f64x2.splat(0));
        const take = v128.and(finite, f64x2.lt(log(u), f64x2.neg(change)));
        v128.store(energies + e, v128.bitselect(v128.load(proposed + e), v128.load(energies + e), take));
        v128.store(accepted + e, f64x2.add(v128.load(accepted + e), v128.and(take, one)));
        for (let p = at; p < at + block; p += VECTOR) {
          v128.store(x + p, v128.bitselect(v128.load(q + p), v128.load(x + p), take));
          v128.store(gradients + p, v128.bitselect(v128.load(gradient + p), v128.load(gradients + p), take));
        }
      }
    }
    x += 2 * block;
    gradients += 2 * block;
    energies += 2 * VECTOR;
    accepted += 2 * VECTOR;
  }
}
