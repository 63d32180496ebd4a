/* v_i = Σ_{j≠i} r_ij f(d_ij) and div v = Σ_{i≠j} [d f′ + D f] from a uniform table of cubics, in three passes over tiles of
 * pairs: distances and rows, table, forces. The algorithm of assembly/pairs.ts in C. */
#pragma once
#include "tiles.h"

#define MAGIC 12582912.0f /* 1.5·2^23: adding it rounds to an integer in the low mantissa bits */

typedef struct {
  float inv_spacing, last;
  const Row *rows; /* c0 … c3 of f(u), u ∈ [−½, ½] */
} Table;

typedef struct {
  V row, u, s;
} Entry;

static inline __attribute__((always_inline)) Entry *geometry(const Table *t, int D, int n, int first, int end, const V *x, Entry *p) {
  const V inv = splat(t->inv_spacing), last = splat(t->last), magic = splat(MAGIC), half = splat(0.5f);
  for (int i = first; i < end; i++)
    for (int j = i + 1; j < n; j++, p++) {
      V squared = splat(0);
      for (int a = 0; a < D; a++) {
        const V r = x[i * D + a] - x[j * D + a];
        squared = a == 0 ? r * r : squared + r * r;
      }
      const V s = root(squared) * inv;
      const V z = smaller(s - half, last);
      const V y = z + magic;
      p->row = (V)((I)y << 4);
      p->u = z - (y - magic);
      p->s = s;
    }
  return p;
}

static inline __attribute__((always_inline)) void table_pass(const Table *t, int D, Entry *p, const Entry *end, double *div) {
  const char *base = (const char *)t->rows - ((int64_t)(int32_t)(0x4b400000u << 4));
  V values = splat(0), slopes = splat(0);
  for (; p < end; p++) {
    const int32_t *offsets = (const int32_t *)&p->row;
    const V u = p->u;
    const V a0 = rows(base, offsets, 0), a1 = rows(base, offsets, 1), a2 = rows(base, offsets, 2), a3 = rows(base, offsets, 3);
    const V t0 = __builtin_shuffle(a0, a1, EACH(0, LANES, 1, LANES + 1));
    const V t1 = __builtin_shuffle(a0, a1, EACH(2, LANES + 2, 3, LANES + 3));
    const V t2 = __builtin_shuffle(a2, a3, EACH(0, LANES, 1, LANES + 1));
    const V t3 = __builtin_shuffle(a2, a3, EACH(2, LANES + 2, 3, LANES + 3));
    const V c0 = __builtin_shuffle(t0, t2, EACH(0, 1, LANES, LANES + 1));
    const V c1 = __builtin_shuffle(t0, t2, EACH(2, 3, LANES + 2, LANES + 3));
    const V c2 = __builtin_shuffle(t1, t3, EACH(0, 1, LANES, LANES + 1));
    const V c3 = __builtin_shuffle(t1, t3, EACH(2, 3, LANES + 2, LANES + 3));
    const V cubic = c3 * u, a = cubic + c2, b = a * u + c1, f = b * u + c0;
    p->row = f;
    values += f;
    slopes += ((a + cubic) * u + b) * p->s;
  }
  const V sum = slopes + values * splat((float)D);
  accumulate(div, sum + sum);
}

static inline __attribute__((always_inline)) Entry *forces(int D, int n, int first, int end, const V *x, V *v, Entry *p) {
  for (int i = first; i < end; i++) {
    V own[3];
    for (int a = 0; a < D; a++) own[a] = v[i * D + a];
    for (int j = i + 1; j < n; j++, p++)
      for (int a = 0; a < D; a++) {
        const V force = (x[i * D + a] - x[j * D + a]) * p->row;
        own[a] += force;
        v[j * D + a] -= force;
      }
    for (int a = 0; a < D; a++) v[i * D + a] = own[a];
  }
  return p;
}

static inline __attribute__((always_inline)) void field_of(const Table *t, int D, int n, int blocks, const V *x, V *v, double *div, Entry *scratch) {
  const int group = TILE_PAIRS * 3 / (2 * n * (n - 1)) > 1 ? TILE_PAIRS * 3 / (2 * n * (n - 1)) : 1;
  const int C = n * D;
  memset(v, 0, sizeof(V) * blocks * C);
  memset(div, 0, sizeof(double) * blocks * LANES);
  for (int b0 = 0; b0 < blocks; b0 += group) {
    const int b1 = b0 + group < blocks ? b0 + group : blocks;
    for (int first = 0, end; first < n - 1; first = end) {
      end = tile_end(first, n);
      Entry *p = scratch;
      for (int b = b0; b < b1; b++) p = geometry(t, D, n, first, end, x + b * C, p);
      const int entries = (int)(p - scratch) / (b1 - b0);
      p = scratch;
      for (int b = b0; b < b1; b++, p += entries) table_pass(t, D, p, p + entries, div + b * LANES);
      p = scratch;
      for (int b = b0; b < b1; b++) p = forces(D, n, first, end, x + b * C, v + b * C, p);
    }
  }
}

static void field(const Table *t, int D, int n, int blocks, const V *x, V *v, double *div, Entry *scratch) {
  if (D == 2 && n == 4) field_of(t, 2, 4, blocks, x, v, div, scratch);
  else if (D == 2) field_of(t, 2, n, blocks, x, v, div, scratch);
  else field_of(t, 3, n, blocks, x, v, div, scratch);
}
