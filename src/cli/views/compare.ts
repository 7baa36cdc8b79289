import {
  NOT_IN_CRM,
  type AbsentConnection,
  type AffectedPerson,
  type ComparedConnection,
  type ComparedItem,
  type CompareResult,
} from '../../commands/compare/types.js';
import { comparedMessages } from '../../commands/report/comparisons.js';
import { COMPARISON_CLASSES, type ComparisonCounts } from '../../model/enumerations.js';
import type { Remedy } from '../../model/remedy.js';
import type { Presentation } from '../ui/presentation.js';
import {
  countOf,
  faint,
  list,
  numbers,
  section,
  span,
  table,
  text,
  type Block,
  type Item,
  type Line,
  type Verdict,
} from '../ui/document.js';
import { formatAmount, formatCount, formatDuration } from '../ui/quantities.js';
import { sanitize } from '../ui/sanitize.js';
import { stemOf } from '../repair-files.js';
import { typedAgain } from '../typed-again.js';

/** One line of `--items`: `SIGN CLASS CONNECTION MESSAGE ROW DETAIL`, separated by tabs, whatever is in them. */
export function comparedItemLine(item: ComparedItem): string {
  const { sign, connection, externalId, rowId, detail } = item;
  return [sign, item.class, connection, externalId ?? '', rowId ?? '', detail].map(sanitize).join('\t');
}

/** What a repair of the CRM would be, or is. */
export interface RepairShown {
  /** Whether it is SQL; otherwise data, a message a line. */
  isSql: boolean;
  /** The file that it was written to; undefined without `--repair`. */
  file?: string | undefined;
}

export function presentCompare(
  result: CompareResult,
  argv: readonly string[],
  shown: RepairShown = { isSql: false },
): Presentation {
  const { connections, ...summary } = result;
  return {
    json: result,
    lines: [...connections, summary],
    csv: {
      columns: ['connection', 'crm', 'messages', 'rows', ...COMPARISON_CLASSES],
      rows: connections.map(({ connection, crm, messages, rows, counts }) => [
        connection,
        crm,
        messages,
        rows,
        ...COMPARISON_CLASSES.map((name) => counts[name]),
      ]),
    },
    document: {
      verdict: verdictOf(result),
      blocks: [
        connectionTable(connections),
        section('Likely causes', [list(connections.flatMap(causeItems))]),
        section('Details', [
          list([...connections.flatMap(detailItems), ...contactItems(result), ...passedOverItems(result)]),
        ]),
        section('People affected most', [peopleTable(result.people)]),
        section('Adopted', [list(adoptedItems(result))]),
        section('Repair', [list(repairItems(result, shown))]),
        ...unmatchedBlocks(result),
      ],
      next: [...repairSteps(result, argv, shown), ...result.next],
    },
  };
}

/** Says that a saved comparison is gone. */
export function presentForgotten(name: string): Presentation {
  const result = { schemaVersion: 1, command: 'compare', forgotten: name };
  return {
    json: result,
    lines: [result],
    csv: { columns: ['forgotten'], rows: [[name]] },
    document: { verdict: { mark: 'good', text: `Forgotten: ${name}` }, blocks: [] },
  };
}

function verdictOf({ status, counts, connections, absent, source, durationMs }: CompareResult): Verdict {
  const detail = `${source}, ${formatDuration(durationMs)}`;
  if (status === 'interrupted') return { mark: 'stopped', text: 'Interrupted: nothing is compared', detail };
  const found: readonly (readonly [number, string])[] = [
    [counts.lost, 'lost'],
    [counts.differs, 'different'],
    [counts.other_contact, 'under another contact'],
    [counts.doubled, 'duplicated'],
  ];
  const bad = found.filter(([count]) => count > 0).map(([count, words]) => `${formatCount(count)} ${words}`);
  const messages = connections.reduce((sum, one) => sum + one.messages, 0);
  const of = `of ${formatAmount(messages, 'message')}`;
  const beside = absent.length === 0 ? '' : `; ${absentWords(absent)}`;
  if (bad.length > 0) return { mark: 'bad', text: `${bad.join(', ')} ${of}${beside}`, detail };
  const note = unmatchedWords(counts);
  const all = `the CRM ${allWords(counts)}`;
  if (absent.length > 0) {
    const compared = connections.map(({ connection }) => connection).join(', ');
    return { mark: 'warn', text: `Not all compared: of ${compared} ${all}${beside}${note}`, detail };
  }
  return { mark: 'good', text: `Clean: ${all}${note}`, detail };
}

/** `; 3 rows only in the CRM; 1 row without an id`; '' without any. */
export function unmatchedWords({ only_in_crm: only, without_id: nameless }: ComparisonCounts): string {
  const words = only === 0 ? '' : `; ${formatAmount(only, 'row')} only in the CRM`;
  return nameless === 0 ? words : `${words}; ${formatAmount(nameless, 'row')} without an id`;
}

