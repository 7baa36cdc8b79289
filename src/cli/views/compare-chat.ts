import {
  LEFT_UNADOPTED,
  type AdoptChatResult,
  type LeftUnadopted,
} from '../../commands/compare-chat/types.js';
import type {
  AmbiguousFinding,
  ChatFinding,
  CompareChatResult,
  ComparedItem,
  LostFinding,
} from '../../commands/compare-chat/types.js';
import { remedy, type Remedy } from '../../model/remedy.js';
import { faint, list, section, short, text, type Block, type Item, type Verdict } from '../ui/document.js';
import type { Presentation } from '../ui/presentation.js';
import { formatAmount, formatCount, formatDuration } from '../ui/quantities.js';
import { sanitize } from '../ui/sanitize.js';
import { typedAgain, withoutDryRun } from '../typed-again.js';

/** Findings on a screen; the result for programs has more. */
const SHOWN = 12;

/** One line of `--items`: `SIGN LINE TIME DIRECTION KIND ID DETAIL`, separated by tabs, whatever is in them. */
export function chatItemLine({ sign, line, at, direction, kind, externalId, detail }: ComparedItem): string {
  return [sign, line === null ? '' : String(line), at, direction, kind, externalId ?? '', detail]
    .map(sanitize)
    .join('\t');
}

export function presentCompareChat(result: CompareChatResult, argv: readonly string[]): Presentation {
  const { lost, ambiguous, ...summary } = result;
  const findings = [
    ...lost.map((finding) => ({ sign: '+', ...finding })),
    ...ambiguous.map((finding) => ({ sign: '!', ...finding })),
  ];
  return {
    json: result,
    lines: [...findings, summary],
    csv: {
      columns: ['sign', 'line', 'at', 'local_time', 'direction', 'kind', 'text'],
      rows: findings.map(({ sign, line, at, localTime, direction, kind, text: words }) => [
        sign,
        line,
        at,
        localTime,
        direction,
        kind,
        words ?? null,
      ]),
      words: 'strangers',
    },
    document: {
      verdict: verdictOf(result),
      blocks: blocksOf(result),
      next: [...importStep(result), ...adoptSteps(result, argv)],
    },
  };
}

/** Both ways to get what is missing: with its own id from the phone, or as the chat shows it. */
function importStep({ severity, contact, connection }: CompareChatResult): Remedy[] {
  if (severity === null) return [];
  const who = contact.phone ?? contact.leadId;
  return [
    remedy(
      'import',
      [who, '--connection', connection],
      'imports what the log has of them, then asks the phone',
    ),
  ];
}

function adoptSteps({ counts, adopted }: CompareChatResult, argv: readonly string[]): Remedy[] {
  if (adopted?.dryRun === false)
    return adopted.runs.map((run) => remedy('undo', [run], 'takes the adoption back'));
  if (counts.lost === 0) return [];
  return [
    typedAgain(argv, 'stores them as the chat shows them, until their own ids are known', (words) =>
      withoutDryRun(words)
        .filter((word) => word !== '--adopt')
        .flatMap((word) => (word === 'chat-export' ? [word, '--adopt'] : [word])),
    ),
  ];
}

function verdictOf(result: CompareChatResult): Verdict {
  const { status, counts, lines, database, durationMs, adopted, severity } = result;
  const detail = `${database}, ${formatDuration(durationMs)}`;
  if (status === 'interrupted') return { mark: 'stopped', text: 'Interrupted', detail };
  if (adopted?.dryRun === false && counts.lost > 0) {
    const stored = `Stored ${formatCount(adopted.created)} of ${formatAmount(counts.lost, 'message')} that only the phone had`;
    return { mark: severity === null ? 'good' : 'bad', text: stored, detail };
  }
  const unclear = counts.ambiguous === 0 ? '' : `, ${formatAmount(counts.ambiguous, 'ambiguous line')}`;
  if (counts.lost > 0) {
    const text = `The phone has ${formatAmount(counts.lost, 'message')} that the database lacks${unclear}${doubtOf(result)}`;
    return { mark: 'bad', text, detail };
  }
  if (result.status === 'partial') {
    const text = `Nothing is compared: none of ${formatAmount(lines, 'line')} of the chat could be matched for certain${unclear}`;
    return { mark: 'warn', text, detail };
  }
  const text =
    counts.ambiguous === 0
      ? `Clean: the database has all ${formatAmount(lines, 'message')} of the chat`
      : `Clean: the database has ${formatCount(counts.matched)} of ${formatAmount(lines, 'message')} of the chat${unclear}, nothing is lost for certain`;
  return { mark: 'good', text, detail };
}

/** What may be wrong with the command and not with the database. */
function doubtOf({ counts, clock, contact, lines }: CompareChatResult): string {
  if (clock.source === 'zone' && clock.anchors > 0 && clock.agreeing === 0)
    return `; 0 of ${formatAmount(clock.anchors, 'unique text')} agree with ${clock.timeZone ?? 'the zone'}: is --tz right?`;
  const who = contact.phone ?? contact.name ?? contact.leadId;
  return counts.matched === 0
    ? `; 0 of ${formatAmount(lines, 'line')} found: is this the chat of ${who}?`
    : '';
}

