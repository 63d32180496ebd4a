import { Command, Option } from 'commander';
import { DataError } from '../../errors.js';
import { checkWritable, readConfigurations } from '../../formats/index.js';
import { CONVENTIONS } from '../../manifest.js';
import { describeSystem, EnergyEvaluator, loadSystem } from '../../systems/index.js';
import { named, outOption } from '../options.js';
import { writeArray } from '../outputs.js';

interface Options {
  in: string;
  out: string;
  gradient?: string;
}

export function energyCommand(): Command {
  return new Command('energy')
    .description('energies U(x) of configurations and, if asked for, their gradients')
    .argument('<system>', 'system, for example dw4 or lj13:pairFactor=2')
    .addOption(new Option('--in <path>', '.npy, .npz or HDF5 with x [n, N, D] or [n, N·D]').makeOptionMandatory())
    .addOption(outOption('.npy file [n], f64', '.npy'))
    .addOption(new Option('--gradient <path>', '.npy file [n, N, D] for ∇U, f64').argParser(named('.npy')))
    .action(run);
}

async function run(spec: string, { in: input, out, gradient: gradientOut }: Options): Promise<void> {
  const system = await loadSystem(spec);
  await checkWritable(out);
  if (gradientOut !== undefined) await checkWritable(gradientOut);
  const { particles, dimensions } = system;
  const { x, n } = await readConfigurations(input, particles, dimensions);
  if (n === 0) throw new DataError(`${input}: no configurations, expected at least one`);
  const evaluator = new EnergyEvaluator(system);
  const facts = { system: describeSystem(system), convention: system.convention, conventions: CONVENTIONS };
  if (gradientOut === undefined) {
    await writeArray(out, 'equiflow energies', facts, 'energy', { shape: [n], data: evaluator.energy(x, n) });
  } else {
    const { energy, gradient } = evaluator.energyAndGradient(x, n);
    const shape = [n, particles, dimensions];
    await writeArray(gradientOut, 'equiflow gradients', facts, 'gradient', { shape, data: gradient });
    await writeArray(out, 'equiflow energies', facts, 'energy', { shape: [n], data: energy });
  }
  process.stdout.write(`${out}: ${n} energies${gradientOut ? `, ${gradientOut}: gradients` : ''}\n`);
}
