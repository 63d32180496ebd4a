export { aligner } from './alignment.js';
export { assign } from './assignment.js';
export { type CouplingKind, coupling } from './coupling.js';
export { nearestOrthogonal, svd } from './orthogonal.js';
