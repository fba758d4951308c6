import type { GraphNode } from '../nn/graph.js';
import type { FoldedGroup } from '../nn/graph_fold.js';

/** The words of a box. */
export interface NodeLabel {
  /** Class of the layer, or name of the op. */
  type: string;
  /** Its options in short. */
  options: string;
  name: string;
  /** Output shape, and how many parameters it trains. */
  facts: string;
  /** Everything, for who points at the box. */
  tooltip: string;
}

/** Options that the shapes beside them show anyway, or that few readers ask for. */
const leftOut = /^(bias|padding|epsilon|momentum|countIncludePad)=/;

/** `2359296` → `2,359,296`. */
function count(value: number): string {
  return value.toLocaleString('en-US');
}

/** @param cluster path of the drawn group round the node, which its name leaves out */
export function nodeLabel(node: GraphNode, cluster: string | null): NodeLabel {
  const { kind, name, type, detail, output, parameters } = node;
  const shape = output.join('×');
  const isBelow = cluster !== null && name.startsWith(`${cluster}.`);
  const total = parameters > 0 ? `${count(parameters)} parameters` : '';
  const words = kind === 'input' ? [type] : [name, `${type}${detail === '' ? '' : `(${detail})`}`];
  return {
    type,
    options: detail
      .split(' … ')
      .map((part) => shortOptions(part, output))
      .join(' … '),
    name: kind === 'layer' ? (isBelow ? name.slice(cluster.length + 1) : name) : '',
    facts: parameters > 0 ? `${shape} · ${count(parameters)}` : shape,
    tooltip: [...words, shape, total].filter((word) => word !== '').join(' · '),
  };
}

/**
 * `64 → 128, 3×3, stride=2, bias=false` as `3×3, 128, stride 2`: the window first, no channels that
 * came in (the box before shows them), names only where a number needs one.
 */
export function shortOptions(detail: string, output: readonly number[]): string {
  const parts = splitOptions(detail).filter((part) => !leftOut.test(part));
  const words = parts.flatMap((part) => {
    const arrow = part.split(' → ');
    if (arrow.length > 1) return [arrow[arrow.length - 1]];
    // A number of channels that is the output's says nothing new.
    if (part === String(output.at(-1))) return [];
    if (part.startsWith('activation=')) return [part.slice('activation='.length)];
    return [
      part
        .replace('=', ' ')
        .replace(/"/g, '')
        .replace(/\d+\.\d{5,}/g, shortNumber),
    ];
  });
  const isWindow = (word: string): boolean => /^\d+×\d+$/.test(word);
  return [...words.filter(isWindow), ...words.filter((word) => !isWindow(word))].join(', ');
}

/** `0.07500000000000001`, the result of a division, as `0.075`. */
function shortNumber(digits: string): string {
  return String(Number(Number(digits).toPrecision(4)));
}

/** Splits at the commas between options, not at those inside brackets. */
function splitOptions(detail: string): string[] {
  return detail.split(/,\s+(?![^[{]*[\]}])/).filter((part) => part !== '');
}

/**
 * `Bottleneck × 22` and `layer3.1 – 22`; the class alone where the group stands for itself.
 *
 * @param cluster path of the drawn group round it, which its name leaves out unless a number is left
 */
export function groupLabel(
  { name, type, repeats, last }: FoldedGroup,
  cluster: string | null,
): { title: string; name: string } {
  const inner = cluster === null ? name : name.slice(cluster.length + 1);
  const shown = /^\d/.test(inner) ? name : inner;
  if (repeats === 1) return { title: type, name: shown };
  const end = last.slice(last.lastIndexOf('.') + 1);
  return { title: `${type} × ${repeats}`, name: `${shown} – ${end}` };
}
