import test from 'ava';
import { makeCase } from '../../bench/cases.js';
import { twinOf } from '../../bench/checks.js';
import { plainIntegrator } from '../../bench/peers/plain.js';
import { relativeError } from '../twin/reference.js';
import { rk4 } from '../twin/rk4.js';

test('plain TypeScript follows the path of the exact twin, near particles and far apart', (t) => {
  for (const [label, spec] of [
    ['DW4', 'dw4'],
    ['LJ13', 'lj13:pairFactor=2'],
  ]) {
    const c = makeCase(label, spec, 4);
    const C = c.system.particles * c.system.dimensions;
    // As they are; and so wide that most pairs are beyond all centres.
    for (const scale of [1, 6]) {
      const z = c.x.slice(0, C).map((value) => scale * value);
      const exact = rk4(twinOf(c), z.slice(), c.flow.integrator.steps, 'forward');
      const logDet = plainIntegrator(c)(z);
      t.true(relativeError([...z, logDet], [...exact.x, exact.logDet]) < 1e-8, `${label}, scale ${scale}`);
    }
  }
});
