import { shapeText, type MappingReport } from './mapping.js';
import { formatNames } from './types.js';

const MOST_SHOWN = 8;

/** What was taken from a weights file, in lines to print: counts, then what did not match. */
export function mappingLines(report: MappingReport): string[] {
  const { path, format, matched, missing, unused, mismatched } = report;
  const total = matched.length + missing.length + mismatched.length;
  const ways = (['name', 'naming', 'order'] as const).flatMap((way) => {
    const count = matched.filter(({ by }) => by === way).length;
    return count === 0 ? [] : [`${count} ${wayNames[way]}`];
  });
  return [
    `weights from ${path} (${formatNames[format]}): ${matched.length} of ${total} tensors taken` +
      (ways.length > 0 ? `: ${ways.join(', ')}` : ''),
    ...list(
      'of another shape, kept as they were',
      mismatched.map(
        ({ name, from, expected, came }) =>
          `${name}: expected ${shapeText(expected)}, ${from} is ${shapeText(came)}`,
      ),
    ),
    ...list('not in the file, kept as they were', missing),
    ...list('in the file, not taken', unused),
  ];
}

const wayNames = {
  name: 'by name',
  naming: "by Keras' names for this network",
  order: 'by order and shape',
} as const;

function list(title: string, entries: readonly string[]): string[] {
  if (entries.length === 0) return [];
  const rest = entries.length - MOST_SHOWN;
  return [
    `${entries.length} ${title}:`,
    ...entries.slice(0, MOST_SHOWN).map((entry) => `  ${entry}`),
    ...(rest > 0 ? [`  and ${rest} more`] : []),
  ];
}
