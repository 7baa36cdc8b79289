import { canonicalPhone, phoneEquivalents } from '../../identity/phone.js';
import { NUMBER_GROUPS, numberGroupOf, type NumberGroup } from '../../store/queries/duplicates.js';
import type { Sql } from '../../store/sql.js';
import { streamRows } from '../../store/columns.js';
import { groupBy } from '../../rules/group-by.js';
import type { PersonLink } from './person-groups.js';

/** People that have one number (I1): the same, or spelled with and without the ninth digit, as 521/52, as 549/54. */
export async function* linksByNumber(sql: Sql): AsyncGenerator<PersonLink> {
  for await (const rows of streamRows(sql, NUMBER_GROUPS)) {
    for (const row of rows) yield* linksOfGroup(numberGroupOf(row));
  }
}

/** The database sieves; which numbers are one is decided here. */
function* linksOfGroup({ organizationId, holders }: NumberGroup): Generator<PersonLink> {
  const byPhone = groupBy(
    holders.flatMap((holder) => {
      const canonical = canonicalPhone(holder.phone);
      return canonical === undefined ? [] : [{ ...holder, canonical }];
    }),
    (holder) => holder.canonical,
  );
  for (const [phone, group] of byPhone) {
    const [first, ...others] = group;
    if (first === undefined) continue;
    for (const other of others) yield { organizationId, ...pair(first, other) };
    for (const equivalent of phoneEquivalents(phone)) {
      const [same] = byPhone.get(equivalent) ?? [];
      if (same !== undefined) yield { organizationId, ...pair(first, same) };
    }
  }
}

type Holder = NumberGroup['holders'][number];

function pair(one: Holder, other: Holder): Pick<PersonLink, 'one' | 'other' | 'why'> {
  const why =
    one.phone === other.phone
      ? `both have the number ${one.phone}`
      : `${one.phone} and ${other.phone} are one number`;
  return { one: one.personId, other: other.personId, why };
}