/** `has all 610 messages that it keeps; 70 not kept by design`. */
export function allWords(counts: ComparisonCounts): string {
  const messages = comparedMessages(counts);
  const notKept = counts.not_kept_by_design;
  if (notKept === 0) return `has all ${formatAmount(messages, 'message')}`;
  return `has all ${formatAmount(messages - notKept, 'message')} that it keeps; ${formatCount(notKept)} not kept by design`;
}

/** `nothing of bail (340 messages)`: what the CRM has nothing of. */
export function absentWords(absent: readonly AbsentConnection[]): string {
  const named = absent.map(
    ({ connection, messages }) => `${connection} (${formatAmount(messages, 'message')})`,
  );
  return `nothing of ${named.join(', ')}`;
}

function connectionTable(connections: readonly ComparedConnection[]): Block {
  return table(
    [
      'connection',
      { heading: 'CRM', optional: true },
      numbers('messages'),
      numbers('same'),
      numbers('lost'),
      numbers('differs'),
      numbers('other contact'),
      numbers('duplicated'),
      { ...numbers('not kept'), optional: true },
      numbers('only in CRM'),
      { ...numbers('without id'), optional: true },
    ],
    connections.map(({ connection, crm, messages, counts }): Line[] => [
      connection,
      crm,
      countOf(messages),
      countOf(counts.same),
      countOf(counts.lost, 'bad'),
      countOf(counts.differs, 'bad'),
      countOf(counts.other_contact, 'bad'),
      countOf(counts.doubled, 'bad'),
      countOf(counts.not_kept_by_design),
      countOf(counts.only_in_crm, 'warn'),
      countOf(counts.without_id, 'warn'),
    ]),
  );
}

function causeItems({ connection, causes }: ComparedConnection): Item[] {
  return causes.map(({ messages, why }) => ({
    mark: 'bad',
    label: connection,
    line: `${formatAmount(messages, 'message')}: ${why}`,
  }));
}

function detailItems({
  connection,
  fields,
  notKept,
  aside,
  outside,
  editedLater,
  splitPeople,
  splitContacts,
}: ComparedConnection): Item[] {
  const parts: (readonly [string, Readonly<Record<string, number>>])[] = [
    ['different fields', fields],
    ['not kept by design', notKept],
    ['rows that are no messages', aside],
    ['rows outside the window', outside > 0 ? { all: outside } : {}],
    [
      'edited in the CRM after the end of the log, words not compared',
      editedLater > 0 ? { all: editedLater } : {},
    ],
  ];
  const split = `people with several contacts in the CRM: ${formatCount(splitPeople)} (${namesOf(splitContacts, splitPeople)})`;
  const counted = parts.flatMap(([words, counts]): Item[] => {
    const shown = Object.entries(counts).map(
      ([name, count]) => `${name.replaceAll('_', ' ')} ${formatCount(count)}`,
    );
    return shown.length === 0 ? [] : [{ label: connection, line: [`${words}: ${shown.join(', ')}`] }];
  });
  return splitPeople === 0 ? counted : [...counted, { label: connection, line: split }];
}

/** `+5511900000001, +5511900000002 and 3 more`. */
function namesOf(names: readonly string[], all: number): string {
  const more = all - names.length;
  return more <= 0 ? names.join(', ') : `${names.join(', ')} and ${formatCount(more)} more`;
}

/** What an export without its contacts cannot show. */
function contactItems({ missingContacts }: CompareResult): Item[] {
  return missingContacts.length === 0
    ? []
    : [
        {
          mark: 'warn',
          line: `not compared: whose messages they are in the CRM; export ${missingContacts.join(' and ')} too`,
        },
      ];
}

function passedOverItems({ passedOver }: CompareResult): Item[] {
  return passedOver.map((path) => ({
    mark: 'note',
    line: ['not needed, and not read: ', span('place', path)],
  }));
}

/** The same comparison: with the repair written, or, after somebody ran it, whether the CRM has the messages now. */
function repairSteps(
  { counts, repair, connections }: CompareResult,
  argv: readonly string[],
  { isSql, file }: RepairShown,
): Remedy[] {
  // The URL may hold a password, which is not for the screen.
  const holdsUrl = argv.some((word) => /^(?:--crm-url=)?postgres(?:ql)?:.*(?::[^/@]*@|password=)/.test(word));
  if (counts.lost === 0 || holdsUrl) return [];
  // Data needs no instance.
  const isData = file === undefined ? !isSql : stemOf(file) === undefined;
  if (!isData && connections.every((one) => one.counts.lost === 0 || isGone(one))) {
    return [
      typedAgain(
        argv,
        'finds the instance, once you have created it in the CRM again; --repair then gives back what it lost',
        withoutRepair,
      ),
    ];
  }
  if (repair === null) {
    const why = isSql
      ? 'writes SQL that gives the CRM back what it lost, to review and run'
      : 'writes what the CRM lost, a message a line';
    const name = isSql ? 'lost.sql' : 'lost.ndjson';
    return [typedAgain(argv, why, (words) => [...words, '--repair', name])];
  }
  const stem = stemOf(file ?? '');
  if (stem === undefined || repair.messages === 0) return [];
  return [
    typedAgain(argv, 'checks, after the SQL was run, that the CRM has them', (words) => [
      ...withoutRepair(words),
      '--verify-repair',
      `${stem}.ids`,
    ]),
  ];
}

