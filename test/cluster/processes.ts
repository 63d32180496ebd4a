import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { constants } from 'node:os';

/** Processes of this machine of which something holds. */
function processesOf(holds: (pid: number) => boolean): number[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.map(Number).filter((pid) => {
    try {
      return pid !== process.pid && holds(pid);
    } catch {
      return false; // it has just ended
    }
  });
}

/** Those that were started with all of these variables. */
export function processesWith(variables: Readonly<Record<string, string>>): number[] {
  const wanted = Object.entries(variables).map(([name, value]) => `${name}=${value}`);
  return processesOf((pid) => {
    const environment = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
    return wanted.every((variable) => environment.includes(variable));
  });
}

/** Those that work in a folder. The supervisors of Slurm's jobs overwrite their variables, but stay where they were started. */
export function processesIn(folder: string): number[] {
  return processesOf((pid) => `${readlinkSync(`/proc/${pid}/cwd`)}/`.startsWith(`${folder}/`));
}

/** Whether Node.js is what a process runs, and not the shell before it. */
export function isNode(pid: number): boolean {
  try {
    return readlinkSync(`/proc/${pid}/exe`) === process.execPath;
  } catch {
    return false;
  }
}

/** Whether a signal waits for a stopped process to go on. */
export function isPending(pid: number, signal: NodeJS.Signals): boolean {
  try {
    const [, pending] = /^ShdPnd:\s*([0-9a-f]+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))!;
    return ((BigInt(`0x${pending}`) >> BigInt(constants.signals[signal] - 1)) & 1n) === 1n;
  } catch {
    return false; // it has ended
  }
}

/** Sends a signal to those that are still there. */
export function signalAll(pids: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}
