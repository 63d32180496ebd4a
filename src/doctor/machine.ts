import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { promisify } from 'node:util';

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

/**
 * The tightest CPU quota of this process's control groups (versions 1 and 2) in processors, or null. Node counts the
 * processors of the affinity mask, which a quota, as containers and batch systems set it, leaves as they are.
 *
 * @param read the text of a file, undefined where there is none
 */
export function cpuQuota(read: (path: string) => string | undefined = readText): number | null {
  const quotas = (read('/proc/self/cgroup') ?? '').split('\n').flatMap((line) => {
    const [, controllers, ...rest] = line.split(':');
    if (rest.length === 0) return [];
    const root = controllers === '' ? '/sys/fs/cgroup' : `/sys/fs/cgroup/${controllers}`;
    if (controllers !== '' && !controllers.split(',').includes('cpu')) return [];
    return foldersUpTo(root, rest.join(':')).map((folder) => {
      const [quota, period] =
        controllers === ''
          ? (read(`${folder}/cpu.max`) ?? '').split(' ')
          : [read(`${folder}/cpu.cfs_quota_us`), read(`${folder}/cpu.cfs_period_us`)];
      // Without a limit the quota is 'max' in version 2 and -1 in version 1.
      return Number(quota) > 0 ? Number(quota) / Number(period) : Number.NaN;
    });
  });
  const limits = quotas.filter(Number.isFinite);
  return limits.length > 0 ? Math.min(...limits) : null;
}

/** A limit anywhere above a control group limits it too; in a container its own may be mounted at the root. */
function foldersUpTo(root: string, path: string): string[] {
  const names = path.split('/').filter((name) => name !== '');
  return Array.from({ length: names.length + 1 }, (_, depth) => [root, ...names.slice(0, depth)].join('/'));
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return undefined;
  }
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
