import type { DoctorCheck, DoctorResult, DoctorStatus } from '../../commands/doctor/types.js';
import type { Presentation } from '../ui/presentation.js';
import { formatAmount } from '../ui/quantities.js';
import { adviceLines, faint, list, type Item, type Mark, type Verdict } from '../ui/document.js';

const MARKS: Readonly<Record<DoctorStatus, Mark>> = { ok: 'good', warn: 'warn', fail: 'bad' };

export function presentDoctor(result: DoctorResult): Presentation {
  return {
    json: result,
    lines: result.checks,
    csv: {
      columns: ['check', 'status', 'message', 'remedy'],
      rows: result.checks.map(({ name, status, message, remedy }) => [name, status, message, remedy ?? null]),
    },
    isNews: result.checks.some(({ status }) => status !== 'ok'),
    document: {
      verdict: verdictOf(result),
      blocks: [list(result.checks.map((check) => checkItem(check, result)))],
    },
  };
}

function checkItem({ name, status, message, remedy }: DoctorCheck, { settings }: DoctorResult): Item {
  const [first = '', ...rest] = message.split('\n');
  const shown = name === 'configuration' ? settings : [];
  return {
    mark: MARKS[status],
    label: name,
    line: first,
    under: [
      ...rest,
      ...shown.map(({ name: setting, value, origin }) =>
        faint(`${setting}: ${value} (${origin === 'default' ? 'the default' : `from ${origin}`})`),
      ),
      ...adviceLines(remedy),
    ],
  };
}

function verdictOf({ checks }: DoctorResult): Verdict {
  const count = (status: DoctorStatus): number => checks.filter((check) => check.status === status).length;
  const [failures, warnings] = [count('fail'), count('warn')];
  if (failures === 0 && warnings === 0) return { mark: 'good', text: 'No problems found' };
  const parts = [
    ...(failures === 0 ? [] : [formatAmount(failures, 'failure')]),
    ...(warnings === 0 ? [] : [formatAmount(warnings, 'warning')]),
  ];
  return { mark: failures === 0 ? 'warn' : 'bad', text: parts.join(', ') };
}
