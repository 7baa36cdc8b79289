import type {
  CheckedConnection,
  CheckResult,
  GraphCheck,
  GraphCheckStatus,
} from '../../commands/graph/types.js';
import {
  adviceLines,
  faint,
  list,
  section,
  span,
  text,
  type Block,
  type Item,
  type Line,
  type Mark,
  type Verdict,
} from '../ui/document.js';
import type { Presentation } from '../ui/presentation.js';
import { formatAmount } from '../ui/quantities.js';

const MARKS: Readonly<Record<GraphCheckStatus, Mark>> = { ok: 'good', finding: 'bad', unknown: 'note' };

/** More checks that are unknown for one reason share a line. */
const MOST_ALIKE = 2;

/** What a user may look for here in vain. */
const NOT_OFFERED =
  'Meta offers no contact’s picture or "about" and no past messages; contacts’ names come with webhooks and the address book.';

export function presentCheck(result: CheckResult): Presentation {
  const { connections } = result;
  return {
    json: result,
    lines: connections.flatMap(({ connection, checks }) =>
      checks.map((check) => ({ connection: connection.name, ...check })),
    ),
    csv: {
      columns: ['connection', 'check', 'status', 'message', 'remedy'],
      rows: connections.flatMap(({ connection, checks }) =>
        checks.map(({ check, status, message, remedy }) => [
          connection.name,
          check,
          status,
          message,
          remedy ?? null,
        ]),
      ),
    },
    isNews: result.status !== 'ok',
    document: {
      verdict: verdictOf(result),
      blocks: [...connections.map(connectionBlock), text(faint(NOT_OFFERED))],
    },
  };
}

function connectionBlock({ connection, checks }: CheckedConnection): Block {
  return section(connection.name, [checkList(checks)]);
}

/** One line per check, with what to do; one for many that are unknown for the same reason. */
export function checkList(checks: readonly GraphCheck[]): Block {
  return list(
    checks.flatMap((one, index): Item[] => {
      const { check, status, message, remedy } = one;
      const alike = status === 'unknown' ? checks.filter((other) => isUnknownAlike(other, one)) : [one];
      if (alike.length <= MOST_ALIKE)
        return [
          {
            mark: MARKS[status],
            label: check,
            line: status === 'unknown' ? ['unknown: ', message] : message,
            under: adviceLines(remedy),
          },
        ];
      if (checks.indexOf(alike[0] ?? one) !== index) return [];
      const names = alike.map((other) => other.check).join(', ');
      const label = formatAmount(alike.length, 'check');
      return [
        { mark: MARKS[status], label, line: ['unknown: ', message], under: [names, ...adviceLines(remedy)] },
      ];
    }),
  );
}

function isUnknownAlike(other: GraphCheck, { message }: GraphCheck): boolean {
  return other.status === 'unknown' && other.message === message;
}

function verdictOf({ status, connections }: CheckResult): Verdict {
  if (connections.length === 0) return { mark: 'note', text: 'There is no connection of Meta’s API in use.' };
  const of = `of ${formatAmount(connections.length, 'connection')}`;
  const findings = countOf(connections, 'finding');
  const unknown = countOf(connections, 'unknown');
  const untold = unknown === 0 ? '' : `, ${formatAmount(unknown, 'check')} unknown`;
  switch (status) {
    case 'ok':
      return { mark: 'good', text: `No findings ${of}${untold}` };
    case 'findings':
      return { mark: 'bad', text: `${formatAmount(findings, 'finding')} ${of}${untold}` };
    case 'failed':
      return {
        mark: 'bad',
        text: `Meta could not be asked about everything: ${formatAmount(findings, 'finding')} ${of}${untold}`,
      };
  }
}

function countOf(connections: readonly CheckedConnection[], wanted: GraphCheckStatus): number {
  return connections.flatMap(({ checks }) => checks).filter(({ status }) => status === wanted).length;
}

/** `ok`, `2 findings`, `1 finding, not all asked`: a connection in one cell. */
export function checkedWords({ status, checks }: CheckedConnection): Line {
  const findings = checks.filter((check) => check.status === 'finding').length;
  if (findings === 0 && status === 'ok') return span('good', 'ok');
  const words = findings === 0 ? 'not asked' : formatAmount(findings, 'finding');
  return span('bad', status === 'failed' && findings > 0 ? `${words}, not all asked` : words);
}
