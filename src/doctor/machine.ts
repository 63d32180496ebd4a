import { execFile } from 'node:child_process';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { promisify } from 'node:util';
import { allowRelaxedSimd } from '../kernels/relaxed-simd.js';
import { cpuQuota } from '../workers/cpu-quota.js';

/** What `engines` in package.json asks for: [major, minor]. */
export const MINIMUM_NODE: readonly [number, number] = [20, 19];

export interface NodeFacts {
  readonly version: string;
  readonly required: string;
  readonly supported: boolean;
}

export function nodeFacts(version = process.versions.node): NodeFacts {
  const [major, minor] = version.split('.').map(Number);
  const [leastMajor, leastMinor] = MINIMUM_NODE;
  const supported = major > leastMajor || (major === leastMajor && minor >= leastMinor);
  return { version, required: `>=${leastMajor}.${leastMinor}`, supported };
}

/** The smallest modules that hold one instruction each: `i8x16.popcnt` of SIMD, `i8x16.relaxed_swizzle` of relaxed SIMD. */
const SIMD_MODULE = [
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11,
];
const RELAXED_MODULE = [
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 15, 1, 13, 0, 65, 1, 253, 15, 65, 2, 253, 15,
  253, 128, 2, 11,
];

export interface WebAssemblyFacts {
  readonly simd: boolean;
  readonly relaxedSimd: boolean;
}

export function webAssemblyFacts(): WebAssemblyFacts {
  allowRelaxedSimd();
  const offers = (bytes: readonly number[]) => WebAssembly.validate(Uint8Array.from(bytes));
  return { simd: offers(SIMD_MODULE), relaxedSimd: offers(RELAXED_MODULE) };
}

export interface ThreadFacts {
  /** Processors that the process may run on; the default number of workers. */
  readonly available: number;
  /** Processors of the machine. */
  readonly processors: number;
  /** Processor time that the control group grants, in processors; null where it grants all. */
  readonly quota: number | null;
}

export function threadFacts(): ThreadFacts {
  return { available: availableParallelism(), processors: cpus().length, quota: cpuQuota() };
}

/** In bytes. */
export interface MemoryFacts {
  readonly total: number;
  /** What can still be taken. */
  readonly available: number;
  /** What the control group grants; null where it grants all. */
  readonly limit: number | null;
}

export function memoryFacts(): MemoryFacts {
  const total = totalmem();
  // 0 or an absurdly large number where nothing limits the process.
  const constrained = process.constrainedMemory();
  const limit = constrained > 0 && constrained < total ? constrained : null;
  return { total, available: process.availableMemory(), limit };
}

export interface GpuFacts {
  readonly devices: readonly string[];
  /** Why there are none. */
  readonly reason?: string;
}

const PROBE_TIMEOUT = 10_000;

/**
 * NVIDIA devices, as their driver's own tool lists them.
 * @param list what `nvidia-smi -L` prints; rejects where it cannot run or fails
 */
export async function gpuFacts(list: () => Promise<string> = nvidiaSmi): Promise<GpuFacts> {
  try {
    const output = await list();
    const devices = [...output.matchAll(/^GPU \d+: (.+?)(?: \(UUID: .*\))?$/gm)].map((match) => match[1]);
    return devices.length > 0 ? { devices } : { devices, reason: 'the NVIDIA driver lists no device' };
  } catch (error) {
    const { code, stdout, message } = error as Error & { code?: unknown; stdout?: string };
    if (code === 'ENOENT') return { devices: [], reason: 'no NVIDIA driver: nvidia-smi is not on the PATH' };
    return { devices: [], reason: `nvidia-smi failed: ${(stdout?.trim() || message).split('\n')[0]}` };
  }
}

async function nvidiaSmi(): Promise<string> {
  return (await promisify(execFile)('nvidia-smi', ['-L'], { timeout: PROBE_TIMEOUT })).stdout;
}
