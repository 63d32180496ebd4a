import { posix } from 'node:path';
import { UsageError } from '../../errors.js';
import { defaultName, type EmittedFile, oneLine, type RunFacts } from './emit.js';

/** What a cluster has to be told beside the run. */
export interface KubernetesOptions {
  /** Container image with equiflow. */
  readonly image: string;
  /** PersistentVolumeClaim that holds the run folder, writable by many pods at once (ReadWriteMany). */
  readonly claim: string;
  /** Where pods mount the claim, an absolute path. */
  readonly mount: string;
  /** Processors and threads of a shard. */
  readonly cpus: number;
  /** Memory of a shard in the notation of Kubernetes; what sampling needs unless told otherwise. */
  readonly memory?: string;
  /** How many shards run at once at most; 1000 unless told otherwise. */
  readonly maxRunning?: number;
  /** The jobs are called `<name>-shards` and `<name>-merge`. By default from job and plan. */
  readonly name?: string;
  readonly namespace?: string;
  /** User and group of the processes, 1000 unless told otherwise; never root. */
  readonly user?: number;
}

/** Exit codes that the same call will end with again: usage, data, input, a missing part, a bug, no output. */
const FINAL_CODES = [2, 65, 66, 69, 70, 73];

/** Exit code of a shard that was told to end; the next attempt goes on where it stopped. */
const INTERRUPTED = 75;

/** Attempts beyond the first for what may be better the next time: a full disk, too little memory, a lost node. */
const RETRIES = 3;

/** What the scheduler of a cluster takes without trouble; Kubernetes itself allows 10⁴ for an Indexed Job. */
const MAX_RUNNING = 1000;

/** A run in which so many shards fail is stopped: the same error awaits the others. */
const FAILING_SHARE = 0.1;

/** Sampling takes 75 MB and 35 MB a thread (docs/clusters.md); the rest is for page cache and other jobs. */
const memoryFor = (cpus: number) => `${256 + 128 * cpus}Mi`;

const LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const MAX_LABEL = 63;

/**
 * An Indexed Job with a pod for each shard, a Job that merges, and a script that runs one after the other. Needs Kubernetes 1.29 or
 * newer, which counts retries by index.
 *
 * @throws UsageError for a plan that counts from 1, and for names, paths or numbers that Kubernetes would refuse
 */
export function kubernetesManifests(facts: RunFacts, options: KubernetesOptions): EmittedFile[] {
  requireFacts(facts);
  const name = options.name ?? defaultName(facts);
  requireOptions(name, facts, options);
  requireInput(facts, options);
  const run = runInPods(facts.run, options.mount);
  const result = facts.merge.map((word) => seenByPods(word, run, facts, options));
  const shards: Work = {
    name: `${name}-shards`,
    spec: indexedSpec(facts, options),
    policy: 'FailIndex',
    words: [...facts.command, 'shard', '--plan', run, '--index', 'auto', '--quiet'],
  };
  const merge: Work = {
    name: `${name}-merge`,
    spec: `  backoffLimit: ${RETRIES}`,
    policy: 'FailJob',
    words: [...facts.command, 'merge', '--plan', run, ...result, '--quiet'],
  };
  return [
    { name: 'kubernetes/shards.yaml', text: manifest(shards, name, facts, options) },
    { name: 'kubernetes/merge.yaml', text: manifest(merge, name, facts, options) },
    { name: 'kubernetes/run.sh', text: script(shards.name, merge.name, options), executable: true },
  ];
}

interface Work {
  readonly name: string;
  /** Fields of the Job's specification that are its own. */
  readonly spec: string;
  /** What an exit code that stays ends. */
  readonly policy: 'FailIndex' | 'FailJob';
  readonly words: readonly string[];
}

function indexedSpec({ shards }: RunFacts, { maxRunning = MAX_RUNNING }: KubernetesOptions): string {
  return `\
  # Pod k computes shard k: Kubernetes gives it JOB_COMPLETION_INDEX, and --index auto reads that.
  completionMode: Indexed
  completions: ${shards}
  parallelism: ${Math.min(shards, maxRunning)}
  # Each shard has retries of its own, so that one bad node does not use up those of all.
  backoffLimitPerIndex: ${RETRIES}
  # The other shards go on when one has failed, but not when the run as a whole is broken.
  maxFailedIndexes: ${Math.max(1, Math.floor(FAILING_SHARE * shards))}`;
}

