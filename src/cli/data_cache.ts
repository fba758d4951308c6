import type { Command } from 'commander';
import { print, printJson } from './output.js';
import { withCommon, type CommonOptions } from './options.js';

interface CacheOptions extends CommonOptions {
  clear?: boolean;
}

/** `data cache`: what decoded images are kept for the next run. */
export function dataCacheCommand(data: Command): void {
  withCommon(
    data
      .command('cache')
      .description('decoded images kept for the next run: how many, and where')
      .option('--clear', 'remove them all'),
  ).action(async (options: CacheOptions) => {
    const { clearPacks, listPacks, packFolder } = await import('../data/index.js');
    const folder = await packFolder();
    const packs = folder === null ? [] : await listPacks(folder);
    const sizeBytes = packs.reduce((sum, pack) => sum + pack.sizeBytes, 0);
    if (folder !== null && options.clear) await clearPacks(folder);
    const document = { folder, packs: packs.length, sizeBytes, cleared: options.clear === true };
    if (options.json) printJson(document);
    else print([cacheText(document)]);
  });
}

interface CacheDocument {
  folder: string | null;
  packs: number;
  sizeBytes: number;
  cleared: boolean;
}

function cacheText({ folder, packs, sizeBytes, cleared }: CacheDocument): string {
  if (folder === null) return 'nothing is kept: TILEGRAD_CACHE is empty';
  const size = `${(sizeBytes / 1e6).toFixed(0)} MB`;
  return `${folder}: ${cleared ? 'removed ' : ''}${packs} packs of decoded images, ${size}`;
}
