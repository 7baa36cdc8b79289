import type { CrmName } from '../../crm/crm.js';
import type { RawLog } from '../../rawlog/raw-log.js';
import type { BatchedMessage } from '../../store/queries/comparison.js';
import type { LikelyCause } from './types.js';

const ANY_CRM: Readonly<Record<LikelyCause, string>> = {
  connection_gone:
    'the CRM no longer has the instance, inbox or number that this connection matched before; if that is meant, save the comparison again with --map NAME=-',
  first_of_batch_only: 'the CRM reads only the first message of each webhook',
  media_without_storage: 'the CRM has no media message at all: its file storage is off or fails',
  lid_split: 'the CRM has a second contact, known by a LID, for the same person',
  filed_under_another_contact: 'the CRM stored the message under the contact of another person',
};

/** Known CRM bugs that cause this, from sources and issue trackers, with affected versions. */
const BUGS: Partial<Record<CrmName, Partial<Record<LikelyCause, string>>>> = {
  evolution: {
    first_of_batch_only: 'Evolution API up to 2.4.0 stores only the first message of each Cloud API webhook',
    media_without_storage:
      'Evolution API up to 2.4.0 stores media messages of the Cloud API only with its S3 storage on',
    filed_under_another_contact:
      'Evolution API 2.3.7 can file one of two simultaneous webhooks under the contact of the other',
  },
  chatwoot: {
    first_of_batch_only: 'Chatwoot of August 2025 and before reads only the first message of each webhook',
    lid_split: 'Evolution API and WAHA give Chatwoot a second contact, known by a LID (Evolution issue 2478)',
  },
  ticketz: {
    lid_split: 'ticketz takes a LID for a phone number, and makes a second contact (issues 451, 467)',
  },
  whaticket: {
    lid_split: 'whaticket takes a LID for a phone number, and makes a second contact (issues 441, 707)',
  },
};

/** Those of them that are in the code which reads webhooks of the Cloud API. */
const CLOUD_BUGS: Partial<Record<CrmName, ReadonlySet<LikelyCause>>> = {
  evolution: new Set<LikelyCause>([
    'first_of_batch_only',
    'media_without_storage',
    'filed_under_another_contact',
  ]),
};

/** Describes a likely cause: the CRM's own bug with its versions, if known for connections of this kind. */
export function causeWords(crm: CrmName, cause: LikelyCause, isCloudApi: boolean): string {
  const isElsewhere = !isCloudApi && CLOUD_BUGS[crm]?.has(cause) === true;
  return (isElsewhere ? undefined : BUGS[crm]?.[cause]) ?? ANY_CRM[cause];
}

/** A message in a Meta webhook body. WhatsApp Web events have their messages elsewhere. */
const IN_BODY = /entry\[\d+\]\.changes\[\d+\]\.value\.messages\[\d+\]$/;

/** The first one: all that a naive CRM reads. */
const FIRST = /entry\[0\]\.changes\[0\]\.value\.messages\[0\]$/;

/** The share of non-first messages that must be lost before this counts as the cause. */
const MOST_OF_IT = 0.9;

/**
 * The connections whose CRM reads only the first message of each webhook, and how many messages it lacks for that
 * reason: those after the first one of their raw entry, nearly all of which it lacks. Counts only entries that were
 * examined.
 */
export async function findFirstOnly(
  log: RawLog,
  messages: readonly BatchedMessage[],
  isCandidate: (message: BatchedMessage) => boolean,
): Promise<ReadonlyMap<string, number>> {
  const wanted = new Map<string, BatchedMessage>();
  const batches = new Set<string>();
  for (const message of messages.filter(isCandidate)) {
    wanted.set(`${message.batchId} ${message.externalId}`, message);
    batches.add(message.batchId);
  }
  const behind = new Map<string, { lost: number; all: number }>();
  if (batches.size === 0) return new Map();
  for await (const { entry, sections } of log.entries({ statuses: [], ids: [...batches] })) {
    for (const fact of sections.flatMap(({ section }) => section.facts)) {
      if (fact.kind !== 'message' || !IN_BODY.test(fact.path) || FIRST.test(fact.path)) continue;
      const message = wanted.get(`${entry.id} ${fact.externalId}`);
      if (message === undefined) continue;
      const count = behind.get(message.connectionId) ?? { lost: 0, all: 0 };
      behind.set(message.connectionId, count);
      count.all += 1;
      if (!message.isKept) count.lost += 1;
    }
  }
  return new Map(
    [...behind].flatMap(([connectionId, { lost, all }]) =>
      lost > 0 && lost >= all * MOST_OF_IT ? [[connectionId, lost]] : [],
    ),
  );
}
