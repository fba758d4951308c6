/** The most similar name, if one is close enough to be a typo. */
export function nearestName(name: string, names: readonly string[]): string | null {
  const distances = names.map((known) => ({ known, distance: editDistance(name, known) }));
  distances.sort((a, b) => a.distance - b.distance);
  const [best] = distances;
  return best && best.distance <= Math.max(2, Math.floor(name.length / 3)) ? best.known : null;
}

/** Insertions, deletions and substitutions that turn one text into another (Levenshtein). */
function editDistance(from: string, to: string): number {
  const [a, b] = [from.toLowerCase(), to.toLowerCase()];
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substituted = row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(substituted, row[j] + 1, next[j - 1] + 1));
    }
    row = next;
  }
  return row[b.length];
}

/** The fix for an unknown name: the name that was probably meant, or undefined. */
export function didYouMean(name: string, names: readonly string[]): string | undefined {
  const nearest = nearestName(name, names);
  return nearest === null ? undefined : `did you mean "${nearest}"?`;
}
