/*
 * What accuracy of log q costs, by integrator: node dist/bench/work-precision.js <model.safetensors>… [--quick]
 *
 * For each model and precision, log q of the model's own samples by fixed steps and by adaptive steps at several tolerances:
 * evaluations of the field, processor time, and the error against the inverse flow in f64 at a tolerance of 1e-11. All take
 * turns; times are the shortest.
 */

import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { type ContinuousFlow, decodeModel, prepareFlow } from '../src/flows/index.js';
import { dopri5, type IntegrationStatistics, type Integrator, rk4 } from '../src/integrators/index.js';
import type { Precision } from '../src/kernels/index.js';
import { machineLine, thisMachine } from './machine.js';
import { inProcess, QUICK_ROUNDS, type RoundsEffort, SHORT_ROUNDS, takeTurns } from './rounds.js';
import { duration } from './table.js';

const SEED = 1;
/** Positions of a set, so that large systems do not take hours. */
const COORDINATES = 40_000;
const EXACT = dopri5({ rtol: 1e-11, atolLogDet: 1e-9, maxSteps: 1_000_000 });

const METHODS: readonly (readonly [string, Integrator])[] = [
  ...[5, 10, 20, 40, 80].map((steps) => [`rk4, ${steps} steps`, rk4(steps)] as const),
  ...[3, 4, 5, 6, 7, 8].map(
    (digits) => [`dopri5, rtol 1e-${digits}`, dopri5({ rtol: Number(`1e-${digits}`) })] as const,
  ),
];

interface Row {
  readonly method: string;
  readonly statistics: IntegrationStatistics;
  /** Seconds a sample. */
  readonly seconds: number;
  readonly rms: number;
  readonly max: number;
}

async function measure(flow: ContinuousFlow, precision: Precision, effort: RoundsEffort): Promise<Row[]> {
  const { particles, dimensions } = flow.prior;
  const n = Math.ceil(COORDINATES / (particles * dimensions));
  const { x } = prepareFlow({ ...flow, integrator: rk4(40) }, 'f32').sample(SEED, 0, n);
  const exact = prepareFlow({ ...flow, integrator: EXACT }, 'f64').logProb(x, n);
  const runners = METHODS.map(([, integrator]) => prepareFlow({ ...flow, integrator }, precision));
  const times = await takeTurns(
    runners.map((runner, i) => inProcess(METHODS[i][0], n, () => runner.logProb(x, n))),
    effort,
  );
  return runners.map((runner, i) => {
    runner.takeStatistics();
    const errors = runner.logProb(x, n).map((value, s) => value - exact[s]);
    return {
      method: METHODS[i][0],
      statistics: runner.takeStatistics(),
      seconds: times[i].fastest,
      rms: Math.sqrt(errors.reduce((sum, error) => sum + error * error, 0) / n),
      max: errors.reduce((most, error) => Math.max(most, Math.abs(error)), 0),
    };
  });
}

function table(rows: readonly Row[]): string {
  const cells = rows.map(({ method, statistics, seconds, rms, max }) => {
    const { samples, steps, rejected, evaluations } = statistics;
    const share = (100 * rejected) / (steps + rejected);
    const figures = [(evaluations / samples).toFixed(0), `${share.toFixed(1)} %`, duration(seconds)];
    return `| ${[method, ...figures, rms.toExponential(1), max.toExponential(1)].join(' | ')} |`;
  });
  const head = '| log q by | evaluations a sample | rejected | time a sample | RMS error, nats | largest |';
  return [head, '|---|---:|---:|---:|---:|---:|', ...cells].join('\n');
}

const quick = process.argv.includes('--quick');
const models = process.argv.slice(2).filter((argument) => argument !== '--quick');
if (models.length === 0) {
  process.stderr.write('usage: node dist/bench/work-precision.js <model.safetensors>… [--quick]\n');
  process.exit(2);
}
process.stdout.write(`${machineLine(thisMachine())}\n`);
for (const path of models) {
  const { flow, target } = decodeModel(readFileSync(path), path).generator;
  for (const precision of ['f32', 'f64'] as const) {
    const rows = await measure(flow, precision, quick ? QUICK_ROUNDS : SHORT_ROUNDS);
    process.stdout.write(`\n**${basename(path)} (${target.name}), ${precision}**\n\n${table(rows)}\n`);
  }
}
