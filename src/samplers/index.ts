export { type MetropolisChains, type MetropolisRun, runMetropolis } from './metropolis.js';
export { type Simulation, type SimulationOptions, simulate } from './simulate.js';
