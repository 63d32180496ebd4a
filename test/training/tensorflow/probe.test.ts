import test from 'ava';
import { type ProbeOutcome, probeBackend } from '../../../src/training/engines/tensorflow/probe.js';
import { describeProbe } from '../../../src/training/engines/tensorflow/provider.js';

const ENDED: ProbeOutcome = { code: 1, signal: null, timedOut: false, stdout: '', stderr: '' };

const probe = (backend: 'tensorflow' | 'wasm' | 'cpu', outcome: Partial<ProbeOutcome>) =>
  probeBackend(backend, async () => ({ ...ENDED, ...outcome }));

/** What a broken installation ends its process with, and what its user needs to read. */
const BROKEN: readonly [what: string, outcome: Partial<ProbeOutcome>, reason: RegExp, remedy: RegExp][] = [
  [
    'absent',
    {
      stderr:
        'file:///x.js:1\n  throw e;\n\nError: @tensorflow/tfjs-node-gpu or @tensorflow/tfjs-node is not installed\n',
    },
    /tfjs-node-gpu is not installed; npm leaves an optional package out/,
    /npm install @tensorflow\/tfjs-node-gpu.*TFJS_NODE_BASE_URI.*TFJS_NODE_CDN_STORAGE.*custom-binary\.json.*CUDA 11\.2.*cuDNN 8\.1/,
  ],
  [
    'install script not run',
    {
      stderr:
        'Error: The Node.js native addon module (tfjs_binding.node) can not be found at path: /a/b.node. \nPlease',
    },
    /without its native part/,
    /allowScripts.*npm rebuild @tensorflow\/tfjs-node-gpu/,
  ],
  [
    'library missing',
    { stderr: 'Error: libtensorflow.so.2: cannot open shared object file: No such file or directory\n    at x' },
    /needs libtensorflow\.so\.2, which is not there/,
    /npm rebuild/,
  ],
  [
    'CUDA missing',
    { stderr: 'Error: libcudart.so.11.0: cannot open shared object file: No such file or directory' },
    /needs libcudart\.so\.11\.0/,
    /CUDA 11\.2 and cuDNN 8\.1/,
  ],
  ['wrong processor', { code: null, signal: 'SIGILL' }, /ended its process with SIGILL/, /does not fit this machine/],
  ['hanging', { code: null, signal: 'SIGTERM', timedOut: true }, /did not answer within 300 s/, /try again/],
  [
    'anything else',
    { stderr: '2026: I tensorflow/core: chatter\nTypeError: x is not a function\n    at y' },
    /does not load: TypeError: x is not a function$/,
    /npm rebuild/,
  ],
];

for (const [what, outcome, reason, remedy] of BROKEN) {
  test(`what is wrong with the native package is said, and what helps: ${what}`, async (t) => {
    const found = await probe('tensorflow', outcome);
    if (found.available) {
      t.fail('it is not available');
      return;
    }
    t.regex(found.reason, reason);
    t.regex(found.remedy, remedy);
    t.is(describeProbe(found), `${found.reason}. To get it: ${found.remedy}`);
  });
}

test('the backend for WebAssembly asks for the package that is missing', async (t) => {
  const found = await probe('wasm', { stderr: "Error: Cannot find module '@tensorflow/tfjs'\nRequire stack:" });
  t.like(found, {
    available: false,
    reason: '@tensorflow/tfjs is not installed',
    remedy: 'npm install @tensorflow/tfjs',
  });
});

test('a library without a GPU says which of its parts it did not find', async (t) => {
  const facts = { package: '@tensorflow/tfjs-node-gpu', version: '4.22.0', library: '2.9.1', gpu: false };
  const stdout = `chatter of the library\n${JSON.stringify(facts)}\n`;
  const stderr =
    "W Could not load dynamic library 'libcudart.so.11.0'; dlerror: x\nW Could not load dynamic library 'libcudnn.so.8'; dlerror: x\n";
  const found = await probe('tensorflow', { code: 0, stdout, stderr });
  t.regex(
    describeProbe(found),
    /4\.22\.0 with TensorFlow 2\.9\.1 on the CPU: no libcudart\.so\.11\.0, libcudnn\.so\.8\. .*CUDA/,
  );
  const gpu = await probe('tensorflow', { code: 0, stdout: JSON.stringify({ ...facts, gpu: true }) });
  t.is(describeProbe(gpu), '@tensorflow/tfjs-node-gpu 4.22.0 with TensorFlow 2.9.1 on a GPU');
});

test('a process that ends well without saying what it found has found nothing', async (t) => {
  t.false((await probe('cpu', { code: 0, stdout: 'hello' })).available);
});
