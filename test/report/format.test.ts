import test from 'ava';
import {
  deviation,
  formatCount,
  formatList,
  formatNumber,
  formatPercent,
  formatSeconds,
  formatShare,
  formatUncertain,
} from '../../src/report/format.js';

test('a value ends at its error, which keeps one digit, or two if it starts with 1', (t) => {
  const cases: [number, number, string][] = [
    [29.6845, 0.0005, '29.6845(5)'],
    [-22.5434, 0.0012, '−22.5434(12)'],
    [7.141, 0.0021, '7.141(2)'],
    [52.16, 1.34, '52.2(1.3)'],
    [52.16, 0.96, '52.2(1.0)'],
    [52.16, 0.096, '52.16(10)'],
    [52.16, 1.96, '52(2)'],
    [52.16, 9.6, '52(10)'],
    [123.4, 12.3, '123(12)'],
    [1234, 340, '1200(300)'],
    [0, 0.0003, '0.0000(3)'],
    [-0.00001, 0.001, '0.0000(10)'],
    [0.2, 40, '0(40)'],
    [1.3e7, 2e6, '1.3(2)·10⁷'],
    [3.21e-7, 1.1e-8, '3.21(11)·10⁻⁷'],
  ];
  for (const [value, standardError, text] of cases) t.is(formatUncertain({ value, standardError }), text);
});

test('an error of zero marks exact digits, an unknown one a question, and no value is a dash', (t) => {
  t.is(formatUncertain({ value: 7.26039, standardError: 0 }), '7.26039');
  t.is(formatUncertain({ value: 4, standardError: 0 }), '4');
  t.is(formatUncertain({ value: 120, standardError: 0 }), '120');
  t.is(formatUncertain({ value: 29.6845, standardError: Number.NaN }), '29.68(?)');
  t.is(formatUncertain({ value: 0, standardError: Number.POSITIVE_INFINITY }), '0(?)');
  t.is(formatUncertain({ value: Number.NaN, standardError: 1 }), '–');
  t.is(formatUncertain({ value: Number.NEGATIVE_INFINITY, standardError: Number.NaN }), '–');
});

test('what is written can be read back to within half of the last digit', (t) => {
  for (let i = 0; i < 400; i++) {
    const value = 10 ** ((i % 20) / 5) * Math.sin(i);
    const standardError = 10 ** (-3 + (i % 17) / 4);
    const match = /^(−?)([\d.]+)\(([\d.]+)\)$/.exec(formatUncertain({ value, standardError }));
    t.truthy(match);
    const [, sign, digits, error] = match as RegExpExecArray;
    const decimals = digits.split('.')[1]?.length ?? 0;
    const read = (sign ? -1 : 1) * Number(digits);
    const readError = error.includes('.') || decimals === 0 ? Number(error) : Number(error) * 10 ** -decimals;
    t.true(Math.abs(readError - standardError) <= 0.26 * standardError, `${value} ± ${standardError}: ${match?.[0]}`);
    t.true(Math.abs(read - value) <= 0.51 * readError, `${value} ± ${standardError}: ${match?.[0]}`);
  }
});

test('fractions are written in per cent', (t) => {
  t.is(formatPercent({ value: 0.5216, standardError: 0.001 }), '52.16(10) %');
  t.is(formatPercent({ value: Number.NaN, standardError: Number.NaN }), '–');
  t.is(formatShare(0.9956), '100 %');
  t.is(formatShare(0.0983), '9.8 %');
  t.is(formatShare(0.00204), '0.20 %');
  t.is(formatShare(0), '0 %');
  t.is(formatShare(1e-6), '< 0.01 %');
  t.is(formatShare(Number.NaN), '–');
});

test('counts, plain numbers, times and lists read as text', (t) => {
  t.is(formatCount(2000), '2000');
  t.is(formatCount(1_250_000), '1\u2009250\u2009000');
  t.is(formatNumber(-0.001, 2), '0.00');
  t.is(formatNumber(-16.94, 2), '−16.94');
  t.is(formatNumber(Number.NaN, 2), '–');
  t.is(formatSeconds(0.31), '310 ms');
  t.is(formatSeconds(42.3), '42 s');
  t.is(formatSeconds(312), '5.2 min');
  t.is(formatSeconds(Number.NaN), '–');
  t.is(formatList([]), '');
  t.is(formatList(['a', 'b', 'c']), 'a, b and c');
});

test('a deviation counts standard errors of measurement and known value together', (t) => {
  t.is(deviation({ value: 5, standardError: 3 }, { value: 0, standardError: 4 }), 1);
});
