import { parseJid } from '../../identity/jid.js';
import { canonicalPhone } from '../../identity/phone.js';
import { entryIdOf } from '../../store/entry-id.js';
import {
  deleteOwedFile,
  readOpenRequests,
  readOwedFiles,
  recordFileFailure,
  recordOwedFile,
  suspectRequests,
} from '../../store/tables/history.js';
import { rewriteBodies } from '../../store/tables/removed-bodies.js';
import { insertEntries } from '../../store/tables/webhook-log.js';
import type { AnnouncedFile, HistoryKeeper } from '../../whatsapp/history-keeper.js';
import type { ConnectionDirectory } from '../../ingest/batch/connection-directory.js';
import { storeErasedNames } from '../../ingest/apply/erased-names.js';
import { prepareEntry } from '../../ingest/batch/prepare-entry.js';
import { endReopened } from '../replay/open-directory.js';
import type { Context } from '../../context.js';
import { linkedDevice } from './sealed-things.js';
import type { SecretKey } from './secret-key.js';

interface KeeperOptions {
  connection: { id: string; name: string };
  /** With the connection as its fixed one. */
  directory: ConnectionDirectory;
  secretKey: SecretKey;
  run: { runId: string; newId: () => string };
}

/**
 * Stores what a phone sends as raw entries on arrival: it is already confirmed to WhatsApp and never comes again. They
 * stay pending until replayed. A file that the phone only announced is recorded as owed.
 */
export class RawKeeper implements HistoryKeeper {
  /** Events handed over. */
  kept = 0;
  private storing: Promise<void> = Promise.resolve();
  private failure: { error: unknown } | undefined;

  constructor(
    private readonly ctx: Pick<Context, 'clock' | 'store' | 'emit'>,
    private readonly options: KeeperOptions,
  ) {}

  readonly keep = (raw: Uint8Array): void => {
    this.kept += 1;
    const receivedAt = this.ctx.clock();
    this.enqueue(() => this.store(raw, receivedAt));
  };

  readonly owe = ({ id, notification, request }: AnnouncedFile): void => {
    const { connection, secretKey } = this.options;
    this.enqueue(() =>
      recordOwedFile(
        this.ctx.store.sql,
        connection.id,
        {
          fileId: id,
          notification: secretKey.seal(Buffer.from(notification).toString('base64'), this.about(id)),
          chatJid: request?.chatJid ?? null,
          anchorId: request?.anchor.id ?? null,
        },
        this.ctx.clock(),
      ),
    );
  };

  readonly settle = (fileId: string): void => {
    this.enqueue(async () => {
      // After a failed write it is unknown whether the file's content is stored.
      if (this.failure === undefined)
        await deleteOwedFile(this.ctx.store.sql, this.options.connection.id, fileId);
    });
  };

  readonly fail = (fileId: string, reason: string): void => {
    this.enqueue(() =>
      recordFileFailure(this.ctx.store.sql, this.options.connection.id, fileId, reason, this.ctx.clock()),
    );
  };

  /** Notifications of owed files worth another attempt; excludes those sealed with another key. */
  async owed(): Promise<Uint8Array[]> {
    const { connection, secretKey } = this.options;
    const rows = await readOwedFiles(this.ctx.store.sql, connection.id);
    return rows
      .filter(({ notification }) => secretKey.hasSealed(notification))
      .map(({ fileId, notification }) =>
        Buffer.from(
          secretKey.open(notification, this.about(fileId), linkedDevice(connection.name)),
          'base64',
        ),
      );
  }

  /** Settles when everything is stored; rejects with the first failure. */
  async flush(): Promise<void> {
    await this.storing;
    if (this.failure !== undefined) throw this.failure.error;
    await endReopened(this.ctx, this.options.directory.erased);
  }

  /** Writes run one at a time; a failed one does not stop the others. */
  private enqueue(write: () => Promise<void>): void {
    this.storing = this.storing.then(write).catch((error: unknown) => {
      this.failure ??= { error };
    });
  }

  /** What has come of these chats may be an answer that came too late: nobody has looked what it leaves out. */
  private async suspect(chatIds: readonly string[]): Promise<void> {
    const { connection } = this.options;
    const open = await readOpenRequests(this.ctx.store.sql, connection.id);
    const told = new Set(chatIds);
    const suspected = open.filter(({ chatJid, otherJid }) =>
      [chatJid, otherJid ?? chatJid].some((jid) => told.has(chatIdOf(jid))),
    );
    await suspectRequests(this.ctx.store.sql, connection.id, suspected, this.ctx.clock());
  }

  private about(fileId: string): string[] {
    return aboutOwedFile(this.options.connection.id, fileId);
  }

  private async store(raw: Uint8Array, receivedAt: number): Promise<void> {
    const { connection, directory, run } = this.options;
    const origin = { kind: 'device', connection: connection.name } as const;
    const entry = prepareEntry({ bytes: raw, origin, receivedAt }, null, directory, new Set());
    const { provider, fields, phoneNumberIds, chatIds, bytes: rawBody, bodyState } = entry;
    const id = entryIdOf(run.newId(), entry.sha256);
    const row = { id, rawBody, fields, phoneNumberIds, chatIds, counters: entry.counters() };
    const { erased } = directory;
    const names = await this.ctx.store.transaction(async (tx) => {
      const learned = erased === null ? null : await storeErasedNames(tx, erased, [entry]);
      const isNew = await insertEntries(tx, [
        {
          ...row,
          connectionScope: entry.connectionScope,
          sha256: entry.sha256,
          provider,
          receivedAt,
          // Nothing of an empty one is left to be applied.
          status: bodyState === 'erased' ? 'processed' : 'pending',
          error: null,
          origin: entry.origin,
          runId: run.runId,
          processedAt: null,
        },
      ]);
      if (isNew > 0 && bodyState !== undefined) await rewriteBodies(tx, run.runId, [{ ...row, bodyState }]);
      return learned;
    });
    if (names !== null) erased?.committed(names);
    await this.suspect(entry.chatIds);
  }
}

/** The address of a chat as raw entries name it. */
function chatIdOf(jid: string): string {
  const { kind, user } = parseJid(jid);
  return (kind === 'user' ? canonicalPhone(user) : undefined) ?? jid;
}

/** What a file's sealed notification is bound to. */
export function aboutOwedFile(connectionId: string, fileId: string): string[] {
  return [connectionId, 'owed file', fileId];
}
