import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import {
  BODY_STATES,
  CONNECTION_KINDS,
  DIRECTIONS,
  ENTRY_STATUSES,
  HISTORY_SYNC_STATUSES,
  IDENTITY_KINDS,
  LEAD_SOURCES,
  MESSAGE_SOURCES,
  MESSAGE_STATUSES,
  PENDING_FACT_KINDS,
  CRM_NAMES,
  PROVIDERS,
  MEDIA_STATES,
  REQUEST_OUTCOMES,
  RUN_STATUSES,
  SMB_SYNC_TYPES,
  SYNC_SOURCES,
  SYNC_TYPES,
  TICKET_ORIGINS,
  TICKET_SOURCES,
  TICKET_STATUSES,
} from '../../src/model/enumerations.js';
import { GAP_REASONS } from '../../src/store/tables/history.js';
import { readCatalog } from '../support/catalog.js';
import { describeOnBackends } from '../support/databases.js';
import { readPrismaSchema } from '../support/prisma-schema.js';

/** Check constraints that spell out a list of src/model/enumerations.ts. */
const WORD_CHECKS: Readonly<Record<string, readonly string[]>> = {
  connections_kind_check: CONNECTION_KINDS,
  connections_history_sync_status_check: HISTORY_SYNC_STATUSES,
  conversations_first_message_source_check: MESSAGE_SOURCES,
  history_gaps_reason_check: GAP_REASONS,
  history_requests_outcome_check: REQUEST_OUTCOMES,
  history_requests_sync_type_check: SMB_SYNC_TYPES,
  media_files_state_check: MEDIA_STATES,
  lead_identities_kind_check: IDENTITY_KINDS,
  leads_source_check: LEAD_SOURCES,
  messages_direction_check: DIRECTIONS,
  messages_history_status_check: MESSAGE_STATUSES,
  messages_source_check: MESSAGE_SOURCES,
  messages_status_check: MESSAGE_STATUSES,
  messages_sync_source_check: SYNC_SOURCES,
  pending_facts_kind_check: PENDING_FACT_KINDS,
  sync_logs_status_check: RUN_STATUSES,
  sync_logs_sync_type_check: SYNC_TYPES,
  sync_runs_status_check: RUN_STATUSES,
  tickets_originated_from_check: TICKET_ORIGINS,
  tickets_source_check: TICKET_SOURCES,
  tickets_status_check: TICKET_STATUSES,
  saved_comparisons_crm_check: CRM_NAMES,
  webhook_log_body_state_check: BODY_STATES,
  webhook_log_provider_check: PROVIDERS,
  webhook_log_status_check: ENTRY_STATUSES,
};

/** The other check constraints. */
const OTHER_CHECKS = [
  'lead_identities_book_state_check',
  'lead_identities_person_check',
  'leads_phone_number_check',
  'tickets_closed_at_check',
];

/** Indexes that Prisma cannot express. */
const SPECIAL_INDEXES: Readonly<Record<string, RegExp>> = {
  messages_errors:
    /^CREATE INDEX .* ON public\.messages USING btree \(connection_id\) WHERE \(errors IS NOT NULL\)$/,
  rejects_collisions:
    /^CREATE INDEX .* ON public\.rejects USING btree \(webhook_log_id\) WHERE \(reason = 'id_collision'::text\)$/,
  tickets_one_open_per_conversation:
    /^CREATE UNIQUE INDEX .* ON public\.tickets USING btree \(conversation_id\) WHERE \(status = 'open'::text\)$/,
  webhook_log_unfinished:
    /^CREATE INDEX .* ON public\.webhook_log USING btree \(id\) WHERE \(status = ANY \(ARRAY\['pending'::text, 'failed'::text\]\)\)$/,
  // The form in which PostgreSQL shows it has several lines.
  webhook_log_altered: /\(id\) WHERE [^]*sha256\(raw_body\) =[^]*body_state[^]* = 0/,
  webhook_log_removed: /\(body_run_id\) WHERE \(body_state IS NOT NULL\)$/,
  webhook_log_without_number: /\(id\) WHERE .*provider = 'meta'.*phone_number_ids = '\{\}'/,
};

/** Ids that come from outside are compared byte for byte. */
const BYTE_ORDER = [
  'lead_identities.value',
  'message_reactions.target_external_id',
  'message_revisions.version',
  'messages.external_id',
  'messages.stanza_id',
  'pending_facts.target_external_id',
  'rejects.external_id',
];

describeOnBackends('the migrations', (backend) => {
  test('make what schema.prisma says: columns, keys, indexes and references', async () => {
    const { tables } = await readCatalog(await backend.open());
    const schema = await readFile(new URL('../../prisma/schema.prisma', import.meta.url), 'utf8');
    const expected = readPrismaSchema(schema);
    expect(Object.keys(expected).length).toBeGreaterThan(10);
    expect(tables).toEqual(expected);
  });

  test('allow the words of the model, and no others', async () => {
    const { extras } = await readCatalog(await backend.open());
    expect(Object.keys(extras.checks).sort()).toEqual([...Object.keys(WORD_CHECKS), ...OTHER_CHECKS].sort());
    for (const [name, words] of Object.entries(WORD_CHECKS)) {
      const allowed = [...(extras.checks[name]?.definition ?? '').matchAll(/'([^']*)'/g)].map(
        (match) => match[1],
      );
      expect(allowed.sort(), name).toEqual([...words].sort());
    }
  });

  test('make what Prisma cannot say: partial indexes and byte order', async () => {
    const { extras } = await readCatalog(await backend.open());
    expect(Object.keys(extras.specialIndexes).sort()).toEqual(Object.keys(SPECIAL_INDEXES).sort());
    for (const [name, definition] of Object.entries(SPECIAL_INDEXES)) {
      expect(extras.specialIndexes[name]).toMatch(definition);
    }
    expect(extras.collations).toEqual(Object.fromEntries(BYTE_ORDER.map((column) => [column, 'C'])));
  });
});
