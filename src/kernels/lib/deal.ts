/** Upper bound on the extra workgroups of a grid that is folded into two dimensions. */
const MOST_FOLDED = 2 ** 16;

/**
 * Whether lib/deal.wgsl can divide these workgroups between two jobs of a dispatch without overflowing
 * 32 bits.
 */
export function canDeal(first: number, second: number): boolean {
  return first * (first + second + MOST_FOLDED) < 2 ** 32;
}
