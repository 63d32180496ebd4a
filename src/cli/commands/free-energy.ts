import { Command, InvalidArgumentError, Option } from 'commander';
import { DataError, UsageError } from '../../errors.js';
import { readArray } from '../../formats/index.js';
import {
  coordinateValues,
  exponentialAveraging,
  isPerPair,
  type JudgedEstimate,
  type Mbar,
  mbar,
  parseCoordinate,
  sampleValues,
  twoSidedDifference,
} from '../../reweighting/index.js';
import { collect, ensembleFreeEnergies, openVector } from '../../sampling/index.js';
import { type NamedEnsemble, storedEnsembles, targetEnsemble } from '../ensembles.js';
import { figure, figureText } from '../figures.js';
import { gathered, jsonOption, quietOption, workersOption } from '../options.js';
import { json } from '../outputs.js';
import { line } from '../reweighting-text.js';
import { inSession } from '../session.js';

interface Options {
  model?: string[];
  target?: string[];
  work?: string;
  reverse?: string;
  energies?: string;
  counts?: number[];
  observable?: string[];
  workers?: number;
  quiet?: boolean;
  json?: boolean;
}

const HELP = `
Ensembles are files of simulate (their system and temperature, errors with the autocorrelation along the chains) and of sample (the
flow itself, whose free energy is 0, so that the others' are −log Z). Two give BAR and exponential averages in both directions, any
number MBAR. Arrays of other programs: --work alone or with --reverse, in units of kT; or --energies [K, n], every sample in every
state, samples of the first state first, with --counts.`;

export function freeEnergyCommand(): Command {
  return new Command('free-energy')
    .description(
      'free-energy differences between ensembles by BAR, MBAR and exponential averages, with overlap and a verdict',
    )
    .argument('[samples...]', 'two or more files of simulate or sample')
    .addOption(new Option('--model <path...>', 'models of the flows that samples come from'))
    .addOption(
      new Option('--target <system[@kT]>', 'an ensemble without samples, to be predicted; may be repeated').argParser(
        gathered(String),
      ),
    )
    .addOption(new Option('--work <path>', 'work A → B on samples of A [n], in units of kT').conflicts('energies'))
    .addOption(new Option('--reverse <path>', 'work B → A on samples of B [n], in units of kT'))
    .addOption(new Option('--energies <path>', 'reduced energies u_k(x_n), [K, n]'))
    .addOption(new Option('--counts <integers>', 'samples of each state, as in 1000,1000,0').argParser(counts))
    .addOption(
      new Option(
        '--observable <coordinate...>',
        'averages in every ensemble: rg, d, d0-1, short@4; with --energies name=path.npy',
      ),
    )
    .addOption(workersOption())
    .addOption(quietOption())
    .addOption(jsonOption())
    .addHelpText('after', HELP)
    .action(run);
}

async function run(paths: string[], options: Options): Promise<void> {
  const { work, reverse, energies, counts: sizes, observable = [], target = [] } = options;
  const given = [paths.length > 0 || target.length > 0, work !== undefined, energies !== undefined].filter(Boolean);
  if (given.length !== 1)
    throw new UsageError('free-energy: give files of samples, or --work, or --energies with --counts');
  if (reverse !== undefined && work === undefined) throw new UsageError('--reverse: expected --work with it');
  if ((energies === undefined) !== (sizes === undefined))
    throw new UsageError('--energies and --counts: expected both');
  if (work !== undefined) return print(options, await fromWork(work, reverse));
  if (energies !== undefined) return print(options, await fromEnergies(energies, sizes!, observable));
  if (paths.length + target.length < 2) throw new UsageError('free-energy: one ensemble, expected two or more');
  const coordinates = observable.map((text) => parseCoordinate(text));
  const targets = await Promise.all(target.map(targetEnsemble));
  const ensembles = [...(await storedEnsembles(paths, options.model ?? [])), ...targets];
  await inSession(options, async ({ pool, progress, signal }) => {
    const found = await ensembleFreeEnergies(ensembles, pool, { onProgress: progress.update, signal });
    progress.finish();
    const values = coordinates.map((coordinate, k) => ({
      name: observable[k],
      values: allValues(ensembles, coordinate),
    }));
    print(options, {
      ...fromMbar(found.mbar, ensembles, found.counts, values),
      ...(found.pair === undefined ? {} : { pair: found.pair }),
    });
  });
}

/** What is printed, as text or JSON. */
interface Result {
  readonly states: readonly {
    name: string;
    description: string;
    n: number;
    chains?: number;
    freeEnergy: JudgedEstimate;
  }[];
  readonly overlap?: readonly (readonly number[])[];
  readonly pair?: {
    readonly bar?: JudgedEstimate;
    readonly forward: JudgedEstimate;
    readonly reverse?: JudgedEstimate;
  };
  readonly observables: readonly { name: string; averages: readonly JudgedEstimate[] }[];
  readonly status: JudgedEstimate['status'];
}

async function fromWork(workPath: string, reversePath: string | undefined): Promise<Result> {
  const work = await collect(await openVector(workPath, 'work'));
  if (reversePath === undefined) {
    const forward = exponentialAveraging(work);
    return { states: [], pair: { forward }, observables: [], status: forward.status };
  }
  const pair = twoSidedDifference(work, await collect(await openVector(reversePath, 'work')));
  return { states: [], pair, observables: [], status: pair.bar.status };
}

