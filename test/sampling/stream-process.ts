/*
 * A process that streams samples, to be killed: `node stream-process.js <folder or file.h5> <n> <workers> <steps>`. It writes a byte to standard
 * output for every report of progress.
 */
import { writeSync } from 'node:fs';
import { isHdf5Name } from '../../src/formats/hdf5/index.js';
import { sampleToFolder, sampleToHdf5 } from '../../src/sampling/index.js';
import { WorkerPool } from '../../src/workers/index.js';
import { untrained } from './generators.js';

const [, , path, n, workers, steps] = process.argv;
const pool = new WorkerPool({ workers: Number(workers) });
const onProgress = () => writeSync(1, '.');
try {
  const options = { n: Number(n), seed: 1, model: 'test', checkpointSeconds: 0, onProgress };
  await (isHdf5Name(path) ? sampleToHdf5 : sampleToFolder)(path, untrained(Number(steps)), options, pool);
} catch (error) {
  writeSync(2, (error as Error).message);
  process.exitCode = 1;
} finally {
  await pool.close();
}
