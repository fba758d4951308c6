import { UsageError } from '../errors.js';

/**
 * Parses an on/off environment variable; unset means on.
 *
 * Errors: UsageError for a value other than on and off.
 */
export function isOn(name: string, setting: string | undefined): boolean {
  if (setting === 'off') return false;
  if (setting === undefined || setting === '' || setting === 'on') return true;
  throw new UsageError(`device: ${name} must be on or off, got ${setting}`);
}
