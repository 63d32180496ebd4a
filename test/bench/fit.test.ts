import test from 'ava';
import fc from 'fast-check';
import { fitExponent } from '../../bench/fit.js';
import { STREAM, standardNormals } from '../../src/kernels/index.js';

test('an exact power law is found exactly, whatever its prefactor', (t) => {
  fc.assert(
    fc.property(
      fc.double({ min: -3, max: 3, noNaN: true }),
      fc.double({ min: 1e-9, max: 1e9, noNaN: true }),
      (b, a) => {
        const { value, standardError } = fitExponent([4, 13, 55, 500].map((n) => ({ n, t: a * n ** b })));
        return Math.abs(value - b) < 1e-9 && standardError < 1e-9;
      },
    ),
  );
  t.pass();
});

// One standard error of Student's t with 8 degrees of freedom covers 65.3 %; 0.1 is four binomial errors of 400 replicates, so
// that another seed would fail in one of 16,000 runs
test('the error bar covers the exponent as often as it should', (t) => {
  const sizes = [4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048];
  const noise = standardNormals(3, STREAM.prior, 0, 400, sizes.length);
  let covered = 0;
  for (let r = 0; r < 400; r++) {
    const points = sizes.map((n, i) => ({ n, t: n ** 2 * Math.exp(0.05 * noise[r * sizes.length + i]) }));
    const { value, standardError } = fitExponent(points);
    if (Math.abs(value - 2) < standardError) covered++;
  }
  t.true(Math.abs(covered / 400 - 0.653) < 0.1, `${covered / 400}`);
});

test('two points or a time of zero are refused', (t) => {
  t.throws(() => fitExponent([1, 2].map((n) => ({ n, t: n }))), { instanceOf: RangeError });
  t.throws(() => fitExponent([1, 2, 3].map((n) => ({ n, t: 0 }))), { instanceOf: RangeError });
});
