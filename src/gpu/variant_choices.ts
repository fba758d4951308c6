/** Variants under the names that older caches, runs and command lines have. */
const renamed: Readonly<Record<string, string>> = {
  shuffle: 'subgroup8',
  few: 'smallChannel',
  columns: 'col2im',
  wide: 'upcast',
  whole: 'fused',
  joined: 'fusedWorkgroup',
};

/** Today's name of a variant. */
export function currentVariant(name: string): string {
  return Object.hasOwn(renamed, name) ? renamed[name] : name;
}

/**
 * Which kernel computes which shape on this device, where something better is known than the
 * built-in choice: the autotuner's results. A key names op, direction, shape and element types;
 * the launchers ask by it before they choose for themselves.
 */
export class VariantChoices {
  /** Why the choices that were kept could not be read, for people; null if nothing is wrong. */
  problem: string | null = null;
  /** Whether the autotuner is switched off: it measures nothing, and what it kept is not read. */
  isTuningOff = false;
  private readonly variants = new Map<string, string>();
  private readonly watchers = new Set<(key: string) => void>();

  get size(): number {
    return this.variants.size;
  }

  /**
   * The variant chosen for a key, if any. `keyOf` runs only where somebody may want the key, so
   * that a launch without choices costs nothing.
   */
  ask(keyOf: () => string): string | undefined {
    if (this.variants.size === 0 && this.watchers.size === 0) return undefined;
    const key = keyOf();
    for (const watch of this.watchers) watch(key);
    return this.variants.get(key);
  }

  get(key: string): string | undefined {
    return this.variants.get(key);
  }

  set(key: string, variant: string): void {
    this.variants.set(key, variant);
  }

  delete(key: string): void {
    this.variants.delete(key);
  }

  /** Puts these choices in the place of all there are. */
  replace(entries: Readonly<Record<string, string>>): void {
    this.variants.clear();
    for (const [key, variant] of Object.entries(entries)) {
      this.variants.set(key, currentVariant(variant));
    }
  }

  /** All choices, in the order of their keys. */
  entries(): Record<string, string> {
    return Object.fromEntries([...this.variants].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  /** The keys that launchers ask for while `fn` runs, each once, in the order of their first use. */
  async observe(fn: () => unknown): Promise<string[]> {
    const keys = new Set<string>();
    const watch = (key: string): void => void keys.add(key);
    this.watchers.add(watch);
    try {
      await fn();
    } finally {
      this.watchers.delete(watch);
    }
    return [...keys];
  }
}
