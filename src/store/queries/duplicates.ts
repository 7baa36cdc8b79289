import type { IdentityKind } from '../../model/enumerations.js';
import { arrayLiteral, arraysOf } from '../array-literal.js';
import { uuid, text, list, named, type RowOf, columns, rowsOf, rowOf } from '../columns.js';
import { textOf, textOrNull, booleanOf, timeOf, integerOf } from '../row.js';
import type { Sql, SqlParameter, SqlRow } from '../sql.js';
import { earlierFirst } from '../tables/conversations.js';

/** Rows that may be one message: their contents decide it. */
export interface DuplicateGroup {
  /** The group's place in the order of its class: the next page begins after it. */
  key: readonly [string, string];
  connectionId: string;
  /** Ids of the rows; of a row without an id and its twin, the twin first. Alone, it has no twin. */
  ids: readonly string[];
  /** All of them are in one conversation, with exactly the same content. */
  alike: boolean;
}

/** Which rows to look at. */
export interface DuplicateScope {
  /** The only connection; null for all. */
  connectionId: string | null;
  /** Conversations to be read as if they were joined already, `from` -> `into`. */
  joined: ReadonlyMap<string, string>;
  /**
   * Of rows without an id, only those whose raw entry is in the log: this tool stored them under an id, and the log has given
   * that message back.
   */
  loggedOnly?: boolean;
}

/** A query whose rows {@link groupOf} reads, in the order of the groups' keys. */
export interface DuplicateQuery {
  text: string;
  parameters: SqlParameter[];
}

/** Where to continue: after this key, and for how many groups. */
export interface DuplicatePage {
  after: readonly [string, string] | null;
  limit: number;
}

/** A missing id: null, empty or white space, as other programs write it. */
function isBlankId(column: string): string {
  return `coalesce(btrim(${column}, E' \\t\\n\\x0b\\f\\r'), '') = ''`;
}

function hasId(column: string): string {
  return `btrim(${column}, E' \\t\\n\\x0b\\f\\r') <> ''`;
}

/** An equal `content` means the same type, text and media. JSON's null and an empty text equal SQL's null. */
function contentOf(row: string): string {
  return `(${row}.type, coalesce(${row}.body, ''), ${mediaOf(row)})`;
}

/** Whether a row's body only names its content (`labelRank` in src/rules/evidence.ts): the labels of two messages are equal. */
function isLabelled(row: string): string {
  return `coalesce((${row}.evidence >> 8) & 15 in (4, 12), false)`;
}

/** Whether `copy` says what `row` says; a copy may lack a label, which another program does not write. */
function saysTheSame(row: string, copy: string): string {
  return `(${contentOf(row)} = ${contentOf(copy)}
    or ${isLabelled(row)} and (${row}.type, '', ${mediaOf(row)}) = ${contentOf(copy)})`;
}

function mediaOf(row: string): string {
  return `coalesce(nullif(${row}.media, 'null'::jsonb), '{}')`;
}

/** Whether a row has neither text nor a file: then its raw_meta is its only content. Never null. */
function hasOnlyMeta(row: string): string {
  return `((coalesce(${row}.body, '') = '' or ${isLabelled(row)}) and ${mediaOf(row)} = '{}')`;
}

/** Two rows with raw_meta only that differ under one key: the contact cards of two people. src/commands/dedupe/candidate.ts decides. */
function isOtherMeta(a: string, b: string): string {
  const object = (row: string): string =>
    `case when jsonb_typeof(${row}.raw_meta) = 'object' then ${row}.raw_meta end`;
  return `(${hasOnlyMeta(a)} and exists (
    select from jsonb_each(${object(a)}) x join jsonb_each(${object(b)}) y on x.key = y.key where x.value <> y.value
  ))`;
}

/**
 * The key id of a row's message: WhatsApp Web's own id, or the one inside a wamid. Where another program left
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
 * Ids that several rows of one connection have, keyed by connection and id. One pass over the table counts ids; only duplicate
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
 * Rows of one conversation with one stanza id, of which some have a wamid and some WhatsApp Web's key id (M10), or an id that
 * another program made of either; keyed by conversation and stanza id. One pass over the table for each side, joined by hash,
 * and one that groups the rows by their stored stanza ids.
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
 * Rows without an id, each with the nearest identified row of the same conversation, direction, type, text and media within
 * `toleranceMs`, keyed by their own row id: one index look-up each. An edited or revoked message counts with its earlier contents, too.
 */
