/* The training engines beside each other: one NLL step from new parameters, checked against fine tables in f64 first. */
import { type Field, initialDenseField } from '../../src/fields/index.js';
import { type ContinuousFlow, continuousFlow, prepareFlow } from '../../src/flows/index.js';
import { rk4 } from '../../src/integrators/index.js';
import { meanFreeNormal } from '../../src/priors/index.js';
import {
  createEngine,
  type EngineName,
  FlowGradients,
  type LossAndGradient,
  surveyEngines,
  type TrainingEngine,
} from '../../src/training/index.js';
import { relativeError } from '../../test/twin/reference.js';
import { type Case, SEED } from '../cases.js';
import type { Measurement, Skipped } from '../measurement.js';
import { type Contender, measured, type RoundsEffort, type Seconds, takeTurns } from '../rounds.js';
import { timingOf } from '../timing.js';
import type { Bench, Suite } from './suite.js';

const STEPS = 20;
const LOSS_TOLERANCE = 1e-4;
/** Of the largest entry of each group: beyond it an engine is broken. How far each is off is printed; the tests are stricter. */
const GRADIENT_TOLERANCE = 1e-2;
/** Knots per width of the tables that all are compared with. */
const FINE = 128;
/** Milliseconds that a turn lasts at least. */
const TURN = 20;
/** Seconds after which one step, the one that is checked, has to do as measurement. */
const PATIENCE = 3;
const ROUNDS: RoundsEffort = { least: 3, most: 9, seconds: 2 };
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
    of('dense, 4×2 and 64 units', initialDenseField(4, 2, { seed: SEED, hidden: 64 }), 256),
    of('dense, 55×3 and 1024 units', initialDenseField(55, 3, { seed: SEED, hidden: 1024 }), 64),
  ];
}

export const engines: Suite = {
  name: 'engines',
  onRequest: true,
  about: 'one training step on every engine that this machine has',
  async run({ cases, quick, onMeasurement }: Bench) {
    const { names, skipped } = await participants(quick);
    const measurements: Measurement[] = [];
    const worst = new Map<EngineName, number>(names.map((name) => [name, 0]));
    for (const subject of subjects(cases, quick)) {
      const onError = (name: EngineName, error: number) => worst.set(name, Math.max(worst.get(name)!, error));
      for (const m of await stepTimes(subject, names, quick ? QUICK : ROUNDS, onError)) {
        measurements.push(m);
        onMeasurement(m);
      }
    }
    const errors = [...worst].map(([name, error]) => `${name} ${error.toExponential(0)}`).join(', ');
    const notes = [
      `Gradients differ from those of fine f64 tables by at most, of the largest entry of their group: ${errors}.`,
    ];
    return { measurements, notes, skipped };
  },
};

/** Checks a step of every engine and times it; `onError` hears of the largest error of its gradient. */
async function stepTimes(
  { label, flow, batch }: Subject,
  names: readonly EngineName[],
  rounds: RoundsEffort,
  onError: (name: EngineName, error: number) => void,
): Promise<Measurement[]> {
  const x = Float64Array.from(prepareFlow(flow, 'f64').sample(SEED, 0, batch).x);
  const expected = new FlowGradients(flow, { precision: 'f64', resolution: FINE }).nllGradient(x, batch);
  // What a GPU does is not processor time.
  const clock = names.includes('tensorflow-gpu') ? (true as const) : false;
  const what = {
    group: `training step, RK4×20, ${clock ? 'by the clock' : 'processor time'}`,
    subject: label,
    unit: 'step',
    ...(clock ? { clock } : {}),
  };
  const contenders: Contender[] = [];
  const slow: Measurement[] = [];
  const running: TrainingEngine[] = [];
  for (const name of names) {
    const engine = await createEngine(name, { flow, precision: 'f32' });
    running.push(engine);
    const step = async () => {
      await engine.update(flow.field.parameters);
      return engine.nllGradient(x, batch, STEPS, 0);
    };
    const { result, seconds } = await timed(step);
    onError(name, gradientError(name, label, result, expected));
    const first = clock ? seconds.wall : seconds.cpu;
    if (first > PATIENCE) slow.push({ ...what, contender: name, seconds: timingOf([first]) });
    else contenders.push(contender(name, step));
  }
  const times = await takeTurns(contenders, rounds, clock);
  for (const engine of running) await engine.dispose();
  const order = (m: Measurement) => names.indexOf(m.contender as EngineName);
  return [...measured(contenders, times, what), ...slow].sort((a, b) => order(a) - order(b));
}

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

/** What `body` gives and the seconds that it took. */
async function timed<T>(body: () => Promise<T>): Promise<{ result: T; seconds: Seconds }> {
  const [start, before] = [performance.now(), process.cpuUsage()];
  const result = await body();
  const { user, system } = process.cpuUsage(before);
  return { result, seconds: { wall: (performance.now() - start) / 1e3, cpu: (user + system) / 1e6 } };
}

function contender(name: string, step: () => Promise<unknown>): Contender {
  return {
    name,
    units: 1,
    call: async () => {
      let calls = 0;
      const { seconds } = await timed(async () => {
        const start = performance.now();
        for (; performance.now() - start < TURN || calls === 0; calls++) await step();
      });
      return { wall: seconds.wall / calls, cpu: seconds.cpu / calls };
    },
  };
}
