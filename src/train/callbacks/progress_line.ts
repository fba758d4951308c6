import type { EpochMetrics } from '../history.js';
import { OwnCallback, type Callback, type FitRun, type LiveProgress } from './callback.js';

const WIDTH = 24;

/** Where it is drawn. */
export interface Screen {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  write(text: string): unknown;
}

/**
 * Progress on standard error: one live line that is drawn over on a terminal, plain lines (one an
 * epoch) elsewhere.
 */
export class ProgressLine extends OwnCallback {
  private drawn = 0;
  private isReading = false;

  constructor(private readonly stream: Screen) {
    super();
  }

  override onProgress(live: LiveProgress): void {
    this.show(live);
  }

  override onEpoch(row: EpochMetrics, { epochs }: Pick<FitRun, 'epochs'>): void {
    this.finish(row, epochs);
  }

  override onEnd(): void {
    this.clear();
  }

  show(live: LiveProgress): void {
    if (!this.stream.isTTY) return;
    this.draw(liveText(live, this.room()));
  }

  /** Images are made ready for the first time; says so once where there is no terminal. */
  decoded(done: number, total: number): void {
    const text = `reading ${total.toLocaleString('en-US')} images`;
    if (!this.stream.isTTY) {
      if (!this.isReading) this.stream.write(`${text}\n`);
      this.isReading = done < total;
      return;
    }
    if (done >= total) this.clear();
    else this.draw(`${text} ${bar(done / total, WIDTH)} ${percent(done / total)}`);
  }

  finish(row: EpochMetrics, epochs: number): void {
    this.clear();
    this.stream.write(`${epochText(row, epochs)}\n`);
  }

  clear(): void {
    // A terminal that became narrower would wrap what was drawn when it was wide.
    const width = Math.min(this.drawn, this.room());
    if (width > 0) this.stream.write(`\r${' '.repeat(width)}\r`);
    this.drawn = 0;
  }

  private draw(text: string): void {
    const shown = text.slice(0, this.room());
    this.stream.write(`\r${shown.padEnd(Math.min(this.drawn, this.room()))}`);
    this.drawn = shown.length;
  }

  /** Columns that can be written without wrapping. */
  private room(): number {
    return (this.stream.columns || 80) - 1;
  }
}

export interface ProgressOptions {
  /** Where it is written. Default: standard error. */
  stream?: Screen | undefined;
}

/** Shows progress as the command line does: a live line on a terminal, a line an epoch elsewhere. */
export function progress({ stream = process.stderr }: ProgressOptions = {}): Callback {
  return new ProgressLine(stream);
}

/** The live line in at most `room` columns: the bar gives way first, then the end of the line. */
export function liveText(live: LiveProgress, room: number): string {
  const head = `epoch ${live.epoch}/${live.epochs} `;
  const tail = live.phase === 'validate' ? validationText(live) : trainingText(live);
  const width = Math.max(0, Math.min(WIDTH, room - head.length - tail.length));
  return `${head}${bar(live.done / live.total, width)}${tail}`.slice(0, room);
}

function bar(share: number, width: number): string {
  const filled = Math.floor(width * share);
  return '━'.repeat(filled) + '─'.repeat(width - filled);
}

function validationText({ done, total }: LiveProgress): string {
  return ` validating ${done}/${total}`;
}

function trainingText({ done, total, imagesPerSecond, loss, accuracy }: LiveProgress): string {
  const left = imagesPerSecond > 0 ? (total - done) / imagesPerSecond : NaN;
  return (
    ` ${done}/${total} ${imagesPerSecond.toFixed(0)} img/s ` +
    `loss ${loss.toFixed(4)} acc ${percent(accuracy)} left ${duration(left)}`
  );
}

function epochText(row: EpochMetrics, epochs: number): string {
  const { valLoss, valAccuracy } = row;
  const isValidated = valLoss !== null && valAccuracy !== null;
  return (
    `epoch ${String(row.epoch).padStart(String(epochs).length)}/${epochs}  ` +
    `loss ${row.loss.toFixed(4)}  acc ${percent(row.accuracy)}  ` +
    (isValidated ? `val loss ${valLoss.toFixed(4)}  val acc ${percent(valAccuracy)}  ` : '') +
    `lr ${Number(row.learningRate.toPrecision(4))}  ${duration(row.seconds)}  ${row.imagesPerSecond.toFixed(0)} img/s`
  );
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
