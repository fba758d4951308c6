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
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  {
    foot = [],
    isSortable = false,
  }: { foot?: readonly (readonly Cell[])[]; isSortable?: boolean } = {},
): string {
  const kind = (i: number): string => (columns[i].isNumber ? ' class="number"' : '');
  const cell = (value: Cell, i: number): string =>
    typeof value === 'object'
      ? `<td${kind(i)} data-key="${escapeHtml(value.key)}">${value.html}</td>`
      : `<td${kind(i)}>${escapeHtml(value)}</td>`;
  const line = (row: readonly Cell[]): string => `<tr>${row.map(cell).join('')}</tr>\n`;
  const head = columns.map(({ name }, i) => `<th scope="col"${kind(i)}>${escapeHtml(name)}</th>`);
  const footer = foot.length === 0 ? '' : `<tfoot>${foot.map(line).join('')}</tfoot>`;
  return (
    `<div class="wide"><table${isSortable ? ' class="sortable"' : ''}>` +
    `<thead><tr>${head.join('')}</tr></thead>\n<tbody>\n${rows.map(line).join('')}</tbody>${footer}</table></div>`
  );
}

/**
 * A picture inside the page, shown at `width` pixels. On a narrower page it shrinks to three quarters
 * of that, so that its text stays legible, and is scrolled beyond.
 */
export function figure(png: Buffer, width: number, description: string): string {
  const data = png.toString('base64');
  const style = `width:${Math.round(width)}px;max-width:max(100%,${Math.round(0.75 * width)}px)`;
  return (
    `<figure class="wide"><img src="data:image/png;base64,${data}" style="${style}"` +
    ` alt="${escapeHtml(description)}"></figure>`
  );
}

export function section(title: string, ...content: string[]): string {
  return `<section><h2>${escapeHtml(title)}</h2>\n${content.join('\n')}\n</section>\n`;
}

export const STYLE = `
:root { color-scheme: light; }
* { box-sizing: border-box; }
body { margin: 0; background: #f6f8fa; color: #1f2328; font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 1320px; margin: 0 auto; padding: 24px 20px 48px; }
h1 { font-size: 24px; line-height: 1.25; margin: 0 0 4px; overflow-wrap: anywhere; }
h2 { font-size: 17px; margin: 0 0 10px; }
p { margin: 0 0 10px; max-width: 75ch; overflow-wrap: anywhere; }
.quiet { color: #59636e; }
section { background: #fff; border: 1px solid #d8dee4; border-radius: 8px; padding: 16px 18px; margin-top: 16px; }
.totals { display: grid; grid-template-columns: repeat(auto-fit, minmax(140px, 1fr)); gap: 12px; margin: 18px 0 0; }
.totals div { background: #fff; border: 1px solid #d8dee4; border-radius: 8px; padding: 10px 14px; }
.totals dt { color: #59636e; font-size: 13px; }
.totals dd { margin: 0; font-size: 20px; white-space: nowrap; font-variant-numeric: tabular-nums; }
.wide { overflow-x: auto; }
figure { margin: 0; }
img { display: block; height: auto; }
table { border-collapse: collapse; font-size: 14px; }
th, td { text-align: left; padding: 3px 14px 3px 0; border-bottom: 1px solid #eaeef2; vertical-align: top; }
td { overflow-wrap: anywhere; min-width: 5ch; }
th { color: #59636e; font-weight: 600; white-space: nowrap; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
tfoot td { font-weight: 600; border-bottom: 0; border-top: 1px solid #d8dee4; }
th button { all: unset; cursor: pointer; }
th button:hover, th button:focus-visible { color: #0969da; text-decoration: underline; }
.bar { display: inline-block; height: 9px; background: #92bdf0; border-radius: 2px; vertical-align: baseline; }
.bars { white-space: nowrap; }
.bars .track { display: inline-block; width: 110px; background: #f0f2f4; border-radius: 2px; line-height: 9px; text-align: left; margin-right: 8px; }
code { font: 13px ui-monospace, monospace; overflow-wrap: anywhere; }
@media (max-width: 600px) { main { padding: 16px 10px 32px; } section { padding: 12px; } h1 { font-size: 20px; } }
@media print {
  body { background: #fff; font-size: 12px; }
  main { max-width: none; padding: 0; }
  section, .totals div { border-color: #bbb; break-inside: auto; }
  h2 { break-after: avoid; }
  .wide { overflow: visible; }
  img { max-width: 100% !important; break-inside: avoid; }
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
