import { cachePlace, readCache, writeCache } from '#platform';
import type { Runtime } from '../gpu/runtime.js';
import { loadShader } from '../gpu/shader.js';
import { version } from '../gpu/version.js';
import { conv2dVariants } from '../kernels/conv2d/variants.js';
import { depthwiseVariants } from '../kernels/depthwise_conv2d/variants.js';
import { matmulVariants } from '../kernels/matmul/variants.js';

/*
 * Stores tuned choices between programs: one file per adapter in the user's cache folder. A file is
 * valid while the driver, this package's version and the text of every candidate shader are unchanged;
 * otherwise it is ignored and replaced by the next tuning.
 */

const tables: readonly Readonly<Record<string, { shaders: readonly string[] }>>[] = [
  conv2dVariants,
  depthwiseVariants,
  matmulVariants,
];

/** Every shader that a variant of conv2d, depthwiseConv2d or matmul may dispatch. */
export const tunedShaders: readonly string[] = [
  ...new Set(tables.flatMap((table) => Object.values(table).flatMap(({ shaders }) => shaders))),
].sort();

/** What stored choices are valid for. */
interface ChoiceIdentity {
  version: string;
  /** Adapter, driver and backend. */
  adapter: string;
  /** Hash of the shader texts. */
  shaders: string;
}

/** Loads what earlier programs chose for this adapter. */
export async function loadChoices(runtime: Runtime): Promise<void> {
  const file = await fileOf(runtime);
  const text = readCache(file);
  if (text === null) return;
  const choices = parseChoices(text, await identityOf(runtime));
  if (choices) runtime.choices.replace(choices);
  else if (readFile(text) === null) {
    runtime.choices.problem = `tuning: ${cachePlace(file)} is broken and was passed over; kernels are chosen by rule until --tune writes it anew`;
  }
}

/**
 * Stores this device's choices, merged with those that other programs stored meanwhile. Returns null,
 * or the reason for failure.
 */
export async function saveChoices(runtime: Runtime): Promise<string | null> {
  const file = await fileOf(runtime);
  const identity = await identityOf(runtime);
  const others = parseChoices(readCache(file) ?? '', identity) ?? {};
  const choices = { ...others, ...runtime.choices.entries() };
  return writeCache(file, formatChoices(identity, choices));
}

/** Path that `saveChoices` writes, for messages; null if nothing is stored. */
export async function choicesPlace(runtime: Runtime): Promise<string | null> {
  return cachePlace(await fileOf(runtime));
}

export function formatChoices(identity: ChoiceIdentity, choices: Record<string, string>): string {
  return `${JSON.stringify({ ...identity, choices }, null, 1)}\n`;
}

/** The choices in a file's text; null if it is damaged or for something else. */
export function parseChoices(
  text: string,
  identity: ChoiceIdentity,
): Record<string, string> | null {
  const file = readFile(text);
  if (file === null) return null;
  const names = ['version', 'adapter', 'shaders'] as const;
  return names.every((name) => file[name] === identity[name]) ? file.choices : null;
}

/** Parses a file of any identity; null if it is not one. */
function readFile(text: string): (ChoiceIdentity & { choices: Record<string, string> }) | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null) return null;
  const { version, adapter, shaders, choices } = value as Record<string, unknown>;
  if (typeof choices !== 'object' || choices === null) return null;
  const isText = [version, adapter, shaders, ...(Object.values(choices) as unknown[])].every(
    (part) => typeof part === 'string',
  );
  return isText ? (value as ChoiceIdentity & { choices: Record<string, string> }) : null;
}

export async function identityOf(runtime: Runtime): Promise<ChoiceIdentity> {
  return { version, adapter: adapterOf(runtime), shaders: await currentShadersHash() };
}

/** A hash that changes with any character of any candidate shader. */
export function shadersHash(textOf: (name: string) => string): Promise<string> {
  return hash(tunedShaders.map((name) => `${name}\n${textOf(name)}`).join('\n'));
}

let currentHash: Promise<string> | null = null;

function currentShadersHash(): Promise<string> {
  // Loaded shaders include the text of their libraries.
  currentHash ??= shadersHash((name) => loadShader(name, {}).code);
  return currentHash;
}

function adapterOf({ adapter, info }: Runtime): string {
  // Dawn's description holds the driver's name and version.
  const { vendor, architecture, device, description } = adapter.info;
  return [vendor, architecture, device, description, info.backend].join(', ');
}

async function fileOf(runtime: Runtime): Promise<string> {
  return `choices-${(await hash(adapterOf(runtime))).slice(0, 16)}.json`;
}

async function hash(text: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
