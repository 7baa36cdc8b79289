import { columns, orNull, uuid, text, type RowOf, streamRowsOf } from '../columns.js';
import type { Sql } from '../sql.js';
import { NO_SCOPE } from '../tables/webhook-log.js';
import { MISUSED_PHONES } from './misused-phones.js';
import { inScope, scopeParameters, sinceScope, type Scope } from './scope.js';
import { misplacedTickets } from './ticket-homes.js';

const BROKEN_RELATION = columns({
  connectionId: orNull(uuid),
  subject: text,
  /** One sentence without its subject. */
  detail: text,
});

/** A row that is inconsistent with another one. */
type BrokenRelation = RowOf<typeof BROKEN_RELATION> & {
  /** A replay of the raw log fixes it. */
  isInLog: boolean;
  /** `verify --enforce` fixes it. */
  isDerived: boolean;
};

/** A relation between two tables that holds in a sound database, with or without foreign keys. */
interface Relation {
  /** Returns connection_id, subject and detail of the violating rows. Takes the parameters of a scope. */
  query: string;
  /** Rows without a connection: skipped with `--connection`. */
  isGlobal?: boolean;
  /** A replay of the raw log fixes it. */
  isInLog?: boolean;
  /** `verify --enforce` fixes it. */
  isDerived?: boolean;
}

/** A lead that the raw log names comes back under its id, as long as its names are known. */
const ONLY_LEAD_IS_GONE = `c.id is not null and l.id is null
  and exists (select from lead_identities i where i.person_id = v.lead_id)
  and exists (select from messages m where m.conversation_id = v.id and m.batch_id is not null)`;

/**
 * Checked row by row although foreign keys forbid most of it: a dump restored with triggers disabled bypasses the
 * constraints and leaves them marked as checked.
 */
const RELATIONS: readonly Relation[] = [
  {
    query: `select m.connection_id, coalesce(m.external_id, 'row ' || m.id) as subject,
         case when c.id is null then 'is in the conversation ' || m.conversation_id || ', which does not exist'
              when c.connection_id <> m.connection_id then 'is in a conversation of another connection, ' || c.id
              else 'is in a conversation of another lead, ' || c.id end as detail
       from messages m left join conversations c on c.id = m.conversation_id
       where ${inScope('m.connection_id')} and ${sinceScope('m.timestamp')}
         and (c.id is null or c.connection_id <> m.connection_id or c.lead_id <> m.lead_id)`,
  },
  {
    query: `select v.connection_id, 'conversation ' || v.id as subject,
         case when c.id is null then 'is on the connection ' || v.connection_id || ', which does not exist'
              when l.id is null then 'is with the lead ' || v.lead_id || ', who does not exist'
              else 'is with a lead of another organization, ' || l.id end as detail
       from conversations v
       left join connections c on c.id = v.connection_id
       left join leads l on l.id = v.lead_id
       where ${inScope('v.connection_id')} and ${sinceScope('v.last_message_at')}
         and (c.id is null or l.id is null or l.organization_id <> c.organization_id)
         and not (${ONLY_LEAD_IS_GONE})`,
  },
  {
    query: `select v.connection_id, 'conversation ' || v.id as subject,
         'is with the lead ' || v.lead_id || ', who does not exist' as detail
       from conversations v
       left join connections c on c.id = v.connection_id
       left join leads l on l.id = v.lead_id
       where ${inScope('v.connection_id')} and ${sinceScope('v.last_message_at')} and ${ONLY_LEAD_IS_GONE}`,
    isInLog: true,
  },
  {
    query: `select null::uuid as connection_id, i.kind || ' ' || i.value as subject,
         case when l.id is null then 'names the lead ' || i.lead_id || ', who does not exist'
              when l.organization_id <> i.organization_id then 'names a lead of another organization, ' || l.id
              else 'names a lead other than its person, ' || i.person_id end as detail
       from lead_identities i left join leads l on l.id = i.lead_id
       where i.lead_id is not null and $1::uuid[] is null and ${sinceScope('i.first_seen_at')}
         and (l.id is null or l.organization_id <> i.organization_id or i.person_id <> i.lead_id)`,
    isGlobal: true,
  },
  {
    // The next message of a person without names creates a second lead.
    query: `select null::uuid as connection_id, 'lead ' || l.id as subject,
         'has no phone number, but ' || (
           select min(i.value) from lead_identities i where i.lead_id = l.id and i.kind = 'phone'
         ) || ' is a name of this lead' as detail
       from leads l
       where l.phone_number is null and $1::uuid[] is null and ${sinceScope('l.first_seen_at')}
         and exists (select from lead_identities i where i.lead_id = l.id and i.kind = 'phone')
       union all
       select null, 'lead ' || l.id, 'has messages of the raw log, but none of the names that it gives'
       from leads l
       where $1::uuid[] is null and ${sinceScope('l.first_seen_at')}
         and not exists (select from lead_identities i where i.lead_id = l.id)
         and exists (select from messages m where m.lead_id = l.id and m.batch_id is not null)`,
    isGlobal: true,
    isInLog: true,
  },
  {
    // Nobody else is called by a phone: a lookup by it would find two people.
    query: `select null::uuid as connection_id, i.kind || ' ' || i.value as subject,
         'names the lead ' || i.person_id || ', and is the phone of another one, ' || phone.person_id as detail
       from (${MISUSED_PHONES}) i
       join lead_identities phone on (phone.organization_id, phone.kind, phone.value) = (i.organization_id, 'phone', i.value)
       where $1::uuid[] is null and ${sinceScope('i.first_seen_at')}`,
    isGlobal: true,
    isDerived: true,
  },
  {
    query: `select owned.connection_id, owned.subject, 'belongs to the organization ' || owned.organization_id || ', which does not exist' as detail
       from (
         select null::uuid as connection_id, 'lead ' || id as subject, organization_id from leads where ${sinceScope('first_seen_at')}
         union all
         select id, 'connection ' || name, organization_id from connections
       ) owned
       where $1::uuid[] is null
         and not exists (select from organizations o where o.id = owned.organization_id)`,
    isGlobal: true,
  },
  {
    // A reaction without its message is a pending fact; a row of message_reactions claims that the message is there.
    query: `select r.connection_id, r.target_external_id as subject, 'has a reaction, but there is no such message' as detail
       from message_reactions r
       where ${inScope('r.connection_id')} and ${sinceScope('r.at')}
         and not exists (
           select from messages m where m.connection_id = r.connection_id and m.external_id = r.target_external_id
         )`,
    isInLog: true,
  },
  {
    query: `select null::uuid as connection_id, 'row ' || r.message_id as subject,
         'has an earlier version, but there is no such message' as detail
       from message_revisions r
       where $1::uuid[] is null and ${sinceScope('r.at')}
         and not exists (select from messages m where m.id = r.message_id)`,
    isGlobal: true,
  },
  {
    query: `select lost.connection_id, lost.subject, 'belongs to the connection ' || lost.connection_id || ', which does not exist' as detail
       from (
         select distinct connection_id, 'pending updates' as subject from pending_facts where ${sinceScope('at')}
         union all
         select distinct connection_id, 'history chunks' from history_chunks
         union all
         select distinct connection_id, 'linked device' from linked_devices
         union all
         select distinct connection_id, 'keys of a linked device' from linked_device_keys
         union all
         select distinct connection_id, 'outstanding history files' from owed_files
         union all
         select distinct connection_id, 'gaps in the history' from history_gaps
         union all
         select distinct connection_id, 'access token' from graph_credentials
         union all
         select distinct connection_id, 'requests of history' from history_requests
         union all
         select distinct connection_id, 'media files' from media_files
         union all
         select distinct connection_id, 'sync logs' from sync_logs where ${sinceScope('started_at')}
       ) lost
       where $1::uuid[] is null
         and not exists (select from connections c where c.id = lost.connection_id)`,
    isGlobal: true,
  },
  {
    // What the entry says, and the run that stored it, tell the connection.
    query: `select scope.id as connection_id, 'raw entries' as subject, 'belongs to the connection ' || scope.id || ', which does not exist' as detail
       from (
         select distinct connection_scope as id from webhook_log
         where connection_scope <> '${NO_SCOPE}' and ${sinceScope('coalesce(received_at, created_at)')}
       ) scope
       where $1::uuid[] is null and not exists (select from connections c where c.id = scope.id)`,
    isGlobal: true,
    isInLog: true,
  },
  {
    query: `select s.connection_id, 'sync log ' || s.id as subject,
         case when r.id is null then 'belongs to the run ' || s.run_id || ', which does not exist'
              else 'belongs to the lead ' || s.lead_id || ', who does not exist' end as detail
       from sync_logs s
       left join sync_runs r on r.id = s.run_id
       left join leads l on l.id = s.lead_id
       where ${inScope('s.connection_id')} and ${sinceScope('s.started_at')}
         and (r.id is null or (s.lead_id is not null and l.id is null))`,
  },
];

