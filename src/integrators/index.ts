export { type RungeKutta4, rk4, stageTimes } from './rk4.js';
