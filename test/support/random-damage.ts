import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { decodeWamid } from '../../src/identity/wamid.js';
import type { Store } from '../../src/store/store.js';
import { insertRow } from './damage.js';

/** One double: which message, of which kind, and how far its time is off. */
export interface Damage {
  pick: number;
  kind: 'exact' | 'foreign' | 'placeholder' | 'torn' | 'web' | 'renamed' | 'blank' | 'foreign_blank';
  skew: 0 | 1000 | 2000;
}

/** Doubles of every class, of rows that this tool and others wrote. */
export const someDamage: fc.Arbitrary<Damage[]> = fc.array(
  fc.record({
    pick: fc.nat(),
    kind: fc.constantFrom(
      'exact',
      'foreign',
      'placeholder',
      'torn',
      'web',
      'renamed',
      'blank',
      'foreign_blank',
    ),
    skew: fc.constantFrom(0, 1000, 2000),
  }),
  { minLength: 1, maxLength: 12 },
);

type Row = Record<string, unknown> & {
  id: string;
  external_id: string;
  connection_id: string;
  conversation_id: string;
  lead_id: string;
};

/** What another program keeps: what is shown, and nothing about where it is from. */
const FOREIGN = {
  evidence: 0,
  stanza_id: null,
  batch_id: null,
  run_id: null,
  edited_at: null,
  edit_external_id: null,
  meta_confirmed_at: null,
};
/** A row that says nothing; of the least evidence that there is. */
const SILENT = {
  type: 'unsupported',
  body: null,
  media: null,
  raw_meta: null,
  context_external_id: null,
  status: null,
  history_status: null,
  edited_at: null,
  edit_external_id: null,
  deleted_at: null,
  meta_confirmed_at: null,
  evidence: 1 | (1 << 4),
};

/**
 * Inserts doubles of messages, all but those of the given leads; merging them gives back what was there. Gives the number of
 * rows that are too many.
 */
export async function inflict(
  store: Store,
  damages: readonly Damage[],
  spared: readonly string[],
): Promise<number> {
  const rows = (await readRows(store)).filter(({ lead_id }) => !spared.includes(lead_id));
  let copies = 0;
  /** A message that got a second name keeps to copies under the first. */
  const named = new Set<string>();
  for (const { pick, kind, skew } of damages) {
    const row = rows[pick % Math.max(1, rows.length)];
    if (row === undefined) continue;
    copies += await inflictOne(store, row, kind, skew, named);
  }
  return copies;
}

async function inflictOne(
  store: Store,
  row: Row,
  kind: Damage['kind'],
  skew: number,
  named: Set<string>,
): Promise<number> {
  const later = new Date(Date.parse(String(row.timestamp)) + skew).toISOString();
  const add = async (columns: Record<string, unknown>): Promise<number> => {
    await insertRow(store, 'messages', { ...row, ...columns, id: randomUUID() });
    return 1;
  };
  switch (kind) {
    case 'exact':
      return add({});
    case 'foreign':
      return add(FOREIGN);
    case 'placeholder':
      return add(SILENT);
    case 'torn': {
      // The row that was there first loses what its copy knows. Not one with revisions: they hang on the row.
      if (row.edited_at !== null || row.deleted_at !== null || named.has(row.id)) return 0;
      await add({});
      await update(store, row.id, SILENT);
      named.add(row.id);
      return 1;
    }
    case 'web': {
      const key = await freeKey(store, row);
      if (key === null || named.has(row.id)) return 0;
      named.add(row.id);
      return add({ external_id: key, stanza_id: key, timestamp: later });
    }
    case 'renamed': {
      const key = await freeKey(store, row);
      if (key === null || named.has(row.id)) return 0;
      named.add(row.id);
      await add({ ...SILENT, stanza_id: null, timestamp: later });
      await rename(store, row, key);
      return 1;
    }
    case 'blank':
      return (await hasDouble(store, row))
        ? 0
        : add({
            external_id: null,
            stanza_id: null,
            timestamp: later,
            edited_at: null,
            edit_external_id: null,
          });
    case 'foreign_blank':
      return (await hasDouble(store, row)) ? 0 : add({ ...FOREIGN, external_id: ' \t', timestamp: later });
  }
}

async function readRows(store: Store): Promise<Row[]> {
  const rows = await store.sql.query(
    `select to_jsonb(m) as row from messages m order by m.external_id, m.connection_id, m.id`,
  );
  return rows.map(({ row }) => row as Row);
}

/** The key id inside the row's wamid, if nothing else is called so. */
async function freeKey(store: Store, row: Row): Promise<string | null> {
  const key = decodeWamid(row.external_id)?.stanzaId;
  if (key === undefined) return null;
  const taken = await store.sql.query(
    `select from messages m where m.connection_id = $1::uuid and m.id <> $3::uuid
       and (m.external_id = $2 or m.stanza_id = $2 or m.context_external_id = $2)`,
    [row.connection_id, key, row.id],
  );
  return taken.length > 0 ? null : key;
}

/** Whether another message says the same at nearly the same time: a copy without an id could be either's. */
async function hasDouble(store: Store, row: Row): Promise<boolean> {
  const rows = await store.sql.query(
    `select from messages m where m.conversation_id = $1::uuid and m.external_id <> $2
       and abs(extract(epoch from m.timestamp - $3::timestamptz)) <= 6`,
    [row.conversation_id, row.external_id, String(row.timestamp)],
  );
  return rows.length > 0;
}

/** As if only WhatsApp Web had told of the message: all that names it names its key id. */
async function rename(store: Store, { id, external_id, connection_id }: Row, key: string): Promise<void> {
  await update(store, id, { external_id: key, stanza_id: key });
  for (const [table, column, where] of [
    ['message_reactions', 'target_external_id', 'connection_id = $3::uuid'],
    ['messages', 'context_external_id', 'connection_id = $3::uuid'],
    [
      'tickets',
      'opened_by_external_id',
      'conversation_id in (select c.id from conversations c where c.connection_id = $3::uuid)',
    ],
  ] as const) {
    await store.sql.execute(`update ${table} set ${column} = $2 where ${column} = $1 and ${where}`, [
      external_id,
      key,
      connection_id,
    ]);
  }
}

async function update(store: Store, id: string, columns: Record<string, unknown>): Promise<void> {
  const names = Object.keys(columns);
  await store.sql.execute(
    `update messages m set (${names.join(', ')}) = (select ${names.join(', ')} from jsonb_populate_record(m, $2::jsonb))
     where m.id = $1::uuid`,
    [id, JSON.stringify(columns)],
  );
}
