import { textOf, textOrNull, booleanOf } from '../row.js';
import { arrayLiteral } from '../array-literal.js';
import type { Sql, SqlParameter, SqlRow } from '../sql.js';

/** Rows that may be one message: what they are to each other is decided by what they say. */
export interface DuplicateGroup {
  /** The group's place in the order of its class: what comes next lies behind it. */
  key: readonly [string, string];
  connectionId: string;
  /** Ids of the rows; of a row without an id and its twin, the twin first. Alone, it has no twin. */
  ids: readonly string[];
  /** All of them are in one conversation, and say the same, to the letter. */
  alike: boolean;
}

/** Which rows to look at. */
export interface DuplicateScope {
  /** The only connection; null for all. */
  connectionId: string | null;
  /** Conversations to be read as if they were joined to another one already, `from` -> `into`. */
  joined: ReadonlyMap<string, string>;
}

/** A query whose rows {@link groupOf} reads, in the order of the groups' keys. */
export interface DuplicateQuery {
  text: string;
  parameters: SqlParameter[];
}

/** Where to go on: behind this key, and for how many groups. */
export interface DuplicatePage {
  after: readonly [string, string] | null;
  limit: number;
}

/** An id that names nothing: null, empty or white space, as programs write it that have none. */
export function isBlankId(column: string): string {
  return `coalesce(btrim(${column}, E' \\t\\n\\x0b\\f\\r'), '') = ''`;
}

export function hasId(column: string): string {
  return `btrim(${column}, E' \\t\\n\\x0b\\f\\r') <> ''`;
}

/** An equal `content` means the same type, text and media. JSON's null and an empty text are nothing, like SQL's null. */
function contentOf(row: string): string {
  return `(${row}.type, coalesce(${row}.body, ''), ${mediaOf(row)})`;
}

function mediaOf(row: string): string {
  return `coalesce(nullif(${row}.media, 'null'::jsonb), '{}')`;
}

/** Whether a row has neither words nor a file: then its raw_meta is all that it says. Never null. */
function isWordless(row: string): string {
  return `(coalesce(${row}.body, '') = '' and ${mediaOf(row)} = '{}')`;
}

/** Two wordless rows that tell different things under one name: the cards of two people. src/commands/dedupe/compare-content.ts.ts decides. */
function isOtherMeta(a: string, b: string): string {
  const object = (row: string): string =>
    `case when jsonb_typeof(${row}.raw_meta) = 'object' then ${row}.raw_meta end`;
  return `(${isWordless(a)} and exists (
    select from jsonb_each(${object(a)}) x join jsonb_each(${object(b)}) y on x.key = y.key where x.value <> y.value
  ))`;
}

/**
 * The key id of the message that a row is about: WhatsApp Web's own id, or the one inside a wamid. Where another program left
 * stanza_id empty, the wamid is read here, just well enough to find candidates: src/identity/wamid.ts decides. The nested
 * `case` and `offset 0` keep the decoding away from ids that are not base64, which would fail the statement.
 */
function stanzaOf(row: string): string {
  return `case
    when ${row}.external_id not like 'wamid.%' then ${row}.external_id
    when ${row}.stanza_id is not null then ${row}.stanza_id
    when ${row}.external_id ~ '^wamid\\.HBg[A-Za-z0-9+/]+={0,2}$' then (
      select case when length(w.bytes) > get_byte(w.bytes, 2) + 9 then
        encode(substring(w.bytes from get_byte(w.bytes, 2) + 10 for get_byte(w.bytes, get_byte(w.bytes, 2) + 8)), 'escape')
      end
      from (
        select decode(rpad(d.digits, (length(d.digits) + 3) / 4 * 4, '='), 'base64') as bytes
        from (select rtrim(substr(${row}.external_id, 7), '=') as digits offset 0) d
        where length(d.digits) % 4 <> 1 offset 0
      ) w
    )
  end`;
}

