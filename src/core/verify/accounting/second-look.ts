import type { Direction } from '../../../model/enumerations.js';
import type { MessageRow } from '../../../store/messages.js';
import { readIdentitiesOfPersons } from '../../../store/persons.js';
import type { Sql } from '../../../store/sql.js';
import { absorbState, stateOfFact, type MessageState } from '../../plan/message-state.js';
import type { StoredLog } from './stored-log.js';

/** So many messages get a second look; of a database in which more is wrong, the first look is right. */
const LOOKS = 100;

/**
 * What all entries together say about one message. Needed where one entry contradicts the row with evidence that is just as
 * good: either the row was changed, or another entry says so too, and M2 had to choose.
 */
export class SecondLook {
  private looks = 0;

  constructor(
    private readonly sql: Sql,
    private readonly log: StoredLog,
  ) {}

  /** The direction by the whole log; null where it was not asked any more. */
  async directionOf(row: MessageRow): Promise<Direction | null> {
    this.looks += 1;
    if (this.looks > LOOKS) return null;
    const identities = await readIdentitiesOfPersons(this.sql, [row.leadId]);
    let state: MessageState | null = null;
    for await (const { sections } of this.log.entriesAbout(identities.map(({ value }) => value))) {
      for (const { section, connection } of sections) {
        if (connection?.id !== row.connectionId) continue;
        for (const fact of section.facts) {
          if (fact.kind !== 'message' || fact.externalId !== row.externalId) continue;
          const said = stateOfFact(fact, { ...row, runId: '' });
          if (state === null) state = said;
          else absorbState(state, said);
        }
      }
    }
    return state?.direction ?? null;
  }
}
