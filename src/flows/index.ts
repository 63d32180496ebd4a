export { type BoltzmannGenerator, boltzmannGenerator, integratedBy } from './boltzmann-generator.js';
export { type ContinuousFlow, continuousFlow } from './continuous-flow.js';
export { type DrawnSamples, FlowRunner, type Positions, prepareFlow, type RunnerOptions } from './flow-runner.js';
export { decodeModel, encodeModel } from './model-file.js';
