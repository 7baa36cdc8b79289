import type { Context } from '../../context.js';
import { EXIT, UserError } from '../../model/errors.js';
import { IS_ADOPTED_SQL } from '../../rules/evidence.js';
import { groupBy } from '../../rules/group-by.js';
import {
  prepareOrder,
  readConversationsInOrder,
  readFilesOf,
  readMessagesInOrder,
  type AnyConversation,
  type ExportedRow,
  type FileOfMessage,
} from '../../store/queries/export-messages.js';
import {
  countMessagesIn,
  readConversationsOfLead,
  type ConversationOfLead,
  type TimeWindow,
} from '../../store/queries/message-pages.js';
import type { Sql } from '../../store/sql.js';
import { readRevisions, type RevisionRow } from '../../store/tables/amendments.js';
import { inSnapshot } from '../../store/transactions.js';
import { EVERYBODY, recordAccess } from '../access/record-access.js';
import { findConnection } from '../connections/find.js';
import { resolveContact, theOneLead } from '../contacts/resolve-contact.js';
import { showMessages } from '../messages/show-messages.js';
import type {
  ExportedConversation,
  ExportedFile,
  ExportedMessage,
  ExportOptions,
  ExportSink,
  ExportSummary,
} from './types.js';
import { rfc3339 } from '../../model/time.js';

/** Messages, and conversations, in memory at a time. */
const PAGE = 500;

/**
 * Gives all messages of a contact, or of everybody, to `sink`: complete, in order, from one snapshot, a page at a time. Changes nothing
 * but the access log, which is written before the first message is given. Throws ConfigError for an unknown or ambiguous contact or
 * connection, and UserError when it was interrupted.
 */
export async function exportMessages(
  ctx: Context,
  options: ExportOptions,
  sink: ExportSink,
): Promise<ExportSummary> {
  const { sql } = ctx.store;
  const connection =
    options.connection === undefined ? undefined : await findConnection(ctx, options.connection);
  const window = windowOf(options);
  if (options.contact === undefined) {
    const { from = null, to = null } = window;
    await recordAccess(ctx, {
      command: 'export',
      shown: { ...EVERYBODY, connectionId: connection?.id ?? null, from, to },
    });
    return inSnapshot(ctx.store, async (tx) => {
      await prepareOrder(tx);
      return new Exporter(ctx, tx, window, sink).all(connection?.id ?? null);
    });
  }
  const contact = await resolveContact(
    sql,
    options.contact,
    connection === undefined ? {} : { organizationId: connection.organizationId },
  );
  if (contact.notice !== undefined) ctx.emit({ event: 'notice', message: contact.notice });
  const lead = await theOneLead(sql, contact, ctx.secretKey);
  const record = (messages: number): Promise<void> =>
    recordAccess(ctx, { command: 'export', shown: [{ leadId: lead.leadId, messages }] });
  const before = await readConversationsOfLead(sql, lead.leadId, connection?.id);
  const recorded = await countMessagesIn(sql, idsOf(before), window);
  await record(recorded);
  const summary = await inSnapshot(ctx.store, async (tx) => {
    const conversations = await readConversationsOfLead(tx, lead.leadId, connection?.id);
    await prepareOrder(tx);
    const exporter = new Exporter(ctx, tx, window, sink);
    const { leadId, organization, name, phone } = lead;
    const person = { leadId, organization, name, phone };
    if (!options.separate) await exporter.one(person, conversations);
    else for (const each of conversations) await exporter.one(person, [each]);
    return exporter.summary;
  });
  // What came in between.
  await record(summary.messages - recorded);
  return summary;
}

class Exporter {
  readonly summary: ExportSummary = {
    conversations: 0,
    messages: 0,
    firstMessageAt: null,
    lastMessageAt: null,
  };

  constructor(
    private readonly ctx: Context,
    private readonly tx: Sql,
    private readonly window: TimeWindow,
    private readonly sink: ExportSink,
  ) {}

  /** Every conversation with messages in the window. */
  async all(connectionId: string | null): Promise<ExportSummary> {
    for (let after: string | undefined; ;) {
      const page: AnyConversation[] = await readConversationsInOrder(this.tx, {
        connectionId,
        after,
        limit: PAGE,
      });
      for (const { leadId, organization, name, phone, ...conversation } of page) {
        if ((await countMessagesIn(this.tx, [conversation.id], this.window)) > 0)
          await this.one({ leadId, organization, name, phone }, [conversation]);
      }
      after = page.at(-1)?.id;
      if (page.length < PAGE) return this.summary;
    }
  }

