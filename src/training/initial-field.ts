import { initialKernelField, type KernelField, type KernelFieldBasis, uniformBasis } from '../fields/index.js';
import type { System } from '../systems/index.js';

/**
 * The radial basis that a system's pair distances ask for: evenly spaced for double wells (the paper's), and for
 * Lennard-Jones clusters dense around the first neighbour shell with widths that grow outwards.
 */
export function radialBasisFor(system: System): KernelFieldBasis {
  const bond = system.terms.find((term) => term.kind === 'lennard-jones');
  if (bond === undefined) return uniformBasis(50, 8, 0.5);
  const count = 50;
  // d(s) = rMin·(0.6 + 1.4 s + 4.6 s³): spacing rMin/35 at contact, five times that at the cluster's far end
  const distance = (s: number) => bond.rMin * (0.6 + 1.4 * s + 4.6 * s ** 3);
  const centers = Float64Array.from({ length: count }, (_, k) => distance(k / (count - 1)));
  const widths = Float64Array.from(centers, (_, k) => {
    const [before, after] = [centers[Math.max(0, k - 1)], centers[Math.min(count - 1, k + 1)]];
    return Math.max(0.12 * bond.rMin, 1.5 * (after - before));
  });
  return { centers, widths };
}

/** A kernel field with small random weights, ready to be trained for a system; by default with ten time kernels. */
export function initialFieldFor(
  system: System,
  seed: number,
  { times, timeWidth }: { readonly times?: number; readonly timeWidth?: number } = {},
): KernelField {
  const { particles, dimensions, species } = system;
  const basis = {
    ...radialBasisFor(system),
    ...(times === undefined ? {} : { times }),
    ...(timeWidth === undefined ? {} : { timeWidth }),
  };
  return initialKernelField(particles, dimensions, basis, { seed, species });
}
