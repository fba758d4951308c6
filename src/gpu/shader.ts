import { shaderText } from '#platform';
import { ShaderError } from '../errors.js';

/**
 * Shader files and what they declare. Files are plain WGSL; three kinds of parameter exist
 * (docs/shaders.md): fields of `struct Params` by name, `override` constants, and lines marked
 * `// @tune`, whose value may be rewritten in place. Line numbers of errors stay those of the file.
 */
export type TuneValue = number | string;

export interface BindingDeclaration {
  name: string;
  binding: number;
  kind: 'uniform' | 'read' | 'read_write';
}

interface ParamField {
  name: string;
  /** Scalar type and number of components: u32, vec4<f32> … */
  scalar: 'u32' | 'i32' | 'f32';
  components: number;
  offset: number;
}

export interface Shader {
  name: string;
  code: string;
  bindings: BindingDeclaration[];
  params: { fields: Map<string, ParamField>; sizeBytes: number } | null;
  overrides: Set<string>;
  tune: Record<string, TuneValue>;
}

const TUNE_LINE =
  /^(\s*(?:const\s+(\w+)\s*(?::\s*\w+)?|alias\s+(\w+))\s*=\s*)([^;]+)(;.*\/\/.*@tune.*)$/;
const USE_LINE = /^\s*\/\/\s*@use\s+(\S+)/;
const BINDING =
  /@group\(0\)\s*@binding\((\d+)\)\s*var<\s*(uniform|storage)\s*(?:,\s*(read_write|read))?\s*>\s*(\w+)\s*:/g;
const OVERRIDE = /\boverride\s+(\w+)/g;
const FIELD =
  /(\w+)\s*:\s*(?:(u32|i32|f32)|vec([234])(?:<(u32|i32|f32)>|([uif]))|([A-Z]\w*))\s*,?/g;

/**
 * Reads `shaders/<name>.wgsl`, sets its tunables and appends the libraries it names.
 *
 * Errors: ShaderError when a tunable is not declared in the file.
 */
export function loadShader(name: string, tune: Record<string, TuneValue>): Shader {
  const original = shaderText(`${name}.wgsl`);
  let code = rewriteTunables(name, original, tune);
  const libraries = original
    .split('\n')
    .map((line) => USE_LINE.exec(line)?.[1])
    .filter((path) => path !== undefined);
  for (const path of libraries) code += `\n${shaderText(path)}`;

  const bare = code.replace(/\/\/.*$/gm, '');
  const bindings = [...bare.matchAll(BINDING)].map((m): BindingDeclaration => ({
    name: m[4],
    binding: Number(m[1]),
    kind: m[2] === 'uniform' ? 'uniform' : m[3] === 'read_write' ? 'read_write' : 'read',
  }));
  const hasUniform = bindings.some(({ kind }) => kind === 'uniform');
  const params = hasUniform ? parseParams(bare) : null;
  if (Object.values(tune).includes('f16')) code = `enable f16; ${code}`;
  const overrides = new Set([...bare.matchAll(OVERRIDE)].map((m) => m[1]));
  return { name, code, bindings, params, overrides, tune };
}

function rewriteTunables(name: string, text: string, tune: Record<string, TuneValue>): string {
  const missing = new Set(Object.keys(tune));
  const lines = text.split('\n').map((line) => {
    const match = TUNE_LINE.exec(line);
    const key = match?.[2] ?? match?.[3];
    if (!match || key === undefined || !(key in tune)) return line;
    missing.delete(key);
    const value = tune[key];
    const suffix = typeof value === 'number' && /\du$/.test(match[4].trim()) ? 'u' : '';
    return `${match[1]}${value}${suffix}${match[5]}`;
  });
  if (missing.size > 0) {
    throw new ShaderError(
      `shaders/${name}.wgsl: no tunable named ${[...missing].join(', ')}`,
      'mark its line with // @tune, or drop it from the launcher',
    );
  }
  return lines.join('\n');
}

function parseParams(bare: string): Shader['params'] {
  const fields = new Map<string, ParamField>();
  const sizeBytes = layOut(bare, 'Params', '', 0, fields);
  return sizeBytes === null ? null : { fields, sizeBytes };
}