export function noIdGroups(scope: DuplicateScope, toleranceMs: number, page?: DuplicatePage): DuplicateQuery {
  const query = new Query();
  const conditions = [isBlankId('b.external_id'), ...query.onConnection('b.connection_id', scope)];
  if (page?.after != null) conditions.push(`b.id > ${query.add(page.after[1])}::uuid`);
  if (scope.loggedOnly === true) {
    // Fenced: a join left free reads webhook_log, bodies included.
    conditions.push('(select true from webhook_log w where w.id = b.batch_id limit 1)');
  }
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
          (${saysTheSame('t', 'n')} and not ${isOtherMeta('t', 'n')})
          or ((t.edited_at is not null or t.deleted_at is not null) and exists (
            select from message_revisions r where r.message_id = t.id and ${contentOf('r')} = ${contentOf('n')}
          ))
        )
      -- The nearest; of two, the older.
      order by greatest(t.timestamp, n.timestamp) - least(t.timestamp, n.timestamp), t.id limit 1
    ) t on true
    order by n.id`);
}

/** The conversations that become one thread with the row's own when all are joined. */
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

/** People that have one number, as a lead's phone or as a name of theirs, however it is spelled. */
export interface NumberGroup {
  organizationId: string;
  holders: { personId: string; phone: string }[];
}

/** Phones by what is left of them when the digits are dropped that rule I1 adds or takes away. A sieve: it may join too much. */
const NUMBER = `case
  when n.phone ~ '^\\+55[0-9]{2}9[0-9]{8}$' then substr(n.phone, 1, 5) || substr(n.phone, 7)
  when n.phone ~ '^\\+521[0-9]{10}$' then '+52' || substr(n.phone, 5)
  when n.phone ~ '^\\+549[0-9]{10}$' then '+54' || substr(n.phone, 5)
  else n.phone end`;

/**
 * Numbers that several people have; rows are read by {@link numberGroupOf}. One pass over leads and identities, whoever wrote
 * them: other programs know a lead by its phone_number alone.
 */
export const NUMBER_GROUPS = `
  with named as not materialized (
    select n.organization_id, n.person_id, n.phone, ${NUMBER} as number
    from (
      select organization_id, id as person_id, phone_number as phone from leads where phone_number is not null
      union all
      select organization_id, person_id, value from lead_identities where kind = 'phone'
      union all
      select organization_id, person_id, '+' || value from lead_identities
      where kind = 'wa_id' and value ~ '^[0-9]{8,15}$'
    ) n
  )
  select shared.organization_id, string_agg(distinct named.person_id::text || ' ' || named.phone, ',') as holders
  from (
    select organization_id, number from named
    group by organization_id, number having min(person_id::text) <> max(person_id::text)
  ) shared
  join named on named.organization_id = shared.organization_id and named.number = shared.number
  group by shared.organization_id, shared.number
  order by shared.organization_id, shared.number`;

export function numberGroupOf(row: SqlRow): NumberGroup {
  return {
    organizationId: textOf(row, 'organization_id'),
    holders: textOf(row, 'holders')
      .split(',')
      .map((holder) => {
        const [personId = '', phone = ''] = holder.split(' ');
        return { personId, phone };
      }),
  };
}

const NAME_WITHOUT_PHONE = columns({
  leadId: named('id', uuid),
  organizationId: uuid,
  value: text,
});

/** A name of a lead of which no phone is known. */
export type NameWithoutPhone = RowOf<typeof NAME_WITHOUT_PHONE>;

/** Names of the next leads without any phone, in the order of the leads' ids; empty when there is no more. */
export async function readNamesWithoutPhone(
  sql: Sql,
  afterLead: string | null,
  leads: number,
): Promise<NameWithoutPhone[]> {
  const rows = await sql.query(
    `select l.id, l.organization_id, i.value
     from (
       select id, organization_id from leads
       where phone_number is null and id > coalesce($1::uuid, '00000000-0000-0000-0000-000000000000')
         and exists (select from lead_identities n where n.person_id = leads.id)
         and not exists (select from lead_identities n where n.person_id = leads.id and n.kind = 'phone')
       order by id limit $2::int
     ) l
     cross join lateral (select value from lead_identities where person_id = l.id offset 0) i
     order by l.id`,
    [afterLead, leads],
  );
  return rowsOf(NAME_WITHOUT_PHONE, rows);
}

/** A name whose holder is looked for. */
export interface WantedName {
  organizationId: string;
  kind: IdentityKind;
  value: string;
}

/** Who has these names: `place` counts the names from one. A phone may be a lead's phone_number only. */
export async function readHolders(
  sql: Sql,
  names: readonly WantedName[],
): Promise<{ place: number; personId: string }[]> {
  if (names.length === 0) return [];
  const rows = await sql.query(
    `with wanted as (
       select * from unnest($1::uuid[], $2::text[], $3::text[]) with ordinality as w (organization_id, kind, value, place)
     )
     select w.place::int as place, i.person_id from wanted w
     cross join lateral (
       select person_id from lead_identities
       where organization_id = w.organization_id and kind = w.kind and value = w.value limit 1
     ) i
     union
     -- Not fenced: where the index on phones is missing, one pass over the leads has to answer for all.
     select w.place::int, l.id from wanted w
     join leads l on l.organization_id = w.organization_id and l.phone_number = w.value
     where w.kind = 'phone'`,
    arraysOf(names, 'organizationId', 'kind', 'value'),
  );
  return rows.map((row) => ({ place: integerOf(row, 'place'), personId: textOf(row, 'person_id') }));
}

/** Which of these people are leads, and since when. */
export async function readLeadAges(
  sql: Sql,
  personIds: readonly string[],
): Promise<{ id: string; firstSeenAt: number }[]> {
  const rows = await sql.query(
    `select l.id, l.first_seen_at from unnest($1::uuid[]) as x (id)
     cross join lateral (select id, first_seen_at from leads where id = x.id limit 1) l`,
    [arrayLiteral(personIds)],
  );
  return rows.map((row) => ({ id: textOf(row, 'id'), firstSeenAt: timeOf(row, 'first_seen_at') }));
}

const LEAD_THREAD = columns({
  id: uuid,
  leadId: uuid,
  connectionId: uuid,
});

/** A conversation of a lead that is to be merged. */
export type LeadThread = RowOf<typeof LEAD_THREAD>;

/** The conversations of leads, the earlier ones of each lead first. */
export async function readThreads(sql: Sql, leadIds: readonly string[]): Promise<LeadThread[]> {
  if (leadIds.length === 0) return [];
  const rows = await sql.query(
    `select c.id, c.lead_id, c.connection_id from conversations c where c.lead_id = any($1::uuid[])
     order by c.lead_id, ${earlierFirst('c')}`,
    [arrayLiteral(leadIds)],
  );
  return rowsOf(LEAD_THREAD, rows);
}

const THREAD_GROUP = columns({
  leadId: uuid,
  connectionId: uuid,
  ids: list(' '),
});

/** Conversations that are one: several of a lead on one connection, the earlier first. */
export type ThreadGroup = RowOf<typeof THREAD_GROUP>;

/** Rows are read by {@link threadGroupOf}. Keyed by connection and lead; one pass over the conversations. */
export function threadGroups(connectionId: string | null): { text: string; parameters: (string | null)[] } {
  return {
    text: `
      select c.lead_id, c.connection_id, string_agg(c.id::text, ' ' order by ${earlierFirst('c')}) as ids
      from conversations c where $1::uuid is null or c.connection_id = $1::uuid
      group by c.lead_id, c.connection_id having count(*) > 1
      order by c.connection_id, c.lead_id`,
    parameters: [connectionId],
  };
}

export function threadGroupOf(row: SqlRow): ThreadGroup {
  return rowOf(THREAD_GROUP, row);
}

/** How many messages each of these conversations has. */
export async function countThreadMessages(sql: Sql, ids: readonly string[]): Promise<Map<string, number>> {
  const rows = await sql.query(
    `select x.id, count(m.one)::int as messages from unnest($1::uuid[]) as x (id)
     left join lateral (select 1 as one from messages where conversation_id = x.id offset 0) m on true
     group by x.id`,
    [arrayLiteral(ids)],
  );
  return new Map(rows.map((row) => [textOf(row, 'id'), integerOf(row, 'messages')]));
}
