// `npm run browser-check`: bundles the library as a page would, opens it in a headless Chromium and compares what
// that computes with the float64 reference, and its training with that in Node. Not part of `npm test`, since it needs a browser. The browser is the first
// Chromium or Chrome on the path, or the program CHROMIUM names; further arguments are handed to it.

import { build } from 'esbuild';
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setUp } from './setup.mjs';
import { orExit, ROOT, SetUpError } from './setup_lib.mjs';
import { differenceOf, smallTraining } from './small_training.mjs';

const LIMIT_MS = 180_000;
const BROWSERS = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
/** SwiftShader, the browser's own software adapter: what there is on a machine without a GPU. */
const FLAGS = [
  '--headless=new',
  '--no-first-run',
  '--disable-extensions',
  '--disable-background-networking',
  '--enable-unsafe-webgpu',
  '--use-webgpu-adapter=swiftshader',
  '--enable-features=Vulkan',
];
const PAGE = `<!doctype html><meta charset="utf-8"><title>tilegrad</title>
<pre></pre><script type="module" src="/page.js"></script>`;

function findBrowser() {
  const names = process.env.CHROMIUM ? [process.env.CHROMIUM] : BROWSERS;
  const found = names.find((name) => spawnSync(name, ['--version']).status === 0);
  if (found !== undefined) return found;
  throw new SetUpError(
    `browser-check: no browser found, looked for ${names.join(', ')}`,
    'install chromium (Debian: apt-get install chromium), or name the program in CHROMIUM',
  );
}

/**
 * Serves the page and waits for the result that it posts.
 *
 * @param {string} bundle
 * @param {(url: string, onExit: () => void) => () => void} open shows the page; returns what closes it
 * @returns {Promise<any>}
 */
async function resultOfPage(bundle, open) {
  const script = (/** @type {string} */ name) => readFileSync(join(ROOT, 'scripts', name), 'utf8');
  /** @type {Record<string, [string, string]>} */
  const files = {
    '/': ['text/html', PAGE],
    '/page.js': ['text/javascript', script('browser_page.mjs')],
    '/small_training.mjs': ['text/javascript', script('small_training.mjs')],
    '/tilegrad.js': ['text/javascript', bundle],
  };
  /** @type {(text: string) => void} */
  let settle = () => {};
  const posted = new Promise((resolve) => (settle = resolve));
  const server = createServer((request, response) => {
    const file = files[request.url ?? ''];
    if (request.method === 'POST') {
      let text = '';
      request.setEncoding('utf8').on('data', (chunk) => (text += chunk));
      request.on('end', () => settle(text));
      response.end();
    } else if (file) response.setHeader('Content-Type', file[0]).end(file[1]);
    else response.writeHead(404).end();
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(null)));
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  // A page of 127.0.0.1 counts as secure, which WebGPU asks for.
  const close = open(`http://127.0.0.1:${port}/`, () => {
    settle('{"error":"browser-check: the browser ended before it had a result"}');
  });
  const timer = setTimeout(() => settle('{"error":"browser-check: no result in time"}'), LIMIT_MS);
  try {
    return JSON.parse(await posted);
  } finally {
    clearTimeout(timer);
    close();
    server.closeAllConnections();
    server.close();
  }
}

/**
 * @param {string} browser
 * @param {string} profile an empty folder
 * @param {string} url
 * @param {() => void} onExit
 */
function openBrowser(browser, profile, url, onExit) {
  const isRoot = process.getuid?.() === 0;
  const flags = [...FLAGS, ...(isRoot ? ['--no-sandbox'] : []), `--user-data-dir=${profile}`];
  const child = spawn(browser, [...flags, ...process.argv.slice(2), url], {
    stdio: 'ignore',
    detached: true,
  });
  child.on('exit', onExit);
  // Its helpers are in its process group and go with it.
  return () => {
    if (child.pid === undefined || child.exitCode !== null) return;
    process.kill(-child.pid, 'SIGKILL');
  };
}

/** The same convolution by the float64 loops; whole numbers, so every value must be equal. */
async function expected() {
  // The reference is the tests' alone and not in dist/.
  const source = join(ROOT, 'src', 'reference', 'conv2d.ts');
  const { outputFiles } = await build({
    entryPoints: [source],
    bundle: true,
    format: 'esm',
    write: false,
  });
  const code = encodeURIComponent(outputFiles[0].text);
  const { conv2dReference } = await import(`data:text/javascript,${code}`);
  const whole = (/** @type {number[]} */ shape, /** @type {number} */ step) => {
    const size = shape.reduce((product, n) => product * n, 1);
    return { shape, data: Float64Array.from({ length: size }, (_, i) => ((i * step) % 7) - 3) };
  };
  const inputs = { x: whole([2, 9, 7, 5], 3), w: whole([3, 3, 5, 6], 5), bias: whole([6], 2) };
  const options = { stride: 2, padding: 'same' };
  const { y } = conv2dReference.forward(inputs, options);
  const gradients = conv2dReference.backward(inputs, options, whole(y.shape, 4));
  return { y, ...gradients };
}

/** The same training in Node. */
async function lossesHere() {
  const library = await import(new URL('../dist/index.js', import.meta.url).href);
  const device = await library.createDevice({ seed: 1 });
  const losses = await smallTraining(library, device);
  device.destroy();
  return losses;
}

/**
 * @param {any} result
 * @returns {Promise<string[]>} what is wrong
 */
async function judge(result) {
  if (result.error) return [result.error];
  const failures = [];
  const got = { y: result.convolution.y, ...result.convolution.gradients };
  for (const [name, { data }] of Object.entries(await expected())) {
    const wrong = [...data].findIndex((value, i) => got[name]?.[i] !== value);
    if (wrong >= 0) {
      const place = `${name === 'y' ? 'y' : `d${name}`}[${wrong}]`;
      failures.push(`conv2d: ${place} is ${got[name]?.[wrong]}, expected ${data[wrong]}`);
    }
  }
  const { losses } = result;
  if (!(losses.at(-1) < losses[0] / 2)) failures.push(`training: losses ${losses.join(', ')}`);
  const difference = differenceOf(losses, await lossesHere());
  if (difference !== null) failures.push(`training: ${difference}`);
  return failures;
}

Object.assign(
  process.env,
  orExit(() => setUp()),
);
const browser = orExit(findBrowser);
const { bundleForBrowser } = await import('./bundle_lib.mjs');
const bundle = (await bundleForBrowser()).text;
const profile = mkdtempSync(join(tmpdir(), 'tilegrad-browser-'));
const result = await resultOfPage(bundle, (url, onExit) =>
  openBrowser(browser, profile, url, onExit),
);
rmSync(profile, { recursive: true, force: true, maxRetries: 10 });
const failures = await judge(result);
if (result.adapter) console.log(`adapter   ${Object.values(result.adapter).join(' ')}`);
if (failures.length === 0) {
  const { y, gradients } = result.convolution;
  const count = [y, ...Object.values(gradients)].reduce((sum, values) => sum + values.length, 0);
  const [first, last] = [result.losses[0], result.losses.at(-1)].map((loss) => loss.toFixed(4));
  console.log(`conv2d    forward and backward: ${count} numbers equal the reference`);
  console.log(
    `training  loss ${first} → ${last} in ${result.losses.length} captured steps, as in Node`,
  );
}
for (const failure of failures) console.error(failure);
process.exitCode = failures.length > 0 ? 1 : 0;
