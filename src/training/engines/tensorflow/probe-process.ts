/*
 * Loads one backend, multiplies two matrices and takes a gradient, and prints what it found as one line of JSON: a program
 * of its own, because a native library that does not fit the machine ends its process and nothing can catch that.
 */

import { type Backend, loadBackend } from './backend.js';
import { freeing } from './tensors.js';

const { tf, facts } = await loadBackend(process.argv[2] as Backend);
const [value, slope] = freeing(tf, () => {
  const a = tf.tensor2d([1, 2, 3, 4], [2, 2]);
  // Σ(a·a) = 54; its gradient's first entry is the sum of a's first row and first column.
  const trace = (x: typeof a) => tf.sum(tf.matMul(x, x));
  return [
    trace(a).dataSync()[0],
    tf
      .grad(trace as never)(a)
      .dataSync()[0],
  ];
});
if (value !== 54 || slope !== 7) throw new Error(`computes ${value} and ${slope}, expected 54 and 7`);
process.stdout.write(`\n${JSON.stringify(facts)}\n`);
