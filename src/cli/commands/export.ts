import { Command, InvalidArgumentError, Option } from 'commander';
import { UsageError } from '../../errors.js';
import { isXyzName } from '../../formats/extxyz.js';
import { isHdf5Name, loadHdf5 } from '../../formats/hdf5/index.js';
import { checkWritable } from '../../formats/index.js';
import { exportSelection, isExportName, type Selection, selectSamples } from '../../sampling/index.js';
import { integer, jsonOption, outOption, seedOption } from '../options.js';
import { json } from '../outputs.js';

interface Options {
  out: string;
  first?: number;
  count?: number;
  stride?: number;
  resample?: number;
  seed: number;
  symbols?: string[];
  json?: boolean;
}

/** More frames than any program reads. */
const MAXIMUM_COUNT = 1e9;

export function exportCommand(): Command {
  return new Command('export')
    .description('some samples of a set, for other programs: extended XYZ, HDF5 in the layout of H5MD, or .npz')
    .argument('<samples>', 'sample set or data: folder, .npz or HDF5')
    .addOption(outOption('.extxyz, .xyz (.gz behind either), .h5 or .npz file'))
    .addOption(new Option('--first <index>', 'start with this one (default: 0)').argParser(integer(0, 2 ** 52)))
    .addOption(new Option('--count <integer>', 'at most so many (default: all)').argParser(integer(1, MAXIMUM_COUNT)))
    .addOption(new Option('--stride <integer>', 'every so many-th (default: 1)').argParser(integer(1, MAXIMUM_COUNT)))
    .addOption(
      new Option(
        '--resample <integer>',
        'instead, draw so many by their weights: equilibrium configurations',
      ).argParser(integer(1, MAXIMUM_COUNT)),
    )
    .addOption(seedOption())
    .addOption(new Option('--symbols <list>', 'chemical symbols of the species, as in Ar,Kr').argParser(symbols))
    .addOption(jsonOption())
    .action(run);
}

function symbols(text: string): string[] {
  const list = text.split(',');
  if (!list.every((symbol) => /^[A-Z][A-Za-z0-9]{0,3}$/.test(symbol))) {
    throw new InvalidArgumentError(`'${text}', expected symbols with commas between them, as in Ar,Kr.`);
  }
  return list;
}

async function run(
  path: string,
  { out, resample, seed, symbols, json: asJson, ...range }: Options,
  command: Command,
): Promise<void> {
  const chosen = [range.first, range.count, range.stride].some((value) => value !== undefined);
  if (resample !== undefined && chosen) {
    throw new UsageError('export: --resample draws from all samples, so --first, --count and --stride mean nothing');
  }
  if (resample === undefined && command.getOptionValueSource('seed') === 'cli') {
    throw new UsageError('export: --seed does nothing here, expected --resample with it');
  }
  if (symbols !== undefined && !isXyzName(out)) {
    throw new UsageError(`export: --symbols with --out ${out}, expected a name that ends in .extxyz or .xyz`);
  }
  if (!isExportName(out)) {
    throw new UsageError(`export: --out ${out}, expected a name that ends in .extxyz, .xyz, .extxyz.gz, .h5 or .npz`);
  }
  await checkWritable(out);
  if (isHdf5Name(out)) await loadHdf5();
  const { first = 0, count, stride = 1 } = range;
  const selection: Selection =
    resample === undefined ? { first, stride, ...(count === undefined ? {} : { count }) } : { resample, seed };
  const samples = await selectSamples(path, selection);
  await exportSelection(out, samples, { selection, ...(symbols === undefined ? {} : { symbols }) });
  const { n, index } = samples;
  const distinct = index.reduce((sum, value, i) => sum + (i > 0 && value === index[i - 1] ? 0 : 1), 0);
  if (asJson) process.stdout.write(json({ out, n, distinct }));
  else process.stdout.write(`${out}: ${n} samples${resample === undefined ? '' : `, ${distinct} of them distinct`}\n`);
}