/**
 * Ids that several rows of one connection have, keyed by connection and id. One pass over the table counts ids; only doubled
 * ones are looked up again. With the unique index in place it is read in order, without it hashed.
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
        and count(distinct md5(${contentOf('m')}::text || case when ${isWordless('m')} then coalesce(m.raw_meta::text, '') else '' end)) = 1
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
 * Rows of one conversation that are called by one stanza id, of which some have a wamid and some WhatsApp Web's key id (M10),
 * keyed by conversation and stanza id. One pass over the table for each side, joined by hash.
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
  const behind =
    page?.after == null
      ? []
      : [`(k.thread, k.stanza) > (${query.add(page.after[0])}::uuid, ${query.add(page.after[1])})`];
  return query.done(`
    select k.thread::text as key_1, k.stanza as key_2, k.connection_id,
      string_agg(distinct k.id::text, ' ') || ' ' || string_agg(distinct w.id::text, ' ') as ids, false as alike
    from (
      select k.id, k.connection_id, ${thread('k')} as thread, k.external_id as stanza from messages k ${join('k')}
      where ${[hasId('k.external_id'), `k.external_id not like 'wamid.%'`, ...key].join(' and ')}
    ) k
    join (
      select w.id, ${thread('w')} as thread, ${stanzaOf('w')} as stanza from messages w ${join('w')}
      where ${[`w.external_id like 'wamid.%'`, ...wamid].join(' and ')}
    ) w on w.thread = k.thread and w.stanza = k.stanza
    ${behind.length === 0 ? '' : `where ${behind.join(' and ')}`}
    group by k.thread, k.stanza, k.connection_id
    order by k.thread, k.stanza ${limitTo(page)}`);
}

/**
 * Rows without an id, each with the nearest identified row of the same conversation, direction, type, text and media within
 * `toleranceMs`, keyed by their own row id: one index look-up each. A message that was edited or revoked still is what it said.
 */
export function noIdGroups(scope: DuplicateScope, toleranceMs: number, page?: DuplicatePage): DuplicateQuery {
  const query = new Query();
  const conditions = [isBlankId('b.external_id'), ...query.onConnection('b.connection_id', scope)];
  if (page?.after != null) conditions.push(`b.id > ${query.add(page.after[1])}::uuid`);
  const reach = `${Math.round(toleranceMs)} * interval '1 millisecond'`;
  const joined = query.joined(scope);
  return query.done(`
    select '' as key_1, n.id::text as key_2, n.connection_id, concat_ws(' ', t.id::text, n.id::text) as ids, false as alike
    from (select b.* from messages b where ${conditions.join(' and ')} order by b.id ${limitTo(page)}) n
    left join lateral (
      select t.id from ${
        joined === null
          ? ''
          : `(${threadsOf(joined, 'n')}) thread cross join lateral (
        select * from messages where conversation_id = thread.id
          and timestamp between n.timestamp - ${reach} and n.timestamp + ${reach} offset 0
      )`
      } ${joined === null ? 'messages' : ''} t
      where ${joined === null ? 't.conversation_id = n.conversation_id and' : ''}
        t.timestamp between n.timestamp - ${reach} and n.timestamp + ${reach}
        and t.direction = n.direction and ${hasId('t.external_id')}
        and (
          (${contentOf('t')} = ${contentOf('n')} and not ${isOtherMeta('t', 'n')})
          or ((t.edited_at is not null or t.deleted_at is not null) and exists (
            select from message_revisions r where r.message_id = t.id and ${contentOf('r')} = ${contentOf('n')}
          ))
        )
      -- The nearest; of two, the older.
      order by greatest(t.timestamp, n.timestamp) - least(t.timestamp, n.timestamp), t.id limit 1
    ) t on true
    order by n.id`);
}

/** The conversations that make one thread with the row's own, once all is joined that is to be. */
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

  /** `unnest(…)` of the joined conversations; null where there are none. */
  joined({ joined }: DuplicateScope): string | null {
    if (joined.size === 0) return null;
    const from = this.add(arrayLiteral([...joined.keys()]));
    return `unnest(${from}::uuid[], ${this.add(arrayLiteral([...joined.values()]))}::uuid[])`;
  }

  done(text: string): DuplicateQuery {
    return { text, parameters: this.parameters };
  }
}
