import type { Sql } from '../store/sql.js';
import { readMessagesById } from '../store/tables/messages.js';
import { deriveMessages, rectifiedBy } from '../rawlog/derive-messages.js';
import type { RawLog } from '../rawlog/raw-log.js';
import { differencesOf } from './differences.js';
import type { ContestedItem, JudgedItem } from './outcome.js';

/** Outcomes with the contested ones settled, in the order in which they came. */
export async function recheckAll(
  sql: Sql,
  log: RawLog,
  judged: readonly (JudgedItem | ContestedItem)[],
): Promise<JudgedItem[]> {
  const contested = judged.filter(isContested);
  if (contested.length === 0) return judged.filter((one): one is JudgedItem => !isContested(one));
  const settled = new Map((await recheck(sql, log, contested)).map((one) => [one.item, one]));
  return judged.flatMap((one) => settled.get(one.item) ?? (isContested(one) ? [] : [one]));
}

export function isContested(judged: JudgedItem | ContestedItem): judged is ContestedItem {
  return judged.outcome.kind === 'contested';
}

/**
 * Settles contested items by everything that the log says about their messages: if it makes of a row what the row says,
 * another entry said so, and M2 had to choose; else the row was changed.
 */
export async function recheck(
  sql: Sql,
  log: RawLog,
  contested: readonly ContestedItem[],
): Promise<JudgedItem[]> {
  const ids = new Set(contested.map(({ outcome }) => outcome.row.id));
  const rows = await readMessagesById(sql, [...ids], { lock: false });
  const wrong = new Map<string, ReturnType<typeof differencesOf>>();
  for (const derived of await deriveMessages(sql, log, rows)) {
    const rectified = rectifiedBy(derived);
    if (rectified !== null) wrong.set(derived.row.id, differencesOf(rectified, derived.row));
  }
  return contested.map(({ item, outcome: { row } }): JudgedItem => {
    const differences = wrong.get(row.id);
    const asItIs = item.fact.kind === 'message' ? 'there' : 'applied';
    return {
      item,
      outcome: differences === undefined ? { kind: asItIs, row } : { kind: 'different', row, differences },
    };
  });
}
