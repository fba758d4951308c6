/** Text of an HTML page that cannot be taken for a part of it, in elements and in attributes. */
export function escapeHtml(value: string | number): string {
  const entities: Record<string, string> = {
    ...{ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' },
  };
  return String(value).replace(/[&<>"']/g, (character) => entities[character]);
}

export interface Column {
  name: string;
  isNumber?: boolean;
}

/** A cell: text, or what is sorted by and HTML that was escaped before. */
export type Cell = string | number | { html: string; key: string | number };

/** A table; `foot` rows stay last when it is sorted. */
export function table(
  heads: readonly Column[],
  rows: readonly (readonly Cell[])[],
  {
    foot = [],
    isSortable = false,
  }: { foot?: readonly (readonly Cell[])[]; isSortable?: boolean } = {},
): string {
  const kind = (i: number): string => (heads[i].isNumber ? ' class="number"' : '');
  const cell = (value: Cell, i: number): string =>
    typeof value === 'object'
      ? `<td${kind(i)} data-key="${escapeHtml(value.key)}">${value.html}</td>`
      : `<td${kind(i)}>${escapeHtml(value)}</td>`;
  const line = (row: readonly Cell[]): string => `<tr>${row.map(cell).join('')}</tr>\n`;
  const head = heads.map(({ name }, i) => `<th scope="col"${kind(i)}>${escapeHtml(name)}</th>`);
  const footer = foot.length === 0 ? '' : `<tfoot>${foot.map(line).join('')}</tfoot>`;
  return (
    `<div class="wide"><table${isSortable ? ' class="sortable"' : ''}>` +
    `<thead><tr>${head.join('')}</tr></thead>\n<tbody>\n${rows.map(line).join('')}</tbody>${footer}</table></div>`
  );
}

/**
 * A chart inside the page, shown at `width` pixels. On a narrower page it shrinks to three quarters
 * of that, so that its text stays legible, and is scrolled beyond. In the dark its lightness is turned
 * round, which leaves its hues.
 */
export function chart(
  picture: Buffer,
  width: number,
  description: string,
  type: 'png' | 'svg+xml' = 'png',
): string {
  const data = picture.toString('base64');
  const style = `width:${Math.round(width)}px;max-width:max(100%,${Math.round(0.75 * width)}px)`;
  return (
    `<figure class="wide"><img class="chart" src="data:image/${type};base64,${data}" style="${style}"` +
    ` alt="${escapeHtml(description)}"></figure>`
  );
}

/** Sections side by side where there is room. */
export function columns(...sections: string[]): string {
  return `<div class="columns">${sections.join('')}</div>`;
}

/** Charts side by side where there is room. */
export function side(...charts: string[]): string {
  return `<div class="side">${charts.join('\n')}</div>`;
}

/** A small picture with lines of text below it. */
export interface Tile {
  png: Buffer;
  captions: readonly string[];
  tone: 'right' | 'wrong';
  /** Where it comes from. */
  source: string;
  /** The original, from the page. */
  href: string | null;
}

export function gallery(tiles: readonly Tile[]): string {
  const items = tiles.map(({ png, captions, tone, source, href }) => {
    const image = `<img src="data:image/png;base64,${png.toString('base64')}" alt="${escapeHtml(source)}" title="${escapeHtml(source)}">`;
    const [first, ...rest] = captions.map(escapeHtml);
    const lines = [
      `<b class="${tone}">${first}</b>`,
      ...rest.map((line) => `<span>${line}</span>`),
    ];
    return (
      `<li>${href === null ? image : `<a href="${escapeHtml(href)}">${image}</a>`}` +
      `${lines.join('')}</li>`
    );
  });
  return `<ul class="gallery">${items.join('\n')}</ul>`;
}

export function section(title: string, ...content: string[]): string {
  return `<section><h2>${escapeHtml(title)}</h2>\n${content.join('\n')}\n</section>\n`;
}

export const STYLE = `
:root {
  color-scheme: light dark;
  --page: #f6f8fa; --card: #fff; --ink: #1f2328; --quiet: #59636e; --line: #d8dee4; --faint: #eaeef2;
  --link: #0969da; --bar: #92bdf0; --track: #f0f2f4; --right: #1a7f37; --wrong: #cf222e;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #0d1117; --card: #161b22; --ink: #e6edf3; --quiet: #9198a1; --line: #30363d; --faint: #21262d;
    --link: #4493f8; --bar: #2f5f9e; --track: #262c36; --right: #3fb950; --wrong: #f85149;
  }
  .chart { filter: invert(0.91) hue-rotate(180deg); mix-blend-mode: lighten; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 1480px; margin: 0 auto; padding: 24px 20px 48px; }
h1 { font-size: 24px; line-height: 1.25; margin: 0 0 4px; overflow-wrap: break-word; }
h2 { font-size: 17px; margin: 0 0 10px; }
p { margin: 0 0 10px; max-width: 75ch; overflow-wrap: break-word; }
.quiet { color: var(--quiet); }
section { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 16px 18px; margin-top: 16px; }
.totals { display: grid; grid-template-columns: repeat(auto-fit, minmax(140px, 1fr)); gap: 12px; margin: 18px 0 0; }
.totals div { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 10px 14px; }
.totals dt { color: var(--quiet); font-size: 13px; }
.totals dd { margin: 0; font-size: 20px; white-space: nowrap; font-variant-numeric: tabular-nums; }
.wide { overflow-x: auto; }
.side { display: flex; flex-wrap: wrap; gap: 8px 24px; align-items: flex-start; }
.columns { display: flex; flex-wrap: wrap; gap: 0 16px; align-items: flex-start; }
.columns > * { flex: 1 1 400px; min-width: 0; }
.side > * { min-width: 0; max-width: 100%; }
figure { margin: 0; }
img { display: block; height: auto; }
.gallery { list-style: none; margin: 0; padding: 0; display: grid; grid-template-columns: repeat(auto-fill, minmax(100px, 1fr)); gap: 16px 12px; }
.gallery li { font-size: 13px; line-height: 1.35; min-width: 0; overflow-wrap: break-word; }
.gallery img { width: 100%; max-width: 160px; border: 1px solid var(--line); border-radius: 4px; margin-bottom: 4px; image-rendering: pixelated; }
.gallery b, .gallery span { display: block; }
.gallery b { font-weight: 600; }
.gallery span { color: var(--quiet); }
.right { color: var(--right); }
.wrong { color: var(--wrong); }
table { border-collapse: collapse; font-size: 14px; }
th, td { text-align: left; padding: 3px 14px 3px 0; border-bottom: 1px solid var(--faint); vertical-align: top; }
td { overflow-wrap: break-word; min-width: 5ch; max-width: 70ch; }
th { color: var(--quiet); font-weight: 600; white-space: nowrap; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
tfoot td { font-weight: 600; border-bottom: 0; border-top: 1px solid var(--line); }
th button { all: unset; cursor: pointer; }
th button:hover, th button:focus-visible { color: var(--link); text-decoration: underline; }
.bar { display: inline-block; height: 9px; background: var(--bar); border-radius: 2px; vertical-align: baseline; }
.bars { white-space: nowrap; }
.bars .track { display: inline-block; width: 110px; background: var(--track); border-radius: 2px; line-height: 9px; text-align: left; margin-right: 8px; }
code { font: 13px ui-monospace, monospace; overflow-wrap: break-word; }
@media (max-width: 600px) {
  main { padding: 16px 10px 32px; } section { padding: 12px; } h1 { font-size: 20px; }
  th, td { padding-right: 10px; } .bars .track { display: none; }
}
@media print {
  :root { --page: #fff; --card: #fff; --ink: #000; --quiet: #444; --line: #bbb; --faint: #ddd; --bar: #92bdf0; --track: #f0f2f4; --right: #1a7f37; --wrong: #cf222e; }
  .chart { filter: none; mix-blend-mode: normal; }
  body { font-size: 12px; }
  main { max-width: none; padding: 0; }
  section { break-inside: auto; }
  h2 { break-after: avoid; }
  .wide { overflow: visible; }
  img { max-width: 100% !important; break-inside: avoid; }
  li { break-inside: avoid; }
  thead { display: table-header-group; }
  tr { break-inside: avoid; }
}
`;

/** Sorts a table by the column whose heading is pressed; without it the page lacks nothing else. */
export const SCRIPT = `
for (const table of document.querySelectorAll('table.sortable')) {
  const body = table.tBodies[0];
  table.querySelectorAll('thead th').forEach((head, column) => {
    const button = document.createElement('button');
    button.textContent = head.textContent;
    button.title = 'sort by ' + head.textContent;
    head.replaceChildren(button);
    let sign = head.className === 'number' ? -1 : 1;
    button.addEventListener('click', () => {
      const key = (row) => row.cells[column].dataset.key ?? row.cells[column].textContent;
      const rows = [...body.rows].sort((a, b) => sign * (head.className === 'number'
        ? Number(key(a)) - Number(key(b))
        : key(a).localeCompare(key(b), undefined, { numeric: true })));
      sign = -sign;
      body.append(...rows);
    });
  });
}
`;
