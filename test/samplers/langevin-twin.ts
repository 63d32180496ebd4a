import { type Precision, STREAM } from '../../src/kernels/index.js';
import type { Chains } from '../../src/samplers/index.js';
import { EnergyEvaluator } from '../../src/systems/index.js';
import { drawMomenta } from '../kernels/draw-momenta.js';
import { philoxMomenta } from '../twin/philox.js';

/** What one chain proposes at step 0, and the logarithm of the probability to accept it. */
export interface Proposal {
  readonly x: Float64Array;
  readonly energy: number;
  readonly logAcceptance: number;
  /** The uniform that decides, in (0, 1]. */
  readonly uniform: number;
}

interface Evaluated {
  readonly energy: number;
  readonly gradient: Float64Array;
}

/** Random numbers of step 0 of a chain: a mean-free momentum, the uniform of acceptance and the factor of HMC's step size. */
function randomNumbers(run: Chains, chain: number) {
  const { particles: N, dimensions: D } = run.system;
  const stream = run.sampler === 'mala' ? STREAM.mala : STREAM.hmc;
  const numbers = (N - 1) * D;
  const group = chain & ~3;
  const draws = drawMomenta(run.seed, stream, group, 0, numbers, 1);
  const { minusTwiceLog, word } = philoxMomenta(run.seed, stream, chain, 0, numbers);
  return {
    normals: meanFree(draws.normals.subarray((chain - group) * numbers, (chain - group + 1) * numbers), N, D),
    uniform: Math.exp(-minusTwiceLog / 2),
    factor: 1 + (0.2 * word) / 2 ** 31,
  };
}

/** (N − 1)·D normals as a mean-free momentum [N, D]: their image under the Householder reflection along e_N + (1, …, 1)/√N. */
function meanFree(normals: Float64Array, N: number, D: number): Float64Array {
  const axis = new Float64Array(N).fill(1 / Math.sqrt(N));
  axis[N - 1] += 1;
  const squared = axis.reduce((sum, value) => sum + value ** 2, 0);
  const momentum = Float64Array.of(...normals, ...new Float64Array(D));
  for (let a = 0; a < D; a++) {
    let along = 0;
    for (let i = 0; i < N; i++) along += axis[i] * momentum[i * D + a];
    for (let i = 0; i < N; i++) momentum[i * D + a] -= (2 * along * axis[i]) / squared;
  }
  return momentum;
}

const evaluator = (run: Chains, precision: Precision = 'f64') => {
  const system = new EnergyEvaluator(run.system, precision);
  return (x: Float64Array): Evaluated => {
    const { energy, gradient } = system.energyAndGradient(x, 1);
    return { energy: energy[0], gradient };
  };
};

/** MALA as Roberts and Tweedie have it: a Euler step of the Langevin equation, corrected by the ratio of its densities. */
export function malaProposal(run: Chains, chain: number, x: Float64Array): Proposal {
  const evaluate = evaluator(run);
  const { normals, uniform } = randomNumbers(run, chain);
  const [step, beta] = [run.stepSize, 1 / run.kT];
  const drifted = (from: Float64Array, { gradient }: Evaluated) =>
    from.map((value, c) => value - 0.5 * step ** 2 * beta * gradient[c]);
  const logDensity = (to: Float64Array, mean: Float64Array) =>
    -to.reduce((sum, value, c) => sum + (value - mean[c]) ** 2, 0) / (2 * step ** 2);
  const here = evaluate(x);
  const forward = drifted(x, here);
  const proposal = forward.map((value, c) => value + step * normals[c]);
  const there = evaluate(proposal);
  const logAcceptance =
    -beta * (there.energy - here.energy) + logDensity(x, drifted(proposal, there)) - logDensity(proposal, forward);
  return { x: proposal, energy: there.energy, logAcceptance, uniform };
}

/** Gradients in f32, that of the last particle being minus the sum of the others. */
function balancedEvaluator(run: Chains) {
  const evaluate = evaluator(run, 'f32');
  const D = run.system.dimensions;
  return (x: Float64Array): Evaluated => {
    const { energy, gradient } = evaluate(x);
    const last = gradient.length - D;
    gradient.fill(0, last);
    for (let c = 0; c < last; c++) gradient[last + (c % D)] -= gradient[c];
    return { energy, gradient };
  };
}

/** HMC as Neal (2011) has it: half a kick, drifts and kicks, half a kick. Kicks on the way are by gradients in f32. */
export function hmcProposal(run: Chains, chain: number, x: Float64Array): Proposal {
  const evaluate = evaluator(run);
  const onTheWay = balancedEvaluator(run);
  const { normals, uniform, factor } = randomNumbers(run, chain);
  const [step, beta] = [run.stepSize * factor, 1 / run.kT];
  const kinetic = (p: Float64Array) => 0.5 * p.reduce((sum, value) => sum + value ** 2, 0);
  const kicked = (p: Float64Array, { gradient }: Evaluated, length: number) =>
    p.map((value, c) => value - length * beta * gradient[c]);
  const here = evaluate(x);
  let there = here;
  let proposal = x;
  let p = kicked(normals, here, step / 2);
  for (let l = 1; l <= run.leapfrogSteps; l++) {
    const drift = p;
    proposal = proposal.map((value, c) => value + step * drift[c]);
    const last = l === run.leapfrogSteps;
    there = last ? evaluate(proposal) : onTheWay(proposal);
    p = kicked(p, there, last ? step / 2 : step);
  }
  const logAcceptance = -beta * (there.energy - here.energy) - (kinetic(p) - kinetic(normals));
  return { x: proposal, energy: there.energy, logAcceptance, uniform };
}
