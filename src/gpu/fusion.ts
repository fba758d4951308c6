import { fusionSetting } from '#platform';
import { isOn } from './switch.js';

/**
 * Whether a device fuses ops where its options do not say: yes, but for TILEGRAD_FUSION=off.
 *
 * Errors: UsageError for another value.
 */
export function fusesByDefault(): boolean {
  return isOn('TILEGRAD_FUSION', fusionSetting());
}
