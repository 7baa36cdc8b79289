import type { Context } from '../../context.js';
import { GraphError } from '../../graph/errors.js';
import { readOwedMedia, type MediaChoice, type NamedMedia } from '../../store/tables/media-files.js';
import { recordDenied, WhatsAppUnreachable, type FileOutcome } from './fetch-file.js';
import type { FetchProgress } from './progress.js';
import type { FetchedConnection, MediaTally } from './types.js';

/** Files looked up at once. */
const PAGE = 200;

/** So many files refused for want of rights, and none given out, are the token's fault. */
const MOST_REFUSED = 5;

/** Shared state of a connection's fetch: its counters and limits. */
export interface Shared {
  concurrency: number;
  again: boolean;
  tally: MediaTally;
  /** For the whole run. */
  bytesLeft: number;
  progress: FetchProgress;
}

/** Outcomes that Meta gives only to a token with the right to fetch files. */
const ANSWERED: ReadonlySet<FileOutcome['outcome']> = new Set(['fetched', 'mismatch', 'otherSize']);

/** The files of one connection from one source, a few at a time. `number`: the index among the parallel workers. */
export class Fetching {
  private stop: Error | 'max_bytes' | null = null;
  /** Refused for want of rights: the token's fault, or the file's own, which the other files tell. */
  private refused: { media: NamedMedia; error: GraphError }[] = [];
  /** Some file was answered otherwise: the token has its rights. */
  private hasRights = false;

  constructor(
    private readonly ctx: Context,
    private readonly route: NamedMedia['route'],
    private readonly shared: Shared,
    private readonly fetchOne: (media: NamedMedia, number: number) => Promise<FileOutcome>,
  ) {}

  /** Returns why it ended early; null if everything was tried. Throws errors that are not Meta’s or WhatsApp’s. */
  async run(choice: MediaChoice): Promise<FetchedConnection['stopped']> {
    const { ctx, route, shared } = this;
    const notSince = ctx.clock();
    const tried = new Set<string>();
    while (this.stop === null && !ctx.signal.aborted) {
      const page = await readOwedMedia(ctx.store.sql, choice, {
        ...{ route, now: ctx.clock(), notSince, again: shared.again, limit: PAGE },
      });
      const fresh = page.filter(({ mediaId }) => !tried.has(mediaId));
      if (fresh.length === 0) break;
      for (const { mediaId } of fresh) tried.add(mediaId);
      const rest = fresh.values();
      await Promise.all(
        Array.from({ length: shared.concurrency }, (_, number) => this.takeFrom(rest, number)),
      );
    }
    const [first] = this.refused;
    if (first !== undefined) this.halt(first.error);
    return this.whyStopped();
  }

  /** One of the workers that take files off the same list. */
  private async takeFrom(rest: Iterable<NamedMedia>, number: number): Promise<void> {
    const { ctx, shared } = this;
    for (const media of rest) {
      if (shared.tally.bytes >= shared.bytesLeft) this.halt('max_bytes');
      if (this.stop !== null || ctx.signal.aborted) return;
      try {
        const outcome = await this.fetchOne(media, number);
        this.count(outcome);
        if (ANSWERED.has(outcome.outcome)) await this.settleRefused();
      } catch (error) {
        if (error instanceof GraphError && error.reason === 'rights') {
          this.refused.push({ media, error });
          if (this.hasRights) await this.settleRefused();
          else if (this.refused.length >= MOST_REFUSED) this.halt(error);
          continue;
        }
        this.halt(error instanceof Error ? error : new Error(String(error)));
        return;
      }
    }
  }

  /** The token has its rights: what was refused was so for its own sake, and holds up no other file in later runs. */
  private async settleRefused(): Promise<void> {
    this.hasRights = true;
    const refused = this.refused;
    this.refused = [];
    for (const { media, error } of refused) {
      await recordDenied(this.ctx, media, error);
      this.count({ outcome: 'denied', bytes: 0 });
    }
  }

  /** No new file is started. Stopping on an interruption is not a fault. */
  private halt(why: Error | 'max_bytes'): void {
    if (!this.ctx.signal.aborted) this.stop ??= why;
  }

  private count({ outcome, bytes }: FileOutcome): void {
    const { tally, progress } = this.shared;
    tally[outcome === 'known' ? 'fetched' : outcome] += 1;
    if (outcome === 'known') tally.known += 1;
    tally.bytes += bytes;
    progress.file();
  }

  private whyStopped(): FetchedConnection['stopped'] {
    const { stop } = this;
    if (stop === null) return null;
    if (stop === 'max_bytes')
      return { code: 'max_bytes', message: 'The limit of bytes to fetch is reached.' };
    if (stop instanceof GraphError || stop instanceof WhatsAppUnreachable)
      return { code: stop.code, message: stop.message };
    throw stop;
  }
}
