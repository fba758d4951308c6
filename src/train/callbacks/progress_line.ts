import type { EpochMetrics } from '../history.js';
import { OwnCallback, type Callback, type FitRun, type LiveProgress } from './callback.js';

const WIDTH = 24;

/** Where it is drawn. */
export interface Screen {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  write(text: string): unknown;
}

/** How often the line moves between two reports. */
const TICK_MS = 250;

/** Images done so far, and when. */
interface Mark {
  done: number;
  at: number;
}

/**
 * Progress on standard error: one live line that is drawn over on a terminal, plain lines (one an
 * epoch) elsewhere. Between reports, which come after steps, the line moves by the speed so far.
 */
export class ProgressLine extends OwnCallback {
  private drawn = '';
  private isReading = false;
  private timer: NodeJS.Timeout | null = null;
  /** When the run began, until its first epoch is done. */
  private began: number | null = null;
  private latest: LiveProgress | null = null;
  /** Of the running epoch: its first report, after which its speed is measured, and its last one. */
  private first: Mark | null = null;
  private last: Mark | null = null;
  /** Images between the last two reports: no more are taken for done until the next one. */
  private stride = 0;
  /** Images of the running epoch that the line counts: it never goes back. */
  private shown = 0;
  private speed = 0;
  private stopWatching: (() => void) | null = null;

  constructor(
    private readonly stream: Screen,
    private readonly clock: () => number = () => performance.now(),
  ) {
    super();
  }

  override onBegin({ device, epoch, epochs }: Pick<FitRun, 'device' | 'epoch' | 'epochs'>): void {
    if (!this.isLive) return;
    const { pipelines } = device.runtime;
    const before = pipelines.compiledCount;
    pipelines.watch((compiled, all) => this.compiling(compiled - before, all - before));
    this.stopWatching = () => pipelines.watch(null);
    this.began = this.clock();
    this.timer = setInterval(() => {
      if (this.latest) this.tick();
      else if (this.began !== null && !this.drawn.startsWith(COMPILING)) {
        const seconds = (this.clock() - this.began) / 1000;
        this.draw(`epoch ${epoch + 1}/${epochs} first step ${duration(seconds)}`);
      }
    }, TICK_MS);
    this.timer.unref();
  }

  override onProgress(live: LiveProgress): void {
    this.show(live);
  }

  override onEpoch(row: EpochMetrics, { epochs }: Pick<FitRun, 'epochs'>): void {
    this.finish(row, epochs);
  }

  override onEnd(): void {
    this.close();
  }

  /** Draws nothing from now on. */
  close(): void {
    if (this.timer) clearInterval(this.timer);
    this.timer = null;
    this.stopWatching?.();
    this.clear();
  }

  show(live: LiveProgress): void {
    if (!this.isLive) return;
    const now = this.clock();
    if (live.phase === 'train') {
      if (this.latest?.epoch !== live.epoch || !this.first) {
        this.first = { done: live.done, at: now };
        // In the first report is the time of compiling; later epochs begin at the speed of the last.
        if (this.speed === 0) this.speed = live.imagesPerSecond;
        this.stride = live.done;
      } else {
        this.stride = live.done - (this.last?.done ?? 0);
        const seconds = (now - this.first.at) / 1000;
        if (seconds > 0) this.speed = (live.done - this.first.done) / seconds;
      }
      this.last = { done: live.done, at: now };
    } else this.last = null;
    this.latest = live;
    this.tick();
  }

  /** Draws the latest report, moved on by the time since then. */
  private tick(): void {
    const live = this.latest!;
    if (!this.last) return this.draw(liveText(live, this.room()));
    const since = (this.clock() - this.last.at) / 1000;
    const more = Math.min(this.stride, Math.floor(this.speed * since));
    const done = Math.min(live.total, Math.max(this.shown, live.done + more));
    this.shown = done;
    this.draw(liveText({ ...live, done, imagesPerSecond: this.speed }, this.room()));
  }

  /** Kernels are compiled, most of them before the first step. */
  private compiling(done: number, all: number): void {
    if (this.latest !== null) return;
    if (done < all) this.draw(`${COMPILING} ${done}/${all}`);
    else this.clear();
  }

  /** Images are made ready for the first time; says so once where there is no terminal. */
  decoded(done: number, total: number): void {
    const text = `reading ${total.toLocaleString('en-US')} images`;
    if (!this.isLive) {
      if (!this.isReading) this.stream.write(`${text}\n`);
      this.isReading = done < total;
      return;
    }
    if (done >= total) this.clear();
    else this.draw(`${text} ${bar(done / total, WIDTH)} ${percent(done / total)}`);
  }

