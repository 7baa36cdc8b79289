import { arrayLiteral } from '../array-literal.js';
import { columns, rowsOf, streamRows, text } from '../columns.js';
import { isOfThem, naming, type ErasedPerson, type ErasedRows } from '../queries/erasure.js';
import { bytesOf, textOf } from '../row.js';
import type { Sql } from '../sql.js';
import { HAS_BODY_SQL, REMOVED_BODIES } from '../tables/webhook-log.js';
import { recomputeConversations, updateConversations } from '../tables/conversations.js';
import { releaseMessages } from '../tables/expected-messages.js';

/** Rows that are gone, by table. */
export type Gone = Record<string, number>;

/** The leads that were merged into these, over any number of merges: the journal still has their rows. */
export async function readMergedLeads(sql: Sql, leadIds: readonly string[]): Promise<string[]> {
  const rows = await sql.query(
    `with recursive moved as materialized (
       select distinct coalesce(before->>'person_id', before->>'lead_id') as lost,
         coalesce(after->>'person_id', after->>'lead_id') as kept
       from change_journal where table_name in ('lead_identities', 'conversations', 'tickets')
     ), trail (id) as (
       select lost from moved where kept = any($1::text[]) and lost <> kept
       union
       select moved.lost from trail join moved on moved.kept = trail.id where moved.lost <> moved.kept
     )
     select id from trail where id is not null`,
    [arrayLiteral(leadIds)],
  );
  return rows.map((row) => textOf(row, 'id'));
}

/** The entries whose bodies `raw discard` keeps for `undo`, and which name somebody: `names` is asked of each. Reads all of these bodies. */
async function findDiscarded(tx: Sql, names: (body: Uint8Array) => boolean): Promise<string[]> {
  const found: string[] = [];
  const pages = streamRows(tx, 'select webhook_log_id as id, raw_body as body from discarded_bodies');
  for await (const page of pages)
    for (const row of page) if (names(bytesOf(row, 'body'))) found.push(textOf(row, 'id'));
  return found;
}

/**
 * Takes a person out of the journal, and out of the bodies that `raw discard` keeps for `undo`: `names` says of one of these whether it
 * names the person. While their messages are still there: rows of the journal name them.
 */
export async function eraseFromJournal(
  tx: Sql,
  { leadIds, words, authors, misfiled }: ErasedRows,
  names: (body: Uint8Array) => boolean,
): Promise<Gone> {
  const discarded = arrayLiteral(await findDiscarded(tx, names));
  const bodies = await tx.execute(`delete from discarded_bodies where webhook_log_id = any($1::uuid[])`, [
    discarded,
  ]);
  const rows = await tx.execute(
    `with theirs as materialized (
       select j.id, j.table_name, j.key from change_journal j
       where j.table_name <> '${REMOVED_BODIES}'
         and (concat_ws(' ', j.key::text, j.before::text, j.after::text) ~ $1
           or j.table_name = 'webhook_log' and (j.key ->> 'id' = any($2::text[])
             or j.key ->> 'id' in (select m.batch_id::text from messages m where m.id = any($5::uuid[]))))
     ), written as materialized (
       select m.id::text as id, m.connection_id::text as connection_id, m.external_id from messages m
       where ${isOfThem('$3', '$4', '$5')}
       union
       select t.key ->> 'id', j.before ->> 'connection_id', j.before ->> 'external_id'
       from theirs t join change_journal j on j.id = t.id where t.table_name = 'messages'
     )
     delete from change_journal j
     where j.id in (select id from theirs)
       or j.table_name = 'messages' and j.key ->> 'id' in (select id from written)
       or j.table_name = 'message_revisions' and j.key ->> 'message_id' in (select id from written)
       or j.table_name in ('message_reactions', 'pending_facts')
         and (j.key ->> 'connection_id', j.key ->> 'target_external_id') in (select connection_id, external_id from written)`,
    [
      naming([...words, ...leadIds]),
      discarded,
      arrayLiteral(leadIds),
      arrayLiteral(authors),
      arrayLiteral(misfiled),
    ],
  );
  return { change_journal: rows, discarded_bodies: bodies };
}

const FILE = columns({ path: text });

