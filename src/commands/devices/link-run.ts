import { UserError } from '../../model/errors.js';
import type { PairOutcome } from '../../whatsapp/pair-device.js';
import type { Applied } from '../../ingest/apply/apply-entries.js';
import type { Ended, RunEnd } from '../../ingest/runs/with-run.js';
import type { DeviceView, LinkResult } from './result.js';

/** What a `link` has done, once the device is linked and what the phone sent is applied. */
interface Linked {
  runId: string;
  connection: { id: string; name: string };
  pairing: Extract<PairOutcome, { kind: 'linked' }>;
  device: DeviceView;
  applied: Applied;
  interrupted: boolean;
}

/** The result of a `link`, and how its run is recorded. */
export function endedLink(done: Linked): Ended<LinkResult> {
  const { runId, connection, pairing, device, interrupted } = done;
  const { tally } = done.applied;
  const { announced, received } = pairing.progress;
  const isWhole = received >= announced && !tally.hasLoss();
  const status = interrupted ? 'interrupted' : isWhole ? 'completed' : 'partial';
  const { messages, leads, contacts } = tally;
  const counters = {
    announced,
    received,
    seen: messages.seen,
    created: messages.created,
    updated: messages.updated,
    unchanged: messages.unchanged,
    leads: leads.created,
  };
  return {
    result: {
      schemaVersion: 1,
      command: 'link',
      runId,
      status,
      connection: { id: connection.id, name: connection.name },
      device,
      wasLinked: pairing.wasLinked,
      sync: pairing.sync,
      chunks: { announced, received },
      messages,
      contacts: contacts.seen,
      leads,
      problems: tally.problems,
      problemCount: tally.problemCount,
    },
    end: {
      status,
      counters,
      verdict: `${status}: linked, ${messages.created} messages created`,
      logs: [{ connectionId: connection.id, messagesImported: messages.created, counters }],
      synced: [connection.id],
    },
  };
}

/** How the run is recorded when nothing was linked. */
export function failedLink(error: unknown): RunEnd {
  const code = error instanceof UserError ? error.code : 'bug';
  const status = code === 'interrupted' ? 'interrupted' : 'failed';
  return { status, counters: {}, verdict: `${status}: ${code}`, error: code };
}
