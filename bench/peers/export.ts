/* A case as the peers read it: the parameters, the sizes, and configurations with what our f64 path makes of them. */
import { encodeNpz, type NpyArray } from '../../src/formats/index.js';
import { STREAM, standardNormals } from '../../src/kernels/index.js';
import { FlowGradients } from '../../src/training/index.js';
import { priorLogDensity } from '../../test/twin/prior.js';
import { type Case, SEED } from '../cases.js';

/** Prior points whose samples are compared. */
const CHECKED = 8;

/** Table knots per width at which gradients are exact to 1e-5. */
export const FINE = 128;

/** What a peer's results are held against. */
export interface Reference {
  readonly x: Float64Array;
  readonly logQ: Float64Array;
  /** NLL of the training batch and its gradient, of cases that are trained. */
  readonly training?: { readonly loss: number; readonly gradient: Readonly<Record<string, Float64Array>> };
}

export interface ExportedCase {
  readonly bytes: Uint8Array;
  readonly reference: Reference;
}

/**
 * The `.npz` of a case: the field's parameters under their own names, `sizes` [N, D, steps, batch], prior points `z`
 * [n, N, D] and, where the case is trained, configurations `x` [n, N, D]; and the results expected of them, in f64.
 */
export function exportCase(c: Case): ExportedCase {
  const { particles, dimensions } = c.system;
  const { steps } = c.flow.integrator;
  const coordinates = particles * dimensions;
  const z = standardNormals(SEED, STREAM.prior, 0, CHECKED, coordinates);
  const n = c.trainingBatch ?? 0;
  const data = c.x.slice(0, n * coordinates);
  const arrays = new Map<string, NpyArray>();
  for (const [name, shape] of Object.entries(c.field.shapes)) {
    arrays.set(name, { shape: [...shape], data: c.field.parameters[name] });
  }
  arrays.set('sizes', { shape: [4], data: Float64Array.of(particles, dimensions, steps, c.batch) });
  arrays.set('z', { shape: [CHECKED, particles, dimensions], data: z });
  arrays.set('x', { shape: [n, particles, dimensions], data });
  const { x, logDet } = c.runners.f64.forward(z, CHECKED);
  const logQ = logDet.map(
    (value, s) => priorLogDensity(z.slice(s * coordinates, (s + 1) * coordinates), particles, dimensions) - value,
  );
  const reference = { x, logQ };
  if (n === 0) return { bytes: encodeNpz(arrays), reference };
  const training = new FlowGradients(c.flow, { precision: 'f64', resolution: FINE }).nllGradient(data, n);
  return { bytes: encodeNpz(arrays), reference: { ...reference, training } };
}
