import { keyIdInside } from '../wamids.js';
import { arrayLiteral } from '../array-literal.js';
import { isKeySound, MESSAGE_KEY } from '../checks/schema.js';
import { booleanOf, textOf, textOrNull } from '../row.js';
import type { Sql, SqlParameter, SqlRow } from '../sql.js';

/** Rows that may be one message; their contents decide. */
export interface DuplicateGroup {
  /** The group's position in its class's order: the next page begins after it. */
  key: readonly [string, string];
  connectionId: string;
  /** Ids of the rows; for a row without an id and its twin, the twin first. A single id has no twin. */
  ids: readonly string[];
  /** All are in one conversation, with identical content. */
  alike: boolean;
}

/** Which rows to read. */
export interface DuplicateScope {
  /** The only connection; null for all. */
  connectionId: string | null;
  /** Conversations to treat as already joined, `from` -> `into`. */
  joined: ReadonlyMap<string, string>;
  /**
   * Of rows without an id, only those with their raw entry in the log: this tool stored them under an id, and the log
   * has restored that message.
   */
  loggedOnly?: boolean;
}

/** A query with rows for {@link groupOf}, in group key order. */
export interface DuplicateQuery {
  text: string;
  parameters: SqlParameter[];
}

/** Where to continue: after this key, for this many groups. */
export interface DuplicatePage {
  after: readonly [string, string] | null;
  limit: number;
}

/** A missing id: null, empty or white space, as other programs write it. */
export function isBlankId(column: string): string {
  return `coalesce(btrim(${column}, E' \\t\\n\\x0b\\f\\r'), '') = ''`;
}

function hasId(column: string): string {
  return `btrim(${column}, E' \\t\\n\\x0b\\f\\r') <> ''`;
}

/** An equal `content` means the same type, text and media. JSON's null and an empty text equal SQL's null. */
function contentOf(row: string): string {
  return `(${row}.type, coalesce(${row}.body, ''), ${mediaOf(row)})`;
}

/**
 * Whether a row's body only names its content (`labelRank` in src/rules/evidence.ts): labels of different messages are
 * equal.
 */
function isLabeled(row: string): string {
  return `coalesce((${row}.evidence >> 8) & 15 in (4, 12), false)`;
}

/** Whether `copy` has the content of `row`; a copy may lack a label, which other programs do not write. */
function saysTheSame(row: string, copy: string): string {
  return `(${contentOf(row)} = ${contentOf(copy)}
    or ${isLabeled(row)} and (${row}.type, '', ${mediaOf(row)}) = ${contentOf(copy)})`;
}

function mediaOf(row: string): string {
  return `coalesce(nullif(${row}.media, 'null'::jsonb), '{}')`;
}

/** Whether a row has neither text nor file: then its raw_meta is its only content. Never null. */
function hasOnlyMeta(row: string): string {
  return `((coalesce(${row}.body, '') = '' or ${isLabeled(row)}) and ${mediaOf(row)} = '{}')`;
}

/**
 * Two rows with only raw_meta that differ under one key: the contact cards of two people.
 * src/commands/dedupe/candidate.ts decides.
 */
function isOtherMeta(a: string, b: string): string {
  const object = (row: string): string =>
    `case when jsonb_typeof(${row}.raw_meta) = 'object' then ${row}.raw_meta end`;
  return `(${hasOnlyMeta(a)} and exists (
    select from jsonb_each(${object(a)}) x join jsonb_each(${object(b)}) y on x.key = y.key where x.value <> y.value
  ))`;
}

/** The key id of a row's message: WhatsApp Web's own id, or the one inside a wamid where another program left stanza_id empty. */
function stanzaOf(row: string): string {
  return `case
    when ${row}.external_id not like 'wamid.%' then ${row}.external_id
    when ${row}.stanza_id is not null then ${row}.stanza_id
    else ${keyIdInside(row)}
  end`;
}