/**
 * Places the fields of a struct that begins at `begin`, by WGSL's rules for uniform buffers; those of a
 * struct within it are called `outer.inner`. Returns the size in bytes, or null if the text has no such struct.
 */
function layOut(
  bare: string,
  struct: string,
  prefix: string,
  begin: number,
  fields: Map<string, ParamField>,
): number | null {
  const body = new RegExp(`\\bstruct\\s+${struct}\\s*\\{([^}]*)\\}`).exec(bare)?.[1];
  if (body === undefined) return null;
  let offset = 0;
  let structAlign = 4;
  for (const m of body.matchAll(FIELD)) {
    const name = prefix + m[1];
    if (m[6]) {
      // A struct in a uniform buffer begins at a multiple of 16.
      offset = Math.ceil(offset / 16) * 16;
      structAlign = 16;
      const sizeBytes = layOut(bare, m[6], `${name}.`, begin + offset, fields);
      if (sizeBytes === null) {
        throw new ShaderError(`shader: struct ${m[6]} of parameter ${name} is not declared`);
      }
      offset += Math.ceil(sizeBytes / 16) * 16;
      continue;
    }
    const components = m[3] ? Number(m[3]) : 1;
    const letter = m[5] ? { u: 'u32', i: 'i32', f: 'f32' }[m[5]] : undefined;
    const scalar = (m[2] ?? m[4] ?? letter) as ParamField['scalar'];
    const align = components === 1 ? 4 : components === 2 ? 8 : 16;
    offset = Math.ceil(offset / align) * align;
    structAlign = Math.max(structAlign, align);
    fields.set(name, { name, scalar, components, offset: begin + offset });
    offset += 4 * components;
  }
  return Math.ceil(offset / structAlign) * structAlign;
}

/** By field; those of a struct within `struct Params` have values of their own. */
export interface ParamValues {
  [field: string]: number | readonly number[] | ParamValues;
}

/**
 * Lays parameter values out as the shader's `struct Params` declares them; null if it has none.
 *
 * Errors: ShaderError naming a field that is missing, unknown or of another length.
 */
export function packParams(shader: Shader, values: ParamValues): ArrayBuffer | null {
  const params = shader.params;
  if (!params) {
    const given = Object.keys(values);
    if (given.length > 0) {
      throw new ShaderError(`shaders/${shader.name}.wgsl: declares no Params, got ${given.join()}`);
    }
    return null;
  }
  const bytes = new ArrayBuffer(params.sizeBytes);
  const view = new DataView(bytes);
  const written = writeFields(shader, view, values, '');
  if (written !== params.fields.size) {
    const given = new Set(namesOf(values, ''));
    const missing = [...params.fields.keys()].filter((key) => !given.has(key));
    throw new ShaderError(`shaders/${shader.name}.wgsl: Params ${missing.join(', ')} not given`);
  }
  return bytes;
}

/** Returns how many fields it wrote. */
function writeFields(shader: Shader, view: DataView, values: ParamValues, prefix: string): number {
  let written = 0;
  for (const key in values) {
    const value = values[key];
    const name = prefix + key;
    if (isStruct(value)) {
      written += writeFields(shader, view, value, `${name}.`);
      continue;
    }
    const field = shader.params!.fields.get(name);
    const length = typeof value === 'number' ? 1 : value.length;
    if (!field || length !== field.components) {
      throw new ShaderError(
        `shaders/${shader.name}.wgsl: Params ${field ? `${name} has ${field.components} components, got ${length}` : `has no field ${name}`}`,
      );
    }
    for (let i = 0; i < length; i++) {
      const number = typeof value === 'number' ? value : value[i];
      const at = field.offset + 4 * i;
      if (field.scalar === 'f32') view.setFloat32(at, number, true);
      else if (field.scalar === 'i32') view.setInt32(at, number, true);
      else view.setUint32(at, number, true);
    }
    written++;
  }
  return written;
}

function namesOf(values: ParamValues, prefix: string): string[] {
  return Object.entries(values).flatMap(([key, value]) =>
    isStruct(value) ? namesOf(value, `${prefix}${key}.`) : [prefix + key],
  );
}

function isStruct(value: ParamValues[string]): value is ParamValues {
  return typeof value === 'object' && !Array.isArray(value);
}
