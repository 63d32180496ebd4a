export { type DormandPrince5, type DormandPrince5Options, dopri5 } from './dopri5.js';
export {
  type Integrator,
  integratorFromDescription,
  prepareField,
  prepareTransport,
  requireRungeKutta4,
} from './integrator.js';
export { type RungeKutta4, rk4, stageTimes } from './rk4.js';
export { addStatistics, type Frames, type IntegrationStatistics, NO_STATISTICS, type Transport } from './transport.js';
