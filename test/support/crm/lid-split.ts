import type { Random } from '../../bench/random.js';
import type { DayMessage, Person } from './day.js';
import type { ExpectedMessage, FillOptions, Ledger } from './expectation.js';

/** The digits of the LID that a CRM writes a message under instead of the phone, and what a comparison has to say of it. */
export interface Split {
  lid: string | undefined;
  said: Partial<Omit<ExpectedMessage, 'row'>>;
}

/**
 * Draws which messages are written under their person's LID. By the rules of identity that is the same person where the log
 * says whose the LID is, and a stranger where it does not.
 */
export function createSplitter(
  from: FillOptions & { random: Random; ledger: Ledger },
): (message: DayMessage) => Split {
  // Who has no contact under the phone yet is not split by one under the LID.
  const underPhone = new Set<Person>();
  return ({ person, group }) => {
    const maySplit = from.bugs.has('lid_split') && !group && underPhone.has(person);
    if (maySplit && person.lid !== undefined && from.random.chance(0.4)) {
      from.ledger.split(person.phone);
      const { digits, told } = person.lid;
      return { lid: digits, said: { cause: 'lid_split', ...(told ? {} : { class: 'other_contact' }) } };
    }
    if (!group) underPhone.add(person);
    return { lid: undefined, said: {} };
  };
}
