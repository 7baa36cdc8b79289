import type {
  DeviceStatusResult,
  DeviceView,
  LinkedDeviceStatus,
  LinkResult,
  OwedPart,
  UnlinkResult,
} from '../../commands/devices/result.js';
import { linkAgain, owedHistoryWords } from '../../audit/owed-history.js';
import { firstSteps } from './words.js';
import { utc } from './report-words.js';
import { remedy, type Remedy } from '../../model/remedy.js';
import type { Grid, Presentation } from '../ui/presentation.js';
import { formatAmount } from '../ui/quantities.js';
import { chunkWords } from '../ui/pairing.js';
import {
  faint,
  list,
  NONE,
  section,
  span,
  table,
  text,
  type Block,
  type Document,
  type Item,
  type Line,
} from '../ui/document.js';

/** What `link` has done, and what can be done now. */
export function presentLink(result: LinkResult): Presentation {
  const { connection, device, messages, chunks } = result;
  const grid: Grid = {
    columns: ['connection', 'phone', 'device', 'was_linked', 'sync', 'chunks', 'messages_created', 'status'],
    rows: [
      [
        connection.name,
        device.phone,
        device.device,
        result.wasLinked,
        result.sync,
        chunks.received,
        messages.created,
        result.status,
      ],
    ],
  };
  return {
    json: result,
    lines: [result],
    csv: grid,
    document: linkDocument(result),
  };
}

function linkDocument(result: LinkResult): Document {
  const { connection, device, messages, chunks, leads } = result;
  const { count: files, error } = result.missingFiles;
  // A file that could not be downloaded is a chunk that did not arrive; the phone has sent it.
  const lost = Math.max(0, chunks.announced - chunks.received - files);
  const isPhoneSilent = result.sync === 'stalled' && (files === 0 || lost > 0);
  const troubles = [
    ...(files > 0 ? [`${owedHistoryWords({ files, gaps: 0, error, named: [] })}.`] : []),
    ...(lost > 0 ? [`${formatAmount(lost, 'chunk')} that the phone announced did not arrive.`] : []),
    ...(isPhoneSilent ? ['The phone stopped sending before the end. Is it online?'] : []),
    ...(result.sync === 'interrupted' ? ['Interrupted: the same command resumes it.'] : []),
    ...(result.problemCount > 0 ? [`${formatAmount(result.problemCount, 'item')} could not be read.`] : []),
  ];
  const name = `'${connection.name}'`;
  return {
    verdict: {
      mark: troubles.length === 0 ? 'good' : 'warn',
      text: result.wasLinked
        ? `${name} was already linked, as ${deviceWords(device)}.`
        : `Linked to ${name} as ${deviceWords(device)}.`,
      remarks: [
        `${formatAmount(messages.created, 'message')} and ${formatAmount(leads.created, 'lead')} created from ` +
          `${formatAmount(chunks.applied, 'chunk')} of history; ${formatAmount(messages.updated, 'message')} updated.`,
        ...troubles.map((trouble) => span('warn', trouble)),
      ],
    },
    blocks: [
      list(
        result.missingFiles.chunks.map((chunk): Item => ({
          mark: 'warn',
          line: `missing: ${chunkWords(chunk)}: ${chunk.reason}`,
        })),
      ),
    ],
    next: [
      ...(files > 0 ? [linkAgain(connection.name)] : []),
      remedy('import', ['--help'], 'shows how to import one contact’s past'),
    ],
  };
}

function deviceWords({ phone, device }: DeviceView): string {
  return `device ${device} of ${phone ?? 'an unknown number'}`;
}

/** The linked devices, one line each. */
export function presentDeviceStatus(result: DeviceStatusResult): Presentation {
  const { devices } = result;
  const grid: Grid = {
    columns: [
      'connection',
      'phone',
      'device',
      'linked_at',
      'last_used_at',
      'key',
      'whatsapp',
      'owed_files',
      'history_gaps',
    ],
    rows: devices.map((one) => [
      one.connection.name,
      one.phone,
      one.device,
      one.linkedAt,
      one.lastUsedAt,
      one.key,
      one.whatsapp,
      one.owed.files,
      one.owed.gaps,
    ]),
  };
  return {
    json: result,
    lines: devices,
    csv: grid,
    document:
      devices.length === 0
        ? {
            blocks: [text('No device is linked.')],
            next: [remedy('link', ['--connection', 'NAME'], 'links one')],
          }
        : { blocks: [deviceTable(devices), owedSection(devices)], next: nextSteps(devices) },
  };
}

