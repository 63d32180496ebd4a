/*
 * Programs that use equiflow, built and run. Two kinds of bundle: equiflow left external,
 * where everything works; and equiflow bundled, where one thread works if the kernels lie beside the output, and a pool,
 * whose workers load modules by URL, says what to do.
 */

import { copyFile, mkdir, readdir, writeFile } from 'node:fs/promises';
import { builtinModules } from 'node:module';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { continuousFlow, initialKernelField, meanFreeNormal, prepareFlow, rk4, uniformBasis } from '../../src/index.js';
import { ownFolder } from '../own-folder.js';
import { copyPackage, type Ended, linkDependencies, MANIFEST, PROJECT, run } from './project.js';

const FLOW = `
const field = initialKernelField(4, 2, uniformBasis(50, 8, 0.5), { seed: 1 });
const flow = continuousFlow(meanFreeNormal(4, 2), field, rk4(8));
`;

const PROGRAMS = {
  'thread.js': `
import { continuousFlow, initialKernelField, meanFreeNormal, prepareFlow, rk4, uniformBasis } from 'equiflow';
${FLOW}
const { x, logQ } = prepareFlow(flow).sample(1, 0, 4);
console.log(JSON.stringify({ x: [...x], logQ: [...logQ] }));
`,
  'pool.js': `
import {
  boltzmannGenerator, continuousFlow, initialKernelField, meanFreeNormal, rk4, sample, systemFromSpec, uniformBasis,
  WorkerPool,
} from 'equiflow';
${FLOW}
const pool = new WorkerPool({ workers: 1 });
const generator = boltzmannGenerator(systemFromSpec('dw4'), flow);
const { x, logQ } = await sample(generator, { n: 4, seed: 1, precision: 'f64' }, pool);
await pool.close();
console.log(JSON.stringify({ x: [...x], logQ: [...logQ] }));
`,
};

type Program = keyof typeof PROGRAMS;

const KERNELS = 'node_modules/equiflow/dist/src/kernels/equiflow.wasm';

/** CommonJS dependencies call `require`, which ES modules have to make for themselves. */
const REQUIRE = "import { createRequire as forBundle } from 'node:module'; const require = forBundle(import.meta.url);";

/** What both programs print, computed here. */
function expected(): string {
  const field = initialKernelField(4, 2, uniformBasis(50, 8, 0.5), { seed: 1 });
  const flow = continuousFlow(meanFreeNormal(4, 2), field, rk4(8));
  const { x, logQ } = prepareFlow(flow).sample(1, 0, 4);
  return `${JSON.stringify({ x: [...x], logQ: [...logQ] })}\n`;
}

/** A consumer's folder with the programs and equiflow installed. */
async function consumer(t: ExecutionContext): Promise<string> {
  const folder = await ownFolder(t);
  await writeFile(join(folder, 'package.json'), '{ "type": "module", "private": true }');
  for (const [name, code] of Object.entries(PROGRAMS)) await writeFile(join(folder, name), code);
  await linkDependencies(folder);
  await mkdir(join(folder, 'node_modules', 'equiflow'));
  await copyPackage(join(folder, 'node_modules', 'equiflow'));
  return folder;
}

async function tool(t: ExecutionContext, name: 'esbuild' | 'vite', folder: string, ...args: string[]): Promise<void> {
  const { code, stdout, stderr } = await run(join(PROJECT, 'node_modules', '.bin', name), args, folder);
  t.is(code, 0, stdout + stderr);
}

const esbuild = (t: ExecutionContext, folder: string, ...args: string[]) =>
  tool(t, 'esbuild', folder, '--bundle', '--platform=node', '--format=esm', '--outdir=out', ...args);

/** Builds with Vite for Node and runs what it made. */
async function vite(t: ExecutionContext, folder: string, program: Program, config = {}): Promise<string> {
  const settings = { logLevel: 'warn', build: { ssr: program, outDir: 'out' }, ...config };
  await writeFile(join(folder, 'vite.config.js'), `export default ${JSON.stringify(settings)};`);
  await tool(t, 'vite', folder, 'build');
  const [name] = (await readdir(join(folder, 'out'))).filter((file) => file.endsWith('.js'));
  return join('out', name);
}

const node = (folder: string, program: string): Promise<Ended> => run(process.execPath, [program], folder);

for (const program of Object.keys(PROGRAMS) as Program[]) {
  test(`esbuild, equiflow external: ${program} prints this process's numbers`, async (t) => {
    const folder = await consumer(t);
    await esbuild(t, folder, '--external:equiflow', program);
    const { stdout, stderr } = await node(folder, join('out', program));
    t.is(stdout, expected(), stderr);
  });

  test(`Vite for Node, which leaves packages external: ${program} prints this process's numbers`, async (t) => {
    const folder = await consumer(t);
    const { stdout, stderr } = await node(folder, await vite(t, folder, program));
    t.is(stdout, expected(), stderr);
  });
}

test('esbuild, equiflow bundled: one thread works with the kernels copied, a pool says what it needs', async (t) => {
  const folder = await consumer(t);
  const programs = Object.keys(PROGRAMS);
  await esbuild(
    t,
    folder,
    ...programs,
    KERNELS,
    '--loader:.wasm=copy',
    '--entry-names=[name]',
    `--banner:js=${REQUIRE}`,
  );
  const thread = await node(folder, join('out', 'thread.js'));
  t.is(thread.stdout, expected(), thread.stderr);
  const pool = await node(folder, join('out', 'pool.js'));
  t.regex(pool.stderr, /UnavailableError: worker pool: .*external/);
});

test('Vite for Node, equiflow bundled: one thread works with the kernels copied', async (t) => {
  const folder = await consumer(t);
  const program = await vite(t, folder, 'thread.js', { ssr: { noExternal: true } });
  const without = await node(folder, program);
  t.regex(without.stderr, /UnavailableError: kernels: cannot read .*equiflow\.wasm: .*external or copies/);
  await copyFile(join(folder, KERNELS), join(folder, 'out', 'equiflow.wasm'));
  const { stdout, stderr } = await node(folder, program);
  t.is(stdout, expected(), stderr);
});

test('Vite library: the kernels become part of the code', async (t) => {
  const folder = await consumer(t);
  const external = [...Object.keys(MANIFEST.dependencies), ...builtinModules.map((name) => `node:${name}`)];
  const build = { lib: { entry: 'thread.js', formats: ['es'] }, outDir: 'out', rolldownOptions: { external } };
  const program = await vite(t, folder, 'thread.js', { build: { ...build, target: 'node20' } });
  const { stdout, stderr } = await node(folder, program);
  t.is(stdout, expected(), stderr);
});
