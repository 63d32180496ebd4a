// Populations and free energies of states: of dw4, by the number of pairs closer than 4.
import * as eq from 'equiflow';

const pool = new eq.WorkerPool();
const samples = await eq.openSampleWeights(process.argv[2] ?? 'samples.npz');
const options = { kT: samples.kT, states: ['short@4=2', 'short@4=4', 'short@4=3', 'short@4=6'] };
const { states } = await eq.reweight(samples, options, pool);
for (const { state, population, difference } of states) {
  const share = `${(100 * population.value).toFixed(2)} ± ${(100 * population.standardError).toFixed(2)} %`;
  console.log(`${state}  ${share}   F = ${difference.value.toFixed(2)} ± ${difference.standardError.toFixed(2)} kT`);
  console.log(`           ${difference.status.level}`);
}
await pool.close();
