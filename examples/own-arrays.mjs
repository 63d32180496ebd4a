// Arrays of any other program, here made on the spot: q is a normal distribution, U an oscillator of stiffness 2, log Z = ½ log π.
import * as eq from 'equiflow';

const n = 20_000;
const uniform = (i, p) => (Math.sqrt(p) * (i + 1)) % 1;
const x = Float64Array.from({ length: n }, (_, i) => {
  return Math.sqrt(-2 * Math.log(1 - uniform(i, 2))) * Math.cos(2 * Math.PI * uniform(i, 3));
});
const samples = {
  logQ: eq.vectorInMemory({ data: x.map((v) => -(v ** 2) / 2 - Math.log(2 * Math.PI) / 2) }),
  energy: eq.vectorInMemory({ data: x.map((v) => v ** 2) }),
  arrays: { square: eq.vectorInMemory({ data: x.map((v) => v ** 2) }) },
};
const pool = new eq.WorkerPool();
const { report, averages } = await eq.reweight(samples, { averages: ['square'] }, pool);
console.log(`log Z ${report.logZ.value.toFixed(4)}, exactly ${(Math.log(Math.PI) / 2).toFixed(4)}`);
console.log(`⟨x²⟩  ${averages[0].value.toFixed(4)}, exactly 0.5`);
await pool.close();
