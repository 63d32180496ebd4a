import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import test from 'ava';
import { DataError } from '../../src/errors.js';
import { parseYaml } from '../../src/formats/yaml.js';

/** Texts that ask for more than their size lets expect, and where in them the parser gives up. */
const REFUSED: readonly (readonly [name: string, text: string, message: RegExp])[] = [
  ['alias', 'name: &a x\nconvention: *a', /line 2, column 13: an alias/],
  [
    'alias bomb',
    `a: &a [1]\n${Array.from({ length: 40 }, (_, i) => `k${i}: &b${i} [*${i ? `b${i - 1}` : 'a'}, *${i ? `b${i - 1}` : 'a'}]`).join('\n')}`,
    /line 2, column 10: an alias/,
  ],
  ['brackets, open', '['.repeat(100_000), /line 1, column 65: more than 64 levels deep/],
  ['brackets, closed', '['.repeat(100_000) + ']'.repeat(100_000), /line 1, column 65: more than 64 levels deep/],
  ['braces', '{a: '.repeat(50_000), /line 1, column 254: more than 64 levels deep/],
  ['dashes', '- '.repeat(50_000), /line 1, column 128: more than 64 levels deep/],
  ['questions', '? '.repeat(50_000), /line 1, column 128: more than 64 levels deep/],
  [
    'indentation',
    Array.from({ length: 1000 }, (_, i) => `${' '.repeat(i)}a:`).join('\n'),
    /line 64, column 65: more than 64 levels deep/,
  ],
  ['many mistakes', '"" '.repeat(50_000), /line 1, column 4: not valid JSON or YAML/],
  ['long', 'x'.repeat(5_000_000), /text of 5000000 characters, expected at most 4194304/],
];

for (const [name, text, message] of REFUSED) {
  test(`refused where it goes too far, whatever follows: ${name}`, (t) => {
    const error = t.throws(() => parseYaml(text, 'f'), { instanceOf: DataError, message });
    t.regex(error.message, /^f: [^\n\r]{1,300}$/);
  });
}

/** Counts the calls of functions in a process that does nothing else; V8 counts them exactly when asked to. */
const COUNT = `
import { readFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { parseYaml } from ${JSON.stringify(new URL('../../src/formats/yaml.js', import.meta.url).href)};
const text = readFileSync(0, 'utf8');
const session = new Session();
session.connect();
await session.post('Profiler.enable');
await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false });
try {
  parseYaml(text, 'f');
} catch {}
const { result } = await session.post('Profiler.takePreciseCoverage');
const functions = result.flatMap((script) => script.functions);
console.log(functions.reduce((sum, { ranges }) => sum + ranges[0].count, 0));
`;

/** How much work it is to parse a text, in calls of functions: the same on a busy machine as on an idle one. */
async function work(text: string): Promise<number> {
  const { NODE_V8_COVERAGE: _, ...env } = process.env;
  const counting = promisify(execFile)(process.execPath, ['--input-type=module', '--eval', COUNT], { env });
  counting.child.stdin?.end(text);
  return Number((await counting).stdout);
}

/** Texts of a length that grows with n. */
const GROWING: Record<string, (n: number) => string> = {
  keys: (n) => `{${Array.from({ length: n }, (_, i) => `k${i}: 1`).join(', ')}}`,
  mistakes: (n) => '"" '.repeat(n),
};

for (const [name, text] of Object.entries(GROWING)) {
  test(`work grows as the text does, not as its square: ${name}`, async (t) => {
    const [small, large] = await Promise.all([work(text(2000)), work(text(4000))]);
    t.log(`${small} calls, ${large} for twice as many`);
    t.true(small > 10_000 && large < 2.2 * small);
  });
}
