import type {
  CheckResult,
  EnforcedIndex,
  Recomputed,
  VerifiedItem,
  VerifyResult,
} from '../../commands/verify/types.js';
import { remedy } from '../../model/remedy.js';
import { isGreen, type Severity } from '../../model/enumerations.js';
import type { Presentation } from '../ui/presentation.js';
import { formatAmount, formatCount, formatDuration } from '../ui/quantities.js';
import { sanitize } from '../ui/sanitize.js';
import { faint, list, section, short, type Block, type Item, type Verdict } from '../ui/document.js';
import { countWords, severityMark } from './alert-words.js';
import { firstSteps } from './words.js';

/** One line of `--items`: `SIGN CHECK CONNECTION SUBJECT DETAIL`, separated by tabs, whatever is in them. */
export function itemLine({ sign, check, connection, subject, detail }: VerifiedItem): string {
  return [sign, check, connection ?? '', subject, detail].map(sanitize).join('\t');
}

/** `failOn`: the severity from which findings decide the exit code, and with it the headline. */
export function presentVerify(result: VerifyResult, failOn: Severity): Presentation {
  const { checks, ...summary } = result;
  const { enforced, recomputed } = result;
  const checkList = list(checks.map(checkItem));
  return {
    json: result,
    isNews: !isGreen(result.severity),
    lines: [...checks, summary],
    csv: {
      columns: ['check', 'status', 'severity', 'checked', 'found', 'summary', 'remedy'],
      rows: checks.map(({ check, status, severity, checked, found, summary: words, remedy }) => [
        check,
        status,
        severity,
        checked,
        found,
        words,
        remedy,
      ]),
    },
    document: {
      verdict: verdictOf(result, failOn),
      blocks:
        enforced.length === 0
          ? [checkList]
          : [...enforcedBlocks(enforced, recomputed), section('Checks', [checkList])],
      next: firstSteps([
        ...(hasNothing(result)
          ? [remedy('replay', ['LOG', '--register'], 'imports a webhook log, and adds its connections')]
          : []),
        ...enforced.map(({ remedy }) => remedy ?? null),
        ...checks.filter(({ status }) => status === 'findings').map(({ remedy }) => remedy),
      ]),
    },
  };
}

/** What `--enforce` did; indexes that were there already are only counted. */
function enforcedBlocks(enforced: readonly EnforcedIndex[], recomputed: Recomputed): Block[] {
  const items = enforced.flatMap(({ index, outcome, reason, remedy }): Item[] => {
    switch (outcome) {
      case 'present':
        return [];
      case 'created':
      case 'recreated':
        return [{ mark: 'good', line: `${outcome}  ${index}` }];
      case 'blocked':
        return [
          {
            mark: 'bad',
            line: `blocked  ${index}: ${reason ?? 'unknown'}`,
            under: remedy === null || remedy === undefined ? [] : [remedy],
          },
        ];
    }
  });
  const present = enforced.filter(({ outcome }) => outcome === 'present').length;
  const { messages, conversations, leads, tickets, malformed } = recomputed;
  const counts = [
    formatAmount(conversations, 'conversation'),
    formatAmount(leads, 'lead'),
    formatAmount(tickets, 'ticket'),
  ];
  return [
    section('Unique indexes', [
      list(items.length > 0 ? items : [{ mark: 'good', line: `all ${formatCount(present)} present` }]),
    ]),
    section('Cleared', [
      list(
        malformed === 0
          ? []
          : [{ mark: 'good', line: `values that cannot be read in ${formatAmount(malformed, 'row')}` }],
      ),
    ]),
    section('Recomputed', [
      list(conversations + leads + tickets === 0 ? [] : [{ mark: 'good', line: counts.join(', ') }]),
    ]),
    section('Raw entries', [
      list(
        messages === 0
          ? []
          : [
              {
                mark: 'good',
                line: `taken from ${formatAmount(messages, 'message')} that they do not hold`,
              },
            ],
      ),
    ]),
  ];
}

function checkItem(result: CheckResult): Item {
  const { check, status, severity, samples, found, summary, remedy } = result;
  if (status === 'ok') return { mark: 'good', label: check, line: summary };
  // Findings may be more than the samples stand for: a sample can be a group of rows.
  const more = samples.length >= 5 && found > samples.length;
  return {
    mark: status === 'note' ? 'note' : severityMark(severity),
    label: check,
    line: summary,
    under: [
      ...samples.map(({ connection, subject, detail }) =>
        short([connection, subject, detail].filter((part) => part !== null && part !== '').join('  ')),
      ),
      ...(more ? [faint(`${formatCount(found)} in all; --items FILE lists them`)] : []),
      ...(remedy === null ? [] : [remedy]),
    ],
  };
}

/** A database without a connection may be the wrong one. A user who creates its indexes knows which it is. */
export function hasNothing({ connections, findings, enforced, status }: VerifyResult): boolean {
  const isEnforced = enforced.some(({ outcome }) => outcome !== 'present');
  return status === 'completed' && connections === 0 && findings === 0 && !isEnforced;
}

function verdictOf(result: VerifyResult, failOn: Severity): Verdict {
  const { checks, status, durationMs, database, enforced, acknowledged } = result;
  const detail = `${database}, ${formatDuration(durationMs)}`;
  switch (status) {
    case 'interrupted':
      return { mark: 'stopped', text: `Interrupted: ${formatAmount(checks.length, 'check')} done`, detail };
    case 'completed': {
      const accepted = acknowledged === 0 ? '' : `; ${formatCount(acknowledged)} acknowledged`;
      const blocked = enforced.filter(({ outcome }) => outcome === 'blocked').length;
      const all = formatAmount(checks.length, 'check');
      const counts = countsOf(checks);
      const { lost, degraded, notes } = counts;
      if (hasNothing(result))
        return { mark: 'warn', text: 'Nothing to verify: there is no connection', detail };
      if (lost + degraded + notes + blocked === 0)
        return { mark: 'good', text: `Clean: ${all}, no findings${accepted}`, detail };
      const indexes =
        blocked === 0 ? '' : `; ${formatAmount(blocked, 'unique index', 'unique indexes')} blocked`;
      const isWarning = degraded > 0 || (notes > 0 && failOn === 'note');
      const mark = lost + blocked > 0 ? 'bad' : isWarning ? 'warn' : 'good';
      return { mark, text: `${countWords(counts)} in ${all}${indexes}${accepted}`, detail };
    }
  }
}

/** As in `report`: what is lost item by item, everything else check by check. */
function countsOf(checks: readonly CheckResult[]): { lost: number; degraded: number; notes: number } {
  const of = (severity: Severity): CheckResult[] => checks.filter((check) => check.severity === severity);
  const losing = of('loss').map(({ found, lost = found }) => ({ lost, isDegraded: found > lost }));
  return {
    lost: losing.reduce((sum, { lost }) => sum + lost, 0),
    degraded: of('degraded').length + losing.filter(({ isDegraded }) => isDegraded).length,
    notes: checks.reduce((sum, { notes = 0 }) => sum + notes, 0),
  };
}
