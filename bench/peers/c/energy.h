/* Σ_{i<j} s·ε[(rMin/d)¹² − 2(rMin/d)⁶] + ½k Σ_i ‖x_i − x̄‖² and its gradient, as assembly/energy.ts has it. */
#pragma once
#include "lanes.h"

typedef struct {
  float scale, epsilon, r_min, trap;
} LennardJones;

static inline __attribute__((always_inline)) void lennard_jones_of(const LennardJones *lj, int D, int n, int blocks, const V *x, double *energy, V *g) {
  const int C = n * D;
  const V scaled = splat(lj->scale * lj->epsilon), r2 = splat(lj->r_min * lj->r_min), twelve = splat(12 * lj->scale * lj->epsilon);
  memset(g, 0, sizeof(V) * blocks * C);
  memset(energy, 0, sizeof(double) * blocks * LANES);
  for (int b = 0; b < blocks; b++, x += C, g += C, energy += LANES) {
    for (int i = 0; i < n - 1; i++) {
      V row = splat(0), own[3] = {splat(0), splat(0), splat(0)};
      for (int j = i + 1; j < n; j++) {
        V r[3], squared = splat(0);
        for (int a = 0; a < D; a++) {
          r[a] = x[i * D + a] - x[j * D + a];
          squared = a == 0 ? r[a] * r[a] : squared + r[a] * r[a];
        }
        const V inverse = splat(1) / squared, ratio = r2 * inverse, q = ratio * ratio * ratio;
        row += q * (q - splat(2));
        const V slope = (q - q * q) * twelve * inverse;
        for (int a = 0; a < D; a++) {
          const V force = r[a] * slope;
          own[a] += force;
          g[j * D + a] -= force;
        }
      }
      accumulate(energy, scaled * row);
      for (int a = 0; a < D; a++) g[i * D + a] += own[a];
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

static void lennard_jones(const LennardJones *lj, int D, int n, int blocks, const V *x, double *energy, V *g) {
  if (D == 3) lennard_jones_of(lj, 3, n, blocks, x, energy, g);
  else lennard_jones_of(lj, 2, n, blocks, x, energy, g);
}