/**
 * Ids shared by several rows of one connection, keyed by connection and id. One pass over the table counts ids; only
 * duplicates are looked up again. Reads in order with the unique index, hashed without it.
 */
export function sameIdGroups(scope: DuplicateScope, page?: DuplicatePage): DuplicateQuery {
  const query = new Query();
  const conditions = [hasId('external_id'), ...query.onConnection('connection_id', scope)];
  if (page?.after != null) {
    conditions.push(
      `(connection_id, external_id) > (${query.add(page.after[0])}::uuid, ${query.add(page.after[1])})`,
    );
  }
  return query.done(`
    select d.connection_id::text as key_1, d.external_id as key_2, d.connection_id,
      string_agg(m.id::text, ' ' order by m.id) as ids,
      count(distinct m.conversation_id) = 1 and bool_and(m.edited_at is null and m.deleted_at is null)
        and count(distinct md5(${contentOf('m')}::text || case when ${hasOnlyMeta('m')} then coalesce(m.raw_meta::text, '') else '' end)) = 1
        as alike
    from (
      select connection_id, external_id from messages where ${conditions.join(' and ')}
      group by connection_id, external_id having count(*) > 1
      order by connection_id, external_id ${limitTo(page)}
    ) d
    join messages m on m.connection_id = d.connection_id and m.external_id = d.external_id
    group by d.connection_id, d.external_id
    order by d.connection_id, d.external_id`);
}

/**
 * Rows of one conversation with one stanza id, some with a wamid and some with WhatsApp Web's key id (M10), or an id
 * that another program derived from either; keyed by conversation and stanza id. One pass over the table for each side,
 * joined by hash, and one that groups the rows by their stored stanza ids.
 */
export function sameMessageGroups(scope: DuplicateScope, page?: DuplicatePage): DuplicateQuery {
  const query = new Query();
  const joined = query.joined(scope);
  const thread = (row: string): string =>
    joined === null ? `${row}.conversation_id` : `coalesce(${row}_joined.target, ${row}.conversation_id)`;
  const join = (row: string): string =>
    joined === null
      ? ''
      : `left join ${joined} as ${row}_joined (source, target) on ${row}_joined.source = ${row}.conversation_id`;
  const key = query.onConnection('k.connection_id', scope);
  const wamid = query.onConnection('w.connection_id', scope);
  const called = query.onConnection('m.connection_id', scope);
  const behind =
    page?.after == null
      ? []
      : [`(g.thread, g.stanza) > (${query.add(page.after[0])}::uuid, ${query.add(page.after[1])})`];
  return query.done(`
    select g.thread::text as key_1, g.stanza as key_2, g.connection_id, string_agg(g.ids, ' ') as ids, false as alike
    from (
    select k.thread, k.stanza, k.connection_id,
      string_agg(distinct k.id::text, ' ') || ' ' || string_agg(distinct w.id::text, ' ') as ids
    from (
      select k.id, k.connection_id, ${thread('k')} as thread, k.external_id as stanza from messages k ${join('k')}
      where ${[hasId('k.external_id'), `k.external_id not like 'wamid.%'`, ...key].join(' and ')}
    ) k
    join (
      select w.id, ${thread('w')} as thread, ${stanzaOf('w')} as stanza from messages w ${join('w')}
      where ${[`w.external_id like 'wamid.%'`, ...wamid].join(' and ')}
    ) w on w.thread = k.thread and w.stanza = k.stanza
    group by k.thread, k.stanza, k.connection_id
    union all
    select m.thread, m.stanza_id, m.connection_id, string_agg(m.id::text, ' ')
    from (
      select m.id, m.connection_id, m.external_id, m.stanza_id, ${thread('m')} as thread from messages m ${join('m')}
      where ${[hasId('m.external_id'), 'm.stanza_id is not null', ...called].join(' and ')}
    ) m
    group by m.thread, m.stanza_id, m.connection_id
    -- By bytes: an id is itself, whatever the database's collation makes of it.
    having min(m.external_id collate "C") <> max(m.external_id collate "C")
    ) g
    ${behind.length === 0 ? '' : `where ${behind.join(' and ')}`}
    group by g.thread, g.stanza, g.connection_id
    order by g.thread, g.stanza ${limitTo(page)}`);
}

