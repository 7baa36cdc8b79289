import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import type { Context } from '../../context.js';
import {
  CHAT_EXPORT_ID,
  type ChatWitness,
  type LineContent,
  type WitnessedContent,
} from '../../model/chat-line.js';
import type { RawEntry } from '../../model/raw-entry.js';
import type { ChatAlignment, LostLine } from '../../rules/align-chat.js';
import { precisionOf, type ChatPrecision } from '../../rules/chat-clock.js';
import type { ChatLine, StoredMessage } from '../../rules/chat-content.js';
import { messageOfLine } from '../../rules/chat-witness.js';
import type { ContactLead } from '../contacts/resolve-contact.js';
import { replayAdopted } from '../replay/replay-adopted.js';
import type { Told } from './compare-chat.js';
import type { AdoptChatResult, LeftUnadopted } from './types.js';

/** A word repeated every minute for hours could be any of this many messages. */
const MOST_ALIKE = 200;

/** A line that the database certainly lacks, with the lines that might be the same message. */
interface WitnessedLine {
  line: ChatLine;
  witness: ChatWitness;
  externalId: string;
}

/**
 * Stores the messages that only the phone has: each line becomes a raw entry, with an id made from the contact, the
 * time, the direction and the text, ranked below every source of WhatsApp's own (M11). Leaves out a line if its send
 * time is uncertain, or if it is unclear which of several is missing. Opens no ticket.
 */
export async function adoptChat(
  ctx: Context,
  told: Told,
  { dryRun }: { dryRun: boolean },
): Promise<AdoptChatResult> {
  const { lines, leftOut } = linesToAdopt(told);
  const total: AdoptChatResult = { dryRun, entries: lines.length, created: 0, leftOut, runs: [] };
  if (lines.length === 0 || ctx.signal.aborted) return total;
  const { connectionId, connectionName } = told.conversation;
  const result = await replayAdopted(ctx, {
    crm: 'chat-export',
    connection: { id: connectionId, name: connectionName },
    entries: entriesOf(told, lines),
    dryRun,
  });
  return { ...total, created: result.messages.created, runs: [result.runId] };
}

function linesToAdopt(told: Told): { lines: WitnessedLine[]; leftOut: AdoptChatResult['leftOut'] } {
  const { result, read, lead, stored } = told;
  const alike = new AlikeLines(told.lines, result, precisionOf(read.chat));
  const rivals = stored.messages.filter(({ id }) => !told.stored.madeUp.has(id));
  const leftOut: Partial<Record<LeftUnadopted, number>> = {};
  const lines = result.lost.flatMap((lost): WitnessedLine[] => {
    const adoptable = adoptableLine(lost, alike, rivals);
    if (typeof adoptable !== 'string')
      return [{ line: lost.line, witness: adoptable, externalId: idOf(lead, adoptable) }];
    leftOut[adoptable] = (leftOut[adoptable] ?? 0) + 1;
    return [];
  });
  return { lines, leftOut };
}

function adoptableLine(
  { line, or }: LostLine,
  alike: AlikeLines,
  rivals: readonly StoredMessage[],
): ChatWitness | LeftUnadopted {
  if (or.length > 0) return 'which_line';
  const witness = alike.witnessOf(line);
  if (typeof witness === 'string') return witness;
  return messageOfLine(witness, rivals) === undefined ? witness : 'which_line';
}

/** The lines of a chat that might be the same message, found by their content. */
class AlikeLines {
  private readonly said: readonly { line: ChatLine; content: WitnessedContent }[];

  constructor(
    lines: readonly ChatLine[],
    private readonly alignment: ChatAlignment,
    private readonly precision: ChatPrecision,
  ) {
    this.said = lines
      .flatMap((line) => {
        const content = witnessed(line.content);
        return content === undefined ? [] : [{ line, content }];
      })
      .sort((a, b) => a.line.at - b.line.at || a.line.line - b.line.line);
  }

  witnessOf(line: ChatLine): ChatWitness | LeftUnadopted {
    const own = this.said.findIndex((one) => one.line === line);
    if (own === -1) return 'which_line';
    const group = this.groupOf(own);
    if (group === undefined) return 'which_line';
    const lines: { at: number; content: WitnessedContent }[] = [];
    for (const { line: other, content } of group) {
      const [offset, second] = this.alignment.clock.offsetsAt(other.at);
      if (offset === undefined || second !== undefined) return 'time';
      lines.push({ at: other.at - offset, content });
    }
    const index = group.findIndex((one) => one.line === line);
    return { direction: line.direction, ...this.precision, lines, index };
  }

