// Hamiltonian Monte Carlo, one chain a lane (f64), with MALA as its case of one leapfrog step.

import { energyScratch, potential } from './energy';
import { VECTOR } from './lanes';
import { decide, kickAndDrift, startTrajectories } from './leapfrog';
import { decisionAt, drawBytes, drawMomenta, drawScratch } from './momenta';

/**
 * Bytes of positions, moves and gradients that groups of chains side by side may take, so that they stay in L1 with the states.
 * Chains of small systems fill the passes that way; those of large ones do alone.
 */
const TEAM_BYTES: i32 = 8192;

/** Groups of four chains that go side by side. */
// @ts-ignore: decorator
@inline
function teamOf(coordinates: i32): i32 {
  return max(1, TEAM_BYTES / (6 * coordinates * <i32>VECTOR));
}

/** Bytes of scratch: positions, moves and gradients of a team, six vectors of numbers a group, random numbers, energies'. */
export function hamiltonianScratch(particles: i32, dimensions: i32): i32 {
  const coordinates = particles * dimensions;
  const team = teamOf(coordinates);
  return (
    team * (6 * coordinates + 6) * <i32>VECTOR + drawScratch(coordinates - dimensions, team) + energyScratch(particles)
  );
}

/**
 * `steps` steps, numbered from `firstStep`, of 4·groups chains numbered from `firstChain`. `x`: f64 blocks
 * [2·groups][coordinates], mean-free, `gradients`: ∇U there, in place; `energies`, `accepted`: f64 per chain, updated.
 * `stepSizes`: f64 per group.
 *
 * A step draws a momentum p (unit mass, mean-free), takes `leapfrogSteps` of length ε along H = βU + ½p² and accepts with
 * probability min(1, exp(−ΔH)) (Duane et al., Phys. Lett. B 195 (1987) 216). One leapfrog step is MALA (Roberts and
 * Tweedie, Bernoulli 2 (1996) 341): x' = x − ½ε²β∇U + ε·normal, and exp(−ΔH) is its Metropolis–Hastings ratio (Neal 2011,
 * §5.5.2).
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
  stepSizes: usize,
  jitter: f64,
  beta: f64,
  scratch: usize,
): void {
  const coordinates = particles * dimensions;
  const numbers = coordinates - dimensions;
  const block = <usize>coordinates * VECTOR;
  const pair: usize = 2 * block;
  const most = teamOf(coordinates);
  const q = scratch;
  const w = q + <usize>most * pair;
  const gradient = w + <usize>most * pair;
  const proposed = gradient + <usize>most * pair;
  const trajectory = proposed + <usize>most * 2 * VECTOR;
  const draws = trajectory + <usize>most * 4 * VECTOR;
  const spare = draws + <usize>drawScratch(numbers, most);
  const decision = decisionAt(numbers);
  for (let first = 0; first < groups; first += most) {
    const team = min(most, groups - first);
    for (let step = 0; step < steps; step++) {
      drawMomenta(seed, stream, firstChain + 4 * first, firstStep + step, numbers, team, draws);
      for (let g: usize = 0; g < <usize>team; g++) {
        const n = draws + g * drawBytes(numbers);
        const at = g * pair;
        startTrajectories(
          n, n + decision + VECTOR, particles, dimensions, load<f64>(stepSizes + 8 * g), jitter, beta,
          x + at, gradients + at, w + at, q + at, trajectory + g * 4 * VECTOR,
        );
      }
      for (let l = 1; l < leapfrogSteps; l++) {
        potential<f64>(terms, termCount, q, proposed, gradient, particles, dimensions, 2 * team, spare);
        for (let b: usize = 0; b < <usize>(2 * team); b++) {
          const squared = v128.load(trajectory + (b >> 1) * 4 * VECTOR + (b & 1) * VECTOR);
          const at = b * block;
          kickAndDrift(squared, beta, gradient + at, w + at, q + at, block);
        }
      }
      potential<f64>(terms, termCount, q, proposed, gradient, particles, dimensions, 2 * team, spare);
      for (let g: usize = 0; g < <usize>team; g++) {
        const u = draws + g * drawBytes(numbers) + decision;
        let at = g * pair;
        let e = g * 2 * VECTOR;
        let t = trajectory + g * 4 * VECTOR;
        decide(
          0, u, t, beta, q + at, w + at, gradient + at, proposed + e,
          x + at, gradients + at, energies + e, accepted + e, block,
        );
        at += block;
        e += VECTOR;
        t += VECTOR;
        decide(
          1, u, t, beta, q + at, w + at, gradient + at, proposed + e,
          x + at, gradients + at, energies + e, accepted + e, block,
        );
      }
    }
    x += <usize>team * pair;
    gradients += <usize>team * pair;
    energies += <usize>(2 * team) * VECTOR;
    accepted += <usize>(2 * team) * VECTOR;
    stepSizes += <usize>(8 * team);
  }
}