function deviceTable(devices: readonly LinkedDeviceStatus[]): Block {
  return table(
    ['connection', 'phone', 'device', 'last used (UTC)', 'key', 'whatsapp', 'missing'],
    devices.map((one) => [
      span('strong', one.connection.name),
      one.phone ?? '–',
      String(one.device),
      one.lastUsedAt.slice(0, 16).replace('T', ' '),
      one.key === 'ok' ? 'ok' : span('warn', one.key),
      whatsappWords(one.whatsapp),
      owedWords(one.owed),
    ]),
  );
}

function whatsappWords(state: LinkedDeviceStatus['whatsapp']): Line {
  if (state === 'online') return span('good', state);
  if (state === 'logged_out') return span('warn', 'unlinked');
  return state === 'unchecked' ? faint('not checked') : span('warn', state);
}

/** What the phone still has to send. */
function owedWords({ files, gaps }: LinkedDeviceStatus['owed']): Line {
  const parts = [
    ...(files === 0 ? [] : [formatAmount(files, 'file')]),
    ...(gaps === 0 ? [] : [formatAmount(gaps, 'gap')]),
  ];
  return parts.length === 0 ? NONE : parts.join(', ');
}

const PARTS_SHOWN = 20;

/** The contact with missing messages, and the time range. */
function owedSection(devices: readonly LinkedDeviceStatus[]): Block {
  const rows = devices.flatMap(({ connection, owed }) => owed.parts.map((part) => ({ connection, part })));
  const more = rows.length - PARTS_SHOWN;
  return section('Missing messages', [
    table(
      ['contact', 'connection', 'from', 'to', 'why'],
      rows
        .slice(0, PARTS_SHOWN)
        .map(({ connection, part }) => [
          span('strong', part.contact),
          connection.name,
          part.from === null ? 'any time before' : utc(part.from),
          utc(part.to),
          part.proven ? WHY[part.reason] : span('faint', WHY[part.reason]),
        ]),
    ),
    text(...(more > 0 ? [faint(`and ${formatAmount(more, 'other')} (--json lists all)`)] : [])),
  ]);
}

const WHY: Readonly<Record<OwedPart['reason'], string>> = {
  file: 'missing: a file of the answer did not arrive',
  chunk: 'missing: a chunk of the answer did not arrive',
  short: 'suspected: a short answer that the phone did not confirm',
};

/** What to do next: the links first, then what brings in the messages that are missing. */
function nextSteps(devices: readonly LinkedDeviceStatus[]): Remedy[] {
  const gone = devices.filter(({ whatsapp }) => whatsapp === 'logged_out');
  const links = gone.map(({ connection }) =>
    remedy('link', ['--connection', connection.name], 'links the phone again: its device was unlinked'),
  );
  const steps = devices.flatMap(({ connection, owed, whatsapp }) => [
    // The link above downloads the files, too.
    ...(owed.files === 0 || whatsapp === 'logged_out' ? [] : [linkAgain(connection.name)]),
    ...owed.parts.map((part) => part.remedy),
  ]);
  // Until then every import fails.
  return firstSteps([...links, ...steps]);
}

const ON_PHONE: Record<UnlinkResult['onPhone'], string> = {
  unlinked: 'It was also removed from the phone.',
  was_unlinked: 'The phone had already unlinked it.',
  left: 'Remove it on the phone as well: Settings, Linked devices.',
};

export function presentUnlink(result: UnlinkResult): Presentation {
  const { connection, device, onPhone } = result;
  const grid: Grid = {
    columns: ['connection', 'phone', 'device', 'on_phone'],
    rows: [[connection.name, device.phone, device.device, onPhone]],
  };
  return {
    json: result,
    lines: [result],
    csv: grid,
    document: {
      verdict: {
        mark: onPhone === 'left' ? 'warn' : 'good',
        text: `'${connection.name}' is unlinked (${deviceWords(device)}). ${ON_PHONE[onPhone]}`,
      },
      blocks: [],
    },
  };
}
