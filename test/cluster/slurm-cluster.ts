import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { type Surroundings, succeed, until } from './commands.js';
import { freePorts } from './ports.js';
import { processesIn, processesWith, signalAll } from './processes.js';

/** Variable by which everything that a cluster starts can be found, jobs included. */
export const MARK = 'EQUIFLOW_TEST_CLUSTER';

export const NODES = ['n1', 'n2'] as const;
export type NodeName = (typeof NODES)[number];

/** Processors that each node claims to have. */
const NODE_CPUS = 2;

/** A job as `scontrol show job` has it. */
export type JobFacts = Readonly<Record<string, string>>;

/**
 * A real Slurm on this machine, without systemd: munge with a key of its own, the controller and two nodes, all below one
 * folder and with ports of their own. It needs root.
 */
export class SlurmCluster {
  readonly env: NodeJS.ProcessEnv;
  readonly #daemons = new Map<string, ChildProcess>();

  /** @param folder an existing, empty folder whose path is short: it holds a socket */
  constructor(readonly folder: string) {
    this.env = { ...process.env, [MARK]: folder, SLURM_CONF: join(folder, 'slurm.conf') };
    // Of a cluster that this test may itself run in.
    for (const name of Object.keys(this.env)) {
      if (/^(SLURM_|SBATCH_|SQUEUE_)/.test(name) && name !== 'SLURM_CONF') delete this.env[name];
    }
  }

