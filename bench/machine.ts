import { arch, availableParallelism, cpus, loadavg, platform } from 'node:os';

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly platform: string;
  readonly arch: string;
  readonly node: string;
  /** Processes that wanted to run during the minute before. */
  readonly load: number;
}

export function thisMachine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    platform: platform(),
    arch: arch(),
    node: process.version,
    load: loadavg()[0],
  };
}

export function machineLine({ cpu, cores, platform, arch, node, load }: Machine): string {
  const busy =
    load > 0.5 ? `; it was busy before this run: load ${load.toFixed(1)}, which times by the clock will show` : '';
  return `${cpu}, ${cores} cores, ${platform} ${arch}, Node.js ${node}${busy}`;
}
