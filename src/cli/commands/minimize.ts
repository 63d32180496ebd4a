import { Command, Option } from 'commander';
import { distinctMinima, minimizeOnPool } from '../../analysis/index.js';
import { DataError } from '../../errors.js';
import { checkWritable, readConfigurations } from '../../formats/index.js';
import { CONVENTIONS } from '../../manifest.js';
import { describeSystem, EnergyEvaluator, loadSystem } from '../../systems/index.js';
import { jsonOption, outOption, quietOption, workersOption } from '../options.js';
import { json, writeArchive, writeRunInfo } from '../outputs.js';
import { inSession } from '../session.js';

interface Options {
  in: string;
  out: string;
  workers?: number;
  quiet?: boolean;
  json?: boolean;
}

export function minimizeCommand(): Command {
  return new Command('minimize')
    .description(
      'minimise configurations and list the distinct minima up to translation, rotation, reflection and exchange',
    )
    .argument('<system>', 'system, for example dw4 or lj13:pairFactor=2')
    .addOption(new Option('--in <path>', '.npy, .npz or HDF5 with x [n, N, D] or [n, N·D]').makeOptionMandatory())
    .addOption(
      outOption(
        '.npz file: x, energy, gradientNorm, minimum index per sample; energies, counts, structures per minimum',
        '.npz',
      ),
    )
    .addOption(workersOption())
    .addOption(quietOption())
    .addOption(jsonOption())
    .action(run);
}

async function run(spec: string, options: Options): Promise<void> {
  const system = await loadSystem(spec);
  await checkWritable(options.out);
  const { particles: N, dimensions: D } = system;
  const { x, n } = await readConfigurations(options.in, N, D);
  if (n === 0) throw new DataError(`${options.in}: no configurations, expected at least one`);
  const started = performance.now();
  await inSession(options, async ({ pool, progress, signal }) => {
    const result = await minimizeOnPool(system, x, n, pool, { onProgress: progress.update, signal });
    progress.finish();
    const evaluator = new EnergyEvaluator(system);
    const { converged, energy } = result;
    const found = distinctMinima(result.x, energy, n, N, D, {
      energyAndGradient: (y, count) => evaluator.energyAndGradient(y, count),
      converged,
      species: system.species,
    });
    const minima = found.energy.length;
    const arrays = new Map([
      ['x', { shape: [n, N, D], data: result.x }],
      ['energy', { shape: [n], data: energy }],
      ['gradientNorm', { shape: [n], data: result.gradientNorm }],
      ['minimum', { shape: [n], data: Float64Array.from(found.index) }],
      ['minimaX', { shape: [minima, N, D], data: found.representative }],
      ['minimaEnergy', { shape: [minima], data: found.energy }],
      ['minimaCount', { shape: [minima], data: Float64Array.from(found.count) }],
    ]);
    const unconverged = converged.reduce((count, yes) => count + (yes ? 0 : 1), 0);
    const facts = {
      system: describeSystem(system),
      convention: system.convention,
      conventions: CONVENTIONS,
      gradientTolerance: 1e-6,
      unconverged,
    };
    await writeArchive(options.out, 'equiflow minima', facts, arrays);
    await writeRunInfo(options.out, started, { workers: pool.workers });
    const list = Array.from(found.energy, (value, m) => ({
      energy: value,
      count: found.count[m],
      share: found.count[m] / n,
    }));
    if (options.json) {
      process.stdout.write(json({ out: options.out, n, unconverged, minima: list }));
      return;
    }
    process.stdout.write(
      `${options.out}: ${n} configurations, ${minima} distinct minima, ${unconverged} not converged\n`,
    );
    for (const { energy: value, count, share } of list) {
      process.stdout.write(
        `${value.toFixed(6).padStart(16)}  ${String(count).padStart(8)}  ${(100 * share).toFixed(2).padStart(6)} %\n`,
      );
    }
  });
}
