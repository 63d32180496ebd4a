/*
 * A process that reweights samples made on the fly, for a look at its memory: `node reweight-process.js <n> <workers>`. Prints what it finds and
 * the largest resident size in kilobytes.
 */
import { reweight } from '../../src/sampling/index.js';
import { WorkerPool } from '../../src/workers/index.js';

const [n, workers] = process.argv.slice(2).map(Number);

/** Deterministic numbers in [0, 1), a function of the index alone. */
const fraction = (i: number) => (0.6180339887498949 * i) % 1;

function rows<T extends Float32Array | Float64Array>(
  width: number,
  make: (length: number) => T,
  value: (i: number) => number,
) {
  return async function* (samples = 65_536): AsyncGenerator<T> {
    for (let start = 0; start < n; start += samples) {
      const count = Math.min(samples, n - start) * width;
      const piece = make(count);
      for (let i = 0; i < count; i++) piece[i] = value(start * width + i);
      yield piece;
    }
  };
}

const doubles = (length: number) => new Float64Array(length);
const pool = new WorkerPool({ workers });
const { report, averages, profiles } = await reweight(
  {
    logQ: { n, chunks: rows(1, doubles, (i) => -4 * fraction(i)) },
    energy: { n, chunks: rows(1, doubles, (i) => 3 * fraction(7 * i + 3)) },
    x: {
      shape: [n, 55, 3],
      chunks: rows(
        165,
        (length) => new Float32Array(length),
        (i) => 6 * fraction(i),
      ),
    },
  },
  { averages: ['rg', 'd0-1'], profiles: [{ coordinate: 'rg' }] },
  pool,
);
await pool.close();
const found = JSON.stringify({ report, averages, profile: Array.from(profiles[0].freeEnergy) });
process.stdout.write(JSON.stringify({ found, kilobytes: process.resourceUsage().maxRSS }));
