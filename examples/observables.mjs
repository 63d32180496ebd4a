// Averages in the target with one standard error, from any number of samples of a flow: one pass, bounded memory.
import * as eq from 'equiflow';

const pool = new eq.WorkerPool();
const samples = await eq.openSampleWeights(process.argv[2] ?? 'samples.npz');
const averages = ['energy', 'rg', 'd', 'short@4'];
const result = await eq.reweight(samples, { kT: samples.kT, averages }, pool);
for (const { coordinate, value, standardError, plain } of result.averages) {
  console.log(
    `${coordinate.padEnd(8)} ${value.toFixed(3)} ± ${standardError.toFixed(3)}   as drawn ${plain.value.toFixed(3)}`,
  );
}
console.log(result.report.status.text);
await pool.close();