  finish(row: EpochMetrics, epochs: number): void {
    this.clear();
    this.first = null;
    this.latest = null;
    this.began = null;
    this.shown = 0;
    const parts = epochParts(row, epochs);
    const lines = this.isLive ? packed(parts, this.room()) : [parts.join('  ')];
    this.stream.write(`${lines.join('\n')}\n`);
  }

  clear(): void {
    // A terminal that became narrower would wrap what was drawn when it was wide.
    const width = Math.min(this.drawn.length, this.room());
    if (width > 0) this.stream.write(`\r${' '.repeat(width)}\r`);
    this.drawn = '';
  }

  private draw(text: string): void {
    const shown = text.slice(0, this.room());
    if (shown === this.drawn) return;
    this.stream.write(`\r${shown.padEnd(Math.min(this.drawn.length, this.room()))}`);
    this.drawn = shown;
  }

  /** A terminal that can go back to the beginning of a line. */
  private get isLive(): boolean {
    return this.stream.isTTY === true && process.env.TERM !== 'dumb';
  }

  /** Columns that can be written without wrapping. */
  private room(): number {
    return (this.stream.columns || 80) - 1;
  }
}

const COMPILING = 'compiling kernels';

export interface ProgressOptions {
  /** Where it is written. Default: standard error. */
  stream?: Screen | undefined;
}

/** Shows progress as the command line does: a live line on a terminal, a line an epoch elsewhere. */
export function progress({ stream = process.stderr }: ProgressOptions = {}): Callback {
  return new ProgressLine(stream);
}

/** The live line in at most `room` columns: bar, speed and counts give way, in this order. */
export function liveText(live: LiveProgress, room: number): string {
  const head = `epoch ${live.epoch}/${live.epochs} `;
  for (const least of LEAST_BARS) {
    for (const tail of live.phase === 'validate' ? [validationText(live)] : trainingTexts(live)) {
      const width = Math.min(WIDTH, room - head.length - tail.length);
      if (width >= least) return `${head}${bar(live.done / live.total, width)}${tail}`;
    }
  }
  return `${head}${percent(live.done / live.total)}`.slice(0, room);
}

/** Columns that a bar must have; none where there is no room for a bar. */
const LEAST_BARS = [6, 0];

/** Puts parts into lines of at most `room` columns, the lines after the first set in. */
function packed(parts: readonly string[], room: number): string[] {
  const lines: string[] = [];
  for (const part of parts) {
    const line = lines.at(-1);
    const longer = line === undefined ? part : `${line}  ${part}`;
    if (line === undefined) lines.push(part);
    else if (longer.length <= room) lines[lines.length - 1] = longer;
    else lines.push(`  ${part}`);
  }
  return lines;
}

function bar(share: number, width: number): string {
  const filled = Math.floor(width * share);
  return '━'.repeat(filled) + '─'.repeat(width - filled);
}

function validationText({ done, total }: LiveProgress): string {
  return ` validating ${done}/${total}`;
}

/** From all that is worth saying to the least. */
function trainingTexts({ done, total, imagesPerSecond, loss, accuracy }: LiveProgress): string[] {
  const left = ` left ${duration(imagesPerSecond > 0 ? (total - done) / imagesPerSecond : NaN)}`;
  const figures = ` loss ${loss.toFixed(4)} acc ${percent(accuracy)}`;
  const counts = ` ${done}/${total}`;
  const speed = ` ${imagesPerSecond.toFixed(imagesPerSecond < 10 ? 1 : 0)} img/s`;
  return [counts + speed + figures + left, counts + figures + left, figures + left, left];
}

function epochParts(row: EpochMetrics, epochs: number): string[] {
  const { valLoss, valAccuracy } = row;
  const isValidated = valLoss !== null && valAccuracy !== null;
  return [
    `epoch ${String(row.epoch).padStart(String(epochs).length)}/${epochs}`,
    ...[`loss ${row.loss.toFixed(4)}`, `acc ${percent(row.accuracy)}`],
    ...(isValidated ? [`val loss ${valLoss.toFixed(4)}`, `val acc ${percent(valAccuracy)}`] : []),
    `lr ${Number(row.learningRate.toPrecision(4))}`,
    ...[duration(row.seconds), `${row.imagesPerSecond.toFixed(0)} img/s`],
  ];
}

export function percent(share: number): string {
  return `${(100 * share).toFixed(2)} %`;
}

function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return '–';
  const whole = Math.round(seconds);
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (n: number): string => String(n).padStart(2, '0');
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}
