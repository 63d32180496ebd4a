// How often the error bars of log Z hold it: the table in docs/reweighting.md. A minute; data sets of 10⁵ take most of it.
import { importanceWeights } from 'equiflow';

/** Log-weights with a known mean weight, from one standard normal each. */
const ENSEMBLES = [
  ...[0.5, 1, 1.5, 1.75, 2, 2.25].map((sigma) => ({
    name: `Gaussian work, σ = ${sigma}`,
    logWeight: (z) => sigma * z - sigma ** 2 / 2,
    logZ: 0,
  })),
  ...[0.7, 0.5, 0.4].map((stiffness) => ({
    name: `oscillator softened to ${stiffness}`,
    logWeight: (z) => ((1 - stiffness) * z ** 2) / 2,
    logZ: -Math.log(stiffness) / 2,
  })),
];
const SIZES = [
  { n: 1000, sets: 1000 },
  { n: 10_000, sets: 1000 },
  { n: 100_000, sets: 300 },
];

/** Standard normals: mulberry32 and Box–Muller. */
function normals(seed) {
  let state = seed | 0;
  const uniform = () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  return () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
}

/** Shares of data sets, among those not refused, whose intervals of ± 1 and ± 1.96 errors hold log Z. */
function coverage({ logWeight, logZ }, n, sets) {
  const scores = [];
  let khat = 0;
  for (let set = 0; set < sets; set++) {
    const normal = normals(31 * set + 1);
    const report = importanceWeights(Float64Array.from({ length: n }, () => logWeight(normal())));
    khat += report.khat / sets;
    if (report.status.level === 'do-not-trust') continue;
    scores.push(Math.abs(report.logZ.value - logZ) / report.logZ.standardError);
  }
  const within = (width) => ((100 * scores.filter((z) => z <= width).length) / scores.length).toFixed(1);
  // Too few are left to speak of a share.
  const shares = scores.length < sets / 10 ? ['refused', ''] : [within(1), within(1.959964)];
  return { khat, shares };
}

console.log(`| | k̂ | ${SIZES.map(({ n }) => `n = 10${'³⁴⁵'[Math.log10(n) - 3]} | `).join('| ')}|`);
console.log(`|${'---|'.repeat(2 + 2 * SIZES.length)}`);
const rows = ENSEMBLES.map((ensemble) => ({
  name: ensemble.name,
  cells: SIZES.map(({ n, sets }) => coverage(ensemble, n, sets)),
}));
for (const { name, cells } of rows.toSorted((a, b) => a.cells[1].khat - b.cells[1].khat)) {
  console.log(`| ${[name, cells[1].khat.toFixed(2), ...cells.flatMap(({ shares }) => shares)].join(' | ')} |`);
}
