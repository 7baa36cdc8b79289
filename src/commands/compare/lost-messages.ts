import type { Dialect } from '../../crm/crm.js';
import { cardsIn, placeIn } from '../../crm/repair/contents.js';
import type { LostMessage } from '../../crm/repair/repair.js';
import { isChatExportId, isMadeUpId } from '../../model/chat-line.js';
import type { Sql } from '../../store/sql.js';
import {
  nameLeads,
  streamLostContents,
  type ComparisonScope,
  type LostContent,
} from '../../store/queries/comparison.js';
import { whyNotKept } from './judge.js';
import type { ConnectionRecord } from '../../store/tables/connections.js';
import type { ConnectionMatch } from './match-connections.js';
import type { LeftOutReason, RepairSink, RepairSummary } from './types.js';

export interface LostFrom {
  dialect: Dialect;
  matches: readonly ConnectionMatch[];
  gone: readonly ConnectionRecord[];
  scope: ComparisonScope;
  contactNames: readonly string[];
  isCloudApi: (connectionId: string) => boolean;
  /** Ms since 1970. */
  now: number;
}

/** Passes every lost message that can be restored to the sink, oldest first. */
export async function giveLostMessages(tx: Sql, from: LostFrom, sink: RepairSink): Promise<RepairSummary> {
  await nameLeads(tx);
  const keys = new Map<string, string>();
  for (const { connection, crm } of from.matches) {
    if (!keys.has(connection.id)) keys.set(connection.id, crm.key);
  }
  // The CRM has no key for these any more.
  const gone = new Map(from.gone.map(({ id, name }) => [id, name]));
  const summary: RepairSummary = { messages: 0, leftOut: {}, asText: {} };
  const leaveOut = (reason: LeftOutReason): void => {
    summary.leftOut[reason] = (summary.leftOut[reason] ?? 0) + 1;
  };
  for await (const page of streamLostContents(tx, from.scope)) {
    for (const content of page) {
      const { connectionId, messageExternalId: externalId } = content;
      const isGone = gone.has(connectionId);
      const of = { isCloudApi: from.isCloudApi(connectionId), isGone };
      if (whyNotKept(content, from.dialect, of) !== null) continue;
      if (isGone && sink.needsInstance) leaveOut('no_instance');
      // A row under a made-up id would be a double once the CRM gets the message itself.
      else if (externalId === null || isChatExportId(externalId)) leaveOut('no_id');
      else if (isMadeUpId(externalId)) leaveOut('cut_id');
      else if (content.mayBeThere) leaveOut('row_without_id');
      else if (from.now - content.timestamp < sink.minimumAgeMs) leaveOut('recent');
      else {
        const lost = lostMessage(
          content,
          externalId,
          keys.get(connectionId) ?? gone.get(connectionId) ?? '',
          from.contactNames,
        );
        if (lost.contact === null && lost.phone === null && lost.lid === null && lost.waId === null)
          leaveOut('no_contact');
        else {
          summary.messages += 1;
          if (sink.isStoredAsText(lost)) summary.asText[lost.type] = (summary.asText[lost.type] ?? 0) + 1;
          await sink.lost(lost);
        }
      }
    }
  }
  return summary;
}

function lostMessage(
  content: LostContent,
  externalId: string,
  connection: string,
  contactNames: readonly string[],
): LostMessage {
  const { stanzaId, phone, lid, waId, name, mimeType, fileName, status, quotedId } = content;
  // Its file and words are gone: what WhatsApp shows in its place is a text.
  const isGone = content.isRevoked && content.messageBody === null;
  const type = isGone ? 'text' : content.messageType;
  return {
    connection,
    externalId,
    stanzaId,
    contact: content.contact === null ? null : (contactNames[content.contact] ?? null),
    phone,
    lid,
    waId,
    name,
    direction: content.messageDirection,
    type,
    body: isGone ? REVOKED : content.messageBody,
    mediaId: isGone ? null : content.mediaId,
    mimeType,
    fileName,
    place: type === 'location' ? placeIn(content.rawMeta) : null,
    cards: type === 'contacts' ? cardsIn(content.rawMeta) : null,
    at: content.timestamp,
    status,
    quotedId,
  };
}

const REVOKED = 'This message was deleted';
