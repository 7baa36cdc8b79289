import { MESSAGES_SQL } from '../tables/expected-messages.js';
import { REMOVED_BODIES } from '../tables/webhook-log.js';
import type { ComputedColumn, RowSelection } from './read-rows.js';
import type { TableShape } from './tables.js';

/** Some connections, and what belongs to them. */
export interface DumpScope {
  organizationIds: readonly string[];
  connectionIds: readonly string[];
  phoneNumberIds: readonly string[];
  /** All people of the organizations, not only those whom the connections know. */
  wholeOrganizations: boolean;
  /** Whether the tables are of a version that removes raw bodies. */
  removesBodies: boolean;
}

/**
 * Which rows of a table belong to some connections: closed under foreign keys and under the raw log, so that what is restored
 * proves itself. Throws for a table without a rule: a new table has to be thought about.
 */
export function selectionOf(table: TableShape, scope: DumpScope): RowSelection {
  const rule = RULES[table.name];
  if (rule === undefined) throw new Error(`no rule says which rows of ${table.name} belong to a connection`);
  const columns =
    table.name !== 'webhook_log'
      ? []
      : [countersWithElsewhere(scope), ...(scope.removesBodies ? [expectedMessages(scope)] : [])];
  return { condition: rule(scope), columns };
}

/** A condition: the row `t` of leads belongs to some connections. */
export function peopleOf(scope: Omit<DumpScope, 'removesBodies'>): string {
  const { wholeOrganizations, organizationIds } = scope;
  return wholeOrganizations
    ? `t.organization_id = any(${uuids(organizationIds)})`
    : `t.id in ${people({ ...scope, removesBodies: false })}`;
}

/** Whether a rule exists; a test asks it of every table. */
export function hasRule(table: string): boolean {
  return Object.hasOwn(RULES, table);
}

type Rule = (scope: DumpScope) => string;

const uuids = (ids: readonly string[]): string => `'{${ids.join(',')}}'::uuid[]`;
const texts = (values: readonly string[]): string =>
  `array[${values.map((value) => `'${value.replaceAll("'", "''")}'`).join(',')}]::text[]`;

const ofConnection: Rule = ({ connectionIds }) => `t.connection_id = any(${uuids(connectionIds)})`;

const messages: Rule = ({ connectionIds }) => `connection_id = any(${uuids(connectionIds)})`;

/** Raw entries: of the connection by their scope or number, and those that a row of it names. */
const entries: Rule = (scope) =>
  `(select id from webhook_log
      where connection_scope = any(${uuids(scope.connectionIds)}) or phone_number_ids && ${texts(scope.phoneNumberIds)}
    union select batch_id from messages where ${messages(scope)}
    union select webhook_log_id from history_chunks where ${messages(scope)}
    union select webhook_log_id from pending_facts where ${messages(scope)}
    union select webhook_log_id from rejects where ${messages(scope)})`;

/** People: with a conversation on the connection, in its sync logs, or named by an entry of it. */
const people: Rule = (scope) =>
  `(select lead_id from conversations where ${messages(scope)}
    union select lead_id from sync_logs where ${messages(scope)} and lead_id is not null
    union select person_id from lead_identities
      where organization_id = any(${uuids(scope.organizationIds)})
        and value in (select unnest(chat_ids) from webhook_log where id in ${entries(scope)}))`;

const rejected: Rule = (scope) =>
  `webhook_log_id in ${entries(scope)} and (connection_id is null or ${messages(scope)})`;

/** Runs that a row of the rest names, and the runs that started or were resumed by those. */
const runs: Rule = (scope) =>
  `(with recursive named (id) as (
      select run_id from sync_logs where ${messages(scope)}
      union select run_id from messages where ${messages(scope)}
      union select run_id from webhook_log where id in ${entries(scope)}
      ${scope.removesBodies ? `union select body_run_id from webhook_log where id in ${entries(scope)}` : ''}
      union select run_id from rejects where ${rejected(scope)}
      union select other.id from named join sync_runs r on r.id = named.id
        cross join lateral (values (r.parent_run_id), (r.resumed_run_id)) as other (id)
    ) select id from named)`;

