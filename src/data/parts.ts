/** The parts that a data set may have. */

export const PARTS = ['train', 'validation', 'test'] as const;
export type Part = (typeof PARTS)[number];

/** As they are called in a sentence. */
export const PART_WORDS: Readonly<Record<Part, string>> = {
  train: 'training',
  validation: 'validation',
  test: 'test',
};

/**
 * The part that a file name means: a name with `train` in it, else with the word `val`, `valid` or
 * `validation`, else with `test`, which is no part of `latest` or `contest`.
 */
export function partOfName(name: string): Part | undefined {
  if (/train/i.test(name)) return 'train';
  if (/(?<![a-z])val(id|idation)?(set|data)?(?![a-z])/i.test(name)) return 'validation';
  return /(?<!la|con|pro|fas|grea|at|de)test/i.test(name) ? 'test' : undefined;
}

/** The first few of many names, for messages. */
export function listed(names: readonly string[], most = 5): string {
  return names.slice(0, most).join(', ') + (names.length > most ? ', …' : '');
}
