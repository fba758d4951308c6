import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { createDevice } from '../../src/index.js';
import { adapterNames } from '../../src/gpu/platform/node.js';

/** Run with the drivers of SwiftShader and llvmpipe, of which Dawn offers the first alone. */
it.each([
  ['llvmpipe', 'llvmpipe'],
  ['LLVMPIPE', 'llvmpipe'],
  ['swiftshader', 'SwiftShader'],
  ['Mesa', 'llvmpipe'],
  ['google', 'SwiftShader'],
])('reaches by "%s" the adapter %s', async (adapter, wanted) => {
  const device = await createDevice({ adapter });
  expect(device.info.description).toContain(wanted);
  expect(device.info.isSoftware).toBe(true);
  const x = device.tensor([
    [1, 2],
    [3, 4],
  ]);
  expect([...(await x.matmul(x).data())]).toEqual([7, 10, 15, 22]);
  device.destroy();
});

it('names both where neither is meant', async () => {
  expect(await adapterNames()).toHaveLength(2);
  await expect(createDevice({ adapter: 'voodoo2' })).rejects.toThrow(
    /^device: no adapter contains "voodoo2"; found "SwiftShader.*", "llvmpipe.*"\nfix: /,
  );
});

it.each(['option', 'variable'])('reaches both from the command line, by the %s', (way) => {
  const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
  for (const part of ['llvmpipe', 'swiftshader']) {
    const args = way === 'option' ? ['--adapter', part] : [];
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [main, 'doctor', '--json', ...args],
      {
        encoding: 'utf8',
        env: { ...process.env, ...(args.length ? {} : { TILEGRAD_ADAPTER: part }) },
      },
    );
    expect(status, stderr).toBe(0);
    const { adapter } = JSON.parse(stdout) as { adapter: { description: string } };
    expect(adapter.description.toLowerCase()).toContain(part);
  }
});
