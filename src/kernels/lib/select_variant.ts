import { ShapeError } from '../../errors.js';
import type { VariantChoices } from '../../gpu/variant_choices.js';

/** The rules for choosing a variant in one launch. */
export interface VariantRule<Name extends string> {
  op: string;
  /** Set for ops that choose each direction separately. */
  direction?: string;
  names: readonly Name[];
  /** Why a variant, of any name, cannot compute this; null if it can. */
  unsupportedReason: (name: string) => string | null;
  /** Key of tuned choices. */
  key: () => string;
  byDefault: () => Name;
}

/**
 * The variant that a launcher runs: the requested one, else the tuned one if it fits, else the default.
 *
 * Errors: ShapeError if the requested one does not exist or does not fit.
 */
export function selectVariant<Name extends string>(
  rule: VariantRule<Name>,
  asked: Name | undefined,
  choices: VariantChoices,
): Name {
  if (asked !== undefined) {
    expectSupported(rule, asked);
    return asked;
  }
  const tuned = choices.ask(rule.key);
  const isUsable = tuned !== undefined && rule.unsupportedReason(tuned) === null;
  return isUsable ? (tuned as Name) : rule.byDefault();
}

/** Errors: ShapeError if a variant does not exist or does not fit. */
export function expectSupported<Name extends string>(
  { op, direction, names, unsupportedReason }: Omit<VariantRule<Name>, 'key' | 'byDefault'>,
  asked: string,
): void {
  const reason = unsupportedReason(asked);
  if (reason === null) return;
  const fitting = names.filter((name) => unsupportedReason(name) === null);
  throw new ShapeError(
    `${op}: variant '${asked}' does not fit, ${direction ? `${direction}: ` : ''}${reason}`,
    `use one of ${fitting.join(', ')}, or none to have it chosen`,
  );
}
