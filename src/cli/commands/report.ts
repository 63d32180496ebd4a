import { open, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { Command, Option } from 'commander';
import { shellWords } from '../../cluster/emit/emit.js';
import { UsageError } from '../../errors.js';
import { decodeModel } from '../../flows/index.js';
import { beginsWith } from '../../formats/element-writer.js';
import { checkWritable, readInput, writeOutput } from '../../formats/index.js';
import {
  parseTrainingRecord,
  renderSampleReport,
  renderTrainingReport,
  reportProfiles,
  type TrainingCurves,
} from '../../report/index.js';
import { loadDrawing } from '../../report/vega.js';
import { reweight } from '../../sampling/index.js';
import { systemFromDescription } from '../../systems/index.js';
import { quietOption, workersOption } from '../options.js';
import { asked, openInput, type ReweightingInput, withReweightingOptions } from '../reweighting-inputs.js';
import { inSession } from '../session.js';

interface Options extends ReweightingInput {
  out: string;
  workers?: number;
  quiet?: boolean;
}

export function reportCommand(): Command {
  const command = new Command('report')
    .description(
      'one page of figures: of samples their energies, distances, weights, convergence and free energies, weighted and as drawn; of a training its curves',
    )
    .argument('<samples>', 'sample set (.npz, folder or HDF5), training record (JSON lines), or model')
    .addOption(new Option('--out <path>', 'HTML file, which needs nothing beside it').default('report.html'));
  return withReweightingOptions(command, 'free energy along these (default: rg, or energy without positions)')
    .addOption(workersOption())
    .addOption(quietOption())
    .action(run);
}

async function run(path: string, options: Options): Promise<void> {
  const { out } = options;
  await checkWritable(out);
  await loadDrawing();
  const curves = await trainingCurves(path);
  if (curves !== undefined) refuseSampleOptions(path, options);
  const about = { name: basename(path), command: commandLine(process.argv.slice(2)) };
  const page =
    curves === undefined ? await sampleReport(path, about, options) : await renderTrainingReport({ ...about, curves });
  await writeOutput(out, new TextEncoder().encode(page));
  process.stdout.write(`${out}: ${curves === undefined ? 'samples' : 'training'} of ${path}\n`);
}

/** Options that are about samples. */
const ABOUT_SAMPLES = ['kT', 'energy', 'system', 'observable', 'profile', 'states'] as const;

/** @throws UsageError for such an option, which a page about a training has no use for */
function refuseSampleOptions(path: string, options: Options): void {
  const given = ABOUT_SAMPLES.find((name) => options[name] !== undefined);
  if (given !== undefined) throw new UsageError(`report: --${given} is about samples, and ${path} is a training`);
}

/** What makes the same page again: without what decides where it goes and how fast. */
function commandLine(args: readonly string[]): string {
  const kept = args.filter(
    (arg, i) => !/^--(quiet|out|workers)(=|$)/.test(arg) && !/^--(out|workers)$/.test(args[i - 1] ?? ''),
  );
  return shellWords(['equiflow', ...kept]);
}

async function sampleReport(path: string, about: { name: string; command: string }, options: Options): Promise<string> {
  const { samples, stored, ...input } = await openInput(path, options);
  const shape = samples.x?.shape;
  const positions = shape !== undefined;
  const coordinates = options.profile ?? [{ coordinate: positions ? 'rg' : 'energy' }];
  const target =
    input.system ??
    (stored?.manifest.system === undefined
      ? undefined
      : systemFromDescription(stored.manifest.system, `${path}: manifest.json`));
  const dimensions = target?.dimensions ?? shape?.[2];
  return inSession(options, async ({ pool, progress, signal }) => {
    const profiles = [...reportProfiles(positions), ...coordinates];
    const question = { ...input, ...asked(options), profiles };
    const reweighting = await reweight(samples, { ...question, onProgress: progress.update, signal }, pool);
    progress.finish();
    return renderSampleReport({
      ...about,
      target: target === undefined ? 'Target unknown to the file' : `${target.name}: ${target.convention}`,
      kT: input.kT,
      ...(positions && dimensions !== undefined ? { dimensions } : {}),
      coordinates: coordinates.map(({ coordinate }) => coordinate),
      reweighting,
    });
  });
}

/** The curves of a training record or of a model that remembers its training; undefined for samples. */
async function trainingCurves(path: string): Promise<TrainingCurves | undefined> {
  if (path.endsWith('.safetensors')) {
    const { training } = decodeModel(await readInput(path), path);
    const { curve = [] } = (training ?? {}) as { curve?: readonly { readonly step?: number }[] };
    // As the record beside the model has them.
    const lines = curve.map(({ step, ...validation }) => JSON.stringify({ step, validation }));
    return parseTrainingRecord(lines.join('\n'), path);
  }
  return (await isTrainingRecord(path))
    ? parseTrainingRecord(new TextDecoder().decode(await readInput(path)), path)
    : undefined;
}

async function isTrainingRecord(path: string): Promise<boolean> {
  const isFile = await stat(path).then(
    (stats) => stats.isFile(),
    () => false,
  );
  if (!isFile) return false;
  const handle = await open(path, 'r');
  try {
    return await beginsWith(handle, new TextEncoder().encode('{'));
  } finally {
    await handle.close();
  }
}
