import { basename } from 'node:path';
import type { ChatItem, ChatText } from '../../inputs/exports/chat-text.js';
import { precisionOf } from '../../rules/chat-clock.js';
import type { ChatLine } from '../../rules/chat-content.js';
import type { Told } from './compare-chat.js';
import type {
  AdoptChatResult,
  AmbiguousFinding,
  ChatFinding,
  CompareChatResult,
  ComparedItem,
  LostFinding,
} from './types.js';

/** Findings in the result; the item list has all. */
const MOST_LISTED = 100;
const EXCERPT = 60;
/** Message counts at which WhatsApp cuts an export: without files and with them. */
const CUT_AT = [40_000, 10_000];

export function describeResult(
  told: Told,
  {
    adopted,
    isInterrupted,
    database,
    durationMs,
  }: { adopted: AdoptChatResult | null; isInterrupted: boolean; database: string; durationMs: number },
): CompareChatResult {
  const { read, lead, conversation, unspoken, result, stored, options } = told;
  const { chat } = read;
  const { matched, lost, ambiguous, notices, onlyInDatabase, outside, clock, covered } = result;
  return {
    schemaVersion: 1,
    command: 'compare chat-export',
    // What was not compared proves nothing.
    status: isInterrupted ? 'interrupted' : matched.length + lost.length === 0 ? 'partial' : 'completed',
    database,
    file: basename(read.path),
    platform: chat.platform,
    contact: { leadId: lead.leadId, organization: lead.organization, name: lead.name, phone: lead.phone },
    connection: conversation.connectionName,
    lines: told.lines.length - notices.length,
    counts: {
      matched: matched.length,
      lost: lost.length,
      ambiguous: ambiguous.length,
      onlyInDatabase: onlyInDatabase.length,
    },
    lostBeforeFirstStored: lost.filter(
      ({ at }) => at !== null && (stored.first === null || at + precisionOf(chat).unit <= stored.first),
    ).length,
    systemLines: unspoken + notices.length,
    unreadableLines: chat.problems.length,
    outsideCoverage: outside,
    adopted,
    severity: lost.length > (adopted?.dryRun === false ? adopted.created : 0) ? 'loss' : null,
    clock: {
      source: clock.source,
      timeZone: clock.source === 'zone' ? (options.timeZone ?? null) : null,
      offsets: clock.spans.map(({ offset }) => offsetText(offset)),
      anchors: clock.anchors,
      agreeing: clock.agreeing,
    },
    coverage: {
      from: covered === null ? null : instant(covered.from),
      to: covered === null ? null : instant(covered.to),
    },
    exportMayBeCut: isCut(chat),
    firstStoredAt: stored.first === null ? null : instant(stored.first),
    lost: lost.slice(0, MOST_LISTED).map(({ line, at, or }): LostFinding => ({
      ...findingOf(told, line, at),
      orLines: or.slice(0, MOST_LISTED).map((other) => other.line),
    })),
    ambiguous: ambiguous.slice(0, MOST_LISTED).map(({ line, doubt, candidates }): AmbiguousFinding => ({
      ...findingOf(told, line, instantOfLine(told, line)),
      doubt,
      candidates: candidates.slice(0, MOST_LISTED).map(({ id }) => stored.externalIds.get(id) ?? null),
    })),
    durationMs,
  };
}

/** Every line of the chat in order, then every message that the chat does not show. */
export async function tellItems(
  told: Told,
  tell: (item: ComparedItem) => Promise<void> | void,
): Promise<void> {
  const { result, stored } = told;
  const items: ComparedItem[] = [
    ...result.matched.map(({ line, message }) =>
      itemOf(told, '=', line, stored.externalIds.get(message.id) ?? null, ''),
    ),
    ...result.lost.map(({ line, or }) => itemOf(told, '+', line, null, orWords(or))),
    ...result.ambiguous.map(({ line, doubt, candidates: [candidate] }) =>
      itemOf(
        told,
        '!',
        line,
        candidate === undefined ? null : (stored.externalIds.get(candidate.id) ?? null),
        doubt,
      ),
    ),
  ].sort((a, b) => (a.line ?? 0) - (b.line ?? 0));
  for (const item of items) await tell(item);
  for (const { id, at, direction, type } of result.onlyInDatabase) {
    const externalId = stored.externalIds.get(id) ?? null;
    await tell({ sign: '-', line: null, at: instant(at), direction, kind: type, externalId, detail: '' });
  }
}

function itemOf(
  told: Told,
  sign: ComparedItem['sign'],
  line: ChatLine,
  externalId: string | null,
  detail: string,
): ComparedItem {
  const { at, localTime, direction, kind, text } = findingOf(told, line, instantOfLine(told, line));
  const said = text === undefined ? detail : [detail, text].filter((part) => part !== '').join(' ');
  return { sign, line: line.line, at: at ?? localTime, direction, kind, externalId, detail: said };
}

function orWords(or: readonly ChatLine[]): string {
  const shown = or.slice(0, 5).map(({ line }) => `or line ${line}`);
  return [...shown, ...(or.length > shown.length ? ['or another one'] : [])].join(', ');
}

function instantOfLine({ result }: Told, { at }: ChatLine): number | null {
  const [offset] = result.clock.offsetsAt(at);
  return offset === undefined ? null : at - offset;
}

function findingOf({ items, options, read }: Told, line: ChatLine, at: number | null): ChatFinding {
  const item = items.get(line.line);
  const words = item === undefined || options.bodies !== true ? '' : item.text.slice(0, EXCERPT);
  return {
    line: line.line,
    at: at === null ? null : instant(at),
    localTime: new Date(line.at).toISOString().slice(0, read.chat.hasSeconds ? 19 : 16),
    direction: line.direction,
    kind: item === undefined ? 'text' : kindOf(item),
    ...(words === '' ? {} : { text: words }),
  };
}

function kindOf({ kind, media }: ChatItem): string {
  if (media === null) return kind;
  return media.kind === 'unknown' ? 'media' : media.kind;
}

function isCut({ items }: ChatText): boolean {
  return CUT_AT.some((limit) => items.length >= limit - 1 && items.length <= limit + 1);
}

function instant(at: number): string {
  return new Date(at).toISOString();
}

/** `-03:00` */
export function offsetText(offset: number): string {
  const minutes = Math.abs(offset) / 60_000;
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${offset < 0 ? '-' : '+'}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}
