import { UsageError } from '../errors.js';

/**
 * What a variable of the surroundings says that is on where it is not set.
 *
 * Errors: UsageError for a value other than on and off.
 */
export function isOn(name: string, setting: string | undefined): boolean {
  if (setting === 'off') return false;
  if (setting === undefined || setting === '' || setting === 'on') return true;
  throw new UsageError(`device: ${name} must be on or off, got ${setting}`);
}
