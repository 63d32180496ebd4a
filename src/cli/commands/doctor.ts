import { Command } from 'commander';
import { type Examination, examine } from '../../doctor/index.js';
import { UnavailableError } from '../../errors.js';
import { jsonOption } from '../options.js';
import { json } from '../outputs.js';

export function doctorCommand(): Command {
  return new Command('doctor')
    .description('what this machine offers, and whether the kernels compute what they should')
    .addOption(jsonOption())
    .action(async ({ json: asJson }: { json?: boolean }) => {
      const examination = await examine();
      process.stdout.write(asJson ? json(examination) : describe(examination));
      if (examination.problems.length > 0) throw new UnavailableError(`doctor: ${examination.problems.join('; ')}`);
    });
}

function describe(examination: Examination): string {
  const { version, platform, packages, engines, checks, problems } = examination;
  const rows: [string, string][] = [
    ['equiflow', `${version} on ${platform}`],
    ['Node.js', describeNode(examination)],
    ['kernels', describeKernels(examination)],
    ['threads', describeThreads(examination)],
    ['memory', describeMemory(examination)],
    ['GPU', describeGpu(examination)],
    ...packages.map(({ name, version: found, purpose, install }): [string, string] => [
      name,
      `${found ?? `not installed; ${install}`} (${purpose})`,
    ]),
    ...engines.map(({ name, available, reason }, i): [string, string] => [
      `engine ${name}`,
      `${available ? 'available' : 'not available'}: ${reason === engines[i - 1]?.reason ? 'likewise' : reason}`,
    ]),
    ...checks.map(({ name, passed, detail }): [string, string] => [name, `${passed ? 'ok' : 'FAILED'}: ${detail}`]),
    ['verdict', problems.length === 0 ? 'sampling and training on the CPU work' : 'something is missing, see below'],
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, text]) => `${name.padEnd(width)}  ${text}\n`).join('');
}

function describeNode({ node }: Examination): string {
  return `${node.version}, ${node.supported ? 'supported' : 'not supported'}: ${node.required}`;
}

function describeKernels({ webAssembly: { simd, relaxedSimd } }: Examination): string {
  const relaxed = `relaxed SIMD: ${relaxedSimd ? 'offered' : 'not offered by this engine'}`;
  return `SIMD: ${simd ? 'offered' : 'not offered (an old Node.js, or a processor without SSE4.1 or Neon)'}; ${relaxed}; only sample --relaxed uses it`;
}

function describeThreads({ threads: { available, processors, quota } }: Examination): string {
  const some = available < processors ? ` of the machine's ${processors}; affinity excludes the others` : '';
  const enough = quota === null || quota >= available;
  const limit = enough
    ? ''
    : `; the control group grants the time of ${quota.toFixed(1)}, so use --workers ${Math.max(1, Math.floor(quota))}`;
  return `${available}${some}${limit}`;
}

function describeMemory({ memory: { total, available, limit } }: Examination): string {
  const gib = (bytes: number) => `${(bytes / 2 ** 30).toFixed(1)} GiB`;
  return `${gib(total)}, available ${gib(available)}${limit === null ? '' : `; the control group grants ${gib(limit)}`}`;
}

function describeGpu({ gpu: { devices, reason } }: Examination): string {
  return devices.length > 0 ? devices.join(', ') : `none: ${reason}`;
}
