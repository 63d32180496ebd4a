import type { ReweightedProfile, Reweighting } from '../sampling/index.js';
import { figure, figureText } from './figures.js';

/** One line of a table with its name on the left. */
export function line(name: string, text: string): string {
  return `${name.padEnd(16)}${text}\n`;
}

/** What `reweight --json` prints. */
export function reweightingJson(result: Reweighting, kT: number): Record<string, unknown> {
  const { n, ess, essFraction, khat, logZ, largestShare, zeroWeights, status } = result.report;
  const { flowEntropy, targetEntropy, reverseKl, forwardKl } = result;
  return {
    n,
    kT,
    ess,
    essFraction,
    khat,
    logZ: figure(logZ),
    largestShare,
    zeroWeights,
    flowEntropy: figure(flowEntropy),
    targetEntropy: figure(targetEntropy),
    reverseKl: figure(reverseKl),
    forwardKl: figure(forwardKl),
    meanEnergy: figure(result.meanEnergy),
    observables: result.averages.map((average) => ({
      coordinate: average.coordinate,
      ...figure(average),
      plain: figure(average.plain),
    })),
    profiles: result.profiles.map(profileJson),
    states: result.states.map(({ state, population, plain, difference }) => ({
      state,
      population: { ...figure(population), ess: population.diagnostics.ess },
      plain: figure(plain),
      freeEnergy: { ...figure(difference), status: difference.status },
    })),
    status,
  };
}

function profileJson(profile: ReweightedProfile): Record<string, unknown> {
  const { coordinate, outside, plain } = profile;
  return {
    coordinate,
    edges: Array.from(profile.edges),
    density: Array.from(profile.density),
    densityError: Array.from(profile.densityError),
    freeEnergy: Array.from(profile.freeEnergy),
    freeEnergyError: Array.from(profile.freeEnergyError),
    effectiveSamples: Array.from(profile.effectiveSamples),
    outside,
    plain: {
      density: Array.from(plain.density),
      densityError: Array.from(plain.densityError),
      outside: plain.outside,
    },
  };
}

/** What `reweight` prints for readers. */
export function reweightingText(result: Reweighting, kT: number): string {
  const { n, ess, essFraction, khat, logZ, largestShare, status } = result.report;
  return [
    line('samples', `${n} at kT = ${kT}`),
    line('ESS (Kish)', `${ess.toFixed(1)} (${(100 * essFraction).toFixed(3)} %)`),
    line('Pareto k̂', khat.toFixed(3)),
    line('largest share', `${(100 * largestShare).toFixed(3)} %`),
    line('log Z', `${figureText(logZ)} nats`),
    line('entropy', `${figureText(result.targetEntropy)} nats`),
    line('KL(q‖p)', `${figureText(result.reverseKl)} nats`),
    line('KL(p‖q)', `${figureText(result.forwardKl)} nats`),
    ...result.averages.map((average) =>
      line(`⟨${average.coordinate}⟩`, `${figureText(average)}   as drawn ${figureText(average.plain)}`),
    ),
    ...statesText(result),
    ...result.profiles.flatMap((profile) => [...profileText(profile)]),
    line('verdict', status.text),
  ].join('');
}

function* statesText({ states, report }: Reweighting): Generator<string> {
  for (const { state, population, plain, difference } of states) {
    const share = figureText(
      {
        value: 100 * population.value,
        standardError: 100 * population.standardError,
      },
      3,
    );
    const own = state === states[0].state ? 'F = 0' : `F = ${figureText(difference)} kT`;
    yield line('state', `${state}: ${share} % (as drawn ${(100 * plain.value).toFixed(3)} %), ${own}`);
    // The verdict on the weights comes at the end; here is what the state adds.
    if (difference.status.text !== report.status.text && difference.status.level !== 'trust') {
      yield line('', difference.status.text);
    }
  }
}

function* profileText(profile: ReweightedProfile): Generator<string> {
  const { coordinate, edges, density, densityError, freeEnergy, freeEnergyError, effectiveSamples } = profile;
  yield line('profile', `${coordinate}, ${(100 * profile.outside).toFixed(2)} % of the weight outside`);
  const cells = ['from', 'to', 'density', '±', 'F/kT', '±', 'effective'];
  yield `${cells.map((cell) => cell.padStart(11)).join('')}\n`;
  for (let bin = 0; bin < density.length; bin++) {
    const row = [
      edges[bin].toFixed(4),
      edges[bin + 1].toFixed(4),
      density[bin].toPrecision(4),
      densityError[bin].toPrecision(2),
      Number.isFinite(freeEnergy[bin]) ? freeEnergy[bin].toFixed(4) : '–',
      Number.isFinite(freeEnergyError[bin]) ? freeEnergyError[bin].toFixed(4) : '–',
      effectiveSamples[bin].toFixed(1),
    ];
    yield `${row.map((cell) => cell.padStart(11)).join('')}\n`;
  }
}
