import { boolean, columns, streamRowsOf, text, uuid, type RowOf } from '../columns.js';
import type { Sql } from '../sql.js';
import { inScope, scopeParameters, sinceScope, type Scope } from './scope.js';

const OWN_NUMBER_CHAT = columns({
  connectionId: uuid,
  conversationId: uuid,
  number: text,
  /** By a person: beside such a number nothing is learned from entries. */
  isEntered: boolean,
});

/** A conversation of the raw log with a number that its connection has as its own (I4). */
export type OwnNumberChat = RowOf<typeof OWN_NUMBER_CHAT>;

/** A look-up by phone for each number of a connection. */
export function streamOwnNumberChats(
  tx: Sql,
  scope: Scope,
): AsyncGenerator<OwnNumberChat[], void, undefined> {
  return streamRowsOf(
    tx,
    OWN_NUMBER_CHAT,
    `select v.connection_id, v.id as conversation_id, own.number, own.is_entered
     from connections n
     cross join lateral (
       select distinct number, cardinality(n.numbers) = 0 as is_entered
       from unnest(n.numbers || n.display_phone_number) as known (number) where number is not null
     ) own
     cross join lateral (
       select id from leads where organization_id = n.organization_id and phone_number = own.number
       union
       select person_id from lead_identities
       where organization_id = n.organization_id and kind = 'phone' and value = own.number
     ) p
     join conversations v on v.lead_id = p.id and v.connection_id = n.id
     where ${inScope('v.connection_id')} and ${sinceScope('v.last_message_at')}
       and exists (select from messages m where m.conversation_id = v.id and m.batch_id is not null)
     order by v.id`,
    scopeParameters(scope),
  );
}
