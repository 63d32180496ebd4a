import test from 'ava';
import { figureText } from '../../src/cli/figures.js';

test('a figure has the decimals that its error has, and powers of ten where decimals would say nothing', (t) => {
  const text = (value: number, standardError: number, decimals?: number) =>
    figureText({ value, standardError }, decimals);
  t.is(text(29.66723, 0.0105), '29.6672 ± 0.0105');
  t.is(text(50.9591, 0.5704, 3), '50.959 ± 0.570');
  t.is(text(100, 0, 3), '100.000 ± 0.000');
  // An error that four decimals would call zero.
  t.is(text(29.6672321, 0.0000231), '29.667232 ± 0.000023');
  t.is(text(0, 0.00004), '0.000000 ± 0.000040');
  // Energies in other units, and those of particles that overlap.
  t.is(text(-4.1234e-21, 2.2e-23), '-4.123e-21 ± 2.2e-23');
  t.is(text(328182803171273280, 328182714248912640), '3.3e+17 ± 3.3e+17');
  t.is(text(12, 3.4e9), '1.2e+1 ± 3.4e+9');
  t.is(text(3.5e8, Number.NaN), '3.5000e+8, no error bar');
  t.is(text(-22.5, Number.NaN), '-22.5000, no error bar');
  t.is(text(2e-12, Number.NaN), '2.0000e-12, no error bar');
  t.is(text(Number.POSITIVE_INFINITY, Number.NaN), 'Infinity, no error bar');
});
