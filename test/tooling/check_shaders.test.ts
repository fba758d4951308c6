import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { makeProject } from './fixture.js';

const CHECKER = fileURLToPath(new URL('../../scripts/check_shaders.mjs', import.meta.url));
const GOOD = `// y = 2·x. One invocation doubles one element.
@group(0) @binding(0) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  y[id.x] *= 2.0;
}
`;

/** Runs the checker as its own process, as `npm run check` does. */
function check(files: Record<string, string>): { status: number | null; lines: string } {
  const { status, stdout } = spawnSync(process.execPath, [CHECKER, makeProject(files)], {
    encoding: 'utf8',
  });
  return { status, lines: stdout };
}

test('a good shader compiles, alone and with a library', () => {
  const library = {
    'shaders/lib/twice.wgsl': '// 2·x\nfn twice(x: f32) -> f32 { return 2.0 * x; }',
  };
  const user = `// @use lib/twice.wgsl\n${GOOD.replace('*= 2.0', '= twice(y[id.x])')}`;
  const { status, lines } = check({ 'shaders/a.wgsl': GOOD, 'shaders/b.wgsl': user, ...library });
  expect(lines).toBe('2 shaders compile\n');
  expect(status).toBe(0);
});

test('an error is shown at its path, line and column, with the line', () => {
  const { status, lines } = check({ 'shaders/a.wgsl': GOOD.replace('2.0', 'twice') });
  expect(lines).toContain('shaders/a.wgsl:5:14: ');
  expect(lines).toContain("unresolved value 'twice'");
  expect(lines).toContain('    y[id.x] *= twice;\n               ^');
  expect(status).toBe(1);
});

test.each([
  ['no header', GOOD.slice(GOOD.indexOf('\n') + 1), 'begins with no comment'],
  ['another entry point', GOOD.replace('main', 'double'), 'exactly one entry point'],
  ['a library that is not there', `// @use lib/none.wgsl\n${GOOD}`, 'uses lib/none.wgsl'],
  ['too large a workgroup', GOOD.replace('64', '512'), 'shaders/a.wgsl: '],
])('finds %s', (_title, text, wanted) => {
  const { status, lines } = check({ 'shaders/a.wgsl': text, 'shaders/good.wgsl': GOOD });
  expect(lines).toContain(wanted);
  expect(status).toBe(1);
});

test('a library nobody uses is found', () => {
  const { status, lines } = check({ 'shaders/a.wgsl': GOOD, 'shaders/lib/b.wgsl': '// nothing' });
  expect(lines).toContain('shaders/lib/b.wgsl: no shader uses it');
  expect(status).toBe(1);
});

test('what only a real adapter can judge is skipped with its reason', () => {
  const unknown = `enable chromium_internal_graphite; ${GOOD}`;
  const large = `// Doubles.\n// Limits: 512 invocations.\n${GOOD.replace('64', '512')}`;
  const { status, lines } = check({
    'shaders/a.wgsl': GOOD,
    'shaders/b.wgsl': unknown,
    'shaders/c.wgsl': large,
  });
  expect(lines).toContain(
    'skipped shaders/b.wgsl: the null adapter has no chromium_internal_graphite',
  );
  expect(lines).toContain('skipped shaders/c.wgsl: no pipeline, its header asks for more');
  expect(status).toBe(0);
});

test('a project without shaders does not pass', () => {
  expect(check({}).status).toBe(1);
});
