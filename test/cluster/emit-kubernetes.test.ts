import { readFile, stat, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { parse } from 'yaml';
import type { RunFacts } from '../../src/cluster/emit/emit.js';
import { type KubernetesOptions, kubernetesManifests } from '../../src/cluster/emit/kubernetes.js';
import { UsageError } from '../../src/errors.js';
import { equiflow } from '../cli/command-line.js';
import { attempt } from './commands.js';
import { ownFolder, planRun } from './runs.js';
import { FACTS as RUN, write, writeProgram } from './scripts.js';

const FACTS: RunFacts = {
  ...RUN,
  run: '/data/project/run',
  shards: 120,
  command: ['equiflow'],
  merge: ['--out', '/data/project/samples'],
};
const OPTIONS: KubernetesOptions = {
  image: 'registry.example.org/equiflow:0.1',
  claim: 'shared',
  mount: '/data',
  cpus: 4,
};

const emit = (facts: Partial<RunFacts> = {}, options: Partial<KubernetesOptions> = {}) => {
  const files = kubernetesManifests({ ...FACTS, ...facts }, { ...OPTIONS, ...options });
  const text = (name: string) => files.find((file) => file.name === `kubernetes/${name}`)!.text;
  return { files, shards: parse(text('shards.yaml')), merge: parse(text('merge.yaml')), script: text('run.sh') };
};
const container = (job: { spec: { template: { spec: { containers: Record<string, unknown>[] } } } }) =>
  job.spec.template.spec.containers[0];

test('a pod a shard, counted from 0, with retries of its own', (t) => {
  const { spec } = emit().shards;
  t.is(spec.completionMode, 'Indexed');
  t.is(spec.completions, 120);
  t.is(spec.parallelism, 120);
  t.is(spec.backoffLimitPerIndex, 3);
  t.is(spec.maxFailedIndexes, 12);
  t.is(spec.template.spec.restartPolicy, 'Never');
  t.is(emit({ shards: 1 }).shards.spec.maxFailedIndexes, 1);
  t.is(emit({ shards: 10_000 }).shards.spec.parallelism, 1000);
  t.is(emit({}, { maxRunning: 7 }).shards.spec.parallelism, 7);
});

test('names that YAML reads as numbers or truth values stay names, and dollars in paths stay dollars', (t) => {
  for (const name of ['123', '1e5', '0x1f', 'true', 'null']) {
    const { shards, merge } = emit({}, { name, claim: name, namespace: name });
    for (const { metadata, spec } of [shards, merge]) {
      t.is(metadata.namespace, name);
      for (const { labels } of [metadata, spec.template.metadata]) t.is(labels['app.kubernetes.io/instance'], name);
      t.is(spec.template.spec.volumes[0].persistentVolumeClaim.claimName, name);
    }
  }
  // Older YAML, which Kubernetes reads, has more of them.
  const { files } = emit({}, { name: 'on', claim: 'no' });
  t.regex(files[0].text, /instance: "on".*claimName: "no"/s);
  const { shards } = emit({ run: '/data/$(HOME)/a$$b' });
  // As Kubernetes expands a command.
  const expanded = (container(shards).command as string[]).map((word) => word.replaceAll('$$', '$'));
  t.true(expanded.includes('/data/$(HOME)/a$$b'), expanded.join(' '));
});

test('the shard takes its index from its pod, and the merge its options', (t) => {
  const { shards, merge } = emit();
  t.deepEqual(container(shards).command, [
    'equiflow',
    'shard',
    '--plan',
    '/data/project/run',
    '--index',
    'auto',
    '--quiet',
  ]);
  t.deepEqual(container(merge).command, [
    'equiflow',
    'merge',
    '--plan',
    '/data/project/run',
    ...FACTS.merge,
    '--quiet',
  ]);
  t.is(merge.spec.completions, undefined);
});

test('what can get better is tried again, what cannot is not', (t) => {
  const { shards, merge } = emit();
  /** What Kubernetes does: the first rule that matches, else the failure counts. */
  const action = (job: typeof shards, code: number, disrupted = false): string => {
    const rules: {
      action: string;
      onExitCodes?: { operator: string; values: number[] };
      onPodConditions?: object[];
    }[] = job.spec.podFailurePolicy.rules;
    const matches = rules.find(({ onExitCodes, onPodConditions }) =>
      onPodConditions ? disrupted : onExitCodes!.operator === 'In' && onExitCodes!.values.includes(code),
    );
    return matches?.action ?? 'Count';
  };
  for (const code of [2, 65, 66, 69, 70, 73]) {
    t.is(action(shards, code), 'FailIndex');
    t.is(action(merge, code), 'FailJob');
  }
  t.is(action(shards, 75), 'Ignore');
  t.is(action(shards, 137, true), 'Ignore');
  for (const code of [1, 74, 137, 143]) t.is(action(shards, code), 'Count');
});

test('the run is at its own path where the claim is mounted above it, else by its name in the claim', (t) => {
  const plan = (mount: string) => (container(emit({ merge: [] }, { mount }).shards).command as string[])[3];
  t.is(plan('/data'), '/data/project/run');
  t.is(plan('/data/project'), '/data/project/run');
  t.is(plan('/data/project/run'), '/data/project/run');
  t.is(plan('/mnt/claim'), '/mnt/claim/run');
  t.is(plan('/dat'), '/dat/run');
  const odd = emit({ run: '/data/..odd/run', merge: [] }, { mount: '/data' });
  t.is((container(odd.shards).command as string[])[3], '/data/..odd/run');
});

test('the merge writes where pods can: into the run folder as they see it, or elsewhere in the claim', (t) => {
  const out = (path: string, mount = '/mnt/claim') =>
    (container(emit({ merge: ['--out', path] }, { mount }).merge).command as string[]).at(-2);
  t.is(out('/data/project/run/samples'), '/mnt/claim/run/samples');
  t.is(out('/mnt/claim/samples'), '/mnt/claim/samples');
  t.is(out('/data/project/samples', '/data'), '/data/project/samples');
  t.throws(() => out('/data/project/running'), { instanceOf: UsageError, message: /--out is .*which pods do not see/ });
});

test('pods have the processors, memory, volume and rights that they need and no others', (t) => {
  for (const job of [emit().shards, emit().merge]) {
    const { spec } = job.spec.template;
    t.deepEqual(container(job).resources, {
      requests: { cpu: 4, memory: '768Mi' },
      limits: { cpu: 4, memory: '768Mi' },
    });
    t.deepEqual(spec.volumes, [{ name: 'run', persistentVolumeClaim: { claimName: 'shared' } }]);
    t.deepEqual(container(job).volumeMounts, [{ name: 'run', mountPath: '/data' }]);
    t.true(spec.securityContext.runAsNonRoot && spec.securityContext.runAsUser > 0);
    t.false(spec.automountServiceAccountToken);
    t.true(spec.terminationGracePeriodSeconds >= 30);
  }
  t.is(container(emit({}, { memory: '3Gi' }).shards).image, OPTIONS.image);
  t.deepEqual((container(emit({}, { memory: '3Gi' }).shards).resources as { limits: object }).limits, {
    cpu: 4,
    memory: '3Gi',
  });
});

test('words that YAML would take for something else stay words', (t) => {
  const words = ['/opt/my node/bin', 'yes', '012', '"quoted" \\ #', "it's: {a}"];
  const { shards } = emit({ command: words });
  t.deepEqual((container(shards).command as string[]).slice(0, words.length), words);
});

test('a namespace is that of the manifests and of the script', (t) => {
  const { shards, merge, script } = emit({}, { namespace: 'physics' });
  t.is(shards.metadata.namespace, 'physics');
  t.is(merge.metadata.namespace, 'physics');
  t.is(script.match(/kubectl(?! --namespace physics)/g), null);
  t.is(emit().shards.metadata.namespace, undefined);
});

test('what Kubernetes would refuse is refused here, by its name', (t) => {
  const bad: [RegExp, Partial<RunFacts>, Partial<KubernetesOptions>][] = [
    [/counts shards from 1, Kubernetes counts from 0: plan again without --first-index/, { firstIndex: 1 }, {}],
    [/at most 100000/, { shards: 100_001 }, {}],
    [/--name is "Run_1"/, {}, { name: 'Run_1' }],
    [/--name is .* at most 52 /, {}, { name: 'a'.repeat(53) }],
    [/--image is ""/, {}, { image: '' }],
    [/--claim is "My Claim"/, {}, { claim: 'My Claim' }],
    [/--mount is "data"/, { merge: [] }, { mount: 'data' }],
    [/--mount is "\/"/, { merge: [] }, { mount: '/' }],
    [/--memory is "lots"/, {}, { memory: 'lots' }],
    [/--max-running is 0/, {}, { maxRunning: 0 }],
    [/--cpus is 0/, {}, { cpus: 0 }],
    [/--namespace is "a b"/, {}, { namespace: 'a b' }],
    [/--user is 0, .*not root/, {}, { user: 0 }],
    [/read \/scratch\/x\.npy, which pods do not see/, { input: ['/data/set/u.npy', '/scratch/x.npy'] }, {}],
    [/control characters/, { command: ['a\nb'] }, {}],
  ];
  for (const [message, facts, options] of bad) {
    t.throws(() => emit(facts, options), { instanceOf: UsageError, message });
  }
  t.is(emit({ input: ['/data/set/u.npy'] }).shards.kind, 'Job');
  t.is(emit({}, { name: 'a'.repeat(52) }).shards.metadata.name.length + '-119'.length, 63);
});

test('the command writes them into the run folder, for equiflow as the image has it', async (t) => {
  const folder = await ownFolder(t);
  await planRun(folder, 'run', 3);
  const run = join(folder, 'run');
  const line = ['emit', 'k8s', '--plan', run, '--image', 'eq:1', '--claim', 'shared', '--mount', '/data'];
  const { stdout } = await equiflow(folder, line);
  t.regex(stdout, /\nnext: run\/kubernetes\/run\.sh\n$/);
  const read = async (name: string) => parse(await readFile(join(run, 'kubernetes', name), 'utf8'));
  const shards = await read('shards.yaml');
  t.is(shards.spec.completions, 3);
  t.deepEqual((container(shards).command as string[]).slice(0, 4), ['equiflow', 'shard', '--plan', '/data/run']);
  t.deepEqual((container(await read('merge.yaml')).command as string[]).slice(4, 6), ['--out', '/data/run/samples']);
  t.is((await stat(join(run, 'kubernetes', 'run.sh'))).mode & 0o100, 0o100);
  t.is((await equiflow(folder, line.slice(0, 4))).code, 2);
});

/**
 * Stands in for the command of the cluster: answers from a file that has what the status of the job is to be, line by line, and
 * writes down what it is asked.
 */
const KUBECTL = `#!/bin/sh
echo "$*" >> calls
case "$*" in
  *failedIndexes*) echo 3,17 ;;
  get*) head -n 1 states; sed -i 1d states ;;
  wait*) exit 1 ;;
  logs*) echo merged ;;
esac
`;

async function runScript(t: ExecutionContext, states: string[]) {
  const folder = await ownFolder(t);
  await write(folder, emit().files);
  const here = join(folder, 'kubernetes');
  await writeProgram(join(folder, 'kubectl'), KUBECTL);
  await writeProgram(join(folder, 'sleep'), '#!/bin/sh\n');
  await writeFile(join(here, 'states'), states.map((state) => `${state}\n`).join(''));
  const env = { ...process.env, PATH: `${folder}${delimiter}${process.env.PATH}` };
  const { code, stderr } = await attempt(join(here, 'run.sh'), [], { env });
  const calls = (await readFile(join(here, 'calls'), 'utf8')).trim().split('\n');
  const changes = calls.filter((call) => !/^(get|wait)/.test(call));
  return { code, stderr, changes };
}

const NAME = 'equiflow-sample-01234567';

test('the script waits for the shards, then merges', async (t) => {
  const states = ['', '', 'SuccessCriteriaMet', 'SuccessCriteriaMet Complete', '', '', 'Complete'];
  const { code, changes } = await runScript(t, states);
  t.is(code, 0);
  t.deepEqual(changes, ['apply -f shards.yaml', 'apply -f merge.yaml', `logs job/${NAME}-merge`]);
});

test('shards that failed end the script, which names them and does not merge', async (t) => {
  const { code, stderr, changes } = await runScript(t, ['', '', 'FailureTarget', 'FailureTarget Failed']);
  t.is(code, 1);
  t.deepEqual(changes, ['apply -f shards.yaml']);
  t.true(stderr.includes(`${NAME}-shards failed at index: 3,17`), stderr);
});

test('run again, the script replaces jobs that have ended and waits for one at work', async (t) => {
  const again = await runScript(t, ['FailureTarget Failed', '', 'Complete', 'Complete', 'Complete']);
  t.is(again.code, 0);
  t.deepEqual(again.changes.slice(0, 4), [
    `delete job ${NAME}-shards`,
    'apply -f shards.yaml',
    `delete job ${NAME}-merge`,
    'apply -f merge.yaml',
  ]);
  const atWork = await runScript(t, ['', 'Complete', '', 'Complete']);
  t.false(atWork.changes.some((change) => change.startsWith('delete')));
});
