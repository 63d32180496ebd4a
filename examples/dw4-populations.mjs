/*
 * Populations of the five minima of dw4 and the number of its pairs closer than 4, in per cent, by reweighting: trains a flow
 * for seconds, draws samples and lets each count with its weight.
 *
 *   node examples/dw4-populations.mjs [samples, default 200000; the known answers used 2000000]
 */
import * as eq from 'equiflow';

const n = Number(process.argv[2] ?? 200_000);
const pool = new eq.WorkerPool();
const dw4 = eq.systemFromSpec('dw4');
const simulation = await eq.simulate(dw4, { n: 20_000, seed: 1 }, pool);
const { data, validation } = eq.splitConfigurations(simulation, 0.1, 'tail', 1);
const flow = eq.continuousFlow(eq.meanFreeNormal(4, 2), eq.initialFieldFor(dw4, 1), eq.rk4(20));
const trained = await eq.train(eq.boltzmannGenerator(dw4, flow), data, validation, { seed: 1, steps: 1000 }, pool);
const samples = await eq.sample(trained.generator, { n, seed: 2, precision: 'f64' }, pool);
const minimized = await eq.minimizeOnPool(dw4, samples.x, n, pool);
await pool.close();

const { minima, shortPairs } = dw4.known;
const basin = eq.classifyMinima(minimized.x, minimized.energy, n, 4, 2, minima);
const short = Uint8Array.from({ length: n }, (_, s) => {
  const x = samples.x.subarray(8 * s, 8 * s + 8);
  let count = 0;
  for (let i = 0; i < 4; i++) {
    for (let j = i + 1; j < 4; j++) {
      if (Math.hypot(x[2 * i] - x[2 * j], x[2 * i + 1] - x[2 * j + 1]) < shortPairs.cutoff) count++;
    }
  }
  return count;
});

function show(name, member, known) {
  const values = Float64Array.from({ length: n }, (_, s) => (member(s) ? 100 : 0));
  const { value, standardError } = eq.weightedMean(values, samples.logWeight);
  console.log(`${name}  ${value.toFixed(3)} ± ${standardError.toFixed(3)}   known ${(100 * known.value).toFixed(3)}`);
}

console.log(`${n} samples, effective ${eq.importanceWeights(samples.logWeight).ess.toFixed(0)}`);
minima.forEach(({ energy, population }, m) => {
  show(`U = ${energy.toFixed(3)} kT`, (s) => basin[s] === m, population);
});
shortPairs.probabilities.forEach((known, pairs) => {
  show(`${pairs} short pairs    `, (s) => short[s] === pairs, known);
});
