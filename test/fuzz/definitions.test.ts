// No text and no value crash or hang what reads systems of one's own.

import test from 'ava';
import fc from 'fast-check';
import { stringify } from 'yaml';
import { parseYaml } from '../../src/formats/yaml.js';
import {
  EnergyEvaluator,
  type System,
  systemDefinition,
  systemFromDefinition,
  systemFromDescription,
} from '../../src/systems/index.js';
import { anyValue, disturbed, mutated } from './mutations.js';
import { DEFINITION_SEEDS, YAML_SEEDS } from './seeds.js';
import { survives } from './survival.js';

const decoder = new TextDecoder();

test('texts', (t) => {
  survives(t, mutated(YAML_SEEDS), (bytes) => parseYaml(decoder.decode(bytes), 'f'));
  survives(t, mutated(YAML_SEEDS), (bytes) => systemFromDefinition(parseYaml(decoder.decode(bytes), 'f'), 'f'));
});

const values = fc.oneof({ weight: 19, arbitrary: disturbed(DEFINITION_SEEDS) }, anyValue);

test('values', (t) => survives(t, values, (value) => systemFromDefinition(value, 'f')));

test('descriptions', (t) => {
  const descriptions = fc.oneof(values, disturbed([{ name: 'dw4' }, { name: 'lj13', pairFactor: 1 }]));
  survives(t, descriptions, (value) => systemFromDescription(value, 'f'));
});

test('values written as YAML', (t) => {
  survives(t, values, (value) => systemFromDefinition(parseYaml(stringify(value) ?? '', 'f'), 'f'));
});

test('whatever is read can be written, read again and evaluated', (t) => {
  const systems: System[] = [];
  for (const value of fc.sample(values, { numRuns: 2000, seed: 4 })) {
    try {
      systems.push(systemFromDefinition(value, 'f'));
    } catch {
      // Refused: the other tests judge how.
    }
  }
  t.true(systems.length > 100, `${systems.length} read`);
  for (const system of systems) {
    t.deepEqual(systemFromDefinition(systemDefinition(system), 'f'), system);
    if (system.particles > 100) continue;
    const { energy, gradient } = new EnergyEvaluator(system).energyAndGradient(
      Float64Array.from(system.sampling.start),
      1,
    );
    t.is(energy.length, 1);
    t.is(gradient.length, system.particles * system.dimensions);
  }
});
