/* Loops in WebAssembly that do one thing as often as the machine can: what the kernels' own operations are to be seen against. */
import type { Precision } from '../src/kernels/index.js';

/** Independent chains: more than latency × issue width of current cores, few enough for their sixteen registers. */
const CHAINS = 12;
/** Vectors that one iteration of a loop over memory moves, and the chains that take them: V8 puts all loads before what uses them. */
const MOVED = 8;
const MOVERS = 4;
const VECTOR = 16;

const I32 = 0x7f;
const F64 = 0x7c;
const V128 = 0x7b;
const VOID = 0x40;
const LOCAL_GET = 0x20;
const LOCAL_SET = 0x21;
const LOCAL_TEE = 0x22;
const I32_CONST = 0x41;
const I32_ADD = 0x6a;
const I32_SUB = 0x6b;
const I32_AND = 0x71;
const SIMD = 0xfd;
const OR = [SIMD, 0x50];
/** i8x16.shuffle with its sixteen byte numbers. */
const SHUFFLE = [SIMD, 0x0d];

/** Locals: iterations left, chains from 1 on, the constant ½, the address. */
const HALF = CHAINS + 1;
const ADDRESS = CHAINS + 2;

/** Opcodes of one lane type after the SIMD prefix, in the encoding of WebAssembly 2.0. */
interface LaneOpcodes {
  readonly add: readonly number[];
  readonly mul: readonly number[];
  readonly div: readonly number[];
  readonly sqrt: readonly number[];
  readonly splat: readonly number[];
  /** a0 b0 a1 b1 or a0 b0, as rows are transposed. */
  readonly interleave: readonly number[];
  readonly half: readonly number[];
  /** Lane 0 as f64. */
  readonly extract: readonly number[];
}

const OPCODES: Readonly<Record<Precision, LaneOpcodes>> = {
  f32: {
    add: [SIMD, 0xe4, 0x01],
    mul: [SIMD, 0xe6, 0x01],
    div: [SIMD, 0xe7, 0x01],
    sqrt: [SIMD, 0xe3, 0x01],
    splat: [SIMD, 0x13],
    interleave: [...SHUFFLE, 0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23],
    half: [0x43, ...new Uint8Array(Float32Array.of(0.5).buffer)],
    extract: [SIMD, 0x1f, 0, 0xbb],
  },
  f64: {
    add: [SIMD, 0xf0, 0x01],
    mul: [SIMD, 0xf2, 0x01],
    div: [SIMD, 0xf3, 0x01],
    sqrt: [SIMD, 0xef, 0x01],
    splat: [SIMD, 0x14],
    interleave: [...SHUFFLE, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23],
    half: [0x44, ...new Uint8Array(Float64Array.of(0.5).buffer)],
    extract: [SIMD, 0x21, 0],
  },
};

/** What a loop does over and over. */
export type LoopKind = 'multiply-add' | 'addition' | 'root' | 'division' | 'shuffle' | 'load' | 'store';

/** Unsigned LEB128, which WebAssembly writes its sizes in. */
function size(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...size(value >> 7)];
}

/** Signed LEB128 of a number that is not negative, for constants. */
function constant(value: number): number[] {
  return value < 64 ? [value] : [(value & 127) | 128, ...constant(value >> 7)];
}

function sized(bytes: readonly number[]): number[] {
  return [...size(bytes.length), ...bytes];
}

/** What happens to chain `c` in one iteration. */
function link(kind: LoopKind, { add, mul, div, sqrt, interleave }: LaneOpcodes, c: number): number[] {
  const [own, half] = [
    [LOCAL_GET, c],
    [LOCAL_GET, HALF],
  ];
  if (kind === 'addition') return [...own, ...half, ...add];
  if (kind === 'root') return [...own, ...half, ...add, ...sqrt];
  if (kind === 'division') return [...half, ...own, ...div];
  if (kind === 'shuffle') return [...own, ...half, ...interleave];
  return [...own, ...half, ...mul, ...half, ...add];
}

