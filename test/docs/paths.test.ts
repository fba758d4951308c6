import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const FOLDERS = ['src', 'test', 'docs', 'shaders', 'scripts', 'bench', 'examples'];

const files = [
  ...readdirSync(ROOT, { withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name }) => name),
  ...FOLDERS.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true }).map(
      (name) => `${folder}/${String(name).replaceAll('\\', '/')}`,
    ),
  ),
];
const names = new Set(files.map((path) => basename(path)));
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

const pages = files.filter((path) => path.endsWith('.md'));
const sources = files.filter((path) => /\.(m?[jt]s|wgsl)$/.test(path));

/** Files of the reader's own, in examples. */
const EXAMPLES = ['bench/results/my-adapter.json', 'program.mjs', 'shaders/x.wgsl'];

/** A path from the root, in running text or code; `<op>`, `*` and `…` stand for any name. */
const PATH = new RegExp(`(?<![\\w./-])(?:${FOLDERS.join('|')})/[\\w./<>*…-]*[\\w/>*]`, 'g');
/** A file by its name alone, or the end of its path. */
const NAME = /(?<![\w./<>*…-])(?:[\w-]+\/)*[\w-]+\.(?:ts|mjs|wgsl)\b/g;

function isThere(path: string): boolean {
  if (!/[<*…]/.test(path)) return existsSync(join(ROOT, path));
  const pattern = path
    .replace(/<[^>]*>|\*+|…/g, '\0')
    .replace(/[.]/g, '\\.')
    .replaceAll('\0', '[^/]+');
  const whole = new RegExp(`^${pattern}/?$`);
  return files.some((file) => whole.test(file));
}

function unknownPaths(text: string): string[] {
  const paths = [...text.matchAll(PATH)].map(([path]) => path).filter((path) => !isThere(path));
  const loose = [...text.matchAll(NAME)]
    .map(([name]) => name)
    .filter((name) => !isThere(name))
    .filter(
      (name) => !files.some((file) => file.endsWith(`/${name}`)) || !names.has(basename(name)),
    );
  return [...new Set([...paths, ...loose])].filter((path) => !EXAMPLES.includes(path));
}

test.each(pages)('%s names files that exist', (page) => {
  expect(unknownPaths(read(page))).toEqual([]);
});

test.each(pages)('%s links to pages, files and headings that exist', (page) => {
  const broken = [...read(page).matchAll(/\]\((?!\w+:)([^)#\s]*)(?:#([^)\s]*))?\)/g)]
    .filter(([, path, anchor]) => {
      const target = path === '' ? page : posix.join(dirname(page), path);
      if (!existsSync(join(ROOT, target))) return true;
      return anchor !== undefined && !anchorsOf(read(target)).includes(anchor);
    })
    .map(([link]) => link);
  expect(broken).toEqual([]);
});

/** Anchors as GitHub makes them of headings. */
function anchorsOf(text: string): string[] {
  return [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading]) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

test('docs/index.md links every page of the folder', () => {
  const index = read('docs/index.md');
  const own = pages.filter((path) => /^docs\/[^/]+$/.test(path) && path !== 'docs/index.md');
  expect(own.filter((path) => !index.includes(`](${basename(path)})`))).toEqual([]);
});

test('comments name files that exist', () => {
  const wrong = sources.flatMap((path) => {
    const comments = [...read(path).matchAll(/^\s*(?:\/\/|\/?\*).*$/gm)].map(([line]) => line);
    return unknownPaths(comments.join('\n')).map((name) => `${path}: ${name}`);
  });
  expect(wrong).toEqual([]);
});
