/** Whether lib/deal.wgsl can deal out these numbers of workgroups to two jobs of one dispatch. */
export function canDeal(first: number, second: number): boolean {
  return first * (first + second) < 2 ** 32;
}
