import test from 'ava';
import { makeCase } from '../../bench/cases.js';
import { exportCase } from '../../bench/peers/export.js';
import { decodeNpz } from '../../src/formats/index.js';
import { type KernelFieldParameters, kernelField } from '../twin/kernel-field.js';
import { priorLogDensity } from '../twin/prior.js';
import { relativeError } from '../twin/reference.js';
import { rk4 } from '../twin/rk4.js';

const c = makeCase('DW4', 'dw4', 16, 8);
const { bytes, reference } = exportCase(c);
const { arrays } = decodeNpz(bytes, 'case');
const of = (name: string) => arrays.get(name)!.data as Float64Array;

test('a peer that has only the file can compute what it is checked against', (t) => {
  const [particles, dimensions, steps, batch] = of('sizes');
  t.deepEqual([particles, dimensions, steps, batch], [4, 2, 20, 16]);
  const names = ['weights', 'bias', 'importance', 'mu', 'logGamma', 'muTime', 'logGammaTime'];
  const parameters = Object.fromEntries(names.map((name) => [name, of(name)])) as unknown as KernelFieldParameters;
  const C = particles * dimensions;
  const z = of('z').slice(0, C);
  const mean = (a: number) => [0, 1, 2, 3].reduce((sum, i) => sum + z[i * dimensions + a] / particles, 0);
  const centred = z.map((value, i) => value - mean(i % dimensions));
  const field = (time: number, x: Float64Array) => kernelField(parameters, time, x, particles, dimensions);
  const { x, logDet } = rk4(field, centred, steps, 'forward');
  t.true(relativeError(reference.x.slice(0, C), x) < 1e-6);
  const logQ = priorLogDensity(z, particles, dimensions) - logDet;
  t.true(Math.abs(reference.logQ[0] - logQ) < 1e-5);
});

test('the training reference is the mean over the configurations in the file', (t) => {
  const data = of('x');
  t.deepEqual(arrays.get('x')!.shape, [8, 4, 2]);
  const logQ = c.runners.f64.logProb(data, 8);
  const nll = -logQ.reduce((sum, value) => sum + value, 0) / 8;
  t.true(Math.abs(reference.training!.loss - nll) < 1e-5 * Math.abs(nll));
  t.deepEqual(Object.keys(reference.training!.gradient).sort(), Object.keys(c.field.shapes).sort());
});
