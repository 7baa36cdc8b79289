import type { RawLog } from '../../rawlog/raw-log.js';
import type { BatchedMessage } from '../../store/queries/comparison.js';

/** The first message of a webhook body: what a CRM reads that reads no further. */
const FIRST = /entry\[0\]\.changes\[0\]\.value\.messages\[0\]$/;

/** So much of what is looked at must fit before it is called the cause. */
const MOST_OF_IT = 0.9;

/**
 * The connections whose CRM reads only the first message of each webhook: what it lacks stands behind another item of its raw
 * entry, and what it has of entries with several messages stands first.
 */
export async function findFirstOnly(
  log: RawLog,
  messages: readonly BatchedMessage[],
  isCandidate: (message: BatchedMessage) => boolean,
): Promise<string[]> {
  const wanted = new Map<string, BatchedMessage>();
  const batches = new Set<string>();
  for (const message of messages.filter(isCandidate)) {
    wanted.set(`${message.batchId} ${message.externalId}`, message);
    batches.add(message.batchId);
  }
  const found = new Map<string, { fits: number; lost: number; all: number }>();
  if (batches.size === 0) return [];
  for await (const { entry, sections } of log.entries({ statuses: [], ids: [...batches] })) {
    for (const fact of sections.flatMap(({ section }) => section.facts)) {
      const message = fact.kind === 'message' ? wanted.get(`${entry.id} ${fact.externalId}`) : undefined;
      if (message === undefined) continue;
      const count = found.get(message.connectionId) ?? { fits: 0, lost: 0, all: 0 };
      found.set(message.connectionId, count);
      count.all += 1;
      if (!message.isKept) count.lost += 1;
      if (FIRST.test(fact.path) === message.isKept) count.fits += 1;
    }
  }
  return [...found]
    .filter(([, { fits, lost, all }]) => lost > 0 && fits >= all * MOST_OF_IT)
    .map(([connectionId]) => connectionId);
}
