import { HAS_NO_PHONE } from '../tables/leads.js';
import type { IdentityKind } from '../../model/enumerations.js';
import { arrayLiteral, arraysOf } from '../array-literal.js';
import { uuid, text, list, named, type RowOf, columns, rowsOf, rowOf } from '../columns.js';
import { textOf, timeOf, integerOf } from '../row.js';
import type { Sql, SqlRow } from '../sql.js';
import { earlierFirst } from '../tables/conversations.js';

/** People who share a number, as a lead's phone or as a name, in any spelling. */
export interface NumberGroup {
  organizationId: string;
  holders: { personId: string; phone: string }[];
}

/** Phones without the digits that rule I1 adds or removes. A prefilter: it may match too much. */
const NUMBER = `case
  when n.phone ~ '^\\+55[0-9]{2}9[0-9]{8}$' then substr(n.phone, 1, 5) || substr(n.phone, 7)
  when n.phone ~ '^\\+521[0-9]{10}$' then '+52' || substr(n.phone, 5)
  when n.phone ~ '^\\+549[0-9]{10}$' then '+54' || substr(n.phone, 5)
  else n.phone end`;

/**
 * Numbers shared by several people; rows are read by {@link numberGroupOf}. One pass over leads and identities, whoever
 * wrote them: other programs know a lead by its phone_number alone. Of a lead whose identities have phones, only those
 * count: a phone_number that another program changed does not make two people one.
 */
export const NUMBER_GROUPS = `
  with named as not materialized (
    select n.organization_id, n.person_id, n.phone, ${NUMBER} as number
    from (
      select l.organization_id, l.id as person_id, l.phone_number as phone from leads l
      where l.phone_number is not null and ${HAS_NO_PHONE}
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

/** A name of a lead without a known phone. */
export type NameWithoutPhone = RowOf<typeof NAME_WITHOUT_PHONE>;

/** Names of the next leads without any phone, in lead id order; empty at the end. */
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

/** A name to look up the holder of. */
export interface WantedName {
  organizationId: string;
  kind: IdentityKind;
  value: string;
}

/** Who has these names: `place` numbers the names from one. A phone may exist only as a lead's phone_number. */
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
     where w.kind = 'phone' and ${HAS_NO_PHONE}`,
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

/** A conversation of a lead to be merged. */
export type LeadThread = RowOf<typeof LEAD_THREAD>;

/** The conversations of leads, earlier ones of each lead first. */
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

/** Conversations that are one: several of a lead on one connection, earlier ones first. */
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
