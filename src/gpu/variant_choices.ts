/** Current names of variants that older caches, runs and command lines call differently. */
const renamed: Readonly<Record<string, string>> = {
  shuffle: 'subgroup8',
  few: 'smallChannel',
  columns: 'col2im',
  wide: 'upcast',
  whole: 'fused',
  joined: 'fusedWorkgroup',
};

/** The current name of a variant. */
export function currentVariant(name: string): string {
  return Object.hasOwn(renamed, name) ? renamed[name] : name;
}

/**
 * The autotuner's results for this device: which kernel to use for which shape. A key names op,
 * direction, shape and element types; launchers look it up before they fall back to the built-in
 * choice.
 */
export class VariantChoices {
  /** Why the stored choices could not be read, for messages; null if nothing is wrong. */
  problem: string | null = null;
  /** Whether the autotuner is off: nothing is measured, and stored choices are ignored. */
  isTuningOff = false;
  private readonly variants = new Map<string, string>();
  private readonly watchers = new Set<(key: string) => void>();

  get size(): number {
    return this.variants.size;
  }

  /**
   * The variant chosen for a key, if any. `keyOf` is called only if the key may be needed, so a launch
   * without choices costs nothing.
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

  /** Replaces all choices. */
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

  /** The keys that launchers look up while `fn` runs, each once, in order of first use. */
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
