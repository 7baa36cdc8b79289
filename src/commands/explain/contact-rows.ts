import { judgeRowsOfLead, type WrongRow } from '../../audit/derived-rows.js';
import { isBeingErased } from '../../rawlog/claim-verdict.js';
import { unfoundedOf } from '../../audit/claims.js';
import { ItemJudge } from '../../audit/item-judge.js';
import { entryRefOf, standingOf } from '../../audit/outcome.js';
import { Window } from '../../audit/window.js';
import { OwnNumbers } from '../../ingest/batch/own-number.js';
import { isMisfiled } from '../../ingest/batch/prepare-entry.js';
import type { DecodedEntry } from '../../rawlog/raw-log.js';
import { countTwins } from '../../audit/differences.js';
import { amount } from '../../model/amount.js';
import type { Claim } from '../../store/checks/messages.js';
import {
  readContactFaults,
  readNamesakes,
  readOtherClaims,
  type ContactFaults,
} from '../../store/queries/contact-faults.js';
import type { Investigation } from './investigation.js';
import { finding, listed } from './findings.js';
import { isFault, type ItemVerdict } from './item-verdicts.js';
import type { Finding } from './result.js';

/** A contact's rows, held against what `verify` demands of them. */
export interface ContactRows {
  faults: ContactFaults;
  /** Second rows of messages under their other id (M10). */
  twins: number;
  /** Messages whose raw entry does not hold them. */
  unfounded: number;
  /** Ids of messages that only a body with a bad signature holds. */
  forged: string[];
  /** Whether one of those duplicates a message under its own id. */
  isCopy: boolean;
  /** External ids of its messages that their entries hold, of another contact. */
  strangers: string[];
  /** Ids of the entries of its messages that are found by something else than their bodies say. */
  misfiled: string[];
  /** What is derived of the contact, and wrong. */
  derived: WrongRow[];
}

/** Rows that no item which was read explains; of more, the newest are judged. */
const MOST_CLAIMS = 500;

/**
 * Judges the rows of a lead that no item of the raw log leads to: a row may be there that the log never had, and the entry that a row
 * names may be gone.
 */
export async function judgeContactRows(
  inv: Investigation,
  leadId: string,
  verdicts: readonly ItemVerdict[],
): Promise<ContactRows> {
  const known = verdicts.flatMap(({ row, holder }) => [row?.id ?? [], holder?.id ?? []].flat());
  const [faults, namesakes, derived, claims] = await Promise.all([
    readContactFaults(inv.sql, leadId),
    readNamesakes(inv.sql, leadId),
    judgeRowsOfLead(inv.sql, leadId),
    readOtherClaims(inv.sql, leadId, [...new Set(known)], MOST_CLAIMS + 1),
  ]);
  if (claims.length > MOST_CLAIMS)
    inv.cutOff(
      `Only the newest ${amount(MOST_CLAIMS, 'message')} that no entry read explains were held against theirs.`,
    );
  const { goneEntry, goneRun } = faults;
  if (goneEntry !== null) await inv.adviseSource({ id: goneEntry, runId: goneRun, origin: null });
  const twins = countTwins(namesakes);
  return { faults, twins, derived, ...(await judgeClaims(inv, claims.slice(0, MOST_CLAIMS))) };
}

async function judgeClaims(
  inv: Investigation,
  claims: readonly Claim[],
): Promise<Pick<ContactRows, 'unfounded' | 'forged' | 'isCopy' | 'strangers' | 'misfiled'>> {
  let unfounded = 0;
  let isCopy = false;
  const forged: string[] = [];
  const strangers = new Set<string>();
  const misfiled: string[] = [];
  if (claims.length === 0) return { unfounded, forged, isCopy, strangers: [], misfiled };
  const judge = new ItemJudge(inv.sql);
  const ids = [...new Set(claims.map(({ batchId }) => batchId))];
  for await (const decoded of inv.log.entries({ statuses: [], ids })) {
    if (isMisfiled(decoded.entry, decoded.filing())) misfiled.push(decoded.entry.id);
    const own = claims.filter(({ batchId }) => batchId === decoded.entry.id);
    for (const externalId of await findStrangers(decoded, own, judge)) strangers.add(externalId);
    for (const claim of own) {
      if (isBeingErased(decoded, claim, inv.log)) inv.isErasing = true;
      const found = await unfoundedOf(inv.sql, decoded, claim, inv.log);
      if (found === null) continue;
      if (found.why === 'refused') {
        forged.push(claim.externalId);
        continue;
      }
      unfounded += 1;
      isCopy ||= found.isCopy;
    }
  }
  return { unfounded, forged, isCopy, strangers: [...strangers], misfiled };
}

