import { forces, potential } from '../energy';

export function potential32(
  terms: usize, count: i32, x: usize, energy: usize, gradient: usize, particles: i32, dimensions: i32, blocks: i32,
  scratch: usize,
): void {
  potential<f32>(terms, count, x, energy, gradient, particles, dimensions, blocks, scratch);
}

export function potential64(
  terms: usize, count: i32, x: usize, energy: usize, gradient: usize, particles: i32, dimensions: i32, blocks: i32,
  scratch: usize,
): void {
  potential<f64>(terms, count, x, energy, gradient, particles, dimensions, blocks, scratch);
}

/** Forces for leapfrog steps go in f32 only. */
export function forces32(
  terms: usize, count: i32, x: usize, gradient: usize, particles: i32, dimensions: i32, blocks: i32, scratch: usize,
): void {
  forces<f32>(terms, count, x, gradient, particles, dimensions, blocks, scratch);
}
