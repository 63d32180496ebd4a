import test from 'ava';
import type { ExperimentRecord } from '../../src/experiment/record.js';
import { claimFigure } from '../../src/report/figures/claim.js';
import { energyFigure } from '../../src/report/figures/energies.js';
import { barrierDistance } from '../../src/report/figures/pair-potential.js';
import { positionFigure } from '../../src/report/figures/positions.js';
import { sharesFigure } from '../../src/report/figures/shares.js';
import { studies } from '../../src/report/studies.js';
import type { Spec } from '../../src/report/vega.js';
import { syntheticRecord } from './synthetic-record.js';

const record = syntheticRecord(600);
const [biased] = studies(record);

/** Rows of every data set in a specification that have all of the given fields. */
function rows(spec: unknown, fields: readonly string[]): Record<string, number>[][] {
  if (typeof spec !== 'object' || spec === null) return [];
  const values = (spec as { data?: { values?: Record<string, number>[] } }).data?.values;
  const own = values?.length && fields.every((field) => field in values[0]) ? [values] : [];
  return [...own, ...Object.entries(spec).flatMap(([key, part]) => (key === 'data' ? [] : rows(part, fields)))];
}

test('an energy density integrates to the share of samples that the axis holds', (t) => {
  const view = { ...biased.eqBG.view, energies: [-25, -25, -20.1, 1e4, Number.POSITIVE_INFINITY] };
  const { spec, caption } = energyFigure(record, { ...biased, eqBG: { ...biased.eqBG, view } }, 300);
  const [, panel] = (spec as { hconcat: Spec[] }).hconcat;
  const [, , curve] = rows(panel, ['U', 'p']);
  const mass = curve.reduce((sum, { U, p }, i) => sum + (i > 0 ? curve[i - 1].p * (U - curve[i - 1].U) : 0 * p), 0);
  t.true(Math.abs(mass - 3 / 5) < 1e-12);
  t.true(caption.includes('40 % of the eqBG samples lie beyond it'));
});

test('position maps share one scale and integrate to the share within the square', (t) => {
  const { spec } = positionFigure(record, biased);
  const panels = (spec as { hconcat: Spec[] }).hconcat;
  t.is(panels.length, 4);
  const domains = panels.map((panel) => JSON.stringify((panel.encoding as { color: { scale: Spec } }).color.scale));
  t.is(new Set(domains).size, 1);
  const masses = rows(spec, ['x', 'x2', 'p']).map((cells) =>
    cells.reduce((sum, { x, x2, y, y2, p }) => sum + p * (x2 - x) * (y2 - y), 0),
  );
  // Training set and equilibrium lie within the square by construction.
  for (const mass of [masses[0], masses[3]]) t.true(Math.abs(mass - 1) < 1e-9);
  t.true(masses[2] > 0.9 && masses[2] <= 1 + 1e-9);
});

test('bars are as high as the shares of the record', (t) => {
  const { spec } = sharesFigure(record, biased);
  const [bars] = rows(spec, ['value', 'error', 'fill']);
  t.is(bars.length, 5 * record.minima.length);
  record.minima.forEach((_, m) => {
    const heights = bars.slice(5 * m, 5 * m + 5).map(({ value }) => value);
    const raw = (view: ExperimentRecord['control']) => view.minima.shares[m].raw.value;
    t.deepEqual(heights, [
      raw(biased.trainingSet.view),
      raw(record.control),
      raw(biased.nBG.view),
      raw(biased.eqBG.view),
      biased.eqBG.view.minima.shares[m].reweighted?.value,
    ]);
  });
});

test('the claim is drawn with one point per seed and generator', (t) => {
  const { spec } = claimFigure(record);
  const [points] = rows(spec, ['seed', 'value']);
  t.deepEqual(
    points.map(({ value }) => value),
    record.claim.seeds.flatMap(({ nBG, eqBG }) => [nBG.value, eqBG.value]),
  );
});

test('the barrier lies between the wells, and a single well has none', (t) => {
  t.true(Math.abs((barrierDistance(record.pairPotential) ?? 0) - 4) < 1e-9);
  const distance = [1, 2, 3, 4, 5];
  t.is(barrierDistance({ distance, energy: distance.map((d) => (d - 3) ** 2) }), undefined);
});
