export { type Chains, type ChainsRun, runChains } from './chains.js';
export { DEFAULT_SAMPLER, SAMPLERS, type Sampler } from './methods.js';
export { type SimulationReport, simulationReport } from './report.js';
export type { SimulationSettings } from './settings.js';
export { type Simulation, type SimulationOptions, simulate } from './simulate.js';
