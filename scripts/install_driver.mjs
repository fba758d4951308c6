// Which commands install Mesa's software Vulkan driver (lavapipe) on which Linux. Pure: decides, runs nothing.

/**
 * @typedef {object} Step
 * @property {string[]} argv
 * @property {string} [input] text for the command's standard input
 * @property {boolean} required whether the way on is blocked when it fails
 */

const PACKAGES = ['mesa-vulkan-drivers', 'libvulkan1'];
const BACKPORTS_LIST = '/etc/apt/sources.list.d/tilegrad-bookworm-backports.list';

/**
 * Debian 12 needs its backports: the Mesa 22.3 of its own lacks what Dawn asks of a Vulkan driver.
 *
 * @param {string} osRelease text of /etc/os-release
 * @param {string} aptSources text of apt's source lists
 * @returns {{ steps: Step[], automatic: boolean } | null} null for a Linux not known here
 */
export function planInstall(osRelease, aptSources) {
  const field = (/** @type {string} */ name) =>
    new RegExp(`^${name}="?([^"\\n]*)"?$`, 'm').exec(osRelease)?.[1] ?? '';
  const families = [field('ID'), ...field('ID_LIKE').split(' ')];
  if (families.includes('debian') || families.includes('ubuntu')) {
    const needsBackports = field('VERSION_CODENAME') === 'bookworm';
    return { steps: aptSteps(needsBackports, aptSources), automatic: true };
  }
  const other = [
    { family: 'fedora', argv: ['dnf', 'install', '-y', 'mesa-vulkan-drivers', 'vulkan-loader'] },
    { family: 'arch', argv: ['pacman', '-S', '--needed', 'vulkan-swrast', 'vulkan-icd-loader'] },
    { family: 'suse', argv: ['zypper', 'install', '-y', 'libvulkan_lvp', 'libvulkan1'] },
  ].find(({ family }) => families.includes(family));
  // Told to the person, not run: only apt's way has been tried.
  return other ? { steps: [{ argv: other.argv, required: true }], automatic: false } : null;
}

/**
 * @param {boolean} needsBackports
 * @param {string} aptSources
 * @returns {Step[]}
 */
function aptSteps(needsBackports, aptSources) {
  /** @type {Step[]} */
  const steps = [];
  if (needsBackports && !/^[^#\n]*\bbookworm-backports\b/m.test(aptSources)) {
    const line = `deb ${debianMirror(aptSources)} bookworm-backports main\n`;
    steps.push({ argv: ['tee', BACKPORTS_LIST], input: line, required: true });
  }
  // A broken third-party source fails the update as a whole; whether ours was read shows in the next step.
  steps.push({ argv: ['apt-get', 'update'], required: false });
  const from = needsBackports ? ['-t', 'bookworm-backports'] : [];
  steps.push({
    argv: ['apt-get', 'install', '-y', '--no-install-recommends', ...from, ...PACKAGES],
    required: true,
  });
  return steps;
}

/**
 * The mirror the machine already uses, so that a closed network stays closed.
 *
 * @param {string} aptSources
 */
function debianMirror(aptSources) {
  const uncommented = aptSources.replace(/^\s*#.*$/gm, '');
  return (
    /\bhttps?:\/\/[^\s]*\/debian(?=\/?\s)/.exec(uncommented)?.[0] ?? 'http://deb.debian.org/debian'
  );
}

/**
 * The steps as one line for a shell.
 *
 * @param {Step[]} steps
 * @param {string} prefix '' or 'sudo '
 */
export function commandText(steps, prefix) {
  return steps
    .map(({ argv, input }) =>
      input === undefined
        ? `${prefix}${argv.join(' ')}`
        : `echo '${input.trim()}' | ${prefix}${argv.join(' ')}`,
    )
    .join(' && ');
}
