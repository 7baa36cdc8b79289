import { insertEntries } from '../../store/raw-log.js';
import type { Sql } from '../../store/sql.js';
import type { ConnectionDirectory } from '../batch/connection-directory.js';
import { prepareEntry } from '../batch/prepare-entry.js';
import type { Context } from '../context.js';

/**
 * Stores what a phone sends as raw entries the moment it comes: it has been confirmed to WhatsApp by then and never comes
 * again. They are pending until somebody replays them.
 */
export class RawKeeper {
  /** Events that were handed over. */
  kept = 0;
  private storing: Promise<void> = Promise.resolve();
  private failure: { error: unknown } | undefined;

  constructor(
    private readonly ctx: Pick<Context, 'clock'> & { sql: Sql },
    private readonly connectionName: string,
    private readonly directory: ConnectionDirectory,
    private readonly run: { runId: string; newId: () => string },
  ) {}

  /** `directory`: with the connection as its fixed one. */
  readonly keep = (raw: Uint8Array): void => {
    this.kept += 1;
    const receivedAt = this.ctx.clock();
    this.storing = this.storing
      .then(() => this.store(raw, receivedAt))
      .catch((error: unknown) => {
        this.failure ??= { error };
      });
  };

  /** Settles when all is stored; rejects with the first thing that could not be. */
  async flush(): Promise<void> {
    await this.storing;
    if (this.failure !== undefined) throw this.failure.error;
  }

  private async store(raw: Uint8Array, receivedAt: number): Promise<void> {
    const origin = { kind: 'device', connection: this.connectionName } as const;
    const entry = prepareEntry({ bytes: raw, origin, receivedAt }, null, this.directory, new Set());
    await insertEntries(this.ctx.sql, [
      {
        id: this.run.newId(),
        connectionScope: entry.connectionScope,
        sha256: entry.sha256,
        provider: entry.provider,
        rawBody: raw,
        fields: entry.fields,
        phoneNumberIds: entry.phoneNumberIds,
        chatIds: entry.chatIds,
        receivedAt,
        status: 'pending',
        error: null,
        origin: entry.origin,
        counters: entry.counters(),
        runId: this.run.runId,
        processedAt: null,
      },
    ]);
  }
}
