// Hamiltonian Monte Carlo, one chain a lane (f64), with MALA as its case of one leapfrog step.

import { energyScratch, forces, potential } from './energy';
import { VECTOR } from './lanes';
import { decide, kickAndDrift, startTrajectories } from './leapfrog';
import { decisionAt, drawBytes, drawMomenta, drawScratch } from './momenta';

/**
 * Bytes that trajectories of groups of chains side by side may take, so that they stay in L1 with the states. Chains of small systems
 * fill the passes over pairs that way; those of large ones do alone.
 */
const TEAM_BYTES: i32 = 10240;

/** Bytes that a group's trajectory is described by. */
const TRAJECTORY: usize = 4 * VECTOR;

/** Groups of four chains that go side by side. */
// @ts-ignore: decorator
@inline
function teamOf(coordinates: i32): i32 {
  return max(1, TEAM_BYTES / (8 * coordinates * <i32>VECTOR));
}

/** Bytes of scratch: positions twice, their gradients, both in f32 too, and six vectors of numbers a group; random numbers; energies'. */
export function hamiltonianScratch(particles: i32, dimensions: i32): i32 {
  const coordinates = particles * dimensions;
  const team = teamOf(coordinates);
  return (
    team * (8 * coordinates + 6) * <i32>VECTOR + drawScratch(coordinates - dimensions, team) + energyScratch(particles)
  );
}

/**
 * `steps` steps, numbered from `firstStep`, of 4·groups chains numbered from `firstChain`. `x`: f64 blocks
 * [2·groups][coordinates], mean-free, `gradients`: ∇U there, in place; `energies`, `accepted`: f64 per chain, updated;
 * `stepSizes`: f64 per group.
 *
 * A step draws a momentum p (unit mass, mean-free), takes `leapfrogSteps` of length ε along H = βU + ½p² and accepts with
 * probability min(1, exp(−ΔH)) (Duane et al., Phys. Lett. B 195 (1987) 216). One leapfrog step is MALA (Roberts and
 * Tweedie, Bernoulli 2 (1996) 341): x' = x − ½ε²β∇U + ε·normal, and exp(−ΔH) is its Metropolis–Hastings ratio (Neal 2011,
 * §5.5.2).
 *
 * On the way forces are those of `forceTerms` in f32, at positions rounded to f32. They are a function of the positions alone, so
 * that trajectories stay reversible and keep volume, whatever it is a gradient of; energies at both ends are f64 and decide
 * exactly. The half kicks at the ends are f64, too, because their gradients come with the energies.
 *
 * ε = stepSize·(1 ± jitter), uniform, anew for each chain and step: a fixed ε·leapfrogSteps can be a period of the motion,
 * after which a chain stands where it was. Proposals whose ΔH is not finite are rejected.
 */
export function hamiltonian(
  terms: usize,
  forceTerms: usize,
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
  const first = scratch;
  const second = first + <usize>most * pair;
  const gradient = second + <usize>most * pair;
  const single = gradient + <usize>most * pair;
  const force = single + <usize>most * block;
  const proposed = force + <usize>most * block;
  const trajectory = proposed + <usize>most * 2 * VECTOR;
  const draws = trajectory + <usize>most * TRAJECTORY;
  const spare = draws + <usize>drawScratch(numbers, most);
  for (let done = 0; done < groups; done += most) {
    const team = min(most, groups - done);
    const end = <usize>team;
    for (let step = 0; step < steps; step++) {
      drawMomenta(seed, stream, firstChain + 4 * done, firstStep + step, numbers, team, draws);
      for (let g: usize = 0; g < end; g++) {
        const n = draws + g * drawBytes(numbers);
        const at = g * pair;
        startTrajectories(
          n, n + decisionAt(numbers) + VECTOR, particles, dimensions, load<f64>(stepSizes + 8 * g), jitter, beta,
          x + at, gradients + at, first + at, single + g * block, trajectory + g * TRAJECTORY,
        );
      }
      let previous = x;
      let q = first;
      let next = second;
      for (let l = 1; l < leapfrogSteps; l++) {
        forces<f32>(forceTerms, termCount, single, force, particles, dimensions, team, spare);
        for (let g: usize = 0; g < end; g++) {
          const at = g * pair;
          kickAndDrift(
            trajectory + g * TRAJECTORY, beta, force + g * block, previous + at, q + at, next + at, single + g * block,
            <usize>dimensions * VECTOR, block,
          );
        }
        previous = q;
        q = next;
        next = previous;
      }
      potential<f64>(terms, termCount, q, proposed, gradient, particles, dimensions, 2 * team, spare);
      for (let g: usize = 0; g < end; g++) {
        const at = g * pair;
        const e = g * 2 * VECTOR;
        decide(
          draws + g * drawBytes(numbers) + decisionAt(numbers), trajectory + g * TRAJECTORY, beta,
          previous + at, q + at, gradient + at, proposed + e, x + at, gradients + at, energies + e, accepted + e, block,
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
