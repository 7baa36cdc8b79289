import { RawLog } from '../rawlog/raw-log.js';
import type { EntryGroup } from '../store/queries/report.js';
import type { Sql } from '../store/sql.js';
import type { RejectGroup } from '../store/tables/rejects.js';

/** More entries than these are not read for what is only advice. */
const MOST_READ = 50;

/** What is recorded as broken or rejected. */
interface Recorded {
  entries: readonly EntryGroup[];
  rejects: readonly RejectGroup[];
}

/**
 * Marks the entries that alerts name and that are read without any fault now: a newer version knows them, or somebody changed
 * what is recorded of them. A replay of everything settles these, and there is nothing to explain.
 */
export async function markReadable(
  sql: Sql,
  { entries, rejects }: Recorded,
): Promise<{ entries: EntryGroup[]; rejects: RejectGroup[] }> {
  const named = [
    ...entries.flatMap(({ firstBroken }) => firstBroken?.id ?? []),
    ...rejects.map(({ webhookLogId }) => webhookLogId),
  ];
  const readable = await findReadable(sql, [...new Set(named)].slice(0, MOST_READ));
  return {
    entries: entries.map((group) =>
      group.firstBroken === null
        ? group
        : { ...group, firstBroken: { ...group.firstBroken, isReadable: readable.has(group.firstBroken.id) } },
    ),
    rejects: rejects.map((group) => ({
      ...group,
      // Whether an id is taken is not for the entry to say.
      isReadable: group.reason !== 'id_collision' && readable.has(group.webhookLogId),
    })),
  };
}

async function findReadable(sql: Sql, ids: readonly string[]): Promise<Set<string>> {
  const readable = new Set<string>();
  if (ids.length === 0) return readable;
  const log = await RawLog.open(sql);
  for await (const { entry, failure, unrecognized, refused, sections } of log.entries({
    statuses: [],
    ids,
  })) {
    const isSound = failure === null && unrecognized.length === 0 && refused.length === 0;
    const facts = sections.flatMap(({ section }) => section.facts);
    if (isSound && facts.length > 0 && facts.every(({ kind }) => kind !== 'rejected')) readable.add(entry.id);
  }
  return readable;
}
