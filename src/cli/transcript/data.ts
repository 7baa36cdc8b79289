import type { ExportedConversation } from '../../commands/export/types.js';
import type { CsvCell, csvText } from '../ui/csv.js';
import { errorsInWords } from '../views/delivery-errors.js';
import type { FormWriter, IndexEntry, IndexWriter, WrittenMessage } from './form.js';
import { harmlessJson, visible } from './harmless.js';

/** One object per message, with everything that is stored of it. */
export function ndjsonWriter(): FormWriter {
  let contact: ExportedConversation['contact'] | undefined;
  return {
    begin: (conversation) => {
      contact = conversation.contact;
      return '';
    },
    messages: (messages) =>
      messages.map((message) => `${harmlessJson({ contact, ...asData(message) })}\n`).join(''),
    end: () => '',
  };
}

/** Where the tool keeps a file on this machine is nobody else's business. */
function asData({ message, link }: WrittenMessage) {
  const { file, ...rest } = message;
  if (file === null) return { ...rest, file };
  const { state, sha256, size, mimeType } = file;
  return { ...rest, file: { state, sha256, size, mimeType, link } };
}

export function ndjsonIndex(): IndexWriter {
  return {
    begin: () => '',
    entry: ({ conversation, file }) => `${harmlessJson({ file, ...conversation })}\n`,
    end: () => '',
  };
}

type Row = WrittenMessage & { contact: ExportedConversation['contact'] | undefined };

const json = (value: unknown): string | null =>
  value === null || value === undefined || (Array.isArray(value) && value.length === 0)
    ? null
    : JSON.stringify(value);

const COLUMNS: readonly (readonly [column: string, of: (row: Row) => CsvCell])[] = [
  ['id', ({ message }) => message.id],
  ['external_id', ({ message }) => message.externalId],
  ['timestamp', ({ message }) => message.timestamp],
  ['direction', ({ message }) => message.direction],
  ['from_name', ({ message }) => message.from.name],
  ['from_number', ({ message }) => message.from.number],
  ['type', ({ message }) => message.type],
  ['body', ({ message }) => message.body],
  ['status', ({ message }) => message.status],
  ['errors', ({ message: { errors } }) => (errors === undefined ? null : errorsInWords(errors))],
  ['edited_at', ({ message }) => message.editedAt ?? null],
  ['deleted_at', ({ message }) => message.deletedAt ?? null],
  ['earlier_versions', ({ message }) => json(message.revisions)],
  ['reply_to', ({ message }) => message.context?.messageId ?? null],
  ['reactions', ({ message }) => json(message.reactions)],
  ['media', ({ message }) => json(message.media)],
  ['file_state', ({ message }) => message.file?.state ?? null],
  ['file_sha256', ({ message }) => message.file?.sha256 ?? null],
  ['file', ({ link }) => link],
  ['source', ({ message }) => message.source],
  ['provider', ({ message }) => message.provider ?? null],
  ['connection', ({ message }) => message.connection],
  ['contact_name', ({ contact }) => contact?.name ?? null],
  ['contact_phone', ({ contact }) => contact?.phone ?? null],
  ['organization', ({ contact }) => contact?.organization ?? null],
  ['lead_id', ({ message }) => message.leadId],
  ['conversation_id', ({ message }) => message.conversationId],
  ['stanza_id', ({ message }) => message.stanzaId],
  ['history_status', ({ message }) => message.historyStatus],
  ['sync_source', ({ message }) => message.syncSource],
  ['is_sync_initial', ({ message }) => message.isSyncInitial],
  ['edit_external_id', ({ message }) => message.editExternalId],
  ['meta_confirmed_at', ({ message }) => message.metaConfirmedAt],
  ['entry_id', ({ message }) => message.entryId],
  ['run_id', ({ message }) => message.runId],
  ['raw_meta', ({ message }) => json(message.rawMeta)],
];

const QUOTED = { words: 'strangers', isQuoted: true } as const;

/** A row per message, for a spreadsheet. `stringify`: see csvText. */
export function csvWriter(stringify: typeof csvText): FormWriter {
  let contact: ExportedConversation['contact'] | undefined;
  let isBegun = false;
  return {
    begin: (conversation) => {
      contact = conversation.contact;
      const heading = isBegun
        ? ''
        : stringify(
            COLUMNS.map(([column]) => column),
            [],
            QUOTED,
          );
      isBegun = true;
      return heading;
    },
    messages: (messages) =>
      stringify(
        null,
        messages.map((message) => COLUMNS.map(([, of]) => harmlessCell(of({ ...message, contact })))),
        QUOTED,
      ),
    end: () => '',
  };
}

export function csvIndex(stringify: typeof csvText): IndexWriter {
  return {
    begin: () =>
      stringify(['file', 'name', 'phone', 'lead_id', 'organization', 'connection', 'messages'], [], QUOTED),
    entry: ({ conversation: { contact, connections, messages }, file }: IndexEntry) =>
      stringify(
        null,
        [
          [
            file,
            contact.name,
            contact.phone,
            contact.leadId,
            contact.organization,
            connections.map(({ name }) => name).join(', '),
            messages,
          ].map(harmlessCell),
        ],
        QUOTED,
      ),
    end: () => '',
  };
}

function harmlessCell(cell: CsvCell): CsvCell {
  return typeof cell === 'string' ? visible(cell) : cell;
}
