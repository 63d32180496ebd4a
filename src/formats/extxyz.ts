import { DataError } from '../errors.js';
import type { NpyArray } from './npy.js';
import { brief } from './text.js';

/* Extended XYZ as ASE, OVITO and libAtoms have it: the number of particles, a line of key=value, a line a particle. */

/** Configurations with numbers that go with each. */
export interface Frames {
  /** [n, N, D], D at most 3: the coordinates that are not there are written as 0. */
  readonly x: NpyArray['data'];
  readonly n: number;
  readonly particles: number;
  readonly dimensions: number;
  /** Chemical symbols, [N]; X where there is none. */
  readonly symbols: readonly string[];
  /** [n] each. */
  readonly info: Readonly<Record<string, Float64Array>>;
}

/** Bytes of text in a piece. */
const PIECE = 1 << 18;

/**
 * The text of configurations in free space, in pieces. Numbers are the shortest that read back as the same f64, so that an
 * energy still belongs to its positions.
 */
export function* encodeExtxyz({ x, n, particles, dimensions, symbols, info }: Frames): Generator<Uint8Array> {
  const encoder = new TextEncoder();
  let text = '';
  for (let i = 0; i < n; i++) {
    const facts = Object.entries(info).map(([key, values]) => `${key}=${number(values[i])}`);
    text += `${particles}\nProperties=species:S:1:pos:R:3 ${facts.join(' ')} pbc="F F F"\n`;
    for (let p = 0; p < particles; p++) {
      text += symbols[p];
      for (let axis = 0; axis < 3; axis++) {
        text += axis < dimensions ? ` ${number(x[(i * particles + p) * dimensions + axis])}` : ' 0';
      }
      text += '\n';
    }
    if (text.length < PIECE) continue;
    yield encoder.encode(text);
    text = '';
  }
  yield encoder.encode(text);
}

/** As Python reads it. */
function number(value: number): string {
  if (Number.isFinite(value)) return Object.is(value, -0) ? '-0.0' : String(value);
  return Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf';
}

/** Whether a path ends as (extended) XYZ files do, packed by gzip or not. */
export function isXyzName(path: string): boolean {
  return /\.(ext)?xyz(\.gz)?$/i.test(path);
}

/**
 * Reads the positions [n, N, 3] of an (extended) XYZ file, or the numbers [n] that its comment lines give a name to.
 *
 * @param name `x` for the positions, else a key such as `energy`
 * @throws DataError naming the line, for frames that are torn, of different sizes, or without what is asked for
 */
export function decodeXyz(text: string, name: string, source: string): NpyArray {
  const lines = text.split(/\r?\n/);
  while (lines.length > 0 && lines[lines.length - 1].trim() === '') lines.pop();
  const values: number[] = [];
  let particles: number | undefined;
  let n = 0;
  for (let at = 0; at < lines.length; n++) {
    const refuse = (line: number, what: string) => new DataError(`${source}: line ${line + 1}: ${what}`);
    const count = Number(lines[at]);
    if (!/^\s*\d+\s*$/.test(lines[at])) throw refuse(at, `${brief(lines[at])}, expected a number of particles`);
    particles ??= count;
    if (count !== particles) throw refuse(at, `${count} particles, expected ${particles} as in the first frame`);
    if (at + 2 + count > lines.length) throw refuse(at, `the file ends within its frame of ${count} particles`);
    const comment = lines[at + 1];
    if (name === 'x') {
      const column = positionColumn(comment);
      for (let p = 0; p < count; p++) {
        const fields = lines[at + 2 + p]
          .trim()
          .split(/\s+/)
          .slice(column, column + 3);
        const place = fields.map(parseNumber);
        if (place.length < 3 || place.some((value) => value === undefined)) {
          throw refuse(at + 2 + p, `${brief(fields.join(' '))}, expected three coordinates`);
        }
        values.push(...(place as number[]));
      }
    } else {
      const value = parseNumber(new RegExp(`(?:^|\\s)${name}="?([^\\s"]+)"?`, 'i').exec(comment)?.[1] ?? '');
      if (value === undefined) throw refuse(at + 1, `no number '${name}', expected ${name}=<number>`);
      values.push(value);
    }
    at += 2 + count;
  }
  return { shape: name === 'x' ? [n, particles ?? 0, 3] : [n], data: Float64Array.from(values) };
}

/** Where the coordinates begin; without a description behind the symbol. */
function positionColumn(comment: string): number {
  const description = /(?:^|\s)Properties="?([^\s"]+)"?/i.exec(comment)?.[1];
  if (description === undefined) return 1;
  let column = 0;
  const fields = description.split(':');
  for (let i = 0; i + 2 < fields.length; i += 3) {
    if (fields[i] === 'pos') return column;
    column += Number(fields[i + 2]);
  }
  return 1;
}

function parseNumber(text: string): number | undefined {
  const special = /^([+-]?)(inf(?:inity)?|nan)$/i.exec(text);
  if (special) return special[2].toLowerCase() === 'nan' ? Number.NaN : special[1] === '-' ? -Infinity : Infinity;
  const value = Number(text);
  return text === '' || Number.isNaN(value) ? undefined : value;
}
