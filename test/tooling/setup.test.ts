import { expect, test } from 'vitest';
import { commandText, planInstall } from '../../scripts/install_driver.mjs';
import { packagesAreStale, requireNode } from '../../scripts/setup.mjs';
import { makeProject } from './fixture.js';

const BOOKWORM = 'ID=debian\nVERSION_ID="12"\nVERSION_CODENAME=bookworm\n';
const BACKPORTS = 'deb http://deb.debian.org/debian bookworm-backports main\n';

function plan(osRelease: string, sources = ''): string {
  const { steps } = planInstall(osRelease, sources) ?? { steps: [] };
  return commandText(steps, 'sudo ');
}

const INSTALL = 'sudo apt-get install -y --no-install-recommends';

test('Debian 12 gets Mesa from its backports', () => {
  expect(plan(BOOKWORM)).toBe(
    "echo 'deb http://deb.debian.org/debian bookworm-backports main' | " +
      'sudo tee /etc/apt/sources.list.d/tilegrad-bookworm-backports.list && sudo apt-get update && ' +
      `${INSTALL} -t bookworm-backports mesa-vulkan-drivers libvulkan1`,
  );
});

test('backports that are there already are used, commented-out ones are not', () => {
  expect(plan(BOOKWORM, BACKPORTS)).not.toContain('tee');
  expect(plan(BOOKWORM, `# ${BACKPORTS}`)).toContain('tee');
});

test('the backports come from the mirror the machine uses', () => {
  const deb822 = 'Types: deb\nURIs: http://mirror.example/debian/\nSuites: bookworm\n';
  expect(plan(BOOKWORM, deb822)).toContain(
    "echo 'deb http://mirror.example/debian bookworm-backports",
  );
});

test.each([
  ['Debian 13', 'ID=debian\nVERSION_ID="13"\nVERSION_CODENAME=trixie\n'],
  ['Ubuntu 24.10', 'ID=ubuntu\nID_LIKE=debian\nVERSION_CODENAME=oracular\n'],
  ['a child of Ubuntu', 'ID=linuxmint\nID_LIKE="ubuntu debian"\nVERSION_CODENAME=zena\n'],
])('%s has it in its own packages', (_name, osRelease) => {
  expect(plan(osRelease)).toBe(`sudo apt-get update && ${INSTALL} mesa-vulkan-drivers libvulkan1`);
});

test('on other Linuxes the command is only told, or there is none', () => {
  expect(planInstall('ID=fedora\n', '')).toMatchObject({ automatic: false });
  expect(planInstall('ID=plan9\n', '')).toBeNull();
});

test.each([
  ['the same packages', { 'node_modules/a': { version: '1.0.0' } }, false],
  ['another version', { 'node_modules/a': { version: '1.1.0' } }, true],
  ['a missing package', {}, true],
])('%s: npm ci is needed = %j', (_title, installed, wanted) => {
  const lock = {
    packages: {
      '': { version: '0.1.0' },
      'node_modules/a': { version: '1.0.0' },
      'node_modules/for-another-system': { version: '1.0.0', optional: true },
    },
  };
  const root = makeProject({
    'package-lock.json': JSON.stringify(lock),
    'node_modules/.package-lock.json': JSON.stringify({ packages: installed }),
  });
  expect(packagesAreStale(root)).toBe(wanted);
});

test('without node_modules npm ci is needed', () => {
  expect(packagesAreStale(makeProject({ 'package-lock.json': '{"packages":{}}' }))).toBe(true);
});

test('an old Node is refused with the way out', () => {
  expect(() => requireNode('18.20.4')).toThrow(
    'set-up: needs Node 20 or newer, found 18.20.4\nfix: install a current Node',
  );
  expect(() => requireNode('20.0.0')).not.toThrow();
});
