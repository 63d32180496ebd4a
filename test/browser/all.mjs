// Every page that this package makes, in headless Chromium: npm run test:browser. The report of npm start has to be there.

import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const path = (name) => fileURLToPath(new URL(name, import.meta.url));
const run = (file, ...args) => execFileSync(process.execPath, [file, ...args], { stdio: 'inherit' });
const equiflow = (...args) => run(path('../../dist/src/cli/main.js'), ...args, '--quiet');
const folder = path('../../runs/browser');
const model = path('../../runs/paper/models/eqBG-equilibrium-2.safetensors');

run(path('report.mjs'));
mkdirSync(folder, { recursive: true });
equiflow('sample', model, '-n', '50000', '--out', `${folder}/samples.npz`);
const question = ['--observable', 'rg', 'd', '--states', 'short@4=2', 'short@4=4', '--profile', 'rg', 'd0-1', 'energy'];
equiflow('report', `${folder}/samples.npz`, ...question, '--out', `${folder}/samples.html`);
run(path('report.mjs'), `${folder}/samples.html`, '8');

const [data, trained] = ['data.npz', 'trained.safetensors'].map((name) => `${folder}/${name}`);
equiflow('simulate', 'dw4', '-n', '4000', '--out', data);
equiflow('train', 'dw4', '--data', data, '--steps', '200', '--out', trained);
for (const source of [trained, `${trained}.training.jsonl`]) {
  equiflow('report', source, '--out', `${folder}/trained.html`);
  run(path('report.mjs'), `${folder}/trained.html`, '2');
}

// A record of steps and validations as train writes it, the last line cut off by a kill.
const record = Array.from({ length: 400 }, (_, i) => {
  const step = i + 1;
  const terms = { nll: 8 + 5 / step + 0.3 * Math.sin(7 * step), kl: 2 / step };
  const loss = (terms.nll + terms.kl) / 2;
  const line = { step, loss, terms, gradientNorm: 3 / Math.sqrt(step), learningRate: 1e-3 / step, ms: 4 + (step % 3) };
  const validation = { validationNll: 8.1 + 4 / step, ess: 0.2 - 1 / (step + 10), rolledBack: false };
  return [JSON.stringify(line), ...(step % 50 === 0 ? [JSON.stringify({ step, validation })] : [])].join('\n');
});
writeFileSync(`${folder}/training.jsonl`, `${record.join('\n')}\n{"step": 40`);
equiflow('report', `${folder}/training.jsonl`, '--out', `${folder}/training.html`);
run(path('report.mjs'), `${folder}/training.html`, '8');
