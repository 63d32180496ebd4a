/* A fresh process up to its first 1,000 samples, as a program of a user's would do it: first-samples.js <model>. Prints µs of processor time. */
import { readFileSync } from 'node:fs';
import { decodeModel, prepareFlow } from '../src/index.js';

const { generator } = decodeModel(readFileSync(process.argv[2]), process.argv[2]);
prepareFlow(generator.flow, 'f32').sample(1, 0, 1000);
const { user, system } = process.cpuUsage();
process.stdout.write(`${user + system}\n`);
