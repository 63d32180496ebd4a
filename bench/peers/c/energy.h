/* Σ_{i<j} s·ε[(rMin/d)¹² − 2(rMin/d)⁶] + ½k Σ_i ‖x_i − x̄‖² and its gradient, in two passes over tiles of pairs.
 * The algorithm of assembly/pair-energies.ts in C. */
#pragma once
#include "tiles.h"

typedef struct {
  float scale, epsilon, r_min, trap;
} LennardJones;

/* (rMin/d)² of rows `first` … `end` − 1, with the division that everything else waits for. */
static inline __attribute__((always_inline)) void key_pass(int D, int n, int first, int end, V r2, const V *x, V *p) {
  for (int i = first; i < end; i++)
    for (int j = i + 1; j < n; j++, p++) {
      V squared = splat(0);
      for (int a = 0; a < D; a++) {
        const V r = x[i * D + a] - x[j * D + a];
        squared = a == 0 ? r * r : squared + r * r;
      }
      *p = r2 / squared;
    }
}

static inline __attribute__((always_inline)) void energy_pass(int D, int n, int first, int end, V unit, V force, const V *x, double *energy, V *g, const V *p) {
  for (int i = first; i < end; i++) {
    V row = splat(0), own[3] = {splat(0), splat(0), splat(0)};
    for (int j = i + 1; j < n; j++, p++) {
      const V key = *p, q = key * key * key;
      row += q * (q - splat(2));
      const V slope = force * key * q * (splat(1) - q);
      for (int a = 0; a < D; a++) {
        const V pull = (x[i * D + a] - x[j * D + a]) * slope;
        own[a] += pull;
        g[j * D + a] -= pull;
      }
    }
    accumulate(energy, unit * row);
    for (int a = 0; a < D; a++) g[i * D + a] += own[a];
  }
}

static inline __attribute__((always_inline)) void lennard_jones_of(const LennardJones *lj, int D, int n, int blocks, const V *x, double *energy, V *g, V *scratch) {
  const int C = n * D;
  const float squared = lj->r_min * lj->r_min;
  const V unit = splat(lj->scale * lj->epsilon), force = splat(12 * lj->scale * lj->epsilon / squared);
  memset(g, 0, sizeof(V) * blocks * C);
  memset(energy, 0, sizeof(double) * blocks * LANES);
  for (int b = 0; b < blocks; b++, x += C, g += C, energy += LANES) {
    for (int first = 0, end; first < n - 1; first = end) {
      end = tile_end(first, n);
      key_pass(D, n, first, end, splat(squared), x, scratch);
      energy_pass(D, n, first, end, unit, force, x, energy, g, scratch);
    }
    const V stiffness = splat(lj->trap);
    for (int a = 0; a < D; a++) {
      V mean = splat(0), sum = splat(0);
      for (int i = 0; i < n; i++) mean += x[i * D + a];
      mean *= splat(1.0f / n);
      for (int i = 0; i < n; i++) {
        const V r = x[i * D + a] - mean;
        sum += r * r;
        g[i * D + a] += stiffness * r;
      }
      accumulate(energy, splat(0.5f) * stiffness * sum);
    }
  }
}

static void lennard_jones(const LennardJones *lj, int D, int n, int blocks, const V *x, double *energy, V *g, V *scratch) {
  if (D == 3) lennard_jones_of(lj, 3, n, blocks, x, energy, g, scratch);
  else lennard_jones_of(lj, 2, n, blocks, x, energy, g, scratch);
}
