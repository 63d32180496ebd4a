import { quantile } from '../../analysis/index.js';
import type { ExperimentRecord, GeneratorRun } from '../../experiment/record.js';
import { formatShare, formatUncertain } from '../format.js';
import { COLORS } from '../palette.js';
import { type Study, studies } from '../studies.js';
import type { Spec } from '../vega.js';
import { key } from './key.js';

const WIDTH = 456;
const HEIGHT = 230;
/** Points of a curve: more than the pixels it covers only thicken the page. */
const POINTS = 300;
/** The steep first steps run off the axis so that the rest can be read. */
const SHOWN = 0.97;

interface Point {
  readonly step: number;
  readonly nll: number;
}

function points({ learningCurve }: GeneratorRun, of: 'trainingNll' | 'validationNll'): Point[] {
  const stride = Math.max(1, Math.floor(learningCurve.length / POINTS));
  return learningCurve
    .filter((_, i) => i % stride === 0)
    .map((point) => ({ step: point.step, nll: point[of] }))
    .filter(({ nll }) => Number.isFinite(nll));
}

const trainingPoints = (run: GeneratorRun) => points(run, 'trainingNll');
const validationPoints = (run: GeneratorRun) => points(run, 'validationNll');

function panel(record: ExperimentRecord, study: Study): Spec {
  const runs = [study.nBG, study.eqBG];
  const floor = record.system.entropy.value;
  const all = [...runs, ...study.furtherSeeds].flatMap((run) => [...trainingPoints(run), ...validationPoints(run)]);
  const values = [floor, ...all.map(({ nll }) => nll)];
  const top = Math.max(quantile(values, SHOWN), floor);
  const bottom = quantile(values, 0);
  const margin = 0.06 * Math.max(1, top - bottom);
  const lastStep = runs.reduce(
    (last, { learningCurve }) => learningCurve.reduce((l, { step }) => Math.max(l, step), last),
    1,
  );
  const curve = (values: Point[], style: Spec): Spec => ({
    data: { values },
    mark: { type: 'line', clip: true, ...style },
  });
  return {
    width: WIDTH,
    height: HEIGHT,
    title: { text: study.trainingSet.title },
    encoding: {
      x: {
        field: 'step',
        type: 'quantitative',
        scale: { domain: [0, lastStep], nice: false },
        axis: { tickCount: 6 },
        title: 'training step',
      },
      y: {
        field: 'nll',
        type: 'quantitative',
        scale: { domain: [bottom - margin, top + 2 * margin], nice: false, zero: false },
        axis: { tickCount: 6 },
        title: 'NLL  (nats)',
      },
    },
    layer: [
      ...study.furtherSeeds.map((run) =>
        curve(validationPoints(run), { color: COLORS[run.label], strokeWidth: 1, opacity: 0.35 }),
      ),
      ...runs.map((run) => curve(trainingPoints(run), { color: COLORS[run.label], strokeWidth: 0.8, opacity: 0.35 })),
      {
        data: { values: [{ nll: floor }] },
        mark: { type: 'rule', color: COLORS.equilibrium, strokeDash: [5, 3] },
        encoding: { x: { value: 0 }, x2: { value: WIDTH } },
      },
      ...runs.map((run) => curve(validationPoints(run), { color: COLORS[run.label], strokeWidth: 2.2 })),
      ...key(
        [
          { label: 'nBG', color: COLORS.nBG, as: 'line' },
          { label: 'eqBG', color: COLORS.eqBG, as: 'line' },
          { label: 'entropy of the target', color: COLORS.equilibrium, as: 'dashed' },
        ],
        { x: WIDTH - 160, y: 8 },
      ),
    ],
  };
}

/** Training and validation NLL against the step, for each training set, with the entropy of the target as a line. */
export function learningCurveFigure(record: ExperimentRecord): { spec: Spec; caption: string } {
  const shown = studies(record);
  const further = shown.some(({ furtherSeeds }) => furtherSeeds.length > 0);
  return {
    spec: { hconcat: shown.map((study) => panel(record, study)), spacing: 40 },
    caption:
      'Normalised negative log-likelihood during training. Thick: on held-out configurations of the training set; thin and noisy: on the ' +
      `batches${further ? '; faint: held-out, further seeds' : ''}. The dashed line is the entropy of the target, ${formatUncertain(record.system.entropy)} nats, the ` +
      'lowest value that any normalised density reaches on equilibrium data; on data that cover less than equilibrium lower values are possible. ' +
      `The highest ${formatShare(1 - SHOWN)} of the values, mostly first steps, may run off the axis.`,
  };
}
