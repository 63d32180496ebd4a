// log Z from samples of a flow and a Markov chain of its target: Bennett's acceptance ratio beside one-sided averages.
import * as eq from 'equiflow';

const pool = new eq.WorkerPool();
const { generator } = eq.decodeModel(await eq.readInput('model.safetensors'), 'model.safetensors');
const flow = await eq.sample(generator, { n: 10_000, seed: 1, precision: 'f64' }, pool);
const data = await eq.simulate(generator.target, { n: 10_000, chains: 20, seed: 2 }, pool);
const chains = Array(20).fill(data.recordsPerChain);
const ensembles = [
  { name: 'flow', density: { kind: 'flow', generator }, samples: { x: flow.x, logQ: flow.logQ } },
  { name: 'chains', density: { kind: 'boltzmann', system: generator.target, kT: 1 }, samples: { x: data.x, chains } },
];
const { pair } = await eq.ensembleFreeEnergies(ensembles, pool);
for (const [method, { value, standardError, status }] of Object.entries(pair)) {
  console.log(`${method.padEnd(8)} log Z = ${(-value).toFixed(3)} ± ${standardError.toFixed(3)} (${status.level})`);
}
await pool.close();
