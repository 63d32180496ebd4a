import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { BACKEND_PACKAGES, type Backend, type BackendFacts } from './backend.js';

/** Milliseconds. A GPU's first kernels may be compiled for minutes. */
const TIME_LIMIT = 300_000;

/** What came of trying a backend; `reason` says why it is of no use, `remedy` how to get it. */
export type Probe =
  | { readonly backend: Backend; readonly available: true; readonly facts: BackendFacts; readonly note?: string }
  | { readonly backend: Backend; readonly available: false; readonly reason: string; readonly remedy: string };

/** How the process that tried a backend ended. */
export interface ProbeOutcome {
  readonly code: number | null;
  readonly signal: string | null;
  readonly timedOut: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

/** Tries a backend in a process of its own, so that native code that ends it ends nothing else. */
export async function probeBackend(
  backend: Backend,
  run: (backend: Backend) => Promise<ProbeOutcome> = probeProcess,
): Promise<Probe> {
  return judge(backend, await run(backend));
}

function probeProcess(backend: Backend): Promise<ProbeOutcome> {
  const script = fileURLToPath(new URL('./probe-process.js', import.meta.url));
  return new Promise((resolve) => {
    execFile(process.execPath, [script, backend], { timeout: TIME_LIMIT }, (error, stdout, stderr) => {
      const { code, signal, killed } = (error ?? {}) as { code?: number; signal?: string; killed?: boolean };
      resolve({
        code: error === null ? 0 : typeof code === 'number' ? code : null,
        signal: signal ?? null,
        timedOut: killed === true,
        stdout,
        stderr,
      });
    });
  });
}

const NATIVE = BACKEND_PACKAGES.tensorflow[0];

const GPU_NEEDS = 'TensorFlow 2.9.1, which it downloads, finds a GPU with CUDA 11.2 and cuDNN 8.1';

const REBUILD = `allow its install script ("allowScripts": {"${NATIVE}": true} in package.json) and run npm rebuild ${NATIVE}`;

const DOWNLOAD =
  'where its download of libtensorflow is blocked, point TFJS_NODE_BASE_URI or TFJS_NODE_CDN_STORAGE at a mirror, or put scripts/custom-binary.json into the package; for a GPU it also needs CUDA 11.2 and cuDNN 8.1';

function judge(backend: Backend, { code, signal, timedOut, stdout, stderr }: ProbeOutcome): Probe {
  const facts = code === 0 ? factsIn(stdout) : undefined;
  if (facts !== undefined) {
    const note = backend === 'tensorflow' && !facts.gpu ? withoutGpu(facts, stderr) : undefined;
    return { backend, available: true, facts, ...(note === undefined ? {} : { note }) };
  }
  const unavailable = (reason: string, remedy: string): Probe => ({ backend, available: false, reason, remedy });
  const [name] = BACKEND_PACKAGES[backend];
  const native = backend === 'tensorflow';
  if (timedOut)
    return unavailable(`${name} did not answer within ${TIME_LIMIT / 1000} s`, 'try again on an idle machine');
  if (signal !== null) {
    return unavailable(
      `loading ${name} ended its process with ${signal}`,
      native ? `its libtensorflow does not fit this machine: ${REBUILD}; ${DOWNLOAD}` : `npm install ${name}`,
    );
  }
  const message = errorIn(stderr);
  if (/is not installed/.test(message)) {
    const why = native
      ? `${name} is not installed; npm leaves an optional package out where its install script fails or is not allowed`
      : `${name} is not installed`;
    return unavailable(why, native ? `npm install ${name}; ${DOWNLOAD}` : `npm install ${name}`);
  }
  if (/Cannot find module '(@tensorflow\/[^']+)'/.test(message)) {
    const missing = /Cannot find module '(@tensorflow\/[^']+)'/.exec(message)![1];
    return unavailable(`${missing} is not installed`, `npm install ${missing}`);
  }
  if (/tfjs_binding\.node/.test(message) && /can ?not be found/.test(message)) {
    return unavailable(
      `${name} is installed without its native part: its install script did not run or failed`,
      `${REBUILD}; ${DOWNLOAD}`,
    );
  }
  const library = /(lib[\w.+-]+\.(?:so|dylib)[\w.]*): cannot open shared object file/.exec(message)?.[1];
  if (library !== undefined) {
    const cuda = /cuda|cudnn|cublas|cufft|curand|cusolver|cusparse/.test(library);
    return unavailable(`${name} needs ${library}, which is not there`, cuda ? GPU_NEEDS : `${REBUILD}; ${DOWNLOAD}`);
  }
  return unavailable(`${name} does not load: ${message}`, native ? `${REBUILD}; ${DOWNLOAD}` : `npm install ${name}`);
}

/** Why the C library computes on the CPU: the libraries that it says it looked for in vain. */
function withoutGpu(facts: BackendFacts, stderr: string): string {
  if (!facts.package.endsWith('-gpu')) return `${facts.package} is for the CPU; ${NATIVE} is for a GPU`;
  const missing = [...stderr.matchAll(/Could not load dynamic library '([^']+)'/g)].map(([, name]) => name);
  const why = missing.length > 0 ? `no ${[...new Set(missing)].join(', ')}` : 'the library sees no GPU';
  return `on the CPU: ${why}. ${GPU_NEEDS}`;
}

function factsIn(stdout: string): BackendFacts | undefined {
  try {
    return JSON.parse(stdout.trimEnd().split('\n').at(-1)!);
  } catch {
    return undefined;
  }
}

/** The line with the error, among what libraries print. */
function errorIn(stderr: string): string {
  const lines = stderr.split('\n').map((line) => line.trim());
  return lines.find((line) => /^\w*Error\b.*: /.test(line)) ?? lines.find((line) => line !== '') ?? 'it says nothing';
}