function withoutRepair(words: readonly string[]): string[] {
  return words.filter((word, index) => !/^--repair(?:=|$)/.test(word) && words[index - 1] !== '--repair');
}

function isGone({ causes }: ComparedConnection): boolean {
  return causes.some(({ cause }) => cause === 'connection_gone');
}

function peopleTable(people: readonly AffectedPerson[]): Block {
  return table(
    [
      'contact',
      'connection',
      numbers('lost'),
      numbers('differs'),
      numbers('other contact'),
      numbers('duplicated'),
    ],
    people.map(({ contact, connection, lost, differs, other_contact: other, doubled }): Line[] => [
      contact,
      connection,
      countOf(lost, 'bad'),
      countOf(differs),
      countOf(other),
      countOf(doubled),
    ]),
  );
}

function adoptedItems({ adopted }: CompareResult): Item[] {
  if (adopted === null) return [];
  const { dryRun, created, merged, rejected, erased, entries, pairs } = adopted;
  const parts = [
    `${formatAmount(created, 'message')} of ${formatAmount(entries, 'row')}`,
    ...(pairs === 0 ? [] : [`names of ${formatAmount(pairs, 'person', 'people')}`]),
    ...(merged === 0 ? [] : [`${formatAmount(merged, 'contact')} merged into another one`]),
    ...(rejected === 0 ? [] : [`${formatCount(rejected)} rejected`]),
    ...(erased === 0 ? [] : [`${formatCount(erased)} left out, because the people were erased`]),
  ];
  return [
    { mark: rejected === 0 ? 'good' : 'warn', line: `${dryRun ? 'would store ' : ''}${parts.join(', ')}` },
  ];
}

function repairItems({ repair, repaired, counts }: CompareResult, { file }: RepairShown): Item[] {
  const items: Item[] = [];
  if (repaired !== null) {
    const { messages, same = 0 } = repaired;
    items.push({
      mark: same === messages ? 'good' : 'bad',
      line: `${formatCount(same)} of ${formatAmount(messages, 'repaired message')} ${same === 1 ? 'is' : 'are'} in the CRM`,
    });
  }
  if (repair !== null) {
    const leftOut = Object.entries(repair.leftOut).map(
      ([reason, count]) => `${LEFT_OUT[reason] ?? reason} ${formatCount(count)}`,
    );
    items.push({
      mark: 'note',
      line:
        counts.lost === 0
          ? 'nothing is lost: no file was written'
          : `${repair.messages === 0 ? 'no file was written' : `${formatAmount(repair.messages, 'message')} written`}${leftOut.length === 0 ? '' : `; left out: ${leftOut.join(', ')}`}`,
    });
    const stem = stemOf(file ?? '');
    if (file !== undefined && repair.messages > 0)
      items.push({
        mark: 'note',
        line:
          stem === undefined
            ? ['the messages: ', span('place', file)]
            : [
                'review and run: ',
                span('place', file),
                '; takes it back: ',
                span('place', `${stem}.undo.sql`),
                '; the ids: ',
                span('place', `${stem}.ids`),
              ],
      });
    const asText = Object.entries(repair.asText).map(([type, count]) => `${type} ${formatCount(count)}`);
    if (asText.length > 0)
      items.push({ mark: 'note', line: `stored as text, which says what they were: ${asText.join(', ')}` });
  }
  return items;
}

const LEFT_OUT: Readonly<Record<string, string>> = {
  recent: 'too recent',
  no_contact: 'without a contact',
  no_id: 'without an id',
  cut_id: 'cannot be repaired: its id is cut',
  row_without_id: 'a row without an id may be it',
  no_instance: 'no instance in the CRM',
};

function unmatchedBlocks({ unmatched, absent }: CompareResult): Block[] {
  const { crm, connections } = unmatched;
  const items: Item[] = [
    ...crm.map(({ key, name }): Item => ({
      mark: 'note',
      line: ['in the CRM only: ', name === '' ? key : name],
    })),
    ...connections.map((name): Item => {
      const lacking = absent.find(({ connection }) => connection === name);
      const messages = lacking === undefined ? '' : `, ${formatAmount(lacking.messages, 'message')}`;
      return {
        mark: lacking === undefined ? 'note' : 'warn',
        line: ['in the database only: ', name, messages],
      };
    }),
  ];
  return [
    section('Connections not compared', [
      list(items),
      ...(items.length === 0
        ? []
        : [
            text([
              faint('connect them with '),
              span('strong', '--map NAME=ID'),
              faint('; if this CRM never had one, say so with '),
              span('strong', `--map NAME=${NOT_IN_CRM}`),
            ]),
          ]),
    ]),
  ];
}