  async start(): Promise<void> {
    for (const name of ['state', 'munge', ...NODES]) mkdirSync(join(this.folder, name), { mode: 0o700 });
    writeFileSync(join(this.folder, 'munge/key'), randomBytes(1024), { mode: 0o400 });
    writeFileSync(join(this.folder, 'slurm.conf'), configuration(this.folder, await freePorts(1 + NODES.length)));
    const munge = (name: string) => join(this.folder, 'munge', name);
    this.#spawn('munged', 'munged', [
      ...['--foreground', '--force', `--key-file=${munge('key')}`, `--socket=${munge('socket')}`],
      ...[`--pid-file=${munge('pid')}`, `--log-file=${munge('log')}`, `--seed-file=${munge('seed')}`],
    ]);
    await until('munge answers', () => this.#answers('munge', ['--no-input', `--socket=${munge('socket')}`]), 10);
    await this.startController();
    for (const node of NODES) await this.startNode(node);
  }

  async startController(): Promise<void> {
    this.#spawn('slurmctld', 'slurmctld', ['-D']);
    await until('slurmctld answers', () => this.#answers('scontrol', ['ping']), 30);
  }

  /** Stops the controller as an administrator does; jobs go on. */
  async stopController(): Promise<void> {
    await this.#end('slurmctld', 'SIGTERM');
  }

  async startNode(node: NodeName): Promise<void> {
    this.#spawn(node, 'slurmd', ['-D', '-N', node]);
    await until(`${node} is idle`, async () => (await this.nodeState(node)) === 'idle', 30);
  }

  /** What a power cut does to a node: its daemon and all jobs on it are gone at once. */
  async killNode(node: NodeName): Promise<void> {
    await this.#end(node, 'SIGKILL');
    const jobs = processesWith({ [MARK]: this.folder, SLURMD_NODENAME: node });
    signalAll([...processesIn(join(this.folder, node)), ...jobs], 'SIGKILL');
  }

  /** State as sinfo has it, such as `idle` or `mixed`. */
  async nodeState(node: NodeName): Promise<string> {
    return succeed('sinfo', ['--noheader', '--nodes', node, '--format=%T'], this.#here);
  }

  version(): Promise<string> {
    return succeed('sbatch', ['--version'], this.#here);
  }

  scontrol(...args: string[]): Promise<string> {
    return succeed('scontrol', args, this.#here);
  }

  scancel(job: string): Promise<string> {
    return succeed('scancel', [job], this.#here);
  }

  /** The tasks of an array, by their indices; a job that is no array has the index NaN. */
  async tasks(job: string): Promise<ReadonlyMap<number, JobFacts>> {
    const lines = (await this.scontrol('show', 'job', '--oneliner', job)).split('\n');
    const facts = lines.map((line) =>
      Object.fromEntries([...line.matchAll(/(\S+?)=(\S*)/g)].map(([, k, v]) => [k, v])),
    );
    return new Map(facts.map((fact) => [Number(fact.ArrayTaskId), fact]));
  }

  /** Jobs that wait or run in a folder. */
  async queue(folder: string): Promise<string[]> {
    const lines = (await succeed('squeue', ['--noheader', '--format=%i %Z'], this.#here)).split('\n');
    return lines.flatMap((line) => (line.endsWith(` ${folder}`) ? [line.slice(0, line.indexOf(' '))] : []));
  }

  /** Ends everything that was started with the variables of the cluster. May be called in any state and more than once. */
  stop(): void {
    for (let round = 0; round < 100; round++) {
      const rest = [...processesWith({ [MARK]: this.folder }), ...processesIn(this.folder)];
      if (rest.length === 0) break;
      signalAll(rest, 'SIGKILL');
      // Synchronous, so that it works while the process exits.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
    }
  }

  /** The ends of all logs, for a report of what went wrong. */
  logs(): string {
    return ['slurmctld', ...NODES, 'munged']
      .map(
        (name) =>
          `--- ${name}\n${readFileSync(join(this.folder, `${name}.out`), 'utf8')
            .split('\n')
            .slice(-30)
            .join('\n')}`,
      )
      .join('\n');
  }

  get #here(): Surroundings {
    return { cwd: this.folder, env: this.env };
  }

  #spawn(name: string, command: string, args: readonly string[]): void {
    const log = openSync(join(this.folder, `${name}.out`), 'a');
    // Supervisors of jobs stay in the folder of their node, by which they are found.
    const cwd = (NODES as readonly string[]).includes(name) ? join(this.folder, name) : this.folder;
    const child = spawn(command, args, { cwd, env: this.env, stdio: ['ignore', log, log] });
    closeSync(log);
    this.#daemons.set(name, child);
  }

  async #end(name: string, signal: NodeJS.Signals): Promise<void> {
    const daemon = this.#daemons.get(name)!;
    daemon.kill(signal);
    await until(`${name} ends`, () => daemon.exitCode !== null || daemon.signalCode !== null, 30);
  }

  async #answers(command: string, args: readonly string[]): Promise<boolean> {
    return succeed(command, args, this.#here).then(
      () => true,
      () => false,
    );
  }
}

/**
 * Nothing that a container lacks: no control groups, no accounting. Requeued jobs wait until their credential has expired, two
 * minutes by default, and a silent node counts as down after five; both are shorter here.
 */
function configuration(folder: string, [controller, ...nodes]: readonly number[]): string {
  const host = hostname().split('.')[0];
  return `ClusterName=equiflow
SlurmctldHost=${host}(127.0.0.1)
SlurmctldPort=${controller}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket=${folder}/munge/socket,cred_expire=5
StateSaveLocation=${folder}/state
SlurmctldPidFile=${folder}/slurmctld.pid
SlurmdPidFile=${folder}/%n/pid
SlurmdSpoolDir=${folder}/%n/spool
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=sched_interval=1,batch_sched_delay=1,bf_interval=2
ReturnToService=2
MinJobAge=3600
SlurmdTimeout=6
KillWait=30
SlurmdParameters=config_overrides
${NODES.map((name, i) => `NodeName=${name} NodeHostname=${host} NodeAddr=127.0.0.1 Port=${nodes[i]} CPUs=${NODE_CPUS} RealMemory=8000`).join('\n')}
PartitionName=main Nodes=${NODES.join(',')} Default=YES MaxTime=INFINITE State=UP
`;
}
