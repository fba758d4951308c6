import { expect, it } from 'vitest';
import { isSoftwareAdapter, openGpuDevice } from '../../src/gpu/adapter.js';
import { adapterNames } from '../../src/gpu/platform/node.js';

/** What Dawn says of adapters, and whether they compute on the processor. */
const ADAPTERS: [isSoftware: boolean, info: Partial<GPUAdapterInfo>][] = [
  [
    true,
    {
      vendor: 'mesa',
      architecture: 'software',
      device: 'llvmpipe-llvm-15-0-6-256-bits-',
      description: 'llvmpipe: Mesa 25.0.7',
      isFallbackAdapter: true,
    },
  ],
  [
    true,
    {
      vendor: 'google',
      architecture: 'swiftshader',
      device: 'swiftshader-device-subzero-',
      description: 'SwiftShader driver 5.0.0',
      isFallbackAdapter: true,
    },
  ],
  // A page is not told the device, and older browsers do not say what a fallback is.
  [true, { vendor: 'google', architecture: 'swiftshader', device: '', description: '' }],
  [
    true,
    {
      vendor: 'microsoft',
      architecture: '',
      device: '',
      description: 'Microsoft Basic Render Driver',
    },
  ],
  [
    false,
    {
      vendor: 'mesa',
      architecture: 'software',
      device: 'apple-m1-g13g-a0-',
      description: 'Honeykrisp: Mesa 26.1.6',
      isFallbackAdapter: false,
    },
  ],
  [
    false,
    {
      vendor: 'nvidia',
      architecture: 'kepler',
      device: 'nvk-',
      description: 'NVK: Mesa 26.1.6',
      isFallbackAdapter: false,
    },
  ],
  [
    false,
    {
      vendor: 'amd',
      architecture: 'rdna-3',
      device: 'amd-radeon-rx-7900-xtx-radv-navi31-',
      description: 'radv: Mesa 26.1.6',
      isFallbackAdapter: false,
    },
  ],
  [
    false,
    {
      vendor: 'qualcomm',
      architecture: 'adreno-7xx',
      device: 'turnip-adreno-tm-740',
      description: 'turnip Mesa driver: Mesa 26.1.6',
      isFallbackAdapter: false,
    },
  ],
];

it.each(ADAPTERS)('isSoftware is %s for %o', (isSoftware, info) => {
  expect(isSoftwareAdapter(info as GPUAdapterInfo)).toBe(isSoftware);
});

it('lists every adapter by its name, and opens each by part of it in any case', async () => {
  const names = await adapterNames();
  expect(names.length).toBeGreaterThan(0);
  for (const name of names) {
    const { device, info } = await openGpuDevice({ adapter: name.trim().toUpperCase() });
    expect(info.description).not.toBe('');
    device.destroy();
  }
});

it('names what is there where no adapter fits', async () => {
  const [name] = await adapterNames();
  await expect(openGpuDevice({ adapter: 'voodoo2' })).rejects.toThrow(
    /^device: no adapter contains "voodoo2"; found ".+\nfix: pass part of one of these names/,
  );
  await expect(openGpuDevice({ adapter: 'voodoo2' })).rejects.toThrow(`"${name.trim()}"`);
});