/** What an erasure needs of others. */
interface ErasingHooks {
  /**
   * Gets the files on disk that nothing else needs, before the rows that name them go for good: a kill between the two leaves a row, and
   * not a file.
   */
  unlink: (paths: readonly string[]) => Promise<void>;
  /** Corrects leads, and their tickets: they lost messages in these conversations. */
  settle: (tx: Sql, leadIds: readonly string[], conversationIds: readonly string[]) => Promise<unknown>;
  /** A condition: a row of messages came live. */
  cameLive: string;
}

/** Removes the next messages of a person, in groups as well, `limit` at most, with all that belongs to them. */
export async function eraseMessages(
  tx: Sql,
  { leadIds, authors, misfiled }: ErasedRows,
  limit: number,
  { unlink, settle, cameLive }: ErasingHooks,
): Promise<Gone> {
  const found = await tx.query(
    `select m.id, m.connection_id, coalesce(m.external_id, '') as external_id, m.conversation_id, m.lead_id
     from messages m where ${isOfThem('$1', '$3', '$4')} limit $2::int`,
    [arrayLiteral(leadIds), limit, arrayLiteral(authors), arrayLiteral(misfiled)],
  );
  if (found.length === 0) return {};
  const ids = arrayLiteral(found.map((row) => textOf(row, 'id')));
  const keys = [
    arrayLiteral(found.map((row) => textOf(row, 'connection_id'))),
    arrayLiteral(found.map((row) => textOf(row, 'external_id'))),
  ];
  const ofThem = (table: string, column: string): string =>
    `delete from ${table} t using unnest($1::uuid[], $2::text[]) as k (connection_id, external_id)
     where t.connection_id = k.connection_id and t.${column} = k.external_id`;
  const media = await eraseMediaFiles(tx, { leadIds, authors, misfiled }, keys, unlink);
  await releaseMessages(tx, 'select unnest($1::uuid[])', [ids]);
  const gone = {
    media_files: media,
    message_reactions: await tx.execute(ofThem('message_reactions', 'target_external_id'), keys),
    pending_facts: await tx.execute(ofThem('pending_facts', 'target_external_id'), keys),
    rejects: await tx.execute(ofThem('rejects', 'external_id'), keys),
    message_revisions: await tx.execute(`delete from message_revisions where message_id = any($1::uuid[])`, [
      ids,
    ]),
    messages: await tx.execute(`delete from messages where id = any($1::uuid[])`, [ids]),
  };
  // Also of the person: whatever happens before the last batch, what is left is as it should be.
  const chats = [...new Set(found.map((row) => textOf(row, 'conversation_id')))];
  await updateConversations(tx, await recomputeConversations(tx, chats));
  await settle(tx, [...new Set(found.map((row) => textOf(row, 'lead_id')))], chats);
  // With the person gone, nobody has opened the ticket of a chat in which nobody else wrote.
  const tickets = await tx.execute(
    `delete from tickets t where t.conversation_id = any($1::uuid[]) and t.source = 'incoming_message'
       and not exists (select from messages m where m.conversation_id = t.conversation_id and m.direction = 'INBOUND' and ${cameLive})`,
    [arrayLiteral(chats)],
  );
  return { ...gone, tickets };
}

/** A file that a message of somebody else names as well stays, on record under that one. */
async function eraseMediaFiles(
  tx: Sql,
  { leadIds, authors, misfiled }: Pick<ErasedRows, 'leadIds' | 'authors' | 'misfiled'>,
  [connectionIds, messageIds]: readonly string[],
  unlink: (paths: readonly string[]) => Promise<void>,
): Promise<number> {
  const keys = [connectionIds ?? '{}', messageIds ?? '{}'];
  const theirs = `select f.connection_id, f.media_id from unnest($1::uuid[], $2::text[]) as k (connection_id, message_id)
    join media_files f on f.connection_id = k.connection_id and f.message_id = k.message_id`;
  if ((await tx.query(`${theirs} limit 1`, keys)).length === 0) return 0;
  await tx.execute(
    `update media_files f set message_id = other.external_id
     from (
       select distinct on (t.connection_id, t.media_id) t.connection_id, t.media_id, m.external_id
       from (${theirs}) t
       join messages m on m.connection_id = t.connection_id and m.media ->> 'id' = t.media_id
       where m.external_id is not null and ${isOfThem('$3', '$4', '$5')} is not true
       order by t.connection_id, t.media_id, m.timestamp
     ) other
     where f.connection_id = other.connection_id and f.media_id = other.media_id`,
    [...keys, arrayLiteral(leadIds), arrayLiteral(authors), arrayLiteral(misfiled)],
  );
  const gone = await tx.query(
    `delete from media_files f using (${theirs}) t
     where f.connection_id = t.connection_id and f.media_id = t.media_id returning f.path, f.sha256`,
    keys,
  );
  const paths = gone.flatMap((row) => (typeof row['path'] === 'string' ? [row['path']] : []));
  const free = await tx.query(
    `select distinct k.path from unnest($1::text[]) as k (path)
     where not exists (select from media_files f where f.path = k.path)`,
    [arrayLiteral(paths)],
  );
  await unlink(rowsOf(FILE, free).map(({ path }) => path));
  return gone.length;
}

