/* Results in a document, between the marks `<!-- bench: <suite> -->` and `<!-- bench: end -->`; `machine` is where it was measured. */
import { machineLine } from './machine.js';
import type { BenchRecord } from './record.js';
import { peakText, resultText } from './table.js';

const SECTION = /(<!-- bench: ([\w-]+) -->\n)[\s\S]*?(<!-- bench: end -->)/g;
const MACHINE = 'machine';

/**
 * The document with the results of `records` in its sections; of a suite that several have, the last. What no record has stays.
 * @throws Error for a suite without a section
 */
export function withResults(document: string, records: readonly BenchRecord[]): string {
  const texts = new Map<string, string>();
  for (const { machine, date, peak, suites } of records) {
    texts.set(MACHINE, `${machineLine(machine)}; ${date.slice(0, 10)}. ${peakText(peak)}`);
    for (const [name, result] of Object.entries(suites)) texts.set(name, resultText(result));
  }
  const found = new Set<string>();
  const filled = document.replace(SECTION, (whole, start: string, name: string, end: string) => {
    found.add(name);
    const text = texts.get(name);
    return text === undefined ? whole : `${start}\n${text.trimEnd()}\n\n${end}`;
  });
  const homeless = [...texts.keys()].filter((name) => !found.has(name));
  if (homeless.length > 0) throw new Error(`no section '<!-- bench: ${homeless[0]} -->' for it`);
  return filled;
}
