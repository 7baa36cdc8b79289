/** A file may take this long even when the time is over: most files are here in a second. */
const LEAST_MS = 2_000;

/**
 * How long a session waits for files: one time for all that belong to an answer, however many there are and however often the phone
 * sends them again. It begins anew with the next page, and when a part of the page has come.
 */
export class FilePatience {
  private spentMs = 0;
  private since: number | null = null;
  private files = 0;
  private isFurther = false;

  constructor(private readonly totalMs: number) {}

  /** What is left, ms: it passes only while a file is downloaded. */
  private leftMs(): number {
    return Math.max(0, this.totalMs - this.spentMs - this.running());
  }

  /** How long a file that is announced now may take, whole ms. */
  readonly forFile = (): number => Math.ceil(Math.max(this.leftMs(), Math.min(LEAST_MS, this.totalMs)));

  /** A request is sent; `isFurther`: it only completes or checks the answer to another one. */
  ask(isFurther: boolean): void {
    this.isFurther = isFurther;
    if (!isFurther) this.renew();
  }

  begin(): void {
    this.files += 1;
    this.since ??= performance.now();
  }

  end(isRead: boolean): void {
    this.files -= 1;
    if (this.files === 0) {
      this.spentMs += this.running();
      this.since = null;
    }
    if (isRead && !this.isFurther) this.renew();
  }

  private renew(): void {
    this.spentMs = 0;
    if (this.since !== null) this.since = performance.now();
  }

  private running(): number {
    return this.since === null ? 0 : performance.now() - this.since;
  }
}