function blocksOf(result: CompareChatResult): Block[] {
  const { contact, connection, lost, ambiguous, counts } = result;
  const blocks: Block[] = [
    section('Chat', [
      text(`${contact.name ?? contact.phone ?? contact.leadId} on ${connection}`),
      text(faint(coverageWords(result))),
      text(faint(clockWords(result))),
      ...notesOf(result).map((note) => text(note)),
    ]),
  ];
  if (lost.length > 0)
    blocks.push(section('Only on the phone', [list(shown(lost.map(lostItem), counts.lost))]));
  if (result.adopted !== null) blocks.push(section('Adopted', [list(adoptedItems(result.adopted))]));
  if (ambiguous.length > 0)
    blocks.push(section('Ambiguous', [list(shown(ambiguous.map(ambiguousItem), counts.ambiguous))]));
  return blocks;
}

function adoptedItems({ dryRun, entries, created, leftOut }: AdoptChatResult): Item[] {
  const stored = `${dryRun ? 'would store ' : ''}${formatAmount(created, 'message')} of ${formatAmount(entries, 'line')}`;
  return [
    { mark: created === entries ? 'good' : 'warn', line: stored },
    ...LEFT_UNADOPTED.flatMap((reason): Item[] => {
      const count = leftOut[reason] ?? 0;
      return count === 0
        ? []
        : [{ mark: 'warn', line: `${formatAmount(count, 'line')} left out: ${LEFT_OUT_WORDS[reason]}` }];
    }),
  ];
}

const LEFT_OUT_WORDS: Readonly<Record<LeftUnadopted, string>> = {
  which_line: 'so many messages are missing, but nobody can tell which of several lines',
  time: 'the phone’s clock changed around then; --tz ZONE may resolve it',
};

function shown(items: readonly Item[], all: number): Item[] {
  const first = items.slice(0, SHOWN);
  const more = all - first.length;
  if (more === 0) return first;
  return [...first, { mark: 'note', line: `${formatCount(more)} more; --items FILE lists them` }];
}

function lostItem({ orLines, ...finding }: LostFinding): Item {
  const or =
    orLines.length === 0
      ? ''
      : `, or line ${orLines.slice(0, 3).join(', ')}${orLines.length > 3 ? ', …' : ''}`;
  return { mark: 'bad', line: `${lineWords(finding)}${or}`, under: underOf(finding) };
}

const DOUBTS: Readonly<Record<AmbiguousFinding['doubt'], string>> = {
  edited: 'one side has an edit that the other does not',
  revoked: 'deleted on the phone, or in the database',
  stored_otherwise: 'the database has another content at that time',
  other_direction: 'the database has it from the other side',
  other_time: 'the database has it at another time',
  unreadable: 'lines after it cannot be read',
};

function ambiguousItem(finding: AmbiguousFinding): Item {
  const { doubt } = finding;
  return { mark: 'note', line: `${lineWords(finding)}: ${DOUBTS[doubt]}`, under: underOf(finding) };
}

function lineWords({ line, localTime, direction, kind }: ChatFinding): string {
  const who = direction === 'INBOUND' ? 'received' : 'sent';
  return `${localTime.replace('T', ' ')}  ${who}  ${kind}  line ${line}`;
}

function underOf({ text: words }: ChatFinding): ReturnType<typeof short>[] {
  return words === undefined ? [] : [short(words.replaceAll('\n', ' '))];
}

function coverageWords({ lines, coverage, counts, systemLines }: CompareChatResult): string {
  const when =
    coverage.from === null || coverage.to === null
      ? ''
      : ` from ${coverage.from.slice(0, 16)}Z to ${coverage.to.slice(0, 16)}Z`;
  const system = systemLines === 0 ? '' : `, ${formatAmount(systemLines, 'line')} of WhatsApp’s own`;
  return `${formatAmount(lines, 'message')}${when}: ${formatCount(counts.matched)} in both${system}`;
}

function clockWords({ clock }: CompareChatResult): string {
  const offsets = clock.offsets.slice(0, 4).join(', ');
  switch (clock.source) {
    case 'zone':
      return `times as in ${clock.timeZone ?? ''}${clock.anchors === 0 ? '' : `; ${clock.agreeing} of ${formatAmount(clock.anchors, 'unique text')} agree`}`;
    case 'texts':
      return `times ${offsets}, found by ${formatAmount(clock.agreeing, 'unique text')}`;
    case 'none':
      return 'times by the phone’s clock';
  }
}

function notesOf(result: CompareChatResult): string[] {
  const { counts, lostBeforeFirstStored, firstStoredAt, exportMayBeCut, unreadableLines } = result;
  const notes: string[] = [];
  if (lostBeforeFirstStored > 0) {
    const since = firstStoredAt === null ? '' : ` (${firstStoredAt.slice(0, 10)})`;
    notes.push(
      `${formatCount(lostBeforeFirstStored)} of the missing ones are older than the database’s first message${since}.`,
    );
  }
  if (counts.onlyInDatabase > 0)
    notes.push(
      `${formatAmount(counts.onlyInDatabase, 'message')} of that time only in the database: deleted on the phone?`,
    );
  if (exportMayBeCut) notes.push('WhatsApp has cut this export: the phone may have older messages.');
  if (unreadableLines > 0) notes.push(`${formatAmount(unreadableLines, 'line')} of the chat cannot be read.`);
  return notes;
}