const inConversation: Rule = (scope) =>
  `t.conversation_id in (select id from conversations where ${messages(scope)})`;

/** What is about the whole database, or mixes connections: the copy does without. */
const left: Rule = () => 'false';

const all: Rule = () => 'true';

/** What an entry says of connections that stay behind waits for nothing in the copy: the entry keeps which ones. */
function countersWithElsewhere(scope: DumpScope): ComputedColumn {
  return {
    column: 'counters',
    join: `left join lateral (
        select jsonb_agg(distinct n.number) as numbers from unnest(t.phone_number_ids) as n (number)
        where cardinality(t.phone_number_ids) > 1 and n.number <> all(${texts(scope.phoneNumberIds)})
          and exists (select from connections c where c.phone_number_id = n.number)
      ) behind_numbers on true`,
    value: `case when behind_numbers.numbers is null then t.counters
      else case when jsonb_typeof(t.counters) = 'object' then t.counters else '{}' end || jsonb_build_object('elsewhere', behind_numbers.numbers) end`,
  };
}

/** One body may hold messages of several connections: of an entry without it, those of the others are not expected in the copy. */
function expectedMessages(scope: DumpScope): ComputedColumn {
  return {
    column: 'body_messages',
    join: `left join (
        select batch_id, ${MESSAGES_SQL}::int as messages from messages m
        where not (${messages(scope)}) and batch_id in (select id from webhook_log where body_messages > 0)
        group by batch_id
      ) behind on behind.batch_id = t.id`,
    // Nothing stays nothing.
    value: 't.body_messages - least(t.body_messages, coalesce(behind.messages, 0))',
  };
}

const RULES: Readonly<Record<string, Rule>> = {
  // Every database has the organization `default`.
  organizations: ({ organizationIds }) => `t.id = any(${uuids(organizationIds)}) or t.slug = 'default'`,
  connections: ({ connectionIds }) => `t.id = any(${uuids(connectionIds)})`,
  leads: peopleOf,
  lead_identities: (scope) =>
    scope.wholeOrganizations
      ? `t.organization_id = any(${uuids(scope.organizationIds)})`
      : `t.person_id in ${people(scope)}`,
  conversations: ofConnection,
  messages: ofConnection,
  message_revisions: (scope) => `t.message_id in (select id from messages where ${messages(scope)})`,
  message_reactions: ofConnection,
  pending_facts: ofConnection,
  tickets: inConversation,
  webhook_log: (scope) => `t.id in ${entries(scope)}`,
  history_chunks: ofConnection,
  sync_runs: (scope) => `t.id in ${runs(scope)}`,
  sync_logs: ofConnection,
  rejects: (scope) =>
    `t.webhook_log_id in ${entries(scope)} and (t.connection_id is null or ${ofConnection(scope)})`,
  linked_devices: ofConnection,
  linked_device_keys: ofConnection,
  alert_acks: ofConnection,
  owed_files: ofConnection,
  history_gaps: ofConnection,
  graph_credentials: ofConnection,
  history_requests: ofConnection,
  media_files: ofConnection,
  // They name nobody, and keep people out of the copy as well.
  erasures: all,
  erased_identities: all,
  erasure_keys: all,
  // Of these people; copies of several connections are not theirs.
  access_log: (scope) => `t.lead_id in ${people(scope)}`,
  // What `undo` needs is of whole runs, and runs are of all connections. How many bodies a run removed says no more than that.
  change_journal: (scope) =>
    scope.removesBodies
      ? `t.table_name = '${REMOVED_BODIES}' and t.run_id in (
      select body_run_id from webhook_log where id in ${entries(scope)} and body_state is not null)`
      : 'false',
  discarded_bodies: left,
  saved_comparisons: left,
  proven_blocks: left,
};
