// Opens a report in headless Chromium and looks at it as a reader would: no errors on the console, every figure drawn, nothing
// wider than the page. Leaves a screenshot beside the report.
//
//   node test/browser/report.mjs [report.html [figures]]        (npm run test:browser: that of npm start, of samples, of a training)

import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--window-size=1200,900',
  '--remote-debugging-pipe',
];
const TIMEOUT = 60_000;
/** Figures of the paper's report: energies, positions, configurations and shares of two training sets, potential, claim, curves. */
const LEAST_FIGURES = Number(process.argv[3] ?? 10);

const report = resolve(process.argv[2] ?? 'runs/paper/report.html');
if (!existsSync(report)) {
  console.error(`${report}: no such report; run npm start first`);
  process.exit(66);
}

/** A browser over its debugging pipe: JSON messages ended by NUL on file descriptors 3 and 4. */
function openBrowser(profile) {
  const browser = spawn(process.env.CHROMIUM ?? 'chromium', [...FLAGS, `--user-data-dir=${profile}`], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
  });
  const waiting = new Map();
  const events = [];
  let buffer = '';
  let last = 0;
  browser.on('error', (error) => {
    console.error(`cannot start chromium: ${error.message}`);
    process.exit(69);
  });
  browser.stdio[4].setEncoding('utf8').on('data', (chunk) => {
    buffer += chunk;
    const messages = buffer.split('\0');
    buffer = messages.pop();
    for (const text of messages) {
      const message = JSON.parse(text);
      if (message.id === undefined) events.push(message);
      else waiting.get(message.id)?.(message);
    }
  });
  const send = (method, params = {}, sessionId = undefined) =>
    new Promise((done, failed) => {
      const id = ++last;
      const timer = setTimeout(() => failed(new Error(`${method}: no answer in ${TIMEOUT} ms`)), TIMEOUT);
      waiting.set(id, ({ result, error }) => {
        clearTimeout(timer);
        if (error) failed(new Error(`${method}: ${error.message}`));
        else done(result);
      });
      browser.stdio[3].write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    });
  const exited = new Promise((done) => browser.once('exit', done));
  const close = () => {
    browser.kill();
    return exited;
  };
  return { send, events, close };
}

/** Run in the page: what there is to see of each figure, and how wide the page is. */
function inspect() {
  const figures = [...document.querySelectorAll('svg')].map((svg) => {
    const { width, height } = svg.getBoundingClientRect();
    const marks = svg.querySelectorAll('path, rect, circle, line, image').length;
    return { width, height, marks, texts: svg.querySelectorAll('text').length };
  });
  const { scrollWidth, clientWidth, scrollHeight } = document.documentElement;
  return { title: document.title, figures, scrollWidth, clientWidth, scrollHeight };
}

/** The browser's own children write into it for a moment after the browser has ended. What is left then is no problem of the report. */
async function removeProfile(folder) {
  for (let attempt = 0; attempt < 50; attempt++) {
    try {
      return rmSync(folder, { recursive: true, force: true });
    } catch {
      await new Promise((done) => setTimeout(done, 100));
    }
  }
}

const profile = mkdtempSync(join(tmpdir(), 'equiflow-browser-'));
const browser = openBrowser(profile);
const problems = [];
try {
  const { targetId } = await browser.send('Target.createTarget', { url: 'about:blank' });
  const { sessionId } = await browser.send('Target.attachToTarget', { targetId, flatten: true });
  const send = (method, params) => browser.send(method, params, sessionId);
  for (const domain of ['Page', 'Runtime', 'Log', 'Network']) await send(`${domain}.enable`);
  await send('Page.navigate', { url: pathToFileURL(report).href });
  // The blank page that came before has a load event, too, and it may arrive late.
  const loaded = async () => {
    const expression = "location.protocol !== 'about:' && document.readyState === 'complete'";
    return (await send('Runtime.evaluate', { expression, returnByValue: true })).result.value;
  };
  const deadline = Date.now() + TIMEOUT;
  let complete = await loaded();
  for (; !complete && Date.now() < deadline; complete = await loaded())
    await new Promise((done) => setTimeout(done, 50));
  if (!complete) problems.push('the page did not finish loading');

  const { result } = await send('Runtime.evaluate', { expression: `(${inspect})()`, returnByValue: true });
  const { title, figures, scrollWidth, clientWidth, scrollHeight } = result.value;
  if (figures.length < LEAST_FIGURES) problems.push(`${figures.length} figures, expected at least ${LEAST_FIGURES}`);
  figures.forEach(({ width, height, marks, texts }, i) => {
    if (width < 50 || height < 50) problems.push(`figure ${i + 1} is ${width} by ${height} pixels`);
    if (marks === 0 || texts === 0) problems.push(`figure ${i + 1} has ${marks} marks and ${texts} texts`);
  });
  if (scrollWidth > clientWidth) problems.push(`the page is ${scrollWidth} pixels wide in a window of ${clientWidth}`);
  for (const { method, params } of browser.events) {
    if (method === 'Runtime.exceptionThrown') problems.push(`exception: ${params.exceptionDetails.text}`);
    if (method === 'Runtime.consoleAPICalled' && params.type === 'error') problems.push('an error on the console');
    if (method === 'Log.entryAdded' && params.entry.level === 'error') problems.push(`log: ${params.entry.text}`);
    if (method === 'Network.requestWillBeSent' && !/^(file|data):/.test(params.request.url)) {
      problems.push(`the page asks for ${params.request.url}`);
    }
  }
  const clip = { x: 0, y: 0, width: 1200, height: Math.min(scrollHeight, 16_000), scale: 1 };
  const { data } = await send('Page.captureScreenshot', { format: 'png', captureBeyondViewport: true, clip });
  const screenshot = report.replace(/\.html$/, '.png');
  writeFileSync(screenshot, Buffer.from(data, 'base64'));
  console.log(`${title}: ${figures.length} figures, ${scrollHeight} pixels high; screenshot ${screenshot}`);
} finally {
  await browser.close();
  await removeProfile(profile);
}
for (const problem of problems) console.error(problem);
console.log(problems.length === 0 ? 'no problems found' : `${problems.length} problems`);
process.exit(problems.length === 0 ? 0 : 1);
