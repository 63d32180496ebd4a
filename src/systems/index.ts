export {
  describeSystem,
  loadSystem,
  systemDefinition,
  systemFromDefinition,
  systemFromDescription,
} from './definition.js';
export { EnergyEvaluator } from './energy.js';
export { mackayIcosahedron } from './icosahedron.js';
export {
  type PairFunction,
  type PairTable,
  type PairTableOptions,
  tabulatePair,
  tabulatePoints,
} from './pair-table.js';
export type { PresetOption } from './presets.js';
export { listSystems, type SystemListing, type SystemSpec, sameEnergy, systemFromSpec, systemSpec } from './spec.js';
export type {
  DoubleWellTerm,
  EnergyTerm,
  KnownAnswers,
  KnownMinimum,
  KnownValue,
  LennardJonesTerm,
  PairTerm,
  SamplingDefaults,
  System,
  SystemDefinition,
  TabulatedTerm,
  TrapTerm,
} from './system.js';
export { defineSystem, startConfiguration } from './system.js';
