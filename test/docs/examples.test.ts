import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

/* The examples import the package by its name, and so run the build in dist/. */
function run(name: string): string {
  const path = fileURLToPath(new URL(`../../examples/${name}.mjs`, import.meta.url));
  return execFileSync(process.execPath, [path], { encoding: 'utf8', stdio: 'pipe' });
}

describe('examples', () => {
  it('train.mjs learns to tell bars apart', () => {
    const out = run('train');
    const losses = [...out.matchAll(/^step \d+ {2}loss (\S+)$/gm)].map((match) => Number(match[1]));
    expect(losses).toHaveLength(3);
    expect(losses[2]).toBeLessThan(0.1);
    expect(Number(/^test {2}(\d+) of 200 correct$/m.exec(out)?.[1])).toBeGreaterThan(190);
  });

  it('saliency.mjs draws the image beside the pixels its score depends on', () => {
    const [title, ...rows] = run('saliency').replace(/\n$/, '').split('\n');
    expect(title).toMatch(/^(lying|standing|crossed): the image/);
    expect(rows).toHaveLength(12);
    for (const row of rows) expect(row).toMatch(/^[ ░▒▓█]{24} {2}│ {2}[ ░▒▓█]{24}$/);
    // The largest gradient is drawn full.
    expect(rows.some((row) => row.slice(29).includes('██'))).toBe(true);
  });

  it('capture.mjs gets the same last loss from plain and captured steps', () => {
    const lines = run('capture').trimEnd().split('\n');
    const losses = lines.map((line) => /^(plain|captured) .* last loss (\S+)$/.exec(line)?.[2]);
    expect(losses).toHaveLength(2);
    expect(Number(losses[0])).toBeLessThan(1);
    expect(losses[1]).toBe(losses[0]);
  });
});
