// Free energy along a pair distance with its band of one standard error, zero at the short minimum.
import * as eq from 'equiflow';

const pool = new eq.WorkerPool();
const samples = await eq.openSampleWeights(process.argv[2] ?? 'samples.npz');
const profiles = [{ coordinate: 'd0-1', bins: 8, range: [1.5, 6.5], reference: 2.6 }];
const [profile] = (await eq.reweight(samples, { kT: samples.kT, profiles }, pool)).profiles;
profile.freeEnergy.forEach((F, bin) => {
  const middle = (profile.edges[bin] + profile.edges[bin + 1]) / 2;
  console.log(`d = ${middle.toFixed(2)}   F = ${F.toFixed(2)} ± ${profile.freeEnergyError[bin].toFixed(2)} kT`);
});
await pool.close();
