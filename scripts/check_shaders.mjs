// Compiles every file of shaders/ as it stands, and a pipeline of it, on Dawn's null backend: no GPU is needed.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { create, globals } from 'webgpu';
import { runAsProgram } from './check_lib.mjs';

const USE = /^\s*\/\/\s*@use\s+(\S+)/gm;
/** Language extensions and the feature an adapter offers them by. */
const FEATURES = new Map(
  Object.entries({
    f16: 'shader-f16',
    subgroups: 'subgroups',
    subgroup_size_control: 'subgroup-size-control',
    chromium_experimental_subgroup_matrix: 'chromium-experimental-subgroup-matrix',
  }),
);

/** @typedef {{ failures: string[], skipped: string[], compiled: number }} Result */

/**
 * @param {string} root folder of the project
 * @returns {Promise<Result>}
 */
export async function checkShaders(root) {
  Object.assign(globalThis, globals);
  const instance = create(['backend=null', 'enable-dawn-features=allow_unsafe_apis']);
  // Kept referenced: Dawn crashes when its instance is collected while it is in use.
  Object.assign(globalThis, { nullBackend: instance });
  const adapter = await instance.requestAdapter();
  if (!adapter) throw new Error('shaders: Dawn offers no null adapter');
  const requiredFeatures = /** @type {GPUFeatureName[]} */ (
    [...FEATURES.values()].filter((name) => adapter.features.has(name))
  );
  const device = await adapter.requestDevice({ requiredFeatures });

  /** @type {Result} */
  const result = { failures: [], skipped: [], compiled: 0 };
  const libraries = namesIn(root, 'shaders/lib');
  const used = new Set();
  for (const name of namesIn(root, 'shaders')) {
    const path = `shaders/${name}`;
    const text = readFileSync(join(root, path), 'utf8');
    for (const [, library] of text.matchAll(USE)) used.add(library);
    await checkOne(device, root, path, text, result);
  }
  for (const name of libraries) {
    const path = `shaders/lib/${name}`;
    if (!used.has(`lib/${name}`)) result.failures.push(`${path}: no shader uses it`);
    if (!hasHeader(readFileSync(join(root, path), 'utf8')))
      result.failures.push(headerMissing(path));
  }
  if (result.compiled === 0) result.failures.push('shaders: no shader was compiled');
  device.destroy();
  return result;
}

/**
 * @param {GPUDevice} device
 * @param {string} root
 * @param {string} path
 * @param {string} text
 * @param {Result} result
 */
async function checkOne(device, root, path, text, result) {
  if (!hasHeader(text)) result.failures.push(headerMissing(path));
  if ([...text.matchAll(/@compute\b/g)].length !== 1 || !/\bfn\s+main\s*\(/.test(text)) {
    result.failures.push(`${path}: needs exactly one entry point, and that called main`);
    return;
  }
  const missing = enabledIn(text).filter(
    (name) => !device.features.has(FEATURES.get(name) ?? name),
  );
  if (missing.length > 0) {
    result.skipped.push(`${path}: the null adapter has no ${missing.join(', ')}`);
    return;
  }
  const libraries = [...text.matchAll(USE)].map((match) => match[1]);
  const absent = libraries.filter((library) => !existsSync(join(root, 'shaders', library)));
  if (absent.length > 0) {
    result.failures.push(`${path}: uses ${absent.join(', ')}, which does not exist`);
    return;
  }
  // Appended, as the loader does it: the line numbers of the file itself stay true.
  const parts = [
    text,
    ...libraries.map((library) => readFileSync(join(root, 'shaders', library), 'utf8')),
  ];
  await compile(device, path, parts.join('\n'), text, result);
}

/**
 * @param {GPUDevice} device
 * @param {string} path
 * @param {string} code with its libraries
 * @param {string} text of the file alone
 * @param {Result} result
 */
async function compile(device, path, code, text, result) {
  device.pushErrorScope('validation');
  const module = device.createShaderModule({ code });
  const { messages } = await module.getCompilationInfo();
  const moduleError = await device.popErrorScope();
  const errors = messages.filter(({ type }) => type !== 'info');
  if (errors.length > 0 || moduleError) {
    for (const message of errors) result.failures.push(excerpt(path, code, text, message));
    if (errors.length === 0) result.failures.push(`${path}: ${moduleError?.message}`);
    return;
  }
  device.pushErrorScope('validation');
  device.createComputePipeline({ layout: 'auto', compute: { module, entryPoint: 'main' } });
  const pipelineError = await device.popErrorScope();
  if (!pipelineError) {
    result.compiled++;
  } else if (asksForLimits(text) && /limit|exceed|larger than/i.test(pipelineError.message)) {
    // The null adapter offers the default limits only; what the header asks for is tried on a real one.
    result.skipped.push(`${path}: no pipeline, its header asks for more than the default limits`);
    result.compiled++;
  } else {
    result.failures.push(`${path}: ${pipelineError.message.trim()}`);
  }
}

/**
 * @param {string} path
 * @param {string} code
 * @param {string} text
 * @param {GPUCompilationMessage} message
 */
function excerpt(path, code, text, { lineNum, linePos, message }) {
  const ownLines = text.split('\n').length;
  const place =
    lineNum <= ownLines ? `${path}:${lineNum}:${linePos}` : `${path}, in a library it uses`;
  const line = code.split('\n')[lineNum - 1] ?? '';
  return `${place}: ${message}\n  ${line}\n  ${' '.repeat(Math.max(0, linePos - 1))}^`;
}

/**
 * Names in the `enable` directives of a shader.
 *
 * @param {string} text
 */
function enabledIn(text) {
  return [...text.replace(/\/\/.*$/gm, '').matchAll(/\benable\s+([\w\s,]+);/g)].flatMap((match) =>
    match[1].split(',').map((name) => name.trim()),
  );
}

/**
 * The header starts on the first line, where only `enable` directives may stand before it.
 *
 * @param {string} text
 */
function hasHeader(text) {
  return /^(?:\s*(?:enable|requires)\s[^;]*;)*\s*\/\/\s*\S/.test(text);
}

/** @param {string} path */
function headerMissing(path) {
  return `${path}: begins with no comment that says what one invocation computes`;
}

/** @param {string} text */
function asksForLimits(text) {
  const line = /^\/\/\s*Limits:\s*(.*)$/m.exec(text)?.[1];
  return line !== undefined && !/^WebGPU's defaults/i.test(line);
}

/**
 * @param {string} root
 * @param {string} folder
 */
function namesIn(root, folder) {
  const path = join(root, folder);
  if (!existsSync(path)) return [];
  return readdirSync(path)
    .filter((name) => name.endsWith('.wgsl'))
    .sort();
}

await runAsProgram(import.meta.url, async (root) => {
  const { failures, skipped, compiled } = await checkShaders(root);
  for (const line of skipped) console.log(`skipped ${line}`);
  if (failures.length === 0) console.log(`${compiled} shaders compile`);
  return failures;
});