/** Those of an entry's rows that are of another contact, by the entry. */
async function findStrangers(
  { entry, sections }: DecodedEntry,
  rows: readonly Claim[],
  judge: ItemJudge,
): Promise<string[]> {
  const window = new Window();
  const names = new Set(rows.flatMap(({ externalId, stanzaId }) => [externalId, stanzaId ?? externalId]));
  const own = new OwnNumbers();
  for (const { section, ...owner } of sections) {
    for (const said of section.facts) {
      const isNamed =
        said.kind === 'message' && [said.externalId, said.stanzaId ?? ''].some((id) => names.has(id));
      const standing = isNamed ? standingOf(said, owner, own) : null;
      if (standing?.kind === 'judged')
        window.add({
          fact: standing.fact,
          connection: standing.connection,
          entry: entryRefOf(entry),
          field: section.field,
        });
    }
  }
  if (window.size === 0) return [];
  const ids = new Set(rows.map(({ id }) => id));
  return (await judge.judge(window)).flatMap(({ outcome }) =>
    (outcome.kind === 'elsewhere' || outcome.kind === 'leadless') && ids.has(outcome.row.id)
      ? [outcome.row.externalId]
      : [],
  );
}

/** What is wrong with the rows, each in a few words and as a finding; advises what sets it right. */
export function concludeContactRows(
  inv: Investigation,
  { rows, verdicts }: { rows: ContactRows | null; verdicts: readonly ItemVerdict[] },
): (readonly [words: string, finding: Finding])[] {
  if (rows === null) return [];
  const { faults, twins, unfounded, forged, isCopy, strangers, derived } = rows;
  const said: (readonly [string, Finding])[] = [];
  const say = (
    outcome: Finding['outcome'],
    number: number,
    reason: string | null,
    one: string,
    many: string,
  ): void => {
    if (number > 0)
      said.push([amount(number, one, many), finding(outcome, number, reason, number === 1 ? one : many)]);
  };
  say(
    'gone',
    faults.gone,
    null,
    'message names a raw entry that is gone',
    'messages name raw entries that are gone',
  );
  say('different', faults.withoutId, 'no_id', 'message has no id', 'messages have no id');
  if (faults.withoutId > 0) inv.remedy({ do: 'reconcile' });
  say(
    'different',
    unfounded,
    'unfounded',
    'message is not in the raw entry that it names',
    'messages are not in the raw entries that they name',
  );
  if (unfounded > 0) inv.remedy({ do: isCopy ? 'dedupe' : 'unlink' });
  say(
    'different',
    forged.length,
    'bad_signature',
    'message is from a raw entry with a bad signature',
    'messages are from raw entries with a bad signature',
  );
  for (const subject of forged.slice(0, 1))
    inv.remedy({ do: 'explain', subject, why: 'a message from a raw entry with a bad signature' });
  say(
    'different',
    strangers.length,
    'in_another_conversation',
    'message is of another contact by the raw log',
    'messages are of other contacts by the raw log',
  );
  if (strangers.length > 0) inv.remedy({ do: 'replay_all' });
  for (const subject of strangers.slice(0, 1))
    inv.remedy({ do: 'explain', subject, why: 'a message that is of another contact' });
  say('different', twins, 'doubled', 'message is a duplicate', 'messages are duplicates');
  say(
    'different',
    faults.strayTickets,
    'derived',
    'ticket belongs to another lead than its conversation',
    'tickets belong to another lead than their conversation',
  );
  say(
    'different',
    faults.nameless,
    'derived',
    'lead has none of the names that the raw log gives',
    'leads have none of the names that the raw log gives',
  );
  if (faults.strayTickets > 0) inv.remedy({ do: 'enforce' });
  if (faults.nameless > 0) inv.remedy({ do: 'replay_all' });
  const extra = twins + faults.extraConversations + faults.extraTickets;
  say(
    'different',
    faults.extraConversations,
    'doubled',
    'conversation is a duplicate',
    'conversations are duplicates',
  );
  say(
    'different',
    faults.extraTickets,
    'doubled',
    'open ticket is a duplicate',
    'open tickets are duplicates',
  );
  if (extra > 0) inv.remedy({ do: 'dedupe' });
  // The messages that a replay restores change what is derived: it is judged once nothing else is wrong.
  if (said.length > 0 || verdicts.some(isFault) || derived.length === 0) return said;
  inv.remedy({ do: 'enforce' });
  return derived.map(({ table, what }) => [
    `the ${table} differs from what the raw log gives (${listed(what)})`,
    finding('different', 1, 'derived', 'derived row differs from the raw log'),
  ]);
}
