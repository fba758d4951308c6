import { expect, it } from 'vitest';
import { DataError, ShaderError } from '../src/errors.js';
import { visible, visibleJson } from '../src/visible.js';

const esc = String.fromCharCode(0x1b);
const csi = String.fromCharCode(0x9b);
const turned = String.fromCharCode(0x202e);

it('shows controls and marks of direction as escapes, and leaves all else', () => {
  expect(visible(`a${esc}[31m`)).toBe('a\\x1b[31m');
  expect(visible(`line\nfeed\ttab${String.fromCharCode(0x7f)}${csi}`)).toBe(
    'line\\nfeed\\ttab\\x7f\\x9b',
  );
  expect(visible(`x${turned}gpj.y`)).toBe('x\\u202egpj.y');
  const names = 'Zürich, 東京, עברית, 👩‍🚀, a\\b';
  expect(visible(names)).toBe(names);
});

it('keeps the values of a JSON document', () => {
  const value = { name: `${csi}${turned}${esc}\n`, list: [1, 'é'] };
  const json = visibleJson(JSON.stringify(value, null, 2));
  expect(JSON.parse(json)).toEqual(value);
  expect(json).not.toContain(csi);
  expect(json).not.toContain(turned);
  expect(json.split('\n')).toHaveLength(7);
});

it('names in errors stay on their line', () => {
  const error = new DataError(`a\n${esc}]0;b: broken`, `remove a\n${esc}]0;b`);
  expect(error.message).toBe('a\\n\\x1b]0;b: broken\nfix: remove a\\n\\x1b]0;b');
  expect(new ShaderError('one.wgsl:1\nlet x').message).toBe('one.wgsl:1\nlet x');
});
