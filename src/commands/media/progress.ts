import type { Context } from '../../context.js';

/** How often a run says where it is. */
const WORD_MS = 500;

/** Tells how far a run has come, in files and in bytes: sizes are known only when a file is asked for. */
export class FetchProgress {
  private done = 0;
  private read = 0;
  private saidAt = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly ctx: Pick<Context, 'emit' | 'clock'>,
    private readonly total: number,
  ) {}

  /** So much of a file has come. */
  bytes(count: number): void {
    this.read += count;
    this.say();
  }

  /** One file more is settled, whatever came of it. */
  file(): void {
    this.done += 1;
    this.say();
  }

  private say(): void {
    const now = this.ctx.clock();
    if (now - this.saidAt < WORD_MS && this.done < this.total) return;
    this.saidAt = now;
    // More may be owed by now than at the begin.
    const files = { done: this.done, total: Math.max(this.total, this.done) };
    this.ctx.emit({ event: 'progress', bytesRead: this.read, entries: 0, messages: 0, files });
  }
}
