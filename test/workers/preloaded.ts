/* A module of pool.test.ts that leaves a trace of having been loaded. */
(globalThis as { preloaded?: boolean }).preloaded = true;
