/* The native ceiling: table field and Lennard-Jones energy in C, waiting for its turn as the other peers do.
 * kernel <case file>; lines "check field|energy <out>" and "time field|energy <calls>" are answered in JSON.
 *
 * The case, all f64: N, D, samples, intervals, spacing, scale, ε, rMin, trap, then knot values and spacing·slopes
 * [intervals + 1] each, then x [samples][N·D]. Results, f64: v or gradient [samples][N·D], divergence or energy [samples]. */
#define _POSIX_C_SOURCE 199309L
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "energy.h"
#include "field.h"

static void *aligned(size_t bytes) {
  void *memory = aligned_alloc(64, (bytes + 127) / 64 * 64);
  if (memory == NULL) exit(1);
  memset(memory, 0, bytes);
  return memory;
}

static double *read_doubles(FILE *file, size_t count) {
  double *values = aligned(count * sizeof(double));
  if (fread(values, sizeof(double), count, file) != count) {
    fprintf(stderr, "the case is too short\n");
    exit(1);
  }
  return values;
}

static Row *build_table(const double *f, const double *s, int intervals) {
  Row *rows = aligned(sizeof(Row) * (intervals + 1));
  for (int j = 0; j < intervals; j++)
    rows[j] = (Row){(float)(0.5 * (f[j] + f[j + 1]) + 0.125 * (s[j] - s[j + 1])),
                    (float)(1.5 * (f[j + 1] - f[j]) - 0.25 * (s[j] + s[j + 1])), (float)(0.5 * (s[j + 1] - s[j])),
                    (float)(s[j] + s[j + 1] - 2 * (f[j + 1] - f[j]))};
  rows[intervals] = (Row){(float)f[intervals], 0, 0, 0};
  return rows;
}

static double seconds(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return now.tv_sec + 1e-9 * now.tv_nsec;
}

int main(int argc, char **argv) {
  FILE *file = argc == 2 ? fopen(argv[1], "rb") : NULL;
  if (file == NULL) return 2;
  const double *head = read_doubles(file, 9);
  const int n = (int)head[0], D = (int)head[1], samples = (int)head[2], intervals = (int)head[3];
  const int C = n * D, blocks = samples / LANES;
  const double *values = read_doubles(file, intervals + 1), *slopes = read_doubles(file, intervals + 1);
  const double *from = read_doubles(file, (size_t)samples * C);
  fclose(file);

  const Table table = {(float)(1 / head[4]), intervals - 0.25f, build_table(values, slopes, intervals)};
  const LennardJones lj = {(float)head[5], (float)head[6], (float)head[7], (float)head[8]};
  V *x = aligned(sizeof(V) * blocks * C), *v = aligned(sizeof(V) * blocks * C);
  double *sums = aligned(sizeof(double) * samples);
  Entry *scratch = aligned(sizeof(Entry) * (2 * TILE_PAIRS + 2 * n));
  for (int s = 0; s < blocks * LANES; s++)
    for (int c = 0; c < C; c++) ((float *)&x[s / LANES * C + c])[s % LANES] = (float)from[s * C + c];

  char verb[8], task[8], argument[1024];
  while (scanf("%7s %7s %1023s", verb, task, argument) == 3) {
    const int is_field = task[0] == 'f', calls = verb[0] == 't' ? atoi(argument) : 1;
    const double wall = seconds(CLOCK_MONOTONIC), cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
    for (int call = 0; call < calls; call++) {
      if (is_field) field(&table, D, n, blocks, x, v, sums, scratch);
      else lennard_jones(&lj, D, n, blocks, x, sums, v, (V *)scratch);
      __asm__ volatile("" ::: "memory");
    }
    const double wall_end = seconds(CLOCK_MONOTONIC), cpu_end = seconds(CLOCK_PROCESS_CPUTIME_ID);
    if (verb[0] == 'c') {
      FILE *out = fopen(argument, "wb");
      if (out == NULL) return 1;
      for (int s = 0; s < blocks * LANES; s++)
        for (int c = 0; c < C; c++) {
          const double value = ((float *)&v[s / LANES * C + c])[s % LANES];
          fwrite(&value, sizeof value, 1, out);
        }
      fwrite(sums, sizeof(double), samples, out);
      fclose(out);
    }
    printf("{\"wall\": %.9g, \"cpu\": %.9g}\n", (wall_end - wall) / calls, (cpu_end - cpu) / calls);
    fflush(stdout);
  }
  return 0;
}
