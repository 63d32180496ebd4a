// The same samples for another target: a barrier a tenth lower and a higher temperature. Energies are evaluated from x, in f64.
import * as eq from 'equiflow';

const pool = new eq.WorkerPool();
const samples = await eq.openSampleWeights(process.argv[2] ?? 'samples.npz');
const system = eq.systemFromDefinition(
  {
    name: 'softer',
    particles: 4,
    dimensions: 2,
    terms: [{ kind: 'double-well', a: 0.9, b: -3.8, c: 0, d0: 4 }],
  },
  'softer',
);
const { report, meanEnergy } = await eq.reweight(samples, { system, kT: 1.2 }, pool);
console.log(`log Z ${report.logZ.value.toFixed(3)} ± ${report.logZ.standardError.toFixed(3)}`);
console.log(`⟨U⟩   ${meanEnergy.value.toFixed(3)} ± ${meanEnergy.standardError.toFixed(3)}`);
console.log(report.status.text);
await pool.close();
