/*
 * Every operation that the model code uses, one by one: value and gradient on TensorFlow's library beside those in plain
 * JavaScript. Where a wheel breaks something, this names it; run by native.mjs.
 */

import { loadBackend } from '../../dist/src/training/engines/tensorflow/backend.js';

const TOLERANCE = 1e-5;

const { tf, facts } = await loadBackend('tensorflow');

const OPERATIONS = {
  add: (a, b) => tf.add(a, b),
  'add, broadcast': (a, b) => tf.add(a, tf.slice(b, [0, 0], [1, 3])),
  sub: (a, b) => tf.sub(a, b),
  mul: (a, b) => tf.mul(a, b),
  'mul, broadcast': (a, b) => tf.mul(a, tf.slice(b, [0, 0], [3, 1])),
  div: (a, b) => tf.div(a, b),
  neg: (a) => tf.neg(a),
  square: (a) => tf.square(a),
  sqrt: (a) => tf.sqrt(a),
  maximum: (a) => tf.maximum(a, 0.9),
  exp: (a) => tf.exp(a),
  tanh: (a) => tf.tanh(a),
  matMul: (a, b) => tf.matMul(a, b),
  'matMul, first transposed': (a, b) => tf.matMul(a, b, true),
  'matMul, second transposed': (a, b) => tf.matMul(a, b, false, true),
  sum: (a) => tf.sum(a, 0),
  'sum, kept axis': (a) => tf.sum(a, 1, true),
  mean: (a) => tf.mean(a, 0, true),
  reshape: (a) => tf.reshape(a, [9]),
  expandDims: (a) => tf.expandDims(a, 1),
  transpose: (a) => tf.transpose(a),
  concat: (a, b) => tf.concat([a, b], 1),
  stack: (a, b) => tf.stack([a, b]),
  split: (a) => tf.split(a, [2, 1], 1)[0],
  slice: (a) => tf.slice(a, [1, 0], [2, 3]),
  pad: (a) =>
    tf.pad(a, [
      [1, 2],
      [0, 0],
    ]),
};

const A = [0.3, 1.2, 0.8, 2.1, 0.5, 1.7, 0.9, 1.1, 0.4];
const B = [1.3, 0.7, 1.9, 0.6, 2.2, 1.4, 0.8, 1.5, 1];

/** Value and gradients of Σ of the squares of what an operation gives, on a backend. */
async function numbers(backend, operation) {
  await tf.setBackend(backend);
  return tf.tidy(() => {
    const [a, b] = [tf.tensor2d(A, [3, 3]), tf.tensor2d(B, [3, 3])];
    const scalar = (...given) => tf.sum(tf.square(operation(...given)));
    const inputs = [a, b].slice(0, operation.length);
    return [operation(a, b), ...tf.grads(scalar)(inputs)].flatMap((tensor) => Array.from(tensor.dataSync()));
  });
}

const failures = [];
for (const [name, operation] of Object.entries(OPERATIONS)) {
  try {
    const [actual, expected] = [await numbers('tensorflow', operation), await numbers('cpu', operation)];
    const off = Math.max(...expected.map((value, i) => Math.abs(actual[i] - value) / Math.max(1, Math.abs(value))));
    if (!(off <= TOLERANCE)) failures.push(`${name}: off by ${off}`);
  } catch (error) {
    failures.push(`${name}: ${error.message.split('\n')[0]}`);
  }
}
const total = Object.keys(OPERATIONS).length;
console.log(`TensorFlow ${facts.library}: ${total - failures.length} of ${total} operations and their gradients agree`);
for (const failure of failures) console.log(`  ${failure}`);
process.exitCode = failures.length > 0 ? 1 : 0;
