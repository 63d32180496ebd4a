import { Command } from 'commander';
import { listSystems, type SystemListing } from '../../systems/index.js';
import { jsonOption } from '../options.js';
import { json } from '../outputs.js';

export function systemsCommand(): Command {
  return new Command('systems')
    .description('list the preset systems with their conventions and known answers')
    .addOption(jsonOption())
    .action(({ json: asJson }: { json?: boolean }) => {
      const systems = listSystems();
      if (asJson) {
        process.stdout.write(json(systems));
        return;
      }
      for (const entry of systems) process.stdout.write(`${describe(entry)}\n`);
    });
}

function describe({ name, particles, options, variants }: SystemListing): string {
  const lines = [`${name}: ${particles} particles`];
  for (const option of options) {
    const needed = option.default === undefined ? 'required' : `default ${option.default}`;
    lines.push(`  option ${option.name} (${needed}): ${option.description}`);
  }
  for (const { spec, system } of variants) {
    lines.push(`  ${spec}  in ${system.dimensions} dimensions: ${system.convention}`);
    const parts = (['logZ', 'meanEnergy', 'entropy'] as const).flatMap((key) => {
      const value = system.known[key];
      if (value === undefined) return [];
      return [`${NAMES[key]} ${value.value}${value.standardError > 0 ? ` ± ${value.standardError}` : ''}`];
    });
    lines.push(`    known at kT = 1: ${parts.length > 0 ? parts.join(', ') : 'nothing'}`);
  }
  return `${lines.join('\n')}\n`;
}

const NAMES = { logZ: 'log Z', meanEnergy: '⟨U⟩', entropy: 'entropy' } as const;