/** Removes what else is of a person, and at last the person: as long as any of it is there, they can be named, and found again. */
export async function eraseRest(tx: Sql, { leadIds, names, words, authors }: ErasedPerson): Promise<Gone> {
  const ofLeads = (table: string): Promise<number> =>
    tx.execute(`delete from ${table} where lead_id = any($1::uuid[])`, [arrayLiteral(leadIds)]);
  const thatName = (table: string, where: string): Promise<number> =>
    tx.execute(`delete from ${table} t where ${where} ~ $1`, [naming([...words, ...leadIds])]);
  return {
    tickets: await ofLeads('tickets'),
    conversations: await ofLeads('conversations'),
    sync_logs: await ofLeads('sync_logs'),
    message_reactions: await tx.execute(`delete from message_reactions where reactor = any($1::text[])`, [
      arrayLiteral([...names, ...authors]),
    ]),
    history_gaps: await thatName('history_gaps', `concat_ws(' ', t.chat_jid, t.other_jid)`),
    owed_files: await thatName('owed_files', `coalesce(t.chat_jid, '')`),
    alert_acks: await thatName('alert_acks', `concat_ws(' ', t.alert_id, t.subject, t.state)`),
    lead_identities: await tx.execute(
      `delete from lead_identities where person_id = any($1::uuid[]) or lead_id = any($1::uuid[]) or value = any($2::text[])`,
      [arrayLiteral(leadIds), arrayLiteral(names)],
    ),
    leads: await tx.execute(`delete from leads where id = any($1::uuid[])`, [arrayLiteral(leadIds)]),
  };
}

/** A text without what may stand between the words of a name, or the digits of a number. */
const joined = (text: string): string => `regexp_replace(${text}, '[[:space:][:punct:]]+', '', 'g')`;

/** A condition: a text may have one of some words, however it is written. */
const mayName = (text: string, words = '$1'): string => `exists (
    select from unnest(${words}::text[]) as k (word)
    where position(k.word in ${text}) > 0 or ${joined('k.word')} <> '' and position(${joined('k.word')} in ${joined(text)}) > 0
  )`;

/** Columns with texts in which a person may be named, of rows that stay. */
const TEXTS: readonly {
  table: string;
  key: string;
  json: readonly string[];
  text: readonly string[];
  /** A condition: only these rows. */
  only?: string;
}[] = [
  {
    table: 'sync_runs',
    key: 'id',
    json: ['options', 'counters', 'checkpoint'],
    text: ['work', 'error', 'verdict'],
  },
  { table: 'sync_logs', key: 'id', json: ['counters'], text: ['error_message'] },
  { table: 'saved_comparisons', key: 'name', json: ['result'], text: ['error'] },
  { table: 'rejects', key: 'id', json: [], text: ['excerpt'] },
  { table: 'alert_acks', key: 'alert_id', json: [], text: ['reason'] },
  { table: 'owed_files', key: 'file_id', json: [], text: ['error'] },
  { table: 'media_files', key: 'media_id', json: [], text: ['error'] },
  // Who looked at other people may have the same name, and stays on record; nobody has the same number.
  {
    table: 'access_log',
    key: 'id',
    json: [],
    text: ['actor'],
    only: `(t.lead_id = any($2::uuid[]) or ${mayName('t.actor', '$3')})`,
  },
];