/**
 * Rows without an id, each with the row of the same message in the same conversation and direction within
 * `toleranceMs`, keyed by their own row id: one or two index look-ups each.
 */
export function noIdGroups(scope: DuplicateScope, toleranceMs: number, page?: DuplicatePage): DuplicateQuery {
  const query = new Query();
  const conditions = [isBlankId('b.external_id'), ...query.onConnection('b.connection_id', scope)];
  if (page?.after != null) conditions.push(`b.id > ${query.add(page.after[1])}::uuid`);
  if (scope.loggedOnly === true) {
    // Fenced: an unfenced join reads webhook_log, bodies included.
    conditions.push('(select true from webhook_log w where w.id = b.batch_id limit 1)');
  }
  return query.done(`
    select '' as key_1, n.id::text as key_2, n.connection_id, concat_ws(' ', t.id::text, n.id::text) as ids, false as alike
    from (select b.* from messages b where ${conditions.join(' and ')} order by b.id ${limitTo(page)}) n
    left join lateral (${twinWithId('n', toleranceMs, query.joined(scope))}) t on true
    order by n.id`);
}

/**
 * SQL: the id of the row with an id that is the same message as the row `copy` without one; no row if none is certain.
 *
 * Normally that is the nearest row with the same content; an edited or revoked one also counts with its earlier
 * contents. A row of this tool once had an id, so it is a different message than every row stored beside it. A known
 * stanza id decides. Otherwise, while its raw entry is in the log, a message merged by mistake shows as missing, and a
 * replay restores it; if the entry is gone, the row is all that is left of the message, unless a later run stored it
 * again. Rows stored by a later run must be as many as those without an id, or one of these is not back yet.
 */
export function twinWithId(copy: string, toleranceMs: number, joined: string | null = null): string {
  const reach = `${Math.round(toleranceMs)} * interval '1 millisecond'`;
  const near = (row: string): string => {
    const window = `timestamp between ${copy}.timestamp - ${reach} and ${copy}.timestamp + ${reach}`;
    return joined === null
      ? `(select * from messages where conversation_id = ${copy}.conversation_id and ${window} offset 0) ${row}`
      : `(${threadsOf(joined, copy)}) ${row}_thread cross join lateral (
          select * from messages where conversation_id = ${row}_thread.id and ${window} offset 0
        ) ${row}`;
  };
  const saysIt = `(
    (${saysTheSame('t', copy)} and not ${isOtherMeta('t', copy)})
    or ((t.edited_at is not null or t.deleted_at is not null) and exists (
      select from message_revisions r where r.message_id = t.id and ${contentOf('r')} = ${contentOf(copy)}
    ))
  )`;
  const siblings = (which: string): string => `(
    select count(*) from ${near('s')}
    where s.direction = ${copy}.direction and ${isBlankId('s.external_id')} and s.stanza_id is null
      and ${contentOf('s')} = ${contentOf(copy)} and ${isLastTrace('s')} and ${which}
  )`;
  return `
    select c.id from (select ${isLastTrace(copy)} as is_last) trace
    cross join lateral (
      select t.id, t.timestamp, count(*) over () as twins
      from ${near('t')}
      where t.direction = ${copy}.direction and ${hasId('t.external_id')} and case
        when ${isOwn(copy)} and ${copy}.stanza_id is not null then t.stanza_id = ${copy}.stanza_id
        when trace.is_last then t.id > ${copy}.id and t.run_id is distinct from ${copy}.run_id and ${saysIt}
        else ${saysIt}
      end
    ) c
    where case when trace.is_last and ${copy}.stanza_id is null then c.twins >= ${siblings('true')} else true end
    -- The nearest; of two, the older. Each last trace has a row of its own.
    order by greatest(c.timestamp, ${copy}.timestamp) - least(c.timestamp, ${copy}.timestamp), c.id
    limit 1 offset case when ${isLastTrace(copy)} and ${copy}.stanza_id is null then ${siblings(`s.id < ${copy}.id`)} else 0 end`;
}

