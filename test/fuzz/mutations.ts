import fc from 'fast-check';

/** Numbers that break parsers: limits of integer types, signs, fractions, what JSON writes and does not. */
const HOSTILE_NUMBERS = [
  '-1',
  '0',
  '1',
  '65536',
  '2147483648',
  '4294967295',
  '9007199254740993',
  '18446744073709551616',
  '99999999999999999999999999999999',
  '1e308',
  '1e999',
  '0.5',
  '-0',
  'null',
  'NaN',
  '.inf',
  '""',
  '[]',
  '{}',
];

/** Pieces of the formats' own syntax, put where they do not belong. */
const FRAGMENTS = [
  ...HOSTILE_NUMBERS,
  '[[[[[[[[[[[[[[[[',
  '{"a":{"a":{"a":',
  '(((((((((',
  '}',
  ']',
  '"',
  "'",
  '\\',
  '\\u0000',
  ',',
  ':',
  '\n',
  '\r\n',
  '\t',
  '\0',
  '\u2028',
  '\ud83d\ude00',
  '&a ',
  '*a',
  '!!binary ',
  '!x ',
  '<<: ',
  '%YAML 1.1\n',
  '---\n',
  '...\n',
  '| \n',
  '>-\n',
  '? ',
  '- ',
  '# ',
  '@',
  '`',
  '"__proto__": ',
  '"constructor": ',
  'True',
  "'<f8'",
  "'>f8'",
  "'|O'",
  "'<M8[ns]'",
  '"F64"',
  '"F16"',
  'PK\x03\x04',
  'PK\x01\x02',
  'PK\x05\x06',
  '\x93NUMPY',
];

const at = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true });

type Mutation = (bytes: Uint8Array, donor: Uint8Array) => Uint8Array;

function splice(bytes: Uint8Array, from: number, removed: number, inserted: Uint8Array): Uint8Array {
  const start = Math.floor(from * (bytes.length + 1));
  const end = Math.min(bytes.length, start + removed);
  return Uint8Array.from(Buffer.concat([bytes.subarray(0, start), inserted, bytes.subarray(end)]));
}

function written(bytes: Uint8Array, from: number, size: 1 | 2 | 4 | 8, value: bigint): Uint8Array {
  const out = Buffer.alloc(8);
  out.writeBigUInt64LE(BigInt.asUintN(64, value));
  const copy = bytes.slice();
  copy.set(
    out.subarray(0, Math.max(0, Math.min(size, copy.length - Math.floor(from * copy.length)))),
    Math.floor(from * copy.length),
  );
  return copy;
}

/** Places in a header or a zip directory are worth more than places in the data. */
const place = fc.oneof(
  at,
  at.map((u) => u * 0.1),
  at.map((u) => 1 - 0.1 * (1 - u)).map((u) => Math.min(u, 1 - 1e-12)),
);

const extreme = fc.constantFrom(
  0n,
  1n,
  2n,
  0x7fn,
  0x80n,
  0xffn,
  0x7fffn,
  0xffffn,
  0x7fffffffn,
  0xffffffffn,
  -1n,
  1n << 53n,
  1n << 63n,
);

