/* The training engines beside each other: one NLL step from new parameters, checked against fine tables in f64 first. */
import { type Field, initialDenseField } from '../../src/fields/index.js';
import { type ContinuousFlow, continuousFlow, prepareFlow } from '../../src/flows/index.js';
import { rk4 } from '../../src/integrators/index.js';
import { meanFreeNormal } from '../../src/priors/index.js';
import {
  createEngine,
  type EngineName,
  KernelEngine,
  type LossAndGradient,
  surveyEngines,
  type TrainingEngine,
} from '../../src/training/index.js';
import { relativeError } from '../../test/twin/reference.js';
import { type Case, SEED } from '../cases.js';
import type { Measurement, Skipped } from '../measurement.js';
import { type Contender, measured, type RoundsEffort, takeTurns } from '../rounds.js';
import type { Bench, Suite } from './suite.js';

const STEPS = 20;
const LOSS_TOLERANCE = 1e-4;
/** Of the largest entry of each group: beyond it an engine is broken. How far each is off is printed; the tests are stricter. */
const GRADIENT_TOLERANCE = 1e-2;
/** Knots per width of the tables that all are compared with. */
const FINE = 128;
/** Milliseconds that a turn lasts at least. */
const TURN = 20;
/** The slowest engine takes many seconds for one step. */
const ROUNDS: RoundsEffort = { least: 2, most: 9, seconds: 3 };
const QUICK: RoundsEffort = { least: 1, most: 1, seconds: 0 };

interface Subject {
  readonly label: string;
  readonly flow: ContinuousFlow;
  readonly batch: number;
}

function subjects(cases: readonly Case[], quick: boolean): Subject[] {
  const of = (label: string, field: Field, batch: number): Subject => {
    const prior = meanFreeNormal(field.particles, field.dimensions);
    return { label: `${label}, batch ${batch}`, flow: continuousFlow(prior, field, rk4(STEPS)), batch };
  };
  const named = (label: string) => cases.find((c) => c.label === label)!.field;
  const usual = [of('DW4', named('DW4'), 256), of('LJ13', named('LJ13'), 64)];
  if (quick) return usual;
  return [
    of('DW4', named('DW4'), 1),
    ...usual,
    of('DW4', named('DW4'), 4096),
    of('dense, 4×2 and 64 units', initialDenseField(4, 2, { seed: SEED, hidden: 64 }), 256),
    of('dense, 55×3 and 1024 units', initialDenseField(55, 3, { seed: SEED, hidden: 1024 }), 64),
  ];
}

export const engines: Suite = {
  name: 'engines',
  about: 'one training step on every engine that this machine has',
  async run({ cases, quick, onMeasurement }: Bench) {
    const { names, skipped } = await participants(quick);
    // What a GPU does is not processor time.
    const clock = names.includes('tensorflow-gpu') ? (true as const) : undefined;
    const measurements: Measurement[] = [];
    const worst = new Map<EngineName, number>();
    for (const { label, flow, batch } of subjects(cases, quick)) {
      const x = Float64Array.from(prepareFlow(flow, 'f64').sample(SEED, 0, batch).x);
      const step = async (engine: TrainingEngine) => {
        await engine.update(flow.field.parameters);
        return engine.nllGradient(x, batch, STEPS, 0);
      };
      const expected = new KernelEngine(flow, { precision: 'f64', resolution: FINE }).nllGradient(x, batch);
      const running = await Promise.all(names.map((name) => createEngine(name, { flow, precision: 'f32' })));
      for (const engine of running) {
        const error = gradientError(engine.name, label, await step(engine), expected);
        worst.set(engine.name, Math.max(worst.get(engine.name) ?? 0, error));
      }
      const contenders = running.map((engine) => contender(engine.name, () => step(engine)));
      const times = await takeTurns(contenders, quick ? QUICK : ROUNDS, clock);
      const group = `training step, RK4×20, ${clock ? 'by the clock' : 'processor time'}`;
      const what = { group, subject: label, unit: 'step', ...(clock ? { clock } : {}) };
      for (const m of measured(contenders, times, what)) {
        measurements.push(m);
        onMeasurement(m);
      }
      for (const engine of running) await engine.dispose();
    }
    const errors = [...worst].map(([name, error]) => `${name} ${error.toExponential(0)}`).join(', ');
    const notes = [
      `Gradients differ from those of fine f64 tables by at most, of the largest entry of their group: ${errors}.`,
    ];
    return { measurements, notes, skipped };
  },
};

/** The engines that are timed, ours first, and why the others are not. */
async function participants(quick: boolean): Promise<{ names: EngineName[]; skipped: Skipped[] }> {
  const names: EngineName[] = ['kernels'];
  const skipped: Skipped[] = [];
  for (const { name, available, reason } of await surveyEngines()) {
    if (name === 'kernels') continue;
    if (!available) skipped.push({ what: `engine ${name}`, why: reason });
    else if (name === 'cpu' && quick) skipped.push({ what: 'engine cpu', why: 'it takes seconds a step' });
    // With a GPU both names mean the same.
    else if (!(name === 'tensorflow' && names.includes('tensorflow-gpu'))) names.push(name);
  }
  return { names, skipped };
}

/** Largest error of a gradient, of the largest entry of its group. @throws where an engine computes something else */
function gradientError(
  name: EngineName,
  label: string,
  { loss, gradient }: LossAndGradient,
  expected: LossAndGradient,
): number {
  if (!(Math.abs(loss - expected.loss) <= LOSS_TOLERANCE * Math.abs(expected.loss))) {
    throw new Error(`engine ${name}, ${label}: loss ${loss}, expected ${expected.loss}`);
  }
  // A group without any gradient has no scale.
  const groups = Object.entries(expected.gradient).filter(([, values]) => values.some((value) => value !== 0));
  const errors = groups.map(([group, values]) => relativeError(gradient[group], values));
  const broken = groups.findIndex((_, i) => !(errors[i] <= GRADIENT_TOLERANCE));
  if (broken >= 0)
    throw new Error(`engine ${name}, ${label}: gradient of '${groups[broken][0]}' is off by ${errors[broken]}`);
  return Math.max(...errors);
}

function contender(name: string, step: () => Promise<unknown>): Contender {
  return {
    name,
    units: 1,
    call: async () => {
      const [start, before] = [performance.now(), process.cpuUsage()];
      let calls = 0;
      for (; performance.now() - start < TURN || calls === 0; calls++) await step();
      const { user, system } = process.cpuUsage(before);
      return { wall: (performance.now() - start) / 1e3 / calls, cpu: (user + system) / 1e6 / calls };
    },
  };
}
