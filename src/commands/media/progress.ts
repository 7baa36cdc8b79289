import type { Context } from '../../context.js';

/** Interval of progress reports. */
const WORD_MS = 500;

/** Reports a run's progress in files and bytes: sizes become known only when a file is requested. */
export class FetchProgress {
  private done = 0;
  private read = 0;
  private saidAt = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly ctx: Pick<Context, 'emit' | 'clock'>,
    private readonly total: number,
  ) {}

  /** Bytes of a file received so far. */
  bytes(count: number): void {
    this.read += count;
    this.say();
  }

  /** One more file is settled, whatever its outcome. */
  file(): void {
    this.done += 1;
    this.say();
  }

  private say(): void {
    const now = this.ctx.clock();
    if (now - this.saidAt < WORD_MS && this.done < this.total) return;
    this.saidAt = now;
    // More may be owed now than at the start.
    const files = { done: this.done, total: Math.max(this.total, this.done) };
    this.ctx.emit({ event: 'progress', bytesRead: this.read, entries: 0, messages: 0, files });
  }
}
