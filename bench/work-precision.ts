/*
 * What accuracy of log q costs, by integrator: node dist/bench/work-precision.js <model.safetensors>… [--quick]
 *
 * The precision suite for models from files, in both precisions and with more figures. Times are the shortest of their turns.
 */

import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { type ContinuousFlow, decodeModel } from '../src/flows/index.js';
import { dopri5, type Integrator, rk4 } from '../src/integrators/index.js';
import type { Precision } from '../src/kernels/index.js';
import { studyIntegrators } from './integrator-study.js';
import { machineLine, thisMachine } from './machine.js';
import { QUICK_ROUNDS, type RoundsEffort, SHORT_ROUNDS, takeTurns } from './rounds.js';
import { duration } from './table.js';

/** Positions of a set, so that large systems do not take hours. */
const COORDINATES = 40_000;

const METHODS: readonly (readonly [string, Integrator])[] = [
  ...[5, 10, 20, 40, 80].map((steps) => [`rk4, ${steps} steps`, rk4(steps)] as const),
  ...[3, 4, 5, 6, 7, 8].map(
    (digits) => [`dopri5, rtol 1e-${digits}`, dopri5({ rtol: Number(`1e-${digits}`) })] as const,
  ),
];

async function table(flow: ContinuousFlow, precision: Precision, effort: RoundsEffort): Promise<string> {
  const n = Math.ceil(COORDINATES / (flow.prior.particles * flow.prior.dimensions));
  const studies = studyIntegrators(flow, METHODS, precision, n);
  const contenders = studies.map(({ contender }) => contender);
  const times = await takeTurns(contenders, effort);
  const rows = studies.map(({ statistics: { samples, steps, rejected, evaluations }, error }, i) => {
    const share = (100 * rejected) / (steps + rejected);
    const work = [(evaluations / samples).toFixed(0), `${share.toFixed(1)} %`, duration(times[i].fastest)];
    const errors = [error.rms, error.most, error.largest].map((value) => value.toExponential(1));
    return `| ${[contenders[i].name, ...work, ...errors].join(' | ')} |`;
  });
  const head = '| | evaluations a sample | rejected | time a sample | RMS error, nats | of 99 % | largest |';
  return [head, '|---|---:|---:|---:|---:|---:|---:|', ...rows].join('\n');
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
    const rows = await table(flow, precision, quick ? QUICK_ROUNDS : SHORT_ROUNDS);
    process.stdout.write(`\n**${basename(path)} (${target.name}), ${precision}**\n\n${rows}\n`);
  }
}
