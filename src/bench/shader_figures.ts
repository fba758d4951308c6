/*
 * Resources of a shader's workgroups, from its text: their size, and the bytes of workgroup memory by
 * the layout rules of WGSL (section 14.4, alignment and size). Registers are known only to the driver.
 */

export interface ShaderFigures {
  workgroupSize: number;
  workgroupBytes: number;
}

interface Layout {
  size: number;
  align: number;
}

/** Sizes of what can lie in workgroup memory. */
const scalars: Readonly<Record<string, number>> = { f32: 4, u32: 4, i32: 4, bool: 4, f16: 2 };
const letters: Readonly<Record<string, string>> = { f: 'f32', u: 'u32', i: 'i32', h: 'f16' };

/**
 * Reads the text of a shader as it is compiled; `constants` are the values of its overrides.
 *
 * Errors: Error naming the expression or type that is not understood.
 */
export function shaderFigures(
  code: string,
  constants: Readonly<Record<string, number | boolean>> = {},
): ShaderFigures {
  const text = code.replace(/\/\/.*$/gm, '');
  const names = new Map<string, string>();
  for (const [, name, value] of text.matchAll(
    /^\s*(?:const|override)\s+(\w+)\s*(?::\s*\w+)?\s*=\s*([^;]+);/gm,
  )) {
    names.set(name, value);
  }
  for (const [name, value] of Object.entries(constants)) names.set(name, String(Number(value)));
  const types = new Map<string, string>();
  for (const [, name, type] of text.matchAll(/^\s*alias\s+(\w+)\s*=\s*([^;]+);/gm)) {
    types.set(name, type.trim());
  }
  const structs = new Map<string, string>();
  for (const [, name, body] of text.matchAll(/\bstruct\s+(\w+)\s*\{([^}]*)\}/g)) {
    structs.set(name, body);
  }
  const reader = { names, types, structs };
  const size = insideBrackets(text, '@workgroup_size(');
  if (size === null) throw new Error('no @workgroup_size');
  const edges = splitOutside(size).map((edge) => evaluate(edge, names));
  let workgroupBytes = 0;
  for (const [, type] of text.matchAll(/\bvar<workgroup>\s*\w+\s*:\s*([^;]+);/g)) {
    // WebGPU counts each variable rounded up to 16 bytes.
    workgroupBytes += roundUp(layoutOf(type.trim(), reader).size, 16);
  }
  return { workgroupSize: edges.reduce((product, edge) => product * edge, 1), workgroupBytes };
}

interface Reader {
  names: ReadonlyMap<string, string>;
  types: ReadonlyMap<string, string>;
  structs: ReadonlyMap<string, string>;
}

function layoutOf(type: string, reader: Reader): Layout {
  const scalar = scalars[type];
  if (scalar) return { size: scalar, align: scalar };
  const atomic = /^atomic<(.+)>$/.exec(type);
  if (atomic) return layoutOf(atomic[1].trim(), reader);
  const vector = /^vec([234])(?:<(.+)>|([fuih]))$/.exec(type);
  if (vector) {
    const [, count, inner, letter] = vector;
    const { size } = layoutOf(inner?.trim() ?? letters[letter], reader);
    return { size: Number(count) * size, align: (count === '2' ? 2 : 4) * size };
  }
  const array = /^array<(.+)>$/s.exec(type);
  if (array) {
    const [element, count] = splitOutside(array[1]);
    const { size, align } = layoutOf(element.trim(), reader);
    return { size: evaluate(count, reader.names) * roundUp(size, align), align };
  }
  const body = reader.structs.get(type);
  if (body !== undefined) return layoutOfStruct(body, reader);
  const alias = reader.types.get(type);
  if (alias !== undefined) return layoutOf(alias, reader);
  throw new Error(`a type of unknown size: ${type}`);
}

function layoutOfStruct(body: string, reader: Reader): Layout {
  let [offset, widest] = [0, 4];
  for (const member of splitOutside(body)) {
    const type = /:\s*([\s\S]+)$/.exec(member)?.[1].trim();
    if (type === undefined) continue;
    const { size, align } = layoutOf(type, reader);
    offset = roundUp(offset, align) + size;
    widest = Math.max(widest, align);
  }
  return { size: roundUp(offset, widest), align: widest };
}

/** What stands between a bracket and its counterpart; null if the text before it is not there. */
function insideBrackets(text: string, opening: string): string | null {
  const at = text.indexOf(opening);
  if (at < 0) return null;
  const start = at + opening.length;
  let end = start;
  for (let depth = 1; end < text.length; end++) {
    if (text[end] === '(') depth++;
    if (text[end] === ')') depth--;
    if (depth === 0) break;
  }
  return text.slice(start, end);
}

/** Parts between the commas that stand in no brackets; an empty last one is left out. */
function splitOutside(text: string): string[] {
  const parts = [''];
  let depth = 0;
  for (const letter of text) {
    if ('<(['.includes(letter)) depth++;
    if ('>)]'.includes(letter)) depth--;
    if (letter === ',' && depth === 0) parts.push('');
    else parts[parts.length - 1] += letter;
  }
  return parts.filter((part) => part.trim() !== '');
}

/** A constant expression of whole numbers: names, + − * / % and brackets; / truncates as u32 does. */
function evaluate(expression: string, names: ReadonlyMap<string, string>, depth = 0): number {
  const tokens = expression.match(/\w+|[-+*/%()]|\S/g) ?? [];
  let at = 0;
  const fail = (): never => {
    throw new Error(`an expression that is not understood: ${expression.trim()}`);
  };
  const primary = (): number => {
    const token = tokens[at++] ?? fail();
    if (token === '(') {
      const value = sum();
      return tokens[at++] === ')' ? value : fail();
    }
    const literal = /^(\d+)[ui]?$/.exec(token);
    if (literal) return Number(literal[1]);
    if (token === 'true' || token === 'false') return Number(token === 'true');
    // A conversion: u32(…).
    if ((token === 'u32' || token === 'i32') && tokens[at] === '(') return primary();
    const value = names.get(token);
    return value !== undefined && depth < 20 ? evaluate(value, names, depth + 1) : fail();
  };
  const product = (): number => {
    let value = primary();
    while (['*', '/', '%'].includes(tokens[at])) {
      const sign = tokens[at++];
      const right = primary();
      value =
        sign === '*' ? value * right : sign === '/' ? Math.trunc(value / right) : value % right;
    }
    return value;
  };
  const sum = (): number => {
    let value = product();
    while (tokens[at] === '+' || tokens[at] === '-') {
      value = tokens[at++] === '+' ? value + product() : value - product();
    }
    return value;
  };
  const value = sum();
  return at === tokens.length ? value : fail();
}

const roundUp = (value: number, multiple: number): number => Math.ceil(value / multiple) * multiple;
