import * as eq from 'equiflow';

const pool = new eq.WorkerPool();
const dw4 = eq.systemFromSpec('dw4');
const simulation = await eq.simulate(dw4, { n: 20_000, seed: 1 }, pool);
const { data, validation } = eq.splitConfigurations(simulation, 0.1, 'tail', 1);
const flow = eq.continuousFlow(eq.meanFreeNormal(4, 2), eq.initialFieldFor(dw4, 1), eq.rk4(20));
const trained = await eq.train(eq.boltzmannGenerator(dw4, flow), data, validation, { seed: 1, steps: 1000 }, pool);
const samples = await eq.sample(trained.generator, { n: 50_000, seed: 1 }, pool);
console.log(eq.importanceWeights(samples.logWeight).logZ, eq.weightedMean(samples.energy, samples.logWeight));
await pool.close();
