import test from 'ava';
import { isMinimum } from '../../src/analysis/minima.js';
import { listSystems, type System, startConfiguration, systemFromSpec } from '../../src/systems/index.js';
import { twinEnergyAndGradient } from '../twin/energy.js';
import { flatten, loadReference, relativeError } from '../twin/reference.js';

const SYSTEMS = listSystems().flatMap(({ variants }) => variants);

/** Names of the reference data as specifications. */
function systemOfReference(name: string): System {
  return systemFromSpec(name.replace(/^dw2-(\d)d$/, 'dw2:dimensions=$1').replace(' ', ':'));
}

for (const { system: name, x, energy, gradient } of loadReference().energies) {
  test(`energy and gradient agree with independent autograd: ${name}`, (t) => {
    const twin = twinEnergyAndGradient(systemOfReference(name), flatten(x), energy.length);
    t.true(relativeError(twin.energy, energy) < 1e-12);
    t.true(relativeError(twin.gradient, gradient) < 1e-12);
  });
}

for (const { spec, system } of SYSTEMS) {
  const { known, particles: N, dimensions: D } = system;
  const evaluate = (x: Float64Array, n: number) => twinEnergyAndGradient(system, x, n);

  const { logZ, meanEnergy, entropy, minima, shortPairs } = known;
  if (logZ && meanEnergy && entropy) {
    test(`${spec}: entropy = log Z + ⟨U⟩ within the errors stated`, (t) => {
      // The rounding of the digits given, twice, on top.
      const error = Math.hypot(logZ.standardError, meanEnergy.standardError, entropy.standardError) + 2e-6;
      t.true(Math.abs(logZ.value + meanEnergy.value - entropy.value) <= error);
    });
  } else {
    test(`${spec}: says that nothing is known`, (t) => t.regex(known.source, /nothing is known/));
  }

  if (minima && shortPairs) {
    test(`${spec}: probabilities add up to one`, (t) => {
      const sum = (values: readonly { value: number }[]) => values.reduce((total, { value }) => total + value, 0);
      t.true(Math.abs(sum(minima.map((m) => m.population)) - 1) < 1e-9);
      t.is(shortPairs.probabilities.length, (N * (N - 1)) / 2 + 1);
      t.true(Math.abs(sum(shortPairs.probabilities) - 1) < 1e-9);
    });

    test(`${spec}: the minima stated are minima at their energy, lowest first`, (t) => {
      let last = Number.NEGATIVE_INFINITY;
      for (const minimum of minima) {
        const x = Float64Array.from(minimum.x);
        const { energy, gradient } = evaluate(x, 1);
        t.true(Math.abs(energy[0] - minimum.energy) < 1e-11);
        t.true(Math.hypot(...gradient) < 1e-9);
        t.true(isMinimum(evaluate, x));
        t.true(minimum.energy >= last);
        last = minimum.energy;
      }
    });
  }

  test(`${spec}: the start is mean-free, low in energy and new each time`, (t) => {
    const x = startConfiguration(system);
    t.is(x.length, N * D);
    for (let axis = 0; axis < D; axis++) {
      let sum = 0;
      for (let i = 0; i < N; i++) sum += x[i * D + axis];
      t.true(Math.abs(sum) < 1e-13 * N);
    }
    t.true(evaluate(x, 1).energy[0] < (known.meanEnergy?.value ?? 0));
    x[0] = Number.NaN;
    t.false(Number.isNaN(startConfiguration(system)[0]));
  });
}

for (const dimensions of [2, 3]) {
  test(`dw2 in ${dimensions}-D: the answers stated are those of quadrature`, (t) => {
    const { known } = systemFromSpec({ name: 'dw2', dimensions });
    // The pair vector r is √2 times a vector of the mean-free subspace. Trapezoid: exponentially accurate here.
    const moments = { one: 0, u: 0, uu: 0, d: 0, dd: 0, short: 0 };
    const h = 1e-4;
    for (let i = 1; i <= 100_000; i++) {
      const d = i * h;
      const u = 0.9 * (d - 4) ** 4 - 4 * (d - 4) ** 2;
      const shell = (dimensions === 2 ? 2 * Math.PI * d : 4 * Math.PI * d * d) * 2 ** (-dimensions / 2);
      const weight = shell * Math.exp(-u) * h;
      moments.one += weight;
      moments.u += weight * u;
      moments.uu += weight * u * u;
      moments.d += weight * d;
      moments.dd += weight * d * d;
      moments.short += i < 40_000 ? weight : i === 40_000 ? weight / 2 : 0;
    }
    const Z = moments.one;
    const mean = moments.u / Z;
    const agrees = (value: number, answer?: { value: number }) => t.true(Math.abs(value - answer!.value) < 1e-6);
    agrees(Math.log(Z), known.logZ);
    agrees(mean, known.meanEnergy);
    agrees(Math.log(Z) + mean, known.entropy);
    agrees(Math.sqrt(moments.uu / Z - mean * mean), known.energyStandardDeviation);
    agrees(moments.d / Z, known.meanPairDistance);
    agrees(moments.dd / Z / 2, known.meanSquaredNorm);
    agrees(moments.short / Z, known.shortPairs?.probabilities[1]);
    agrees(moments.short / Z, known.minima?.[0].population);
  });
}

test('dw4: populations of the minima agree with the pairs that are short', (t) => {
  const { minima, shortPairs } = systemFromSpec('dw4').known;
  // A bent chain and the rectangle have two short pairs, the triangle with a tail four: thermal motion moves a few percent.
  const populations = minima!.map((m) => m.population.value);
  t.true(Math.abs(populations[0] + populations[2] - shortPairs!.probabilities[2].value) < 0.04);
  t.true(Math.abs(populations[1] - shortPairs!.probabilities[4].value) < 0.04);
});