  /** The conversations of one contact, as one. */
  async one(
    contact: ExportedConversation['contact'],
    conversations: readonly ConversationOfLead[],
  ): Promise<void> {
    const ids = idsOf(conversations);
    const exported: ExportedConversation = {
      ids,
      contact,
      connections: conversations.map(({ connectionName, connectionPhone }) => ({
        name: connectionName,
        phone: connectionPhone,
      })),
      messages: await countMessagesIn(this.tx, ids, this.window),
    };
    await this.sink.begin(exported);
    let given = 0;
    for (let after: ExportedRow | undefined; ;) {
      this.assertGoingOn();
      const rows: ExportedRow[] = await readMessagesInOrder(this.tx, ids, this.window, {
        after,
        limit: PAGE,
        adopted: IS_ADOPTED_SQL,
      });
      if (rows.length > 0) await this.sink.messages(await this.whole(rows, contact, conversations));
      given += rows.length;
      this.count(rows);
      after = rows.at(-1);
      if (rows.length < PAGE) break;
    }
    if (given !== exported.messages)
      throw new Error(`${given} of ${exported.messages} messages of a conversation were read`);
    this.summary.conversations += conversations.length;
    await this.sink.end(exported);
  }

  private count(rows: readonly ExportedRow[]): void {
    const { summary } = this;
    for (const { timestamp } of rows) {
      const at = new Date(timestamp).toISOString();
      if (summary.firstMessageAt === null || at < summary.firstMessageAt) summary.firstMessageAt = at;
      if (summary.lastMessageAt === null || at > summary.lastMessageAt) summary.lastMessageAt = at;
    }
    summary.messages += rows.length;
    this.ctx.emit({ event: 'progress', bytesRead: 0, entries: 0, messages: summary.messages });
  }

  /** Half an export must not pass for a whole one. */
  private assertGoingOn(): void {
    if (!this.ctx.signal.aborted) return;
    throw new UserError('Interrupted: nothing was exported.', {
      code: 'interrupted',
      exitCode: EXIT.interrupted,
    });
  }

  private async whole(
    rows: readonly ExportedRow[],
    lead: ExportedConversation['contact'],
    conversations: readonly ConversationOfLead[],
  ): Promise<ExportedMessage[]> {
    const revisions = groupBy(
      await readRevisions(
        this.tx,
        rows.map(({ id }) => id),
      ),
      ({ messageId }) => messageId,
    );
    const earlier = (row: ExportedRow): RevisionRow[] =>
      [...(revisions.get(row.id) ?? [])].sort(
        (a, b) => Number(b.version === 'original') - Number(a.version === 'original') || a.at - b.at,
      );
    const views = await showMessages(this.tx, rows, { lead, conversations, withQuotes: true });
    const files = await this.filesOf(rows.map((row) => ({ row, earlier: earlier(row) })));
    const names = new Map(conversations.map((each) => [each.connectionId, each.connectionName]));
    return views.flatMap((view, index): ExportedMessage[] => {
      const row = rows[index];
      if (row === undefined) return [];
      return [
        {
          ...view,
          conversationId: row.conversationId,
          leadId: row.leadId,
          connection: names.get(row.connectionId) ?? row.connectionId,
          media: row.wholeMedia,
          ...(row.errors === null ? {} : { errors: row.errors }),
          stanzaId: row.stanzaId,
          historyStatus: row.historyStatus,
          syncSource: row.syncSource,
          isSyncInitial: row.isSyncInitial,
          entryId: row.entryId,
          runId: row.runId,
          editExternalId: row.editExternalId,
          metaConfirmedAt: rfc3339(row.metaConfirmedAt),
          rawMeta: row.rawMeta,
          revisions: earlier(row).map(({ version, type, body, media, rawMeta, at }) => ({
            version,
            type,
            body,
            media: media === null ? null : { ...media },
            rawMeta,
            at: new Date(at).toISOString(),
          })),
          file: files.get(row.id) ?? null,
        },
      ];
    });
  }

  /** Also of a revoked message: the file that it named at first. */
  private async filesOf(
    messages: readonly { row: ExportedRow; earlier: readonly RevisionRow[] }[],
  ): Promise<Map<string, ExportedFile>> {
    const named = messages.flatMap(({ row, earlier }) => {
      const media = row.media ?? earlier.findLast((each) => each.media !== null)?.media ?? null;
      if (media === null) return [];
      const mediaId = media.id ?? (row.externalId === null ? null : `web:${row.externalId}`);
      return [{ row, media, mediaId }];
    });
    const keys = named.flatMap(({ row, mediaId }) =>
      mediaId === null ? [] : [{ connectionId: row.connectionId, id: mediaId }],
    );
    const keyOf = ({ connectionId, mediaId }: Pick<FileOfMessage, 'connectionId' | 'mediaId'>): string =>
      `${connectionId} ${mediaId}`;
    const found = new Map((await readFilesOf(this.tx, keys)).map((file) => [keyOf(file), file]));
    return new Map(
      named.map(({ row, media, mediaId }) => {
        const file =
          mediaId === null ? undefined : found.get(keyOf({ connectionId: row.connectionId, mediaId }));
        return [
          row.id,
          {
            state: file?.state ?? 'owed',
            sha256: file?.sha256 ?? media.sha256 ?? null,
            size: file?.size ?? null,
            mimeType: file?.mimeType ?? media.mimeType ?? null,
            path: file?.path ?? null,
          },
        ];
      }),
    );
  }
}

function idsOf(conversations: readonly { id: string }[]): string[] {
  return conversations.map(({ id }) => id);
}

function windowOf({ from, to }: ExportOptions): TimeWindow {
  return { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) };
}
