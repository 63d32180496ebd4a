// MBAR over temperatures: free energies of all, and of one that was never sampled.
import * as eq from 'equiflow';

const pool = new eq.WorkerPool();
const system = eq.systemFromSpec('dw4');
const ensembles = [{ name: 'kT 1.25, predicted', density: { kind: 'boltzmann', system, kT: 1.25 } }];
for (const kT of [1.5, 1.2, 1]) {
  const { x, recordsPerChain } = await eq.simulate(system, { n: 10_000, chains: 20, seed: 1, kT }, pool);
  const samples = { x, chains: Array(20).fill(recordsPerChain) };
  ensembles.unshift({ name: `kT ${kT}`, density: { kind: 'boltzmann', system, kT }, samples });
}
const { differences, mbar } = await eq.ensembleFreeEnergies(ensembles, pool);
for (const [k, { value, standardError, status }] of differences.entries()) {
  console.log(
    `${ensembles[k].name.padEnd(19)} f = ${value.toFixed(3)} ± ${standardError.toFixed(3)} (${status.level})`,
  );
}
console.log(mbar.status.text);
await pool.close();
