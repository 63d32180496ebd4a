import { type Command, Option } from 'commander';
import { CONVENTIONS } from '../manifest.js';
import {
  DEFAULT_SAMPLER,
  SAMPLERS,
  type Sampler,
  type SamplingOptions,
  type Simulation,
  type SimulationReport,
  simulationReport,
} from '../samplers/index.js';
import { describeSystem, type System } from '../systems/index.js';
import { figureText } from './figures.js';
import { countOption, integer, positive, seedOption } from './options.js';
import { json, writeArchive } from './outputs.js';

/** Options by which a command says what is to be simulated. */
export interface SimulationInput {
  count: number;
  seed: number;
  chains?: number;
  sampler?: Sampler;
  leapfrog?: number;
  warmUp?: number;
  stride?: number;
  stepSize?: number;
  kT: number;
}

/** The command with these options. */
export function withSimulationOptions(command: Command): Command {
  return command
    .addOption(countOption('configurations in all'))
    .addOption(seedOption())
    .addOption(
      new Option('--chains <integer>', 'independent chains; 1 gives one trajectory (default: 64)').argParser(
        integer(1, 1e6),
      ),
    )
    .addOption(
      new Option('--sampler <name>', 'metropolis: all-particle normal moves; mala, hmc: moves along the gradient')
        .choices(SAMPLERS)
        .default(DEFAULT_SAMPLER),
    )
    .addOption(
      new Option('--leapfrog <integer>', 'leapfrog steps of one step of hmc (default: 10)').argParser(
        integer(1, 10_000),
      ),
    )
    .addOption(
      new Option('--warm-up <steps>', 'steps before recording (default: 20000, mala 5000, hmc 2000)').argParser(
        integer(0, 2 ** 31),
      ),
    )
    .addOption(
      new Option('--stride <steps>', 'steps between two records of a chain (default: 100, mala 50, hmc 20)').argParser(
        integer(1, 2 ** 31),
      ),
    )
    .addOption(
      new Option(
        '--step-size <length>',
        'fixed step size: standard deviation of the moves, or length of a leapfrog step (default: adapted in the warm-up)',
      ).argParser(positive),
    )
    .addOption(new Option('--kT <temperature>', 'temperature').default(1).argParser(positive));
}

/** The same as the library takes it. */
export function samplingOptions(options: SimulationInput): SamplingOptions {
  const { count, seed, chains, sampler, leapfrog, warmUp, stride, stepSize, kT } = options;
  return {
    n: count,
    seed,
    kT,
    ...(chains === undefined ? {} : { chains }),
    ...(sampler === undefined ? {} : { sampler }),
    ...(leapfrog === undefined ? {} : { leapfrogSteps: leapfrog }),
    ...(warmUp === undefined ? {} : { warmUp }),
    ...(stride === undefined ? {} : { stride }),
    ...(stepSize === undefined ? {} : { stepSize }),
  };
}

/** Writes a simulation as `.npz`. */
export async function writeSimulation(path: string, system: System, simulation: Simulation): Promise<void> {
  const { n, x, energy } = simulation;
  const arrays = new Map([
    ['x', { shape: [n, system.particles, system.dimensions], data: x }],
    ['energy', { shape: [n], data: energy }],
  ]);
  const facts = { ...summary(system, simulation), convention: system.convention, conventions: CONVENTIONS };
  await writeArchive(path, 'equiflow simulation', JSON.parse(json(facts)), arrays);
}

/** What to print of a simulation: a text, or JSON. @param name what the text calls it */
export function simulationText(name: string, system: System, simulation: Simulation, asJson: boolean): string {
  if (asJson) return json(summary(system, simulation));
  const { n, settings } = simulation;
  const figures = text(simulationReport(simulation), settings.adapted);
  return `${name}: ${n} configurations of ${settings.chains} chains by ${settings.sampler}\n${figures}`;
}

function summary(system: System, simulation: Simulation) {
  const { settings, n, recordsPerChain } = simulation;
  const report = simulationReport(simulation);
  return { system: describeSystem(system), ...settings, n, recordsPerChain, ...report };
}

function text(report: SimulationReport, adapted: boolean): string {
  const { acceptance, meanEnergy, virial, reliable, convergence } = report;
  const [smallest, largest] = report.stepSizeRange.map((size) => size.toPrecision(3));
  const size = smallest === largest ? smallest : `${smallest} to ${largest}`;
  return [
    `acceptance ${(100 * acceptance).toFixed(1)} %, step size ${size} (${adapted ? 'adapted' : 'fixed'})`,
    `⟨U⟩ ${figureText(meanEnergy)}, autocorrelation time ${report.autocorrelationSteps.toPrecision(3)} steps`,
    `⟨x·∇U⟩ ${figureText(virial)}, expected ${Number(virial.expected.toPrecision(6))}`,
    ...(reliable ? [] : [report.status]),
    convergence.status,
    virial.status,
    report.equilibration.status,
    '',
  ].join('\n');
}
