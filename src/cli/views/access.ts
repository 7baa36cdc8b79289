import type { AccessList, AccessView } from '../../commands/access/list-access.js';
import { minuteOf } from '../../model/time.js';
import { numbers, table, text } from '../ui/document.js';
import { formatCount } from '../ui/quantities.js';
import type { Cell, Presentation } from '../ui/presentation.js';

/** Who has looked at whose messages, in every format. */
export function presentAccess(result: AccessList): Presentation {
  const { access } = result;
  return {
    json: result,
    lines: access,
    csv: {
      columns: CSV.map(([column]) => column),
      rows: access.map((row) => CSV.map(([, of]) => of(row))),
    },
    document: {
      blocks: [
        access.length === 0
          ? text('Nobody has looked at messages.')
          : table(
              ['when', 'who', 'command', 'whose', numbers('messages')],
              access.map((row) => [
                minuteOf(Date.parse(row.at)),
                whoOf(row),
                row.command,
                whoseOf(row),
                formatCount(row.messages),
              ]),
            ),
      ],
    },
  };
}

const CSV: readonly (readonly [column: string, of: (row: AccessView) => Cell])[] = [
  ['at', ({ at }) => at],
  ['user', ({ user }) => user],
  ['host', ({ host }) => host],
  ['as', ({ as }) => as],
  ['command', ({ command }) => command],
  ['lead_id', ({ leadId }) => leadId],
  ['name', ({ name }) => name],
  ['phone', ({ phone }) => phone],
  ['messages', ({ messages }) => messages],
];

function whoOf({ user, host, as }: AccessView): string {
  const machine = `${user} on ${host}`;
  return as === null ? machine : `${as} (${machine})`;
}

function whoseOf({ leadId, everybody, name, phone }: AccessView): string {
  if (everybody) return 'everybody';
  const named = [name, phone].filter((part) => part !== null).join(' ');
  return named === '' ? (leadId ?? 'nobody known') : named;
}
