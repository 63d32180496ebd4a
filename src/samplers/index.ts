export { checkSimulationSize } from './archive-size.js';
export { type Chains, type ChainsRun, runChains } from './chains.js';
export {
  type ChainRange,
  fullGroup,
  type GroupOptions,
  groupBoundaries,
  QUAD,
  recordsPerChain,
  runGroups,
  type SimulationPlan,
} from './groups.js';
export { DEFAULT_SAMPLER, SAMPLERS, type Sampler } from './methods.js';
export { type SimulationReport, simulationReport } from './report.js';
export { resolveSettings, type SamplingOptions, type SimulationSettings } from './settings.js';
export { type SimulationOptions, simulate } from './simulate.js';
export { type Simulation, SimulationFold } from './simulation.js';
