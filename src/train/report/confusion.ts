import { textWidth } from '../../plot/stroke_font.js';
import {
  box,
  chartNames,
  GREY,
  GRID,
  INK,
  mix,
  render,
  stroke,
  text,
  upwardText,
  widest,
  type Picture,
} from '../../plot/charts.js';

const LARGEST_LABEL = 170;
/** Classes from which names stand on all four sides and each fifth line is darker. */
const MANY_CLASSES = 16;
const HIT = [9, 105, 218] as const;
const MISS = [207, 34, 46] as const;

interface Cell {
  /** How strong the colour is, 0 to 1. */
  shade: number;
  label: string;
}

/** The counts: rows are true classes, columns predictions. */
export function confusionCounts(
  confusion: readonly (readonly number[])[],
  names: readonly string[],
  title: string,
): Promise<Picture> {
  const hits = Math.max(1, ...confusion.map((row, k) => row[k]));
  const misses = Math.max(
    1,
    ...confusion.map((row, k) => Math.max(0, ...row.filter((_, other) => other !== k))),
  );
  return drawMatrix(confusion, names, [title, 'images; rows: true class, columns: predicted'], {
    cell: (count, row, column) => ({
      // The largest count of a kind has full colour; the root keeps single mistakes visible.
      shade: row === column ? count / hits : Math.sqrt(count / misses) * 0.8,
      label: String(count),
    }),
  });
}

/** The same as shares of each row, in percent: the diagonal is the recall of each class. */
export function confusionShares(
  confusion: readonly (readonly number[])[],
  names: readonly string[],
  title: string,
): Promise<Picture> {
  const totals = confusion.map((row) => row.reduce((a, b) => a + b, 0));
  return drawMatrix(
    confusion,
    names,
    [title, '% of the row; rows: true class, columns: predicted'],
    {
      cell: (count, row, column) => {
        const share = count / totals[row];
        const percent = 100 * share;
        return {
          shade: row === column ? share : share ** 0.4,
          // A rounded 100 or 0 would hide that something is missing.
          label: String(
            count === totals[row] ? 100 : Math.min(99, Math.max(1, Math.round(percent))),
          ),
        };
      },
    },
  );
}

function drawMatrix(
  confusion: readonly (readonly number[])[],
  allNames: readonly string[],
  [title, subtitle]: readonly [string, string],
  { cell: cellOf }: { cell: (count: number, row: number, column: number) => Cell },
): Promise<Picture> {
  const n = allNames.length;
  const cell = Math.max(17, Math.min(44, Math.floor(900 / n)));
  const nameSize = Math.min(9, cell * 0.5);
  const names = chartNames(allNames, nameSize, LARGEST_LABEL);
  const label = widest(names, nameSize);
  const isLarge = n >= MANY_CLASSES;
  const [left, top] = [36 + label, 74 + label];
  const size = n * cell;
  let shapes = text(title, 16, 28, 12) + text(subtitle, 16, 50, 9, { colour: GREY });
  for (const [row, counts] of confusion.entries()) {
    for (const [column, count] of counts.entries()) {
      const [x, y] = [left + column * cell, top + row * cell];
      if (count === 0) {
        // The diagonal is marked even where it is empty: it leads the eye.
        if (row === column) shapes += box(x, y, cell, cell, '#f0f2f4');
        continue;
      }
      const { shade, label: number } = cellOf(count, row, column);
      shapes += box(x, y, cell, cell, mix(row === column ? HIT : MISS, Math.max(0.08, shade)));
      const numberSize = Math.min(9, (cell * 1.25) / Math.max(2, number.length + 0.4));
      shapes += text(number, x + cell / 2, y + cell / 2 + numberSize / 2, numberSize, {
        anchor: 'middle',
        colour: shade > 0.5 ? '#ffffff' : INK,
      });
    }
  }
  shapes += gridLines(n, cell, left, top, isLarge);
  for (const [k, name] of names.entries()) {
    const middle = (k + 0.5) * cell + nameSize / 2;
    shapes += text(name, left - 8, top + middle, nameSize, { anchor: 'end' });
    shapes += upwardText(name, left + middle, top - 8, nameSize);
    if (!isLarge) continue;
    shapes += text(name, left + size + 8, top + middle, nameSize);
    const below = top + size + 8 + textWidth(name, nameSize);
    shapes += upwardText(name, left + middle, below, nameSize);
  }
  const far = isLarge ? label + 24 : 24;
  const widestLine = Math.max(textWidth(title, 12), textWidth(subtitle, 9));
  return render(Math.max(left + size + far, widestLine + 32), top + size + far, shapes);
}

function gridLines(n: number, cell: number, left: number, top: number, isLarge: boolean): string {
  let [thin, thick] = ['', ''];
  for (let k = 0; k <= n; k++) {
    const line = `M${left} ${top + k * cell}h${n * cell}M${left + k * cell} ${top}v${n * cell}`;
    if (isLarge && k % 5 === 0) thick += line;
    else thin += line;
  }
  return stroke(thin || 'M0 0', GRID, 0.5) + stroke(thick || 'M0 0', '#aeb6bf', 0.8);
}