/** A ticket belongs to its conversation's lead, and its conversation holds the message that opened it. */
function ticketRelations(cameLive: string): readonly Relation[] {
  return [
    {
      query: `select away.connection_id, 'ticket ' || away.id as subject,
           case when away.from_lead_id is null
             then 'belongs to the conversation ' || away.from_conversation_id || ', which does not exist'
             when away.conversation_id = away.from_conversation_id
             then 'belongs to a lead other than its conversation, ' || away.conversation_id
             else 'belongs to the conversation ' || away.from_conversation_id || ', and the message that opened it to '
               || away.conversation_id end as detail
         from (${misplacedTickets(cameLive)}) away
         where ${inScope('away.connection_id')} and ${sinceScope('away.opened_at')}`,
      isDerived: true,
    },
    {
      query: `select v.connection_id, 'ticket ' || t.id as subject,
           case when v.id is null then 'belongs to the conversation ' || t.conversation_id || ', which does not exist'
                else 'belongs to a lead other than its conversation, ' || v.id end as detail
         from tickets t left join conversations v on v.id = t.conversation_id
         where ${inScope('v.connection_id')} and ${sinceScope('t.opened_at')}
           and (v.id is null or v.lead_id <> t.lead_id)
           and t.id not in (select away.id from (${misplacedTickets(cameLive)}) away)`,
    },
  ];
}

/** Every row that does not match the row it references, relation by relation. */
export async function* streamBrokenRelations(
  tx: Sql,
  scope: Scope,
  cameLive: string,
): AsyncGenerator<BrokenRelation[], void, undefined> {
  const all = [...RELATIONS, ...ticketRelations(cameLive)];
  for (const { query, isGlobal = false, isInLog = false, isDerived = false } of all) {
    if (isGlobal && scope.connectionIds !== null) continue;
    for await (const rows of streamRowsOf(tx, BROKEN_RELATION, query, scopeParameters(scope)))
      yield rows.map((row) => ({ ...row, isInLog, isDerived }));
  }
}