async function fromEnergies(path: string, sizes: readonly number[], observables: readonly string[]): Promise<Result> {
  const { shape, data } = await readArray(path, 'energies');
  if (shape.length !== 2 || shape[0] !== sizes.length) {
    throw new DataError(`${path}: shape [${shape}], expected [${sizes.length}, n] for as many counts`);
  }
  const n = shape[1];
  const total = sizes.reduce((a, b) => a + b, 0);
  if (n !== total) throw new DataError(`${path}: ${n} samples, expected ${total}, the sum of the counts`);
  const energies = sizes.map((_, k) => Float64Array.from(data.subarray(k * n, (k + 1) * n)));
  const values = await Promise.all(
    observables.map(async (text) => {
      const at = text.indexOf('=');
      if (at < 1) throw new UsageError(`--observable ${text}: expected name=path.npy beside --energies`);
      return {
        name: text.slice(0, at),
        values: await collect(await openVector(text.slice(at + 1), text.slice(0, at))),
      };
    }),
  );
  const states = sizes.map((_, k) => ({ name: `state ${k}`, description: '' }));
  return fromMbar(mbar(energies, sizes), states, sizes, values);
}

function fromMbar(
  found: Mbar,
  ensembles: readonly (Pick<NamedEnsemble, 'name' | 'description'> & Partial<Pick<NamedEnsemble, 'samples'>>)[],
  sizes: readonly number[],
  values: readonly { name: string; values: Float64Array }[],
): Result {
  const K = sizes.length;
  return {
    states: ensembles.map(({ name, description, samples }, k) => ({
      name,
      description,
      n: sizes[k],
      ...(samples?.chains ? { chains: samples.chains.length } : {}),
      freeEnergy: found.difference(0, k),
    })),
    overlap: sizes.map((_, k) => Array.from(found.overlap.subarray(k * K, (k + 1) * K))),
    observables: values.map(({ name, values: all }) => ({
      name,
      averages: sizes.map((_, k) => found.average(all, k)),
    })),
    status: found.status,
  };
}

/** A coordinate of the samples of all ensembles, in their order. */
function allValues(ensembles: readonly NamedEnsemble[], coordinate: ReturnType<typeof parseCoordinate>): Float64Array {
  const parts = ensembles.map(({ density, samples }) => {
    if (samples === undefined) return new Float64Array();
    const { particles, dimensions } = density.kind === 'flow' ? density.generator.prior : density.system;
    const n = samples.x.length / (particles * dimensions);
    const none = new Float64Array();
    const data = { n, energy: none, logWeight: none, x: samples.x, shape: { particles, dimensions } };
    return isPerPair(coordinate) ? sampleValues(coordinate, data) : coordinateValues(coordinate, data);
  });
  const all = new Float64Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

function print(options: Options, result: Result): void {
  process.stdout.write(options.json ? json(asJson(result)) : asText(result));
}

function asJson({ states, overlap, pair, observables, status }: Result): Record<string, unknown> {
  const judged = (estimate: JudgedEstimate) => ({ ...figure(estimate), status: estimate.status });
  return {
    ...(pair === undefined
      ? {}
      : {
          ...(pair.bar ? { bar: judged(pair.bar) } : {}),
          forward: judged(pair.forward),
          ...(pair.reverse ? { reverse: judged(pair.reverse) } : {}),
        }),
    ...(states.length === 0
      ? {}
      : {
          states: states.map(({ freeEnergy, ...rest }) => ({ ...rest, freeEnergy: judged(freeEnergy) })),
          overlap,
          observables: observables.map(({ name, averages }) => ({ name, averages: averages.map(judged) })),
        }),
    status,
  };
}

function asText({ states, overlap, pair, observables, status }: Result): string {
  const lines: string[] = [];
  const width = Math.max(16, ...states.map(({ name }) => name.length + 2));
  for (const [k, { name, description, n, chains, freeEnergy }] of states.entries()) {
    const size = n === 0 ? 'no samples' : `${n} samples${chains ? ` of ${chains} chains` : ''}`;
    const what = k === 0 ? 'f = 0' : `f = ${figureText(freeEnergy)} nats`;
    lines.push(`${name.padEnd(width)}${[description, size, what].filter((part) => part !== '').join(', ')}\n`);
    if (freeEnergy.status.level !== 'trust') lines.push(`${''.padEnd(width)}${freeEnergy.status.text}\n`);
  }
  const methods = [
    ['BAR', pair?.bar],
    ['EXP forward', pair?.forward],
    ['EXP reverse', pair?.reverse],
  ] as const;
  for (const [name, estimate] of methods) {
    if (estimate) lines.push(line(name, `${figureText(estimate)} nats (${verdict(estimate)})`));
  }
  for (const { name, averages } of observables) {
    for (const [k, average] of averages.entries()) {
      lines.push(line(`⟨${name}⟩`, `${figureText(average)} in ${states[k].name} (${verdict(average)})`));
    }
  }
  if (overlap !== undefined) {
    for (const [k, row] of overlap.entries()) {
      lines.push(line(k === 0 ? 'overlap' : '', row.map((value) => value.toFixed(4).padStart(8)).join('')));
    }
  }
  lines.push(line('verdict', status.text));
  return lines.join('');
}

function verdict({ status }: JudgedEstimate): string {
  return { trust: 'trust', care: 'with care', 'do-not-trust': 'do not trust' }[status.level];
}

function counts(text: string): number[] {
  const values = text.split(',').map((part) => (/^\d+$/.test(part.trim()) ? Number(part) : Number.NaN));
  if (values.some(Number.isNaN)) throw new InvalidArgumentError(`'${text}', expected integers, as in 1000,1000,0.`);
  return values;
}
