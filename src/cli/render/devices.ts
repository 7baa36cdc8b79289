import type {
  DeviceStatusResult,
  DeviceView,
  LinkedDeviceStatus,
  LinkResult,
  UnlinkResult,
} from '../../core/devices/result.js';
import { remedy } from '../../model/remedy.js';
import type { Look } from './look.js';
import { nextLines } from './next-lines.js';
import type { Grid, Presentation } from './presentation.js';
import { formatAmount } from './quantities.js';
import { sanitize } from './sanitize.js';
import { renderTable } from './table.js';

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
    markdown: [grid],
    text: (look) => linkText(result, look),
  };
}

function linkText(result: LinkResult, look: Look): string {
  const { connection, device, messages, chunks, leads } = result;
  const name = sanitize(connection.name);
  const lines = [
    result.wasLinked
      ? `${look.green('✔')} '${name}' was linked already, as ${deviceWords(device)}.`
      : `${look.green('✔')} Linked to '${name}' as ${deviceWords(device)}.`,
    `  ${formatAmount(messages.created, 'message')} and ${formatAmount(leads.created, 'lead')} created from ` +
      `${formatAmount(chunks.received, 'chunk')} of history; ${formatAmount(messages.updated, 'message')} updated.`,
  ];
  if (chunks.received < chunks.announced) {
    const missing = formatAmount(chunks.announced - chunks.received, 'chunk');
    lines.push(look.yellow(`  ${missing} that the phone announced could not be had.`));
  }
  if (result.sync === 'stalled') {
    lines.push(look.yellow('  The phone stopped sending before it said that it was done. Is it online?'));
  }
  if (result.sync === 'interrupted') {
    lines.push(look.yellow('  Interrupted: the same command goes on.'));
  }
  if (result.problemCount > 0) {
    lines.push(look.yellow(`  ${formatAmount(result.problemCount, 'item')} could not be read.`));
  }
  const next = remedy('import', ['CONTACT', '--connection', connection.name], 'imports one contact');
  lines.push('', `  Next: ${look.cyan(look.line(next))}`);
  return lines.join('\n');
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
    markdown: [grid],
    text: (look) =>
      devices.length === 0
        ? [
            'No device is linked.',
            '',
            ...nextLines([remedy('link', ['--connection', 'NAME'], 'links one')], look),
          ].join('\n')
        : deviceTable(devices, look),
  };
}

function deviceTable(devices: readonly LinkedDeviceStatus[], look: Look): Promise<string> {
  return renderTable(
    [
      { heading: 'connection' },
      { heading: 'phone' },
      { heading: 'device' },
      { heading: 'last used (UTC)' },
      { heading: 'key' },
      { heading: 'whatsapp' },
      { heading: 'owed' },
    ],
    devices.map((one) => [
      look.bold(sanitize(one.connection.name)),
      one.phone ?? '–',
      String(one.device),
      one.lastUsedAt.slice(0, 16).replace('T', ' '),
      one.key === 'ok' ? 'ok' : look.yellow(one.key),
      one.whatsapp === 'online'
        ? look.green('online')
        : one.whatsapp === 'unchecked'
          ? look.dim('not asked')
          : look.yellow(one.whatsapp),
      owedWords(one.owed),
    ]),
    look,
  );
}

/** What the phone still has to send. */
function owedWords({ files, gaps }: LinkedDeviceStatus['owed']): string {
  const parts = [
    ...(files === 0 ? [] : [formatAmount(files, 'file')]),
    ...(gaps === 0 ? [] : [formatAmount(gaps, 'gap')]),
  ];
  return parts.length === 0 ? '–' : parts.join(', ');
}

const ON_PHONE: Record<UnlinkResult['onPhone'], string> = {
  unlinked: 'It is gone from the phone, too.',
  was_unlinked: 'The phone had unlinked it already.',
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
    markdown: [grid],
    text: (look) => {
      const mark = onPhone === 'left' ? look.yellow('!') : look.green('✔');
      return `${mark} '${sanitize(connection.name)}' is unlinked (${deviceWords(device)}). ${ON_PHONE[onPhone]}`;
    },
  };
}
