import { arch, platform } from 'node:os';
import { type EngineFinding, type EngineName, surveyEngines } from '../training/index.js';
import { VERSION } from '../version.js';
import {
  type GpuFacts,
  gpuFacts,
  type MemoryFacts,
  memoryFacts,
  type NodeFacts,
  nodeFacts,
  type ThreadFacts,
  threadFacts,
  type WebAssemblyFacts,
  webAssemblyFacts,
} from './machine.js';
import { optionalPackages, type PackageFacts } from './packages.js';
import { type Check, selfTest } from './self-test.js';

/** What this machine offers, and whether that is enough. */
export interface Examination {
  readonly version: string;
  readonly platform: string;
  readonly node: NodeFacts;
  readonly webAssembly: WebAssemblyFacts;
  readonly threads: ThreadFacts;
  readonly memory: MemoryFacts;
  readonly gpu: GpuFacts;
  readonly packages: readonly PackageFacts[];
  /** Training engines, in the order in which `auto` prefers them. */
  readonly engines: readonly (EngineFinding & { readonly name: EngineName })[];
  readonly checks: readonly Check[];
  /** Why sampling and training on the CPU will not work; empty where they will. */
  readonly problems: readonly string[];
}

/** Looks at the machine and runs the self-test; some seconds. */
export async function examine(): Promise<Examination> {
  const node = nodeFacts();
  const webAssembly = webAssemblyFacts();
  const gpu = await gpuFacts();
  const engines = await surveyEngines();
  const checks = await selfTest();
  return {
    version: VERSION,
    platform: `${platform()} ${arch()}`,
    node,
    webAssembly,
    threads: threadFacts(),
    memory: memoryFacts(),
    gpu,
    packages: optionalPackages(),
    engines,
    checks,
    problems: problemsOf(node, webAssembly, checks),
  };
}

export function problemsOf(node: NodeFacts, webAssembly: WebAssemblyFacts, checks: readonly Check[]): string[] {
  const failed = checks.filter(({ passed }) => !passed).map(({ name, detail }) => `self-test '${name}': ${detail}`);
  return [
    ...(node.supported ? [] : [`Node.js is ${node.version}, expected ${node.required}`]),
    // Without SIMD the self-test fails throughout and has nothing to add.
    ...(webAssembly.simd ? failed : ['no WebAssembly SIMD, which the kernels need']),
  ];
}