  /**
   * Runs of identical lines so close in time that one message could be any of them; undefined if there are too many.
   */
  private groupOf(own: number): { line: ChatLine; content: WitnessedContent }[] | undefined {
    const start = this.said[own];
    if (start === undefined) return undefined;
    const group = new Set([start]);
    for (const one of group) {
      for (const other of this.near(one.line)) {
        if (other.line.direction === one.line.direction && mayShowOne(one.content, other.content))
          group.add(other);
        if (group.size > MOST_ALIKE) return undefined;
      }
    }
    return [...group].sort((a, b) => a.line.at - b.line.at || a.line.line - b.line.line);
  }

  private *near({ at }: ChatLine): Generator<{ line: ChatLine; content: WitnessedContent }> {
    const reach = 2 * this.precision.tolerance;
    let [low, high] = [0, this.said.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.said[middle]?.line.at ?? 0) < at - reach) low = middle + 1;
      else high = middle;
    }
    for (let index = low; index < this.said.length; index++) {
      const one = this.said[index];
      if (one === undefined || one.line.at > at + reach) return;
      yield one;
    }
  }
}

function witnessed(content: LineContent): WitnessedContent | undefined {
  return content.kind === 'deleted' || content.kind === 'notice' ? undefined : content;
}

/** Whether one message could be shown by both. */
function mayShowOne(a: WitnessedContent, b: WitnessedContent): boolean {
  if (a.kind === 'media' && b.kind === 'media') {
    const [mine, theirs] = [a.types, b.types];
    return mine === 'any' || theirs === 'any' || mine.some((type) => theirs.includes(type));
  }
  if (a.kind === 'media') return b.kind !== 'media' && (a.caption === null || a.caption === b.key);
  if (b.kind === 'media') return b.caption === null || b.caption === a.key;
  return a.key === b.key || (a.kind === 'location' && b.kind === 'location');
}

/** Stable for a line of a chat, whoever exports it and when: the line number is not part of it. */
function idOf(lead: ContactLead, { direction, lines, index }: ChatWitness): string {
  const said = lines.map(({ at, content }) => JSON.stringify([at, content]));
  const own = said[index];
  const ordinal = said.slice(0, index).filter((one) => one === own).length;
  const digest = createHash('sha256').update(JSON.stringify([nameOf(lead), direction, own, ordinal]));
  return `${CHAT_EXPORT_ID}${digest.digest('hex').slice(0, 32)}`;
}

/** One name is enough, and does not claim that two names belong to one person. */
function nameOf({ phone, identities, leadId }: ContactLead): string {
  const [first] = identities.map(({ value }) => value).sort();
  return phone ?? first ?? leadId;
}

/** The form that src/decode/exports/chat-line.ts reads. */
async function* entriesOf(
  { read, lead, items }: Told,
  lines: readonly WitnessedLine[],
): AsyncGenerator<RawEntry, void, undefined> {
  for (const { line, witness, externalId } of lines) {
    const item = items.get(line.line);
    if (item === undefined) continue;
    const { content } = line;
    const fileName = content.kind === 'media' ? content.fileName : null;
    const at = witness.lines[witness.index]?.at;
    yield await Promise.resolve({
      bytes: Buffer.from(
        JSON.stringify({
          chat_export: {
            external_id: externalId,
            people: [nameOf(lead)],
            type: typeOf(content),
            ...(item.text === '' ? {} : { body: item.text }),
            ...(fileName === null ? {} : { file_name: fileName }),
            ...(item.isEdited ? { is_edited: true } : {}),
            witness,
          },
          line: {
            sender: item.sender,
            local_time: new Date(line.at).toISOString().slice(0, read.chat.hasSeconds ? 19 : 16),
            file: item.media?.fileName ?? null,
          },
        }),
      ),
      origin: { kind: 'crm', crm: 'chat-export', rowId: `${basename(read.path)}:${line.line}` },
      ...(at === undefined ? {} : { receivedAt: at }),
    });
  }
}

function typeOf(content: LineContent): string {
  if (content.kind !== 'media') return content.kind === 'location' ? 'location' : 'text';
  return content.types === 'any' ? 'media_placeholder' : (content.types[0] ?? 'media_placeholder');
}
