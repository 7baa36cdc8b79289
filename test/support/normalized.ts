import type { Store } from '../../src/store/store.js';

/** Ids, and what tells when or by which run a row was written: two databases with the same content differ in them. */
const WRITTEN_BY = ['id', 'created_at', 'updated_at', 'processed_at', 'run_id', 'batch_id', 'webhook_log_id'];

/** One table of the picture: which rows, which columns go, and which natural keys come in the place of foreign keys. */
interface View {
  from: string;
  drop?: readonly string[];
  /** Columns kept, where only a few count; all but the dropped ones otherwise. */
  keep?: readonly string[];
  add?: Readonly<Record<string, string>>;
}

const CONNECTION = `(select o.slug || '/' || c.name from connections c join organizations o on o.id = c.organization_id
                      where c.id = t.connection_id)`;
const ORGANIZATION = '(select o.slug from organizations o where o.id = t.organization_id)';
const SHA256 = '(select w.sha256 from webhook_log w where w.id = t.webhook_log_id)';

/** The sorted identities of the lead, or of the person, whose id the expression gives. */
function namesOf(column: 'lead_id' | 'person_id', id: string): string {
  return `(select jsonb_agg(i.kind || ':' || i.value order by (i.kind || ':' || i.value) collate "C")
             from lead_identities i where i.${column} = ${id})`;
}

const VIEWS: Readonly<Record<string, View>> = {
  organizations: { from: 'organizations t' },
  connections: {
    from: 'connections t',
    drop: ['organization_id', 'last_sync_at'],
    add: { organization: ORGANIZATION },
  },
  leads: {
    from: 'leads t',
    drop: ['organization_id', 'last_synced_at'],
    add: { organization: ORGANIZATION, identities: namesOf('lead_id', 't.id') },
  },
  lead_identities: {
    from: 'lead_identities t',
    drop: ['organization_id', 'person_id', 'lead_id'],
    add: {
      organization: ORGANIZATION,
      person: namesOf('person_id', 't.person_id'),
      is_lead: 't.lead_id is not null',
    },
  },
  conversations: {
    from: 'conversations t',
    drop: ['connection_id', 'lead_id'],
    add: { connection: CONNECTION, lead: namesOf('lead_id', 't.lead_id') },
  },
  messages: {
    from: 'messages t',
    drop: ['connection_id', 'conversation_id', 'lead_id'],
    add: { connection: CONNECTION, lead: namesOf('lead_id', 't.lead_id') },
  },
  message_revisions: {
    from: `(select r.*, m.connection_id, m.external_id from message_revisions r join messages m on m.id = r.message_id) t`,
    drop: ['message_id', 'connection_id'],
    add: { connection: CONNECTION },
  },
  message_reactions: {
    from: 'message_reactions t',
    drop: ['connection_id'],
    add: { connection: CONNECTION },
  },
  pending_facts: { from: 'pending_facts t', drop: ['connection_id'], add: { connection: CONNECTION } },
  tickets: {
    from: '(select k.*, v.connection_id from tickets k join conversations v on v.id = k.conversation_id) t',
    drop: ['connection_id', 'conversation_id', 'lead_id'],
    add: { connection: CONNECTION, lead: namesOf('lead_id', 't.lead_id') },
  },
  history_chunks: { from: 'history_chunks t', drop: ['connection_id'], add: { connection: CONNECTION } },
  webhook_log: {
    from: '(select w.*, w.connection_scope as connection_id from webhook_log w) t',
    keep: ['sha256', 'provider', 'status', 'fields', 'phone_number_ids', 'received_at'],
    add: {
      connection: CONNECTION,
      chat_ids: `(select coalesce(jsonb_agg(c order by c collate "C"), '[]') from unnest(t.chat_ids) c)`,
    },
  },
  rejects: { from: 'rejects t', keep: ['path', 'reason', 'subject'], add: { sha256: SHA256 } },
};

/**
 * The whole database as plain values that `toEqual` compares: by table, sorted, with natural keys in the place of ids, and
 * without what tells when, by which run or from which file a row came. Two databases into which the same evidence went, in
 * whatever order and however often, give the same.
 */
export async function normalizedDatabase(store: Store): Promise<Record<string, unknown[]>> {
  const picture: Record<string, unknown[]> = {};
  for (const [table, view] of Object.entries(VIEWS)) {
    const rows = await store.sql.query(`select ${rowOf(view)} as row from ${view.from}`);
    picture[table] = rows
      .map(({ row }) => ({ row, key: JSON.stringify(row) }))
      .sort((one, other) => (one.key < other.key ? -1 : 1))
      .map(({ row }) => row);
  }
  return picture;
}

function rowOf({ drop = [], keep, add = {} }: View): string {
  const columns =
    keep === undefined
      ? `to_jsonb(t) - ${textArray([...WRITTEN_BY, ...drop])}`
      : `(select jsonb_object_agg(key, value) from jsonb_each(to_jsonb(t)) where key = any(${textArray(keep)}))`;
  const added = Object.entries(add).map(([name, expression]) => `'${name}', ${expression}`);
  return added.length === 0 ? columns : `(${columns}) || jsonb_build_object(${added.join(', ')})`;
}

function textArray(names: readonly string[]): string {
  return `array[${names.map((name) => `'${name}'`).join(', ')}]`;
}
