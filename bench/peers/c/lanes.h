/* Vectors of WIDTH bytes of float, by GCC's vector extensions: 16, 32 (AVX2) or 64 (AVX-512). */
#pragma once
#include <stdint.h>
#include <string.h>

#if defined(__x86_64__) && ((WIDTH == 32 && !defined(__AVX2__)) || (WIDTH == 64 && !defined(__AVX512F__)))
#error this processor has no vectors of that width
#endif

#define LANES (WIDTH / 4)
typedef float V __attribute__((vector_size(WIDTH)));
typedef int32_t I __attribute__((vector_size(WIDTH)));
typedef float Row __attribute__((vector_size(16), aligned(16)));

static inline V splat(float value) { return value - (V){}; }

/* Lane numbers of the usual 128-bit shuffles, repeated over the vector; `second` counts from LANES on. */
#if WIDTH == 16
#define EACH(a, b, c, d) (I){a, b, c, d}
#elif WIDTH == 32
#define EACH(a, b, c, d) (I){a, b, c, d, (a) + 4, (b) + 4, (c) + 4, (d) + 4}
#else
#define EACH(a, b, c, d) \
  (I){a, b, c, d, (a) + 4, (b) + 4, (c) + 4, (d) + 4, (a) + 8, (b) + 8, (c) + 8, (d) + 8, (a) + 12, (b) + 12, (c) + 12, (d) + 12}
#endif

/* Rows `lane`, `lane` + 4, … of a table side by side. */
static inline V rows(const char *table, const int32_t *offsets, int lane) {
#define ROW(i) (*(const Row *)(table + offsets[lane + 4 * (i)]))
#if WIDTH == 16
  return ROW(0);
#elif WIDTH == 32
  return __builtin_shufflevector(ROW(0), ROW(1), 0, 1, 2, 3, 4, 5, 6, 7);
#else
  typedef float Half __attribute__((vector_size(32)));
  Half low = __builtin_shufflevector(ROW(0), ROW(1), 0, 1, 2, 3, 4, 5, 6, 7);
  Half high = __builtin_shufflevector(ROW(2), ROW(3), 0, 1, 2, 3, 4, 5, 6, 7);
  return __builtin_shufflevector(low, high, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
#endif
#undef ROW
}

/* A vector summed into LANES doubles. */
static inline void accumulate(double *sums, V value) {
  for (int lane = 0; lane < LANES; lane++) sums[lane] += value[lane];
}

/* √x and the smaller of two, NaN giving the second: the only operations that the extensions lack. */
#if defined(__x86_64__)
#include <immintrin.h>
#if WIDTH == 16
static inline V root(V x) { return (V)_mm_sqrt_ps((__m128)x); }
static inline V smaller(V a, V b) { return (V)_mm_min_ps((__m128)a, (__m128)b); }
#elif WIDTH == 32
static inline V root(V x) { return (V)_mm256_sqrt_ps((__m256)x); }
static inline V smaller(V a, V b) { return (V)_mm256_min_ps((__m256)a, (__m256)b); }
#else
static inline V root(V x) { return (V)_mm512_sqrt_ps((__m512)x); }
static inline V smaller(V a, V b) { return (V)_mm512_min_ps((__m512)a, (__m512)b); }
#endif
#else
static inline V root(V x) {
  for (int lane = 0; lane < LANES; lane++) x[lane] = __builtin_sqrtf(x[lane]);
  return x;
}
static inline V smaller(V a, V b) {
  const I less = a < b;
  return (V)(((I)a & less) | ((I)b & ~less));
}
#endif
