/* The machine's own speed of multiply and add in WebAssembly: what every other rate is to be seen against. */
import type { Precision } from '../src/kernels/index.js';
import { PEAK_EFFORT, time } from './timing.js';

/** Independent chains: more than latency × issue width of current cores, few enough for their sixteen registers. */
const CHAINS = 12;
const FLOPS_PER_LANE = 2 * CHAINS;

const I32 = 0x7f;
const F64 = 0x7c;
const V128 = 0x7b;
const VOID = 0x40;
const LOCAL_GET = 0x20;
const LOCAL_SET = 0x21;
const LOCAL_TEE = 0x22;
const SIMD = 0xfd;

/** Opcodes of one lane type after the SIMD prefix, in the encoding of WebAssembly 2.0. */
interface LaneOpcodes {
  readonly lanes: number;
  readonly add: readonly number[];
  readonly mul: readonly number[];
  readonly splat: readonly number[];
  readonly constant: readonly number[];
  /** Lane 0 as f64. */
  readonly extract: readonly number[];
}

const F32X4: LaneOpcodes = {
  lanes: 4,
  add: [SIMD, 0xe4, 0x01],
  mul: [SIMD, 0xe6, 0x01],
  splat: [SIMD, 0x13],
  constant: [0x43, ...new Uint8Array(Float32Array.of(0.5).buffer)],
  extract: [SIMD, 0x1f, 0, 0xbb],
};

const F64X2: LaneOpcodes = {
  lanes: 2,
  add: [SIMD, 0xf0, 0x01],
  mul: [SIMD, 0xf2, 0x01],
  splat: [SIMD, 0x14],
  constant: [0x44, ...new Uint8Array(Float64Array.of(0.5).buffer)],
  extract: [SIMD, 0x21, 0],
};

/** Unsigned LEB128, which WebAssembly writes its sizes in. */
function size(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...size(value >> 7)];
}

function sized(bytes: readonly number[]): number[] {
  return [...size(bytes.length), ...bytes];
}

/**
 * A module with one export, `run(iterations: i32) → f64`: every iteration does a ← a·½ + ½ on CHAINS vectors. The chains
 * tend to 1, so no number ever becomes slow to compute with, and their sum CHAINS is the check.
 */
function moduleBytes({ add, mul, splat, constant, extract }: LaneOpcodes): Uint8Array<ArrayBuffer> {
  const half = CHAINS + 1;
  const chains = Array.from({ length: CHAINS }, (_, c) => c + 1);
  const body = [
    ...[...constant, ...splat, LOCAL_SET, half],
    ...[0x03, VOID],
    ...chains.flatMap((c) => [LOCAL_GET, c, LOCAL_GET, half, ...mul, LOCAL_GET, half, ...add, LOCAL_SET, c]),
    // iterations −= 1, and again unless it is 0
    ...[LOCAL_GET, 0, 0x41, 1, 0x6b, LOCAL_TEE, 0, 0x0d, 0, 0x0b],
    ...chains.flatMap((c) => (c === 1 ? [LOCAL_GET, c] : [LOCAL_GET, c, ...add])),
    ...extract,
    0x0b,
  ];
  const code = [1, CHAINS + 1, V128, ...body];
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...[1, ...sized([1, 0x60, 1, I32, 1, F64])],
    ...[3, ...sized([1, 0])],
    ...[7, ...sized([1, ...sized([...Buffer.from('run')]), 0, 0])],
    ...[10, ...sized([1, ...sized(code)])],
  ]);
}

/** Floating-point operations of `iterations` iterations, and the function that does them; it returns CHAINS. */
export interface PeakLoop {
  readonly flops: number;
  readonly run: () => number;
}

/** A loop of `iterations` multiply-adds on all chains. */
export function peakLoop(precision: Precision, iterations: number): PeakLoop {
  const opcodes = precision === 'f32' ? F32X4 : F64X2;
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(moduleBytes(opcodes)));
  const run = exports.run as (iterations: number) => number;
  return { flops: iterations * FLOPS_PER_LANE * opcodes.lanes, run: () => run(iterations) };
}

/** What `run` returns when it computes what it should. */
export const PEAK_CHECK = CHAINS;

/** Floating-point operations per second of multiply and add in each precision, one thread. */
export type Peak = Readonly<Record<Precision, number>>;

/** Iterations of the peak loop per call: tens of microseconds. */
const PEAK_ITERATIONS = 10_000;

/** From the fastest sample: a peak that other processes pulled down would flatter everything that is compared with it. */
export function measurePeak(): Peak {
  const measure = (precision: Precision) => {
    const loop = peakLoop(precision, PEAK_ITERATIONS);
    return loop.flops / time(loop.run, PEAK_EFFORT).fastest;
  };
  return { f32: measure('f32'), f64: measure('f64') };
}
