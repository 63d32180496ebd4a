import { addRows, combineRows, rowProducts } from '../blend';
import { lastRows, tableRows } from '../tables';
import { tableRowsReverse } from '../tables-reverse';

export function tableRows32(knots: usize, columns: i32, from: i32, to: i32, tableBytes: usize, out: usize): void {
  tableRows<f32>(knots, columns, from, to, tableBytes, out);
}

export function tableRows64(knots: usize, columns: i32, from: i32, to: i32, tableBytes: usize, out: usize): void {
  tableRows<f64>(knots, columns, from, to, tableBytes, out);
}

export function lastRows32(knots: usize, columns: i32, last: i32, constant: bool, tableBytes: usize, out: usize): void {
  lastRows<f32>(knots, columns, last, constant, tableBytes, out);
}

export function lastRows64(knots: usize, columns: i32, last: i32, constant: bool, tableBytes: usize, out: usize): void {
  lastRows<f64>(knots, columns, last, constant, tableBytes, out);
}

export function tableRowsReverse32(
  rowBars: usize, columns: i32, tiles: i32, last: i32, tableBytes: usize, knotBars: usize,
): void {
  tableRowsReverse<f32>(rowBars, columns, tiles, last, tableBytes, knotBars);
}

export function tableRowsReverse64(
  rowBars: usize, columns: i32, tiles: i32, last: i32, tableBytes: usize, knotBars: usize,
): void {
  tableRowsReverse<f64>(rowBars, columns, tiles, last, tableBytes, knotBars);
}

export function addRows32(rows: i32, stride: usize, bytes: usize, sum: usize, x: usize): void {
  addRows<f32>(rows, stride, bytes, sum, x);
}

export function addRows64(rows: i32, stride: usize, bytes: usize, sum: usize, x: usize): void {
  addRows<f64>(rows, stride, bytes, sum, x);
}

export function combineRows32(
  a: usize, aStride: usize, aStep: usize, outputs: i32, inputs: i32, input: usize, inStride: usize, bytes: usize,
  out: usize, outStride: usize,
): void {
  combineRows<f32>(a, aStride, aStep, outputs, inputs, input, inStride, bytes, out, outStride);
}

export function combineRows64(
  a: usize, aStride: usize, aStep: usize, outputs: i32, inputs: i32, input: usize, inStride: usize, bytes: usize,
  out: usize, outStride: usize,
): void {
  combineRows<f64>(a, aStride, aStep, outputs, inputs, input, inStride, bytes, out, outStride);
}

export function rowProducts32(
  row: usize, rowStride: usize, rows: i32, column: usize, columnStride: usize, columns: i32, bytes: usize, out: usize,
): void {
  rowProducts<f32>(row, rowStride, rows, column, columnStride, columns, bytes, out);
}

export function rowProducts64(
  row: usize, rowStride: usize, rows: i32, column: usize, columnStride: usize, columns: i32, bytes: usize, out: usize,
): void {
  rowProducts<f64>(row, rowStride, rows, column, columnStride, columns, bytes, out);
}
