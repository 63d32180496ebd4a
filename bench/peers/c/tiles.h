/* How pairs are cut into tiles of whole rows, so that scratch stays in L1: assembly/pair-tiles.ts in C. */
#pragma once
#include "lanes.h"

#define TILE_PAIRS 64

static inline __attribute__((always_inline)) int tile_end(int first, int n) {
  int pairs = 0, row = first;
  while (row < n - 1 && pairs < TILE_PAIRS) pairs += n - 1 - row++;
  const int rest = n - 1 - row;
  return rest * (rest + 1) <= TILE_PAIRS ? n - 1 : row;
}
