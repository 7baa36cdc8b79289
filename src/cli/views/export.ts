import type { ExportSummary } from '../../commands/export/types.js';
import { fields, type Verdict } from '../ui/document.js';
import type { Presentation } from '../ui/presentation.js';
import { formatAmount } from '../ui/quantities.js';
import type { Form } from '../transcript/form.js';

/** The JSON of `export`, `schemaVersion` 1; fields are only ever added. */
export interface ExportResult extends ExportSummary {
  schemaVersion: 1;
  command: 'export';
  /** Null for stdout. */
  output: string | null;
  form: Form;
  /** Messages with a file: how many were copied, and how many are not here; null if none was wanted. */
  media: { copied: number; missing: number } | null;
}

export function presentExport(result: ExportResult): Presentation {
  const { output, media, ...summary } = result;
  return {
    json: result,
    lines: [result],
    csv: {
      columns: ['messages', 'conversations', 'first_message_at', 'last_message_at', 'output'],
      rows: [
        [summary.messages, summary.conversations, summary.firstMessageAt, summary.lastMessageAt, output],
      ],
    },
    isNews: (media?.missing ?? 0) > 0,
    document: { verdict: exportVerdict(result), blocks: [fields([['written to', output]])] },
  };
}

/** `12 messages of 1 conversation, 2025-08-27 to 2025-09-16, 2 files copied, 1 missing` */
export function exportVerdict(result: ExportResult): Verdict {
  const { messages, conversations, firstMessageAt, lastMessageAt, media } = result;
  const between =
    firstMessageAt === null || lastMessageAt === null
      ? []
      : [`${firstMessageAt.slice(0, 10)} to ${lastMessageAt.slice(0, 10)}`];
  const files =
    media === null
      ? []
      : [
          `${formatAmount(media.copied, 'file')} copied`,
          ...(media.missing === 0 ? [] : [`${media.missing} missing`]),
        ];
  return {
    mark: media === null || media.missing === 0 ? 'good' : 'warn',
    text: [
      `${formatAmount(messages, 'message')} of ${formatAmount(conversations, 'conversation')}`,
      ...between,
      ...files,
    ].join(', '),
  };
}