/** Kubernetes puts variables for $(NAME) in a command, and one dollar for two. */
const literal = (word: string) => word.replaceAll('$', '$$$$');

/** Names are quoted: a number, true or null is a valid one, and no text without. */
function manifest(work: Work, name: string, facts: RunFacts, options: KubernetesOptions): string {
  const { image, claim, mount, cpus, memory = memoryFor(cpus), namespace, user = 1000 } = options;
  return `\
# equiflow ${facts.job}, plan ${facts.hash.slice(0, 16)}, ${facts.shards} shards.
apiVersion: batch/v1
kind: Job
metadata:
  name: ${work.name}
${namespace === undefined ? '' : `  namespace: ${JSON.stringify(namespace)}\n`}\
  labels: { app.kubernetes.io/name: equiflow, app.kubernetes.io/instance: ${JSON.stringify(name)} }
spec:
${work.spec}
  # Its logs stay for a week.
  ttlSecondsAfterFinished: 604800
  podFailurePolicy:
    rules:
      # Drained, evicted and preempted pods are replaced and not counted.
      - action: Ignore
        onPodConditions: [{ type: DisruptionTarget, status: "True" }]
      # These codes come again: bad usage, data or input, a missing part, a bug, no output.
      - action: ${work.policy}
        onExitCodes: { containerName: equiflow, operator: In, values: [${FINAL_CODES.join(', ')}] }
      # Told to end: the next pod goes on where this one stopped.
      - action: Ignore
        onExitCodes: { containerName: equiflow, operator: In, values: [${INTERRUPTED}] }
      # Everything else counts as a retry, also a full disk (74) and too little memory (137).
  template:
    metadata:
      labels: { app.kubernetes.io/name: equiflow, app.kubernetes.io/instance: ${JSON.stringify(name)} }
    spec:
      # A new pod for each attempt; the policy above needs it.
      restartPolicy: Never
      # After TERM the blocks done so far are flushed, which may take a while on a network volume.
      terminationGracePeriodSeconds: 60
      automountServiceAccountToken: false
      securityContext:
        runAsNonRoot: true
        runAsUser: ${user}
        runAsGroup: ${user}
        fsGroup: ${user}
        # Without this, every pod would walk through the whole volume first.
        fsGroupChangePolicy: OnRootMismatch
        seccompProfile: { type: RuntimeDefault }
      containers:
        - name: equiflow
          image: ${JSON.stringify(image)}
          command: ${JSON.stringify(work.words.map(literal))}
          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities: { drop: [ALL] }
          # The limit of processors is the number of threads that equiflow takes.
          resources:
            requests: { cpu: ${cpus}, memory: ${JSON.stringify(memory)} }
            limits: { cpu: ${cpus}, memory: ${JSON.stringify(memory)} }
          volumeMounts: [{ name: run, mountPath: ${JSON.stringify(mount)} }]
      volumes: [{ name: run, persistentVolumeClaim: { claimName: ${JSON.stringify(claim)} } }]
`;
}

function script(shards: string, merge: string, { namespace }: KubernetesOptions): string {
  const kubectl = namespace === undefined ? 'kubectl' : `kubectl --namespace ${namespace}`;
  return `\
#!/bin/sh
# Runs the shards and then the merge. Run it again after a failure: shards that are done return at once.
set -eu
cd "$(dirname "$0")"

# The conditions of a job that hold: with Complete or Failed it has ended.
state() { ${kubectl} get job "$1" --ignore-not-found -o 'jsonpath={.status.conditions[?(@.status=="True")].type}'; }

finish() { # job, manifest
  conditions=$(state "$1")
  # A job that has ended cannot be started again; one that is at work is waited for.
  case " $conditions " in *" Complete "* | *" Failed "*) ${kubectl} delete job "$1" ;; esac
  ${kubectl} apply -f "$2"
  while :; do
    conditions=$(state "$1")
    case " $conditions " in
      *" Complete "*) return ;;
      *" Failed "*)
        echo "$1 failed at index: $(${kubectl} get job "$1" -o 'jsonpath={.status.failedIndexes}')" >&2
        echo "its errors: ${kubectl} logs --prefix --tail 1 --selector batch.kubernetes.io/job-name=$1" >&2
        exit 1 ;;
    esac
    # Ends as soon as the job completes; that it has failed is seen above.
    ${kubectl} wait --for=condition=Complete --timeout=30s "job/$1" >/dev/null 2>&1 || sleep 2
  done
}

finish ${shards} shards.yaml
finish ${merge} merge.yaml
${kubectl} logs job/${merge}
`;
}