const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  fc.tuple(place, fc.nat(7)).map(
    ([u, bit]): Mutation =>
      (bytes) => {
        const copy = bytes.slice();
        if (copy.length > 0) copy[Math.floor(u * copy.length)] ^= 1 << bit;
        return copy;
      },
  ),
  fc.tuple(place, fc.nat(255)).map(
    ([u, byte]): Mutation =>
      (bytes) =>
        written(bytes, u, 1, BigInt(byte)),
  ),
  fc.tuple(place, fc.constantFrom(2 as const, 4 as const, 8 as const), extreme).map(
    ([u, size, value]): Mutation =>
      (bytes) =>
        written(bytes, u, size, value),
  ),
  at.map(
    (u): Mutation =>
      (bytes) =>
        bytes.slice(0, Math.floor(u * (bytes.length + 1))),
  ),
  fc.tuple(at, at, fc.nat(64)).map(
    ([u, from, n]): Mutation =>
      (bytes, donor) => {
        const start = Math.floor(from * donor.length);
        return splice(bytes, u, 0, donor.subarray(start, start + n));
      },
  ),
  fc.tuple(place, fc.nat(16), fc.constantFrom(...FRAGMENTS)).map(
    ([u, n, text]): Mutation =>
      (bytes) =>
        splice(bytes, u, n, Buffer.from(text, 'latin1')),
  ),
  fc.tuple(place, fc.nat(64)).map(
    ([u, n]): Mutation =>
      (bytes) =>
        splice(bytes, u, n, new Uint8Array(0)),
  ),
  fc.tuple(at, fc.constantFrom(...HOSTILE_NUMBERS)).map(
    ([u, text]): Mutation =>
      (bytes) => {
        const numbers = [
          ...Buffer.from(bytes)
            .toString('latin1')
            .matchAll(/\d+(\.\d+)?/g),
        ];
        const chosen = numbers[Math.floor(u * numbers.length)];
        if (chosen === undefined) return bytes;
        return Uint8Array.from(
          Buffer.concat([
            bytes.subarray(0, chosen.index),
            Buffer.from(text),
            bytes.subarray(chosen.index + chosen[0].length),
          ]),
        );
      },
  ),
);

/** One of the seeds after one to four mutations: bits, bytes, integers, lengths, fragments, pieces of another seed. */
export function mutated(seeds: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> {
  const seed = fc.constantFrom(...seeds);
  return fc
    .tuple(
      seed,
      seed,
      fc.oneof(
        mutation.map((one) => [one]),
        fc.array(mutation, { minLength: 2, maxLength: 4 }),
      ),
    )
    .map(([whole, donor, mutations]) => mutations.reduce((bytes, mutate) => mutate(bytes, donor), whole));
}

/** Any JSON value, and numbers that JSON cannot say. */
export const anyValue: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom(
    ...[null, true, '', 'a\nb', -1, 0, 0.5, 2, 1e9, 1e15, 1e308, Number.NaN, Number.POSITIVE_INFINITY, [], {}],
  ),
  fc.integer(),
  fc.double(),
  fc.string(),
  fc.array(fc.integer({ min: -1, max: 5 }), { maxLength: 8 }),
  fc.jsonValue({ maxDepth: 3 }) as fc.Arbitrary<unknown>,
);

/** A JSON value with one to three of its parts, at any depth, replaced, removed, doubled or given a new member. */
export function disturbed(values: readonly unknown[]): fc.Arbitrary<unknown> {
  const change = fc.tuple(at, fc.constantFrom('replace', 'remove', 'double', 'add'), anyValue, fc.string());
  return fc
    .tuple(fc.constantFrom(...values), fc.array(change, { minLength: 1, maxLength: 3 }))
    .map(([value, changes]) => {
      const root = { value: structuredClone(value) };
      for (const [u, how, other, name] of changes) disturb(root, u, how, other, name);
      return root.value;
    });
}

type Container = Record<string, unknown> | unknown[];

function disturb(root: Container, u: number, how: string, other: unknown, name: string): void {
  const places: { parent: Container; key: string }[] = [];
  const collect = (parent: Container) => {
    for (const key of Object.keys(parent)) {
      places.push({ parent, key });
      const child = (parent as Record<string, unknown>)[key];
      if (typeof child === 'object' && child !== null) collect(child as Container);
    }
  };
  collect(root);
  const chosen = places[Math.floor(u * places.length)];
  if (chosen === undefined) return;
  const { parent, key } = chosen;
  const values = parent as Record<string, unknown>;
  if (how === 'replace') values[key] = other;
  else if (how === 'double')
    values[key] = Array.isArray(values[key]) ? [...values[key], ...values[key]] : [values[key], values[key]];
  else if (how === 'add')
    Object.defineProperty(values, name, { value: other, enumerable: true, configurable: true, writable: true });
  else if (Array.isArray(parent)) parent.splice(Number(key), 1);
  else delete values[key];
}
