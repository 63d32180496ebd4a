import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Command, Option } from 'commander';
import { InterruptedError, OutputError } from '../../errors.js';
import { EXPERIMENT_SETTINGS, type Experiment, runPaperExperiment } from '../../experiment/index.js';
import { encodeModel } from '../../flows/index.js';
import { checkFolderWritable, encodeNpz, sha256, writeOutput, writeOutputFolder } from '../../formats/index.js';
import { CONVENTIONS, manifestJson } from '../../manifest.js';
import { recordJson, renderReport } from '../../report/index.js';
import { loadDrawing } from '../../report/vega.js';
import { sampleProvenance, writeSampleSet } from '../../sampling/index.js';
import { describeSystem } from '../../systems/index.js';
import { VERSION } from '../../version.js';
import { integer, quietOption, seedOption, workersOption } from '../options.js';
import { inSession } from '../session.js';

interface Options {
  out: string;
  seed: number;
  claimSeeds: number;
  workers?: number;
  quiet?: boolean;
}

const KIND = 'equiflow paper experiment';

export function paperCommand(): Command {
  return new Command('paper')
    .description(
      'the whole experiment of Köhler, Klein and Noé (2019) on DW4: data, two generators, samples, weights, minima, report',
    )
    .addOption(new Option('--out <folder>', 'folder for report, models, data and samples').default('runs/paper'))
    .addOption(seedOption().default(EXPERIMENT_SETTINGS.seed))
    .addOption(
      new Option('--claim-seeds <integer>', 'training seeds over which the claim is tested')
        .default(5)
        .argParser(integer(1, 100)),
    )
    .addOption(workersOption())
    .addOption(quietOption())
    .action(run);
}

async function run({ out, seed, claimSeeds, workers, quiet }: Options): Promise<void> {
  const target = out.replace(/\/+$/, '');
  await mkdir(dirname(target), { recursive: true }).catch((error) => {
    throw new OutputError(`cannot write ${out}: ${error.message}`, { cause: error });
  });
  await checkFolderWritable(target, { replaces: isExperiment });
  // The figures come last, and whether they can be drawn is told before a minute's work.
  await loadDrawing();
  await inSession({ workers, quiet }, async ({ pool, progress, signal }) => {
    const experiment = await runPaperExperiment(pool, {
      settings: { seed, claimSeeds },
      onProgress: progress.update,
      signal,
    }).catch((error) => {
      // A training of its own would go on from its state; here nothing is kept.
      throw error instanceof InterruptedError ? new InterruptedError('interrupted; run it again') : error;
    });
    progress.update({ stage: 'report', done: 0, total: 1 });
    const html = await renderReport(experiment.record);
    await writeOutputFolder(target, (folder) => writeExperiment(folder, experiment, html), { replaces: isExperiment });
    progress.finish();
    const { record } = experiment;
    process.stdout.write(
      `${record.claim.statement}\n${record.seconds.toFixed(0)} s. The report: ${join(target, 'report.html')}\n`,
    );
  });
}

async function isExperiment(path: string): Promise<boolean> {
  try {
    return JSON.parse(await readFile(join(path, 'manifest.json'), 'utf8')).kind === KIND;
  } catch {
    return false;
  }
}

/** Report, numbers, models, data and samples, and a manifest with the checksum of each. */
async function writeExperiment(folder: string, experiment: Experiment, html: string): Promise<void> {
  const files: Record<string, string> = {};
  const write = async (name: string, bytes: Uint8Array) => {
    await writeOutput(join(folder, name), bytes);
    files[name] = sha256(bytes);
  };
  const encode = (text: string) => new TextEncoder().encode(text);
  await write('report.html', encode(html));
  await write('report.json', encode(recordJson(experiment.record)));
  for (const subfolder of ['models', 'data', 'samples']) await mkdir(join(folder, subfolder));
  const hashes = new Map<string, string>();
  for (const [name, generator] of experiment.generators) {
    const bytes = encodeModel(generator);
    hashes.set(name, sha256(bytes));
    await write(`models/${name}.safetensors`, bytes);
  }
  const { generators } = experiment;
  for (const [name, set] of experiment.samples) {
    const seed = Number(name.split('-').at(-1));
    const provenance = sampleProvenance(generators.get(name)!, hashes.get(name)!, { seed });
    await writeSampleSet(join(folder, 'samples', `${name}.npz`), set, provenance);
  }
  for (const [name, simulation] of experiment.data) {
    const { x, energy, n, settings, acceptance } = simulation;
    const [{ target }] = generators.values();
    const arrays = new Map([
      ['x', { shape: [n, target.particles, target.dimensions], data: x }],
      ['energy', { shape: [n], data: energy }],
    ]);
    const facts = { system: describeSystem(target), ...settings, n, acceptance, conventions: CONVENTIONS };
    const manifest = manifestJson('equiflow simulation', facts, arrays);
    await write(`data/${name}.npz`, encodeNpz(arrays, new Map([['manifest.json', manifest]])));
  }
  await writeOutput(
    join(folder, 'manifest.json'),
    encode(`${JSON.stringify({ kind: KIND, version: 1, equiflow: VERSION, files }, null, 2)}\n`),
  );
}
