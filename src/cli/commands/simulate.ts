import { Command } from 'commander';
import { checkWritable } from '../../formats/index.js';
import { checkSimulationSize, simulate } from '../../samplers/index.js';
import { loadSystem } from '../../systems/index.js';
import { jsonOption, outOption, quietOption, workersOption } from '../options.js';
import { writeRunInfo } from '../outputs.js';
import { inSession } from '../session.js';
import {
  type SimulationInput,
  samplingOptions,
  simulationText,
  withSimulationOptions,
  writeSimulation,
} from '../simulation.js';

interface Options extends SimulationInput {
  out: string;
  workers?: number;
  quiet?: boolean;
  json?: boolean;
}

export function simulateCommand(): Command {
  const command = new Command('simulate')
    .description('draw equilibrium configurations, or one trajectory, by Markov chain Monte Carlo')
    .argument('<system>', 'system, for example dw4 or lj13:pairFactor=2');
  return withSimulationOptions(command)
    .addOption(outOption('.npz file: x [n, N, D], energy [n], manifest', '.npz'))
    .addOption(workersOption())
    .addOption(quietOption())
    .addOption(jsonOption())
    .action(run);
}

async function run(spec: string, options: Options): Promise<void> {
  const { out } = options;
  const system = await loadSystem(spec);
  checkSimulationSize(system, options.count);
  await checkWritable(out);
  const started = performance.now();
  await inSession(options, async ({ pool, progress, signal }) => {
    const asked = { ...samplingOptions(options), onProgress: progress.update, signal };
    const simulation = await simulate(system, asked, pool);
    progress.finish();
    await writeSimulation(out, system, simulation);
    await writeRunInfo(out, started, { workers: pool.workers });
    process.stdout.write(simulationText(out, system, simulation, options.json ?? false));
  });
}
