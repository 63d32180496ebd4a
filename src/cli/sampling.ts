import type { BoltzmannGenerator } from '../flows/index.js';
import { checkFolderWritable, checkWritable } from '../formats/files.js';
import { isHdf5Name } from '../formats/hdf5/address.js';
import { loadHdf5 } from '../formats/hdf5/library.js';
import { addStatistics, type IntegrationStatistics, type Integrator, NO_STATISTICS } from '../integrators/index.js';
import type { Precision } from '../kernels/index.js';
import { importanceWeights, type WeightReport } from '../reweighting/weights.js';
import { sample } from '../sampling/sample.js';
import { checkArchiveSize, writeSampleSet } from '../sampling/sample-files.js';
import { isSampleFolder, sampleProvenance } from '../sampling/sample-manifest.js';
import { sampleToFolder, sampleToHdf5 } from '../sampling/sample-stream.js';
import type { ErrorSummary, Verification } from '../sampling/verification.js';
import { verifySamples } from '../sampling/verify.js';
import { figureText } from './figures.js';
import { integrationLine, withIntegrator } from './integrator.js';
import type { IntegratorOptions } from './integrator-options.js';
import { loadModel } from './model.js';
import { json, writeRunInfo } from './outputs.js';
import type { Session } from './session.js';

export interface SamplingOptions extends IntegratorOptions {
  count: number;
  seed: number;
  first: number;
  out: string;
  precision: 'f32' | 'f64';
  relaxed?: boolean;
  workers?: number;
  quiet?: boolean;
  json?: boolean;
  /** How many samples; true where the number is left to us. */
  verify?: number | true;
}

/** What `equiflow sample` does. */
export async function drawSamples(
  path: string,
  options: SamplingOptions,
  { pool, progress, signal }: Session,
): Promise<void> {
  const { count, seed, first, out, precision } = options;
  const { generator: stored, hash } = await loadModel(path);
  const generator = withIntegrator(stored, options);
  const kind = await checkSamplesOut(out, generator, count, precision);
  const started = performance.now();
  let integration = NO_STATISTICS;
  const onIntegration = (block: IntegrationStatistics) => {
    integration = addStatistics(integration, block);
  };
  const arithmetic = options.relaxed ? ('relaxed' as const) : ('strict' as const);
  const range = { n: count, seed, first, precision, arithmetic, onProgress: progress.update, onIntegration, signal };
  let report: WeightReport;
  if (kind === 'archive') {
    const set = await sample(generator, range, pool);
    progress.finish();
    await writeSampleSet(out, set, sampleProvenance(generator, hash, range));
    report = importanceWeights(set.logWeight);
  } else {
    const stream = kind === 'file' ? sampleToHdf5 : sampleToFolder;
    report = await stream(out, generator, { ...range, model: hash }, pool);
    progress.finish();
  }
  const m = typeof options.verify === 'number' ? { m: options.verify } : {};
  const verification = options.verify ? await verifySamples(generator, { ...range, ...m }, pool) : undefined;
  progress.finish();
  const facts = { integration, ...(verification ? { verification } : {}) };
  await writeRunInfo(out, started, { workers: pool.workers, ...facts });
  printSamples({ out, report, ...facts }, generator, options);
}

/**
 * Tells before any work what the name of a sample set makes it, and whether it can be written.
 * @throws OutputError if not; UsageError if it is too large for an archive; UnavailableError without the package for HDF5
 */
export async function checkSamplesOut(
  out: string,
  generator: BoltzmannGenerator,
  n: number,
  precision: Precision,
): Promise<'archive' | 'file' | 'folder'> {
  if (out.endsWith('.npz')) {
    checkArchiveSize(generator, n, precision, out);
    await checkWritable(out);
    return 'archive';
  }
  if (isHdf5Name(out)) {
    await loadHdf5();
    await checkWritable(out);
    return 'file';
  }
  await checkFolderWritable(out, { replaces: isSampleFolder });
  return 'folder';
}

/** Prints what samples are worth. */
export function printSamples(summary: Summary, { flow }: BoltzmannGenerator, options: { json?: boolean }): void {
  process.stdout.write(options.json ? summaryJson(summary) : summaryText(summary, flow.integrator));
}

interface Summary {
  readonly out: string;
  readonly report: WeightReport;
  /** Absent where samples were not drawn but merged. */
  readonly integration?: IntegrationStatistics;
  readonly verification?: Verification;
}

function summaryJson({ out, report, ...facts }: Summary): string {
  const { n, ess, khat, logZ, status } = report;
  return json({ out, n, ess, khat, logZ: { value: logZ.value, standardError: logZ.standardError }, status, ...facts });
}

function summaryText({ out, report, integration, verification }: Summary, { kind }: Integrator): string {
  const { n, ess, khat, logZ, status } = report;
  const lines = [
    `${out}: ${n} samples, ESS ${ess.toFixed(1)} (${((100 * ess) / n).toFixed(2)} %), Pareto k̂ ${khat.toFixed(2)}, ` +
      `log Z ${figureText(logZ)}`,
    status.text,
  ];
  if (kind === 'dopri5' && integration) lines.push(integrationLine(integration));
  if (verification) lines.push(...verificationLines(verification));
  return `${lines.join('\n')}\n`;
}

function verificationLines({ samples, logQ, forward, status }: Verification): string[] {
  const figures = ({ mean, rms, max }: ErrorSummary) =>
    `mean ${mean.toExponential(1)}, RMS ${rms.toExponential(1)}, at most ${max.toExponential(1)}`;
  return [
    `Verified on ${samples} samples, in f64 at tight tolerance: error of log q ${figures(logQ)} nats; ` +
      `from the same prior sample log q ${figures(forward.logQ)} nats, x ${figures(forward.x)}.`,
    status.text,
  ];
}
