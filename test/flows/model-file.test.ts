import test from 'ava';
import { DataError } from '../../src/errors.js';
import { initialDenseField, initialKernelField, uniformBasis } from '../../src/fields/index.js';
import {
  type BoltzmannGenerator,
  boltzmannGenerator,
  continuousFlow,
  decodeModel,
  encodeModel,
  prepareFlow,
} from '../../src/flows/index.js';
import { decodeSafetensors, encodeSafetensors } from '../../src/formats/index.js';
import { dopri5, type Integrator, rk4 } from '../../src/integrators/index.js';
import { meanFreeNormal } from '../../src/priors/index.js';
import { systemFromSpec } from '../../src/systems/index.js';

const PRIOR = meanFreeNormal(4, 2, { scale: 1.2, kT: 0.7 });
const KERNEL = initialKernelField(4, 2, uniformBasis(12, 8, 0.7), { seed: 1, weightScale: 1 });
const FIELDS = { kernel: KERNEL, dense: initialDenseField(4, 2, { seed: 1, hidden: 8 }) };

function generatorWith(field: keyof typeof FIELDS, integrator: Integrator = rk4(7)): BoltzmannGenerator {
  return boltzmannGenerator(systemFromSpec('dw4'), continuousFlow(PRIOR, FIELDS[field], integrator));
}

const ADAPTIVE = dopri5({ rtol: 1e-4, atol: 0, atolLogDet: 0.003, maxSteps: 70, maxStep: 0.3 });

for (const kind of ['kernel', 'dense'] as const)
  for (const integrator of [rk4(7), ADAPTIVE]) {
    test(`a model that was written and read is the same generator: ${kind} field, ${integrator.kind}`, (t) => {
      const generator = generatorWith(kind, integrator);
      const bytes = encodeModel(generator, { steps: 3 });
      const { generator: read, training } = decodeModel(bytes, 'model');
      t.deepEqual(training, { steps: 3 });
      t.deepEqual(read.prior, generator.prior);
      t.deepEqual(read.flow.integrator, generator.flow.integrator);
      t.deepEqual(read.flow.field.parameters, generator.flow.field.parameters);
      t.deepEqual(encodeModel(read, training), bytes);
      t.deepEqual(prepareFlow(read.flow).sample(1, 0, 5), prepareFlow(generator.flow).sample(1, 0, 5));
    });
  }

/** A kernel model whose description or tensors were changed. */
function changedModel(change: {
  description?: (description: Record<string, Record<string, unknown>>) => void;
  tensors?: (tensors: ReturnType<typeof decodeSafetensors>['tensors']) => void;
}): Uint8Array {
  const { tensors, metadata } = decodeSafetensors(encodeModel(generatorWith('kernel')), 'model');
  const description = JSON.parse(metadata.equiflow);
  change.description?.(description);
  const copy = new Map(tensors);
  change.tensors?.(copy);
  return encodeSafetensors(copy, { equiflow: JSON.stringify(description) });
}

test('model files that cannot be are refused, naming the file and what is wrong', (t) => {
  const refuse = (bytes: Uint8Array, message: RegExp) =>
    t.throws(() => decodeModel(bytes, 'm.safetensors'), { instanceOf: DataError, message });
  refuse(encodeSafetensors(new Map(), {}), /m\.safetensors: not an equiflow model/);
  refuse(encodeSafetensors(new Map(), { equiflow: '{' }), /m\.safetensors.*not valid JSON/);
  const described = (change: (description: Record<string, Record<string, unknown>>) => void, message: RegExp) =>
    refuse(changedModel({ description: change }), message);
  described((d) => Object.assign(d, { version: 2 }), /version is 2, expected 1/);
  described((d) => Object.assign(d, { prior: undefined }), /'prior' is missing/);
  described((d) => Object.assign(d.prior, { scale: -1 }), /m\.safetensors: .*scale is -1/);
  described((d) => Object.assign(d.field, { kind: 'cubic' }), /field\.kind is "cubic"/);
  described((d) => Object.assign(d.integrator, { steps: 0 }), /m\.safetensors: .*steps is 0/);
  const integrated = (integrator: unknown, message: RegExp) =>
    described((d) => Object.assign(d, { integrator }), message);
  integrated({ kind: 'euler', steps: 3 }, /integrator\.kind is "euler", expected "rk4" or "dopri5"/);
  integrated({ ...ADAPTIVE, steps: 3 }, /integrator\."steps" is unknown, dopri5 has rtol, atol/);
  integrated({ ...ADAPTIVE, rtol: -1 }, /m\.safetensors: .*rtol is -1/);
  integrated({ ...ADAPTIVE, maxSteps: '70' }, /integrator\.maxSteps is "70", expected a number/);
  integrated({ ...ADAPTIVE, atolLogDet: undefined }, /integrator\.atolLogDet is none, expected a number/);
  integrated({ kind: 'rk4', steps: 7, rtol: 1 }, /integrator\."rtol" is unknown, rk4 has steps/);
  described((d) => Object.assign(d.system, { name: 'dw5' }), /m\.safetensors: .*'dw5'/);
  described((d) => Object.assign(d.field, { particles: 5 }), /m\.safetensors: .*particles/);
  refuse(changedModel({ tensors: (tensors) => tensors.delete('mu') }), /m\.safetensors: .*'/);
  refuse(
    changedModel({ tensors: (tensors) => tensors.set('bias', { shape: [2, 5], data: new Float64Array(10) }) }),
    /tensor 'bias' has shape \[2,5\], expected \[10\]/,
  );
});

test('flows and generators of different sizes do not combine', (t) => {
  t.throws(() => continuousFlow(meanFreeNormal(5, 2), KERNEL, rk4(7)), { message: /5 particles, the field 4/ });
  t.throws(() => boltzmannGenerator(systemFromSpec('dw2'), generatorWith('kernel').flow), {
    message: /2 particles, the flow 4/,
  });
  // What the field takes for equal must be what the system takes for equal.
  const mixture = systemFromSpec('blj13:pairFactor=1');
  const alike = initialKernelField(13, 3, uniformBasis(4, 4, 1), { seed: 1 });
  t.throws(() => boltzmannGenerator(mixture, continuousFlow(meanFreeNormal(13, 3), alike, rk4(7))), {
    message: /system 'blj13' has species \[1,1,1,0,.*\], the field takes \[0,0,.*\] as equal/,
  });
});