/** Removes what waits for messages with these ids, on any connection. */
export async function erasePending(tx: Sql, targets: readonly string[]): Promise<number> {
  if (targets.length === 0) return 0;
  return tx.execute(
    `delete from pending_facts p using connections c where p.connection_id = c.id and p.target_external_id = any($1::text[])`,
    [arrayLiteral(targets)],
  );
}

/**
 * Rewrites the texts of rows that stay, where one of `words` may be in them. `redact` gets each row's as JSON, and gives what to write; null
 * leaves it.
 */
export async function rewriteTexts(
  tx: Sql,
  {
    words,
    leadIds,
    numbers,
  }: {
    words: readonly string[];
    leadIds: readonly string[];
    /** Of the words. */ numbers: readonly string[];
  },
  redact: (texts: string) => string | null,
): Promise<Gone> {
  const gone: Gone = {};
  for (const { table, key, json, text: plain, only } of TEXTS) {
    const all = [...json, ...plain];
    const object = `jsonb_build_object(${all.map((name) => `'${name}', t.${name}`).join(', ')})::text`;
    const rows = await tx.query(
      `select t.${key}::text as key, ${object} as texts from ${table} t
       where ${only === undefined ? '' : `${only} and `}${mayName(object)}`,
      [arrayLiteral(words), ...(only === undefined ? [] : [arrayLiteral(leadIds), arrayLiteral(numbers)])],
    );
    const assigned = [
      ...json.map((name) => `${name} = nullif($2::jsonb -> '${name}', 'null'::jsonb)`),
      ...plain.map((name) => `${name} = $2::jsonb ->> '${name}'`),
    ].join(', ');
    for (const row of rows) {
      const texts = redact(textOf(row, 'texts'));
      if (texts === null) continue;
      const written = await tx.execute(`update ${table} set ${assigned} where ${key}::text = $1`, [
        textOf(row, 'key'),
        texts,
      ]);
      gone[table] = (gone[table] ?? 0) + written;
    }
  }
  return gone;
}

/**
 * Empties what rejected items say whose entry has no body any more, where `names` says that they name the person: nobody can tell whose
 * such an item is, and its text may be the person's. `names` gets the texts of each as JSON.
 */
export async function emptyOrphanedRejects(
  tx: Sql,
  words: readonly string[],
  names: (texts: string) => boolean,
): Promise<number> {
  const texts = `jsonb_build_object('excerpt', r.excerpt, 'external_id', r.external_id)::text`;
  const rows = await tx.query(
    `select r.id, ${texts} as texts from rejects r
     where not exists (select from webhook_log where id = r.webhook_log_id and ${HAS_BODY_SQL}) and ${mayName(texts)}`,
    [arrayLiteral(words)],
  );
  const ids = rows.flatMap((row) => (names(textOf(row, 'texts')) ? [textOf(row, 'id')] : []));
  if (ids.length === 0) return 0;
  return tx.execute(`update rejects set excerpt = '', external_id = null where id = any($1::uuid[])`, [
    arrayLiteral(ids),
  ]);
}

/** The part of an origin that is the same for all entries of a file: without the line, and the element. */
const FILE_SQL = `regexp_replace(origin, ':\\d+(\\[\\d+\\])?$', '')`;

/**
 * Rewrites the names of the files that entries came from, whosever the entries are; the lines stay. `redact` gets a name, and gives what
 * to write.
 */
export async function rewriteOrigins(
  tx: Sql,
  words: readonly string[],
  redact: (file: string) => string,
): Promise<void> {
  const rows = await tx.query(
    `select file from (select distinct ${FILE_SQL} as file from webhook_log where origin is not null) f where ${mayName('file')}`,
    [arrayLiteral(words)],
  );
  const renamed = rowsOf(columns({ file: text }), rows).flatMap(({ file }) => {
    const left = redact(file);
    return left === file ? [] : [{ file, left }];
  });
  if (renamed.length === 0) return;
  await tx.execute(
    `update webhook_log set origin = k.kept || substr(origin, length(k.file) + 1)
     from unnest($1::text[], $2::text[]) as k (file, kept) where ${FILE_SQL} = k.file`,
    [arrayLiteral(renamed.map(({ file }) => file)), arrayLiteral(renamed.map(({ left }) => left))],
  );
}
