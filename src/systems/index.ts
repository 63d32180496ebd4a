export { EnergyEvaluator } from './energy.js';
export { mackayIcosahedron } from './icosahedron.js';
export type { PresetOption } from './presets.js';
export { listSystems, type SystemListing, type SystemSpec, systemFromSpec, systemSpec } from './spec.js';
export type {
  DoubleWellTerm,
  EnergyTerm,
  KnownAnswers,
  KnownMinimum,
  KnownValue,
  LennardJonesTerm,
  SamplingDefaults,
  System,
  SystemDefinition,
  TrapTerm,
} from './system.js';
export { defineSystem, startConfiguration } from './system.js';
