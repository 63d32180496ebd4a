export { type Aligner, type Alignment, aligner, type Canonical } from './alignment.js';
export { type Assignment, type AssignmentSolver, assign, assignmentSolver } from './assignment.js';
export { type Coupling, type CouplingKind, coupling } from './coupling.js';
export { nearestOrthogonal, type Svd, svd } from './orthogonal.js';
