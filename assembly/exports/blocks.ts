import { addVectors, pack, removeCentroid, scaleSamples, squaredNorm, unpack } from '../blocks';

export function squaredNorm32(x: usize, norms: usize, coordinates: i32, blocks: i32): void {
  squaredNorm<f32>(x, norms, coordinates, blocks);
}

export function squaredNorm64(x: usize, norms: usize, coordinates: i32, blocks: i32): void {
  squaredNorm<f64>(x, norms, coordinates, blocks);
}

export function removeCentroid32(x: usize, particles: i32, dimensions: i32, blocks: i32): void {
  removeCentroid<f32>(x, particles, dimensions, blocks);
}

export function removeCentroid64(x: usize, particles: i32, dimensions: i32, blocks: i32): void {
  removeCentroid<f64>(x, particles, dimensions, blocks);
}

export function pack32to32(from: usize, to: usize, samples: i32, coordinates: i32): void {
  pack<f32, f32>(from, to, samples, coordinates);
}

export function pack32to64(from: usize, to: usize, samples: i32, coordinates: i32): void {
  pack<f32, f64>(from, to, samples, coordinates);
}

export function pack64to32(from: usize, to: usize, samples: i32, coordinates: i32): void {
  pack<f64, f32>(from, to, samples, coordinates);
}

export function pack64to64(from: usize, to: usize, samples: i32, coordinates: i32): void {
  pack<f64, f64>(from, to, samples, coordinates);
}

export function unpack32to32(from: usize, to: usize, samples: i32, coordinates: i32): void {
  unpack<f32, f32>(from, to, samples, coordinates);
}

export function unpack32to64(from: usize, to: usize, samples: i32, coordinates: i32): void {
  unpack<f32, f64>(from, to, samples, coordinates);
}

export function unpack64to32(from: usize, to: usize, samples: i32, coordinates: i32): void {
  unpack<f64, f32>(from, to, samples, coordinates);
}

export function unpack64to64(from: usize, to: usize, samples: i32, coordinates: i32): void {
  unpack<f64, f64>(from, to, samples, coordinates);
}

export function scaleSamples32(x: usize, weights: usize, factor: f64, out: usize, coordinates: i32, blocks: i32): void {
  scaleSamples<f32>(x, weights, factor, out, coordinates, blocks);
}

export function scaleSamples64(x: usize, weights: usize, factor: f64, out: usize, coordinates: i32, blocks: i32): void {
  scaleSamples<f64>(x, weights, factor, out, coordinates, blocks);
}

export function addVectors32(sum: usize, x: usize, vectors: i32): void {
  addVectors<f32>(sum, x, vectors);
}

export function addVectors64(sum: usize, x: usize, vectors: i32): void {
  addVectors<f64>(sum, x, vectors);
}
