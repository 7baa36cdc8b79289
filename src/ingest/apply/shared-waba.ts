import type { Fact } from '../../model/facts.js';
import { messageIdOfFact, whoIsNamed } from '../../rules/fact-traits.js';
import { nodesOf } from '../../rules/identity-evidence.js';
import { retractMisfiled, type Misfiled } from '../../store/changes/shared-waba.js';
import type { Batch, PreparedEntry, PreparedSection } from '../batch/batch.js';
import type { ConnectionDirectory } from '../batch/connection-directory.js';
import { namesOnlyItsWaba } from '../batch/connection-resolver.js';
import type { KnownState } from './collect-items.js';
import type { BatchWork } from './work.js';

/**
 * Looks up again the connections of sections that name only their WABA: since the batch was read, the WABA may have a
 * second number, and it is then unknown which of the two they are about (H1).
 */
export function resolveAgain(directory: ConnectionDirectory, batch: Batch): void {
  for (const { entry } of batch.slices) {
    for (const prepared of unnumbered(entry)) {
      if (prepared.pending !== null) continue;
      const hint = prepared.section.connection;
      Object.assign(prepared, directory.resolve(hint, entry.provider, entry.toldConnectionId));
    }
  }
}

/** Connections from which {@link retractSharedWabas} may have to remove something. */
export function holdersOf(directory: ConnectionDirectory, { section, connection }: PreparedSection) {
  const { connection: hint } = section;
  if (section.eventOnly || !namesOnlyItsWaba(hint)) return [];
  return directory.ofWaba(hint.wabaId).filter(({ id }) => id !== connection?.id);
}

/**
 * Removes what entries stored under their WABA's only number, before it had a second one. They come here once, because
 * they become due again as soon as that is known.
 */
export async function retractSharedWabas(
  work: BatchWork,
  directory: ConnectionDirectory,
  batch: Batch,
  known: ReadonlyMap<string, KnownState>,
): Promise<void> {
  for (const { entry, isFirst } of batch.slices) {
    const state = known.get(entry.key);
    if (!isFirst || state?.isRequeued !== true) continue;
    for (const prepared of unnumbered(entry)) {
      if (prepared.pending === 'other_connection') continue;
      const misfiled = misfiledBy(state.id, prepared.section.facts);
      for (const holder of holdersOf(directory, prepared)) {
        const isKnown = prepared.connection !== null;
        work.requeued += await retractMisfiled(work.tx, work.settings.runId, holder, misfiled, { isKnown });
      }
    }
  }
}

function unnumbered({ provider, sections }: PreparedEntry): PreparedSection[] {
  if (provider !== 'meta') return [];
  return sections.filter(({ section }) => !section.eventOnly && namesOnlyItsWaba(section.connection));
}

function misfiledBy(entryId: string, facts: readonly Fact[]): Misfiled {
  const live = facts.flatMap((fact) =>
    fact.kind === 'message'
      ? fact.timestamp
      : fact.kind === 'status' || fact.kind === 'reaction'
        ? fact.at
        : [],
  );
  return {
    entryIds: [entryId],
    names: facts.flatMap(whoIsNamed).flatMap((who) => nodesOf(who).map(({ value }) => value)),
    messageIds: facts.flatMap((fact) => messageIdOfFact(fact) ?? []),
    isAboutHistory: facts.some(({ kind }) => kind === 'history_state' || kind === 'history_chunk'),
    lastLiveAt: live.length === 0 ? null : live.reduce((a, b) => Math.max(a, b)),
  };
}
