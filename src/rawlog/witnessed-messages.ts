import type { Witness } from '../model/chat-line.js';
import { textKey } from '../rules/chat-content.js';
import { keyIdOf } from '../rules/message-state.js';
import { windowOfWitness, type Rival } from '../rules/chat-witness.js';
import { groupBy } from '../rules/group-by.js';
import { readEarlierTexts, readWitnessedMessages } from '../store/queries/chat-messages.js';
import type { Sql } from '../store/sql.js';

/** What is known of a message without an id of its own, and whose chat it is in. */
export interface WitnessedPlace {
  connectionId: string;
  leadId: string;
  witness: Witness;
}

/** The stored messages that may take the places of such ones (M11, M12), by {@link personKey}. */
export async function readRivals(sql: Sql, places: readonly WitnessedPlace[]): Promise<Map<string, Rival[]>> {
  const rows = await readWitnessedMessages(
    sql,
    places.map(({ connectionId, leadId, witness }) => ({
      connectionId,
      leadId,
      ...windowOfWitness(witness),
    })),
  );
  const amended = rows.filter(({ editedAt, deletedAt }) => editedAt !== null || deletedAt !== null);
  const earlier = groupBy(
    await readEarlierTexts(
      sql,
      amended.map(({ id }) => id),
    ),
    ({ messageId }) => messageId,
  );
  const rivals = new Map<string, Rival[]>();
  for (const [place, own] of groupBy(rows, personKey)) {
    rivals.set(
      place,
      own.map(({ externalId, stanzaId, id, timestamp, direction, type, body, fileName, deletedAt }) => ({
        id,
        keyId: externalId === null ? null : keyIdOf({ externalId, stanzaId }),
        at: timestamp,
        direction,
        type,
        texts: textsOf([body, ...(earlier.get(id) ?? []).map((one) => one.body)]),
        fileName,
        isRevoked: deletedAt !== null,
      })),
    );
  }
  return rivals;
}

/** What a message says now and said before, as keys. */
export function textsOf(bodies: readonly (string | null | undefined)[]): string[] {
  return bodies.flatMap((body) =>
    body === null || body === undefined || body === '' ? [] : [textKey(body)],
  );
}

export function personKey({ connectionId, leadId }: { connectionId: string; leadId: string }): string {
  return `${connectionId} ${leadId}`;
}
