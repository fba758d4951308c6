import type { EpochMetrics } from '../train/history.js';
import type { LiveProgress } from '../train/trainer.js';

const WIDTH = 24;

/**
 * Progress on standard error: one live line that is drawn over on a terminal, plain lines (one an
 * epoch) elsewhere.
 */
export class ProgressLine {
  private drawn = 0;

  constructor(private readonly stream: NodeJS.WriteStream) {}

  show(live: LiveProgress): void {
    if (!this.stream.isTTY) return;
    const text = liveText(live);
    const columns = this.stream.columns || 80;
    this.stream.write(`\r${text.slice(0, columns - 1).padEnd(Math.min(this.drawn, columns - 1))}`);
    this.drawn = text.length;
  }

  finish(row: EpochMetrics, epochs: number): void {
    this.clear();
    this.stream.write(`${epochText(row, epochs)}\n`);
  }

  clear(): void {
    if (this.drawn > 0) this.stream.write(`\r${' '.repeat(this.drawn)}\r`);
    this.drawn = 0;
  }
}

function liveText(live: LiveProgress): string {
  const filled = Math.floor((WIDTH * live.done) / live.total);
  const bar = '━'.repeat(filled) + '─'.repeat(WIDTH - filled);
  const head = `epoch ${live.epoch}/${live.epochs} ${bar}`;
  if (live.phase === 'validate') return `${head} validating ${live.done}/${live.total}`;
  const left = live.imagesPerSecond > 0 ? (live.total - live.done) / live.imagesPerSecond : NaN;
  return (
    `${head} ${live.done}/${live.total}  ${live.imagesPerSecond.toFixed(0)} img/s  ` +
    `loss ${live.loss.toFixed(4)}  acc ${percent(live.accuracy)}  left ${duration(left)}`
  );
}

export function epochText(row: EpochMetrics, epochs: number): string {
  return (
    `epoch ${String(row.epoch).padStart(String(epochs).length)}/${epochs}  ` +
    `loss ${row.loss.toFixed(4)}  acc ${percent(row.accuracy)}  ` +
    `val loss ${row.valLoss.toFixed(4)}  val acc ${percent(row.valAccuracy)}  ` +
    `lr ${row.learningRate}  ${duration(row.seconds)}  ${row.imagesPerSecond.toFixed(0)} img/s`
  );
}

export function percent(share: number): string {
  return `${(100 * share).toFixed(2)} %`;
}

export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return '–';
  const whole = Math.round(seconds);
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (n: number): string => String(n).padStart(2, '0');
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}
