import { phoneEquivalents } from '../../identity/phone.js';
import { retractOwnNumber } from '../../store/changes/own-number.js';
import type { ConnectionDirectory, Lesson } from '../batch/connection-directory.js';
import type { BatchWork } from './work.js';

/**
 * Rule I4 for numbers that became known late: what was stored about a connection's own number meanwhile is taken back. Asked
 * when a number becomes known, and once per run when an item is skipped for it: another run, or a person, may have told it.
 */
export async function retractOwnNumbers(
  work: BatchWork,
  directory: ConnectionDirectory,
  lessons: readonly Lesson[],
): Promise<void> {
  const news = new Set(lessons.filter(({ number }) => number).map(({ row }) => row));
  const met = [...work.withOwnNumber].filter((connection) => directory.mayHoldOwnNumber(connection));
  for (const connection of new Set([...news, ...met])) {
    const own = work.ownNumbers.of(connection);
    if (own === null) continue;
    work.requeued += await retractOwnNumber(work.tx, work.settings.runId, {
      connectionId: connection.id,
      organizationId: connection.organizationId,
      phoneNumberId: connection.phoneNumberId,
      phones: [own, ...phoneEquivalents(own)],
      isNew: news.has(connection),
    });
    work.withoutOwnNumber.add(connection);
  }
}
