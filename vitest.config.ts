import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/**
 * Tests run the sources in src/, not the build in dist/. Node finds `#platform` through package.json, which names the
 * built file; here the alias names the source of the same module instead.
 */
export default defineConfig({
  resolve: {
    alias: {
      '#platform': fileURLToPath(new URL('./src/gpu/platform/node.ts', import.meta.url)),
    },
  },
  test: {
    include: ['test/**/*.test.ts'],
    // What takes long, or needs more than the checkout, is run by `npm run test:all` alone.
    exclude: process.env.TILEGRAD_TEST_ALL ? [] : ['test/all/**'],
    // Choices tuned on this machine are not part of what is tested.
    env: { TILEGRAD_CACHE: '' },
    // A process per file: a driver that crashes takes one file down, not the run.
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    teardownTimeout: 20_000,
    reporters: ['default'],
  },
});
