import { elementary } from '../math';

export function elementary32(kind: i32, x: usize, vectors: i32): void {
  elementary<f32>(kind, x, vectors);
}

export function elementary64(kind: i32, x: usize, vectors: i32): void {
  elementary<f64>(kind, x, vectors);
}
