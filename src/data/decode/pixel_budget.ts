/** Keeps the pixels that are decoded at a time within a limit: work that would exceed it waits. */
export class PixelBudget {
  private used = 0;
  private readonly waiting: { pixels: number; start: () => void }[] = [];

  constructor(private readonly limit: number) {}

  /** Runs `work`; an image larger than the limit runs alone. */
  async run<T>(imagePixels: number, work: () => Promise<T>): Promise<T> {
    const pixels = Math.min(imagePixels, this.limit);
    if (this.waiting.length > 0 || this.used + pixels > this.limit) {
      await new Promise<void>((start) => this.waiting.push({ pixels, start }));
    } else this.used += pixels;
    try {
      return await work();
    } finally {
      this.used -= pixels;
      while (this.waiting.length > 0 && this.used + this.waiting[0].pixels <= this.limit) {
        const next = this.waiting.shift()!;
        this.used += next.pixels;
        next.start();
      }
    }
  }
}
