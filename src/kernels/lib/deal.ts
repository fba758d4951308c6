/** By so many at most a grid folded into two dimensions exceeds what it was asked for. */
const MOST_FOLDED = 2 ** 16;

/** Whether lib/deal.wgsl, in numbers of 32 bits, can deal out these workgroups to two jobs of a dispatch. */
export function canDeal(first: number, second: number): boolean {
  return first * (first + second + MOST_FOLDED) < 2 ** 32;
}
