import { fusionSetting } from '#platform';
import { UsageError } from './errors.js';

/**
 * Whether a device fuses ops where its options do not say: yes, but for TILEGRAD_FUSION=off.
 *
 * Errors: UsageError for another value.
 */
export function fusesByDefault(): boolean {
  const setting = fusionSetting() ?? '';
  if (setting === 'off') return false;
  if (setting === '' || setting === 'on') return true;
  throw new UsageError(`device: TILEGRAD_FUSION must be on or off, got ${setting}`);
}
