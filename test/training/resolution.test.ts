import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import test from 'ava';
import { type Field, initialKernelField, type ParameterSet, uniformBasis } from '../../src/fields/index.js';
import { prepareFlow } from '../../src/flows/index.js';
import { TRAINING_RESOLUTION } from '../../src/training/engines/engine.js';
import { FlowGradients, KernelsEngine, trainFlow } from '../../src/training/index.js';
import { flowThrough } from '../fields/reference-fields.js';
import { type KernelFieldParameters, kernelField } from '../twin/kernel-field.js';
import { randomSource } from '../twin/random.js';
import { relativeError } from '../twin/reference.js';
import { rk4 } from '../twin/rk4.js';

/** DW4's field with weights as large as training makes them, and all widths `width`. */
function narrow(width: number): Field {
  const field = initialKernelField(4, 2, uniformBasis(50, 8, 0.5), { seed: 2, weightScale: 1 });
  return field.withParameters({
    ...field.parameters,
    logGamma: field.parameters.logGamma.map(() => Math.log(width)),
  });
}

const GROUPS = ['weights', 'bias', 'mu', 'logGamma', 'muTime', 'logGammaTime'];

for (const precision of ['f32', 'f64'] as const) {
  test(`gradients stay within 1e-3 of exact ones as widths shrink, where the check asks for no finer tables: ${precision}`, (t) => {
    const x = randomSource(3)
      .normals(8 * 64)
      .map((value) => 2 * value);
    for (const width of [0.5, 0.3, 0.2]) {
      const field = narrow(width);
      const flow = flowThrough(field, 10);
      const engine = new KernelsEngine({ flow, precision });
      const estimated = engine.tables!.gradientError(x, 64, 10, GROUPS);
      const { gradient } = engine.nllGradient(x, 64, 10, 0);
      // 32 times finer still, in f64: cubic tables this fine are exact to 1e-6.
      const exact = new FlowGradients(flow, { resolution: 256 }).nllGradient(x, 64).gradient;
      const worst = Math.max(...GROUPS.map((group) => relativeError(gradient[group], exact[group])));
      t.log(`width ${width}: ${worst.toExponential(1)}, estimated ${estimated.toExponential(1)}`);
      if (estimated <= 7e-4) t.true(worst < 1e-3, `width ${width}: ${worst}`);
      t.true(estimated > worst / 4, `width ${width}: estimated ${estimated}, found ${worst}`);
    }
  });
}

test('a gradient on the tables of training is that of the plain twin by finite differences, at widths of a tenth', (t) => {
  const field = narrow(0.1);
  const flow = flowThrough(field, 4);
  const random = randomSource(5);
  const x = random.normals(8).map((value) => 1.5 * value);
  const engine = new FlowGradients(flow, { resolution: 24 });
  const { gradient } = engine.nllGradient(x, 1);
  const center = [0, 1].map((axis) => (x[axis] + x[axis + 2] + x[axis + 4] + x[axis + 6]) / 4);
  const free = x.map((value, c) => value - center[c % 2]);
  const nll = (parameters: ParameterSet) => {
    const at = (time: number, y: Float64Array) =>
      kernelField(parameters as unknown as KernelFieldParameters, time, y, 4, 2);
    const { x: z, logDet } = rk4(at, free, 4, 'inverse');
    return z.reduce((sum, value) => sum + (value * value) / 2, 0) - logDet;
  };
  for (const group of ['weights', 'mu', 'logGamma']) {
    const direction = random.normals(gradient[group].length);
    const h = 1e-5 / Math.hypot(...direction);
    const moved = (step: number) => ({
      ...field.parameters,
      [group]: field.parameters[group].map((p, i) => p + step * direction[i]),
    });
    const difference = (8 * (nll(moved(h)) - nll(moved(-h))) - (nll(moved(2 * h)) - nll(moved(-2 * h)))) / (12 * h);
    const product = gradient[group].reduce((sum, g, i) => sum + g * direction[i], 0);
    const scale = Math.hypot(...gradient[group]) * Math.hypot(...direction);
    t.true(Math.abs(difference - product) < 1e-3 * scale, `${group}: ${product}, expected ${difference}`);
  }
});

test('a run refines its tables where gradients are too far from exact ones, says so, and resumes with them', async (t) => {
  const flow = flowThrough(narrow(0.06), 8);
  const x = Float64Array.from(prepareFlow(flow).sample(1, 0, 64).x);
  const data = { x, n: 64 };
  const options = { seed: 1, steps: 4, batchSize: 16, validationInterval: 2, integratorTolerance: 1e3, clipNorm: 0.01 };
  const { state } = await trainFlow(flow, data, data, options);
  const { gradientError, tableResolution } = state.curve[0];
  t.true(gradientError! > 7e-4, `${gradientError}`);
  t.is(tableResolution, 1.5 * TRAINING_RESOLUTION);
  t.true(state.tableResolution! >= 1.5 * TRAINING_RESOLUTION);
});

type Held = Record<string, { resident: number; heap: number }[]>;

test('ten thousand steps leave memory as it was', async (t) => {
  const child = fileURLToPath(new URL('./flat-memory.js', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', child]);
  for (const [loss, [early, late]] of Object.entries(JSON.parse(stdout) as Held)) {
    const [resident, heap] = (['resident', 'heap'] as const).map((kind) => (late[kind] - early[kind]) / 2 ** 20);
    t.log(`${loss}: ${resident.toFixed(1)} MiB more resident, ${heap.toFixed(2)} MiB on the heaps`);
    // The gradient of every step, 6 kB, kept would be 46 MiB; the kernels' memories come and go by a few.
    t.true(heap < 12, `${loss}: ${heap} MiB`);
    t.true(resident < 24, `${loss}: ${resident} MiB`);
  }
});
