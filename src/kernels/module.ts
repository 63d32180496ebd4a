import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { UnavailableError } from '../errors.js';
import type { CommonKernels, LaneKernels } from './exports.js';
import { allowRelaxedSimd } from './relaxed-simd.js';

/** Which lane type a computation runs in; positions and velocities, never log-densities, which are always f64. */
export type Precision = 'f32' | 'f64';

/**
 * `strict` rounds every operation as WebAssembly says, so that results are the same bytes everywhere. `relaxed` uses fused
 * multiply-adds where the processor has them: a few percent faster, and the last bits differ between machines.
 */
export type Arithmetic = 'strict' | 'relaxed';

const PAGE = 65536;
/** Offsets are aligned to a cache line, which also aligns every vector. */
const ALIGNMENT = 64;

/** The module with its own memory, the same code for a memory that threads share, and the relaxed build with its own memory. */
const FILES = {
  own: './equiflow.wasm',
  shared: './equiflow.shared.wasm',
  relaxed: './equiflow.relaxed.wasm',
} as const;
type Build = keyof typeof FILES;
const compiled: Partial<Record<Build, WebAssembly.Module>> = {};

/** Spelled out for bundlers, which find files by these very expressions. */
function kernelUrl(build: Build): URL {
  if (build === 'own') return new URL('./equiflow.wasm', import.meta.url);
  if (build === 'shared') return new URL('./equiflow.shared.wasm', import.meta.url);
  return new URL('./equiflow.relaxed.wasm', import.meta.url);
}

function kernelBytes(build: Build): Uint8Array<ArrayBuffer> {
  const url = kernelUrl(build);
  // Vite's library mode puts files into the code.
  if (url.protocol === 'data:') return Buffer.from(url.href.slice(url.href.indexOf(',') + 1), 'base64');
  const path = fileURLToPath(url);
  try {
    return readFileSync(path);
  } catch (cause) {
    const file = `equiflow${FILES[build].slice('./equiflow'.length)}`;
    throw new UnavailableError(
      `kernels: cannot read ${path}: a program that bundles equiflow leaves it external or copies equiflow/${file} there`,
      { cause },
    );
  }
}

/** The compiled module, once a thread; instances share its machine code. */
function kernelModule(build: Build): WebAssembly.Module {
  const present = compiled[build];
  if (present !== undefined) return present;
  const bytes = kernelBytes(build);
  if (build === 'relaxed') allowRelaxedSimd();
  if (!WebAssembly.validate(bytes)) {
    throw new UnavailableError(
      build === 'relaxed'
        ? 'this JavaScript engine cannot run relaxed WebAssembly SIMD: do without it'
        : 'this JavaScript engine cannot run WebAssembly SIMD, which the kernels need: use Node.js 20.19 or newer',
    );
  }
  const module = new WebAssembly.Module(bytes);
  compiled[build] = module;
  return module;
}

function laneKernels(exports: WebAssembly.Exports, width: '32' | '64'): LaneKernels {
  const bytes = Number(width) / 8;
  const kernels: Record<string, unknown> = { lanes: 16 / bytes, bytes, width };
  for (const [name, value] of Object.entries(exports)) {
    if (name.startsWith('pack') && name.endsWith(`to${width}`)) kernels[`packFrom${name.slice(4, 6)}`] = value;
    else if (name.startsWith(`unpack${width}`)) kernels[`unpackTo${name.slice(-2)}`] = value;
    else if (name.endsWith(width)) kernels[name.slice(0, -2)] = value;
  }
  return kernels as unknown as LaneKernels;
}

/** One call of an export by its full name, widths appended, with its arguments. */
export type KernelCall = readonly [name: string, ...args: number[]];
/** Calls that follow one another. */
export type KernelJob = readonly KernelCall[];

/**
 * One instance of the kernels with its own memory and a bump allocator of byte offsets. Everything that lives together
 * (a prepared flow, a batch of chains) owns one; it goes when its owner is collected.
 *
 * Views are made on demand because growing the memory detaches the ones made before.
 */
export class Kernels {
  readonly common: CommonKernels;
  readonly f32: LaneKernels;
  readonly f64: LaneKernels;
  readonly #functions: Readonly<Record<string, (...args: number[]) => unknown>>;
  readonly #memory: WebAssembly.Memory;
  #top: number;

  /** `memory`, where given, is shared with other instances; such memory has the strict build only. */
  constructor(memory?: WebAssembly.Memory, arithmetic: Arithmetic = 'strict') {
    const build = memory !== undefined ? 'shared' : arithmetic === 'relaxed' ? 'relaxed' : 'own';
    const { exports } = new WebAssembly.Instance(kernelModule(build), {
      env: {
        ...(memory === undefined ? {} : { memory }),
        abort: (_message: number, _file: number, line: number, column: number) => {
          throw new Error(`kernel aborted at ${line}:${column}`);
        },
      },
    });
    this.common = exports as unknown as CommonKernels;
    this.f32 = laneKernels(exports, '32');
    this.f64 = laneKernels(exports, '64');
    this.#functions = exports as Record<string, (...args: number[]) => unknown>;
    this.#memory = memory ?? (exports.memory as WebAssembly.Memory);
    this.#top = Math.ceil((exports.heapBase as () => number)() / ALIGNMENT) * ALIGNMENT;
  }

  lane(precision: Precision): LaneKernels {
    return precision === 'f32' ? this.f32 : this.f64;
  }

  /**
   * Does all jobs, in any order: none may write what another one reads or writes. With helpers at hand (see team.ts) they are
   * shared out, and the results are the same.
   */
  parallel(jobs: readonly KernelJob[]): void {
    for (const job of jobs) this.perform(job);
  }

  /** Does one job. */
  perform(job: KernelJob): void {
    for (const [name, ...args] of job) this.#functions[name](...args);
  }

  /**
   * Reserves `bytes` and returns their offset, aligned to 64.
   * @throws RangeError where a 4 GiB memory would not hold them.
   */
  allocate(bytes: number): number {
    const offset = this.#top;
    const top = Math.ceil((offset + bytes) / ALIGNMENT) * ALIGNMENT;
    const missing = top - this.#memory.buffer.byteLength;
    if (missing > 0) this.#memory.grow(Math.ceil(missing / PAGE));
    this.#top = top;
    return offset;
  }

  /** Runs `body` and gives back what it allocated. Nothing allocated inside may be kept. */
  scoped<T>(body: () => T): T {
    const top = this.#top;
    try {
      return body();
    } finally {
      this.#top = top;
    }
  }

  f32View(offset: number, length: number): Float32Array {
    return new Float32Array(this.#memory.buffer, offset, length);
  }

  f64View(offset: number, length: number): Float64Array {
    return new Float64Array(this.#memory.buffer, offset, length);
  }

  u8View(offset: number, length: number): Uint8Array {
    return new Uint8Array(this.#memory.buffer, offset, length);
  }

  u32View(offset: number, length: number): Uint32Array {
    return new Uint32Array(this.#memory.buffer, offset, length);
  }

  view(precision: Precision, offset: number, length: number): Float32Array | Float64Array {
    return precision === 'f32' ? this.f32View(offset, length) : this.f64View(offset, length);
  }

  /** Copies numbers in as f64 and returns their offset. */
  place(values: ArrayLike<number>): number {
    const offset = this.allocate(values.length * 8);
    this.f64View(offset, values.length).set(values);
    return offset;
  }
}