/** Whether this tool stored the row, and thus under an id. */
function isOwn(row: string): string {
  return `(${row}.batch_id is not null or ${row}.run_id is not null)`;
}

/** Whether this tool stored the row, and its raw entry is missing from the log. Fenced like the others. */
function isLastTrace(row: string): string {
  return `(${isOwn(row)} and (select true from webhook_log w where w.id = ${row}.batch_id limit 1) is null)`;
}

/** The conversations that become one thread with the row's own once all are joined. */
function threadsOf(joined: string, row: string): string {
  return `
    select own.id from (
      select coalesce((select j.target from ${joined} as j (source, target) where j.source = ${row}.conversation_id), ${row}.conversation_id) as id
    ) own
    union
    select j.source from ${joined} as j (source, target)
    where j.target = coalesce((select o.target from ${joined} as o (source, target) where o.source = ${row}.conversation_id), ${row}.conversation_id)`;
}

export function groupOf(row: SqlRow): DuplicateGroup {
  return {
    key: [textOf(row, 'key_1'), textOf(row, 'key_2')],
    connectionId: textOf(row, 'connection_id'),
    ids: [...new Set((textOrNull(row, 'ids') ?? '').split(' '))],
    alike: booleanOf(row, 'alike'),
  };
}

/**
 * The rows out of one raw entry that share id and conversation, and not their content, where no index forbids it: one was
 * copied from the other, and one of them was changed.
 */
export async function readCopiedRows(sql: Sql): Promise<{ id: string; entryId: string }[]> {
  if (await isKeySound(sql, MESSAGE_KEY)) return [];
  const rows = await sql.query(
    `select m.id, m.batch_id
     from (
       select connection_id, external_id, conversation_id, batch_id from messages c
       where batch_id is not null and ${hasId('external_id')}
       group by connection_id, external_id, conversation_id, batch_id
       having count(*) > 1 and count(distinct md5(${contentOf('c')}::text)) > 1
     ) d
     join messages m using (connection_id, external_id, conversation_id, batch_id)
     order by m.id`,
  );
  return rows.map((row) => ({ id: textOf(row, 'id'), entryId: textOf(row, 'batch_id') }));
}

/** Rows per connection. */
export async function countMessagesByConnection(sql: Sql): Promise<Map<string, number>> {
  const rows = await sql.query(
    `select connection_id, count(*)::text as messages from messages group by connection_id`,
  );
  return new Map(rows.map((row) => [textOf(row, 'connection_id'), Number(textOf(row, 'messages'))]));
}

function limitTo(page: DuplicatePage | undefined): string {
  return page === undefined ? '' : `limit ${page.limit}`;
}

/** Numbers the parameters of a statement. */
class Query {
  private readonly parameters: SqlParameter[] = [];

  add(value: SqlParameter): string {
    this.parameters.push(value);
    return `$${this.parameters.length}`;
  }

  onConnection(column: string, { connectionId }: DuplicateScope): string[] {
    return connectionId === null ? [] : [`${column} = ${this.add(connectionId)}::uuid`];
  }

  /** `unnest(…)` of the joined conversations; null if none. */
  joined({ joined }: DuplicateScope): string | null {
    if (joined.size === 0) return null;
    const from = this.add(arrayLiteral([...joined.keys()]));
    return `unnest(${from}::uuid[], ${this.add(arrayLiteral([...joined.values()]))}::uuid[])`;
  }

  done(text: string): DuplicateQuery {
    return { text, parameters: this.parameters };
  }
}
