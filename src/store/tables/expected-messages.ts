import { arrayLiteral, arraysOf } from '../array-literal.js';
import { textOf } from '../row.js';
import type { Sql, SqlParameter } from '../sql.js';

/** The second name by which a row is known in its conversation (M10): another row with it is the same message. */
const keyOf = (row: string): string => `coalesce(${row}.stanza_id, ${row}.external_id)`;

const HAS_ID = `where btrim(m.external_id) <> ''`;

/**
 * How many messages an entry without its body keeps (`body_messages`): nothing else tells that one of them is gone. Every statement that
 * writes messages goes through this file, in its own transaction, so that the number follows what this tool does, and only that.
 * It counts messages, not rows `m`: those of one id are one, and so are those of one key id in a conversation. Two messages of an entry
 * are never one by either.
 */
export const MESSAGES_SQL = `least(count(distinct (m.connection_id, m.external_id)) filter (${HAS_ID}),
  count(distinct (m.conversation_id, ${keyOf('m')})) filter (${HAS_ID}))`;

/** An entry that nobody can read again. */
const HAS_NO_BODY = `w.body_state in ('pruned', 'erased')`;

/**
 * Messages that this tool takes out are no longer expected of entries whose bodies are gone, unless another row of the entry is the
 * same one. `sql` gives the ids of the rows; `parameters` are its own. Before they are deleted.
 */
export async function releaseMessages(
  tx: Sql,
  sql: string,
  parameters: readonly SqlParameter[],
): Promise<void> {
  await shift(tx, '-', sql, parameters);
}

/** The same for rows that this tool has put in, or has moved to other entries: they are expected from now on. */
export async function expectMessages(
  tx: Sql,
  sql: string,
  parameters: readonly SqlParameter[],
): Promise<void> {
  await shift(tx, '+', sql, parameters);
}

/** Runs `work`, which gives rows other entries: each entry expects what names it afterwards. */
export async function movingMessages<T>(tx: Sql, ids: readonly string[], work: () => Promise<T>): Promise<T> {
  const rows = [arrayLiteral(ids)];
  await releaseMessages(tx, 'select unnest($1::uuid[])', rows);
  const result = await work();
  await expectMessages(tx, 'select unnest($1::uuid[])', rows);
  return result;
}

async function shift(
  tx: Sql,
  sign: '+' | '-',
  sql: string,
  parameters: readonly SqlParameter[],
): Promise<void> {
  // Asked first: as a rule there is none, and without the index of M1 the look for other rows reads all messages.
  const found = await tx.query(
    `select m.id from messages m
     where m.id in (${sql})
       and exists (select from webhook_log w where w.id = m.batch_id and ${HAS_NO_BODY} offset 0)`,
    parameters,
  );
  if (found.length === 0) return;
  await tx.execute(
    `update webhook_log w set body_messages = greatest(0, coalesce(w.body_messages, 0) ${sign} due.messages)
     from (
       select m.batch_id, ${MESSAGES_SQL} as messages from messages m
       where m.id = any($1::uuid[]) and not exists (
         select from messages other
         where other.connection_id = m.connection_id and other.external_id = m.external_id
           and other.batch_id = m.batch_id and other.id <> all($1::uuid[])
       ) and not exists (
         select from messages other
         where other.conversation_id = m.conversation_id and ${keyOf('other')} = ${keyOf('m')}
           and other.batch_id = m.batch_id and other.id <> all($1::uuid[])
       )
       group by m.batch_id offset 0
     ) due
     where w.id = due.batch_id and ${HAS_NO_BODY}`,
    [arrayLiteral(found.map((row) => textOf(row, 'id')))],
  );
}

/** An entry that was applied again from its bytes, and how many messages name it now. */
export interface AppliedAgain {
  id: string;
  messages: number;
}

/**
 * After entries without a body came again from outside. Of one that was applied as a whole, the number is what names it: a message that
 * another entry has brought back meanwhile is not missed. Of one that was applied in part (`grown`) it only rises: what was not looked
 * at may be missing.
 */
export async function settleExpected(
  tx: Sql,
  whole: readonly AppliedAgain[],
  grown: readonly string[],
): Promise<void> {
  if (whole.length > 0) {
    await tx.execute(
      `update webhook_log w set body_messages = due.messages
       from (
         select k.id, k.messages from unnest($1::uuid[], $2::int[]) as k (id, messages)
         cross join lateral (
           select from webhook_log w
           where w.id = k.id and ${HAS_NO_BODY} and w.body_messages is distinct from k.messages offset 0
         ) found
       ) due
       where w.id = due.id`,
      arraysOf(whole, 'id', 'messages'),
    );
  }
  if (grown.length === 0) return;
  await tx.execute(
    `update webhook_log w set body_messages = greatest(coalesce(w.body_messages, 0), due.messages)
     from (
       select m.batch_id, ${MESSAGES_SQL} as messages from messages m
       where m.batch_id = any($1::uuid[]) group by m.batch_id offset 0
     ) due
     where w.id = due.batch_id and ${HAS_NO_BODY}`,
    [arrayLiteral(grown)],
  );
}