/** One iteration: all chains go on, or MOVED vectors are read into them or written from them. */
function iteration(kind: LoopKind, opcodes: LaneOpcodes, bytes: number): number[] {
  if (kind !== 'load' && kind !== 'store') {
    return Array.from({ length: CHAINS }, (_, c) => [...link(kind, opcodes, c + 1), LOCAL_SET, c + 1]).flat();
  }
  const moves = Array.from({ length: MOVED }, (_, i) => {
    const c = 1 + (i % MOVERS);
    const where = [4, ...size(i * VECTOR)];
    return kind === 'load'
      ? [LOCAL_GET, c, LOCAL_GET, ADDRESS, SIMD, 0x00, ...where, ...OR, LOCAL_SET, c]
      : [LOCAL_GET, ADDRESS, LOCAL_GET, c, SIMD, 0x0b, ...where];
  });
  const next = [LOCAL_GET, ADDRESS, I32_CONST, ...constant(MOVED * VECTOR), I32_ADD];
  // `bytes` is a power of two: beyond its end the address begins again.
  return [...moves.flat(), ...next, I32_CONST, ...constant(bytes - 1), I32_AND, LOCAL_SET, ADDRESS];
}

/** A module that exports its memory and `run(iterations: i32) → f64`, the sum of lane 0 of the chains, which start at ½. */
function moduleBytes(kind: LoopKind, opcodes: LaneOpcodes, bytes: number): Uint8Array<ArrayBuffer> {
  const chains = Array.from({ length: CHAINS }, (_, c) => c + 1);
  const body = [
    ...[...opcodes.half, ...opcodes.splat, LOCAL_SET, HALF],
    ...chains.flatMap((c) => [LOCAL_GET, HALF, LOCAL_SET, c]),
    ...[0x03, VOID],
    ...iteration(kind, opcodes, bytes),
    // iterations −= 1, and again unless it is 0
    ...[LOCAL_GET, 0, I32_CONST, 1, I32_SUB, LOCAL_TEE, 0, 0x0d, 0, 0x0b],
    ...chains.flatMap((c) => (c === 1 ? [LOCAL_GET, c] : [LOCAL_GET, c, ...opcodes.add])),
    ...opcodes.extract,
    0x0b,
  ];
  const code = [2, ...size(CHAINS + 1), V128, 1, I32, ...body];
  const name = (text: string) => sized([...Buffer.from(text)]);
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...[1, ...sized([1, 0x60, 1, I32, 1, F64])],
    ...[3, ...sized([1, 0])],
    ...[5, ...sized([1, 0, ...size(Math.ceil(bytes / 65536))])],
    ...[7, ...sized([2, ...name('run'), 0, 0, ...name('memory'), 2, 0])],
    ...[10, ...sized([1, ...sized(code)])],
  ]);
}

/** A loop that is ready to run. */
export interface Loop {
  /** Operations, vectors of them, that one call of `run` does; a multiply-add is two. */
  readonly operations: number;
  readonly run: () => number;
  /** What `run` returns when it computes what it should. */
  readonly expected: number;
}

/**
 * `iterations` (an even number) iterations of `kind` on every chain. Loads and stores go round a buffer of `bytes`, a power of
 * two, 16 kB by default, which a first cache holds.
 */
export function wasmLoop(kind: LoopKind, precision: Precision, iterations: number, bytes = 1 << 14): Loop {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(moduleBytes(kind, OPCODES[precision], bytes)));
  const run = exports.run as (iterations: number) => number;
  const { buffer } = exports.memory as WebAssembly.Memory;
  const memory = precision === 'f32' ? new Float32Array(buffer) : new Float64Array(buffer);
  // Half of the bits of 1, so that bits of ½ and these are 1 together
  if (kind === 'load') memory.fill(precision === 'f32' ? 2 ** -2 : 2 ** -1022);
  const perIteration = { 'multiply-add': 2 * CHAINS, load: MOVED, store: MOVED }[kind as string] ?? CHAINS;
  return {
    operations: iterations * perIteration,
    expected: expectedOf(kind, iterations),
    run: kind === 'store' ? () => (run(iterations) / CHAINS) * (memory[0] + memory[1]) : () => run(iterations),
  };
}

/** From ½: a·½ + ½ and all loaded bits lead to 1, √(a + ½) to (1 + √3)/2; ½/a comes back every second time. */
function expectedOf(kind: LoopKind, iterations: number): number {
  if (kind === 'multiply-add') return CHAINS;
  if (kind === 'load') return MOVERS + (CHAINS - MOVERS) / 2;
  if (kind === 'addition') return (CHAINS * (1 + iterations)) / 2;
  if (kind === 'root') return (CHAINS * (1 + Math.sqrt(3))) / 2;
  if (kind === 'store') return 0.5;
  return CHAINS / 2;
}
