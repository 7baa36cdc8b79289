import { arrayLiteral } from '../array-literal.js';
import {
  bigint,
  boolean,
  columns,
  insertRows,
  orNull,
  rowsOf,
  text,
  time,
  uuid,
  type RowOf,
} from '../columns.js';
import type { Sql, SqlParameter } from '../sql.js';

const ACCESS = {
  id: uuid,
  at: time,
  command: text,
  osUser: text,
  host: text,
  /** Who it was for, as the command was told. */
  actor: orNull(text),
  /** Null for content that belongs to no lead. */
  leadId: orNull(uuid),
  messages: bigint,
};

const COLUMNS = columns(ACCESS);

/** A person's messages, shown to somebody. Times are ms since 1970. */
export type AccessRow = RowOf<typeof COLUMNS>;

export const ACCESS_LOG = 'access_log';

/** Who looked, when and how. */
type AccessBy = Omit<AccessRow, 'id' | 'leadId' | 'messages'>;

/** The command whose copy holds everybody. */
export const COPYING = 'backup';
/** The commands that show items which were rejected: they are filed under no lead, and may be of any. */
export const SHOW_REJECTED = ['report', 'replay', 'reconcile'] as const;

/** SQL: an access `a` that names no lead because it is one to any of them. */
const IS_TO_EVERYBODY = `a.lead_id is null and a.command in (${[COPYING, ...SHOW_REJECTED].map((name) => `'${name}'`).join(', ')})`;

/** Records accesses in one statement: all or none. */
export async function insertAccess(sql: Sql, rows: readonly AccessRow[]): Promise<void> {
  await insertRows(sql, ACCESS_LOG, COLUMNS, rows);
}

/** Whose messages, where all of somebody's choice are shown; null is any. Times are ms since 1970, half-open. */
export interface AccessScope {
  organizationId: string | null;
  connectionId: string | null;
  from: number | null;
  to: number | null;
}

/** Records a copy of everything: one row without a lead. */
export async function insertAccessToCopy(
  sql: Sql,
  { at, command, osUser, host, actor }: AccessBy,
): Promise<void> {
  await sql.execute(
    `insert into access_log (id, at, command, os_user, host, actor, lead_id, messages)
     select gen_random_uuid(), $1::timestamptz, $2, $3, $4, $5, null, count(*) from messages`,
    [new Date(at), command, osUser, host, actor],
  );
}

/** Part of everything: some connections, and the people who go with them. */
export interface CopiedPart {
  connectionIds: readonly string[];
  /** A condition: the row `t` of leads is in the part. */
  people: string;
}

/** Records, in one statement, a copy of a part, to each of its people: one of whom it has no message is in it by name. */
export async function insertAccessToPart(
  sql: Sql,
  { at, command, osUser, host, actor }: AccessBy,
  { connectionIds, people }: CopiedPart,
): Promise<void> {
  await sql.execute(
    `insert into access_log (id, at, command, os_user, host, actor, lead_id, messages)
     select gen_random_uuid(), $1::timestamptz, $2, $3, $4, $5, t.id, coalesce(written.messages, 0)
     from leads t left join (
       select m.lead_id, count(*) as messages from messages m
       where m.connection_id = any($6::uuid[]) group by m.lead_id
     ) written on written.lead_id = t.id
     where ${people}`,
    [new Date(at), command, osUser, host, actor, arrayLiteral(connectionIds)],
  );
}

/** Records, in one statement, an access to every lead with messages in the scope. */
export async function insertAccessToAll(
  sql: Sql,
  { at, command, osUser, host, actor }: AccessBy,
  { organizationId, connectionId, from, to }: AccessScope,
): Promise<void> {
  const moment = (ms: number | null): SqlParameter => (ms === null ? null : new Date(ms));
  await sql.execute(
    `insert into access_log (id, at, command, os_user, host, actor, lead_id, messages)
     select gen_random_uuid(), $1::timestamptz, $2, $3, $4, $5, m.lead_id, count(*)
     from messages m join connections c on c.id = m.connection_id
     where ($6::uuid is null or c.organization_id = $6::uuid) and ($7::uuid is null or m.connection_id = $7::uuid)
       and ($8::timestamptz is null or m.timestamp >= $8::timestamptz)
       and ($9::timestamptz is null or m.timestamp < $9::timestamptz)
     group by m.lead_id`,
    [new Date(at), command, osUser, host, actor, organizationId, connectionId, moment(from), moment(to)],
  );
}

const SHOWN = columns({ ...ACCESS, leadName: orNull(text), leadPhone: orNull(text), isToEverybody: boolean });

/** An access with the lead as it is called now; both null where it is gone. */
export type ShownAccess = RowOf<typeof SHOWN>;

/** Accesses, newest first. Null is any; `leadIds`: to one of these, or to everybody. */
export async function readAccess(
  sql: Sql,
  {
    leadIds,
    since,
    until,
    command,
    limit,
  }: {
    leadIds: readonly string[] | null;
    since: number | null;
    until: number | null;
    command: string | null;
    limit: number;
  },
): Promise<ShownAccess[]> {
  const moment = (ms: number | null): SqlParameter => (ms === null ? null : new Date(ms));
  const rows = await sql.query(
    `select a.*, l.push_name as lead_name, l.phone_number as lead_phone, ${IS_TO_EVERYBODY} as is_to_everybody
     from access_log a left join leads l on l.id = a.lead_id
     where ($1::uuid[] is null or a.lead_id = any($1::uuid[]) or ${IS_TO_EVERYBODY})
       and ($2::timestamptz is null or a.at >= $2::timestamptz) and ($3::timestamptz is null or a.at < $3::timestamptz)
       and ($4::text is null or a.command = $4::text)
     order by a.at desc, a.id desc limit $5::integer`,
    [leadIds === null ? null : arrayLiteral(leadIds), moment(since), moment(until), command, limit],
  );
  return rowsOf(SHOWN, rows);
}