/** The rest of a path that leads into a folder; undefined if it leads elsewhere. */
function wayInto(folder: string, path: string): string | undefined {
  const way = posix.relative(folder, path);
  return way === '..' || way.startsWith('../') ? undefined : way;
}

/** The same path as here where the claim is mounted above it, else the folder of that name at the top of the claim. */
function runInPods(run: string, mount: string): string {
  return posix.join(mount, wayInto(mount, run) ?? posix.basename(run));
}

/** A word of `merge`; a path is what pods call it. @throws UsageError for a path that they do not see */
function seenByPods(word: string, run: string, facts: RunFacts, { mount }: KubernetesOptions): string {
  if (!posix.isAbsolute(word)) return word;
  const own = wayInto(facts.run, word);
  if (own !== undefined) return posix.join(run, own);
  if (wayInto(mount, word) !== undefined) return word;
  throw new UsageError(
    `emit k8s: --out is ${word}, which pods do not see: expected a path in the run folder or below ${mount}`,
  );
}

/** The plan names input by its path here, which has to be that in pods. */
function requireInput({ input = [] }: RunFacts, { mount }: KubernetesOptions): void {
  const hidden = input.find((path) => wayInto(mount, path) === undefined);
  if (hidden === undefined) return;
  throw new UsageError(
    `emit k8s: the shards read ${hidden}, which pods do not see: expected input below ${mount}, where the claim is mounted (--mount)`,
  );
}

function requireFacts({ firstIndex, shards, command, merge }: RunFacts): void {
  if (firstIndex !== 0) {
    throw new UsageError(
      `emit k8s: the plan counts shards from ${firstIndex}, Kubernetes counts from 0: plan again without --first-index`,
    );
  }
  if (shards > 1e5) throw new UsageError(`emit k8s: ${shards} shards, Kubernetes allows at most 100000 in a Job`);
  for (const word of [...command, ...merge]) oneLine('emit k8s: a word of the command', word);
}

function requireOptions(name: string, { shards }: RunFacts, options: KubernetesOptions): void {
  const refuse = (what: string, value: unknown, expected: string) => {
    throw new UsageError(`emit k8s: ${what} is ${JSON.stringify(value)}, expected ${expected}`);
  };
  // Kubernetes names the host of a pod after the job and the index.
  const longest = MAX_LABEL - `-shards-${shards - 1}`.length;
  if (!LABEL.test(name) || name.length > longest) {
    refuse('--name', name, `lower-case letters, digits and hyphens, at most ${longest} of them`);
  }
  const { image, claim, mount, cpus, memory, maxRunning, namespace, user } = options;
  if (!/^[\w][\w.:/@-]*$/.test(image)) refuse('--image', image, 'a container image, as in registry/equiflow:0.1');
  if (!claim.split('.').every((part) => LABEL.test(part)))
    refuse('--claim', claim, 'the name of a PersistentVolumeClaim');
  oneLine('emit k8s: --mount', mount);
  if (!posix.isAbsolute(mount) || mount.includes(':') || posix.normalize(mount) === '/') {
    refuse('--mount', mount, 'an absolute path below /');
  }
  if (!Number.isInteger(cpus) || cpus < 1) refuse('--cpus', cpus, 'a positive integer');
  if (memory !== undefined && !/^[1-9]\d*(k|[KMGT]i?)?$/.test(memory)) refuse('--memory', memory, 'bytes, as in 2Gi');
  if (maxRunning !== undefined && !(Number.isInteger(maxRunning) && maxRunning >= 1)) {
    refuse('--max-running', maxRunning, 'a positive integer');
  }
  if (namespace !== undefined && !(LABEL.test(namespace) && namespace.length <= MAX_LABEL)) {
    refuse('--namespace', namespace, 'the name of a namespace');
  }
  if (user !== undefined && !(Number.isInteger(user) && user >= 1)) refuse('--user', user, 'a number from 1: not root');
}
