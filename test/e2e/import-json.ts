import { z } from 'zod';
import { IMPORT_OUTCOMES, type ImportResult } from '../../src/commands/import/types.js';
import { CONNECTION_KINDS } from '../../src/model/enumerations.js';

const count = z.int().nonnegative();
const byReason = z.record(z.string(), z.int().positive());
const instant = z.iso.datetime();
const kept = z.strictObject({ created: count, updated: count, unchanged: count });

/** The documented JSON of an import, field by field: what scripts rely on. A field that nobody documented fails here. */
const importSchema = z.strictObject({
  schemaVersion: z.literal(1),
  command: z.literal('import'),
  runId: z.uuid().nullable(),
  outcome: z.enum(IMPORT_OUTCOMES),
  reason: z.string().nullable(),
  status: z.enum(['completed', 'partial', 'failed', 'interrupted']),
  dryRun: z.boolean(),
  startedAt: instant,
  finishedAt: instant,
  durationMs: count,
  contact: z.strictObject({
    typed: z.string(),
    leadId: z.uuid().nullable(),
    organization: z.string().nullable(),
    name: z.string().nullable(),
    phone: z.string().nullable(),
  }),
  connection: z.strictObject({ id: z.uuid(), name: z.string(), kind: z.enum(CONNECTION_KINDS) }).nullable(),
  messages: z.strictObject({ ...kept.shape, seen: count, skipped: byReason, rejected: byReason }),
  leads: z.strictObject({ created: count, updated: count, merged: count }),
  conversations: z.strictObject({ created: count }),
  cache: z.strictObject({ entries: count, created: count, updated: count }),
  fetch: z.strictObject({
    requests: count,
    pages: z.array(
      z.strictObject({
        address: z.string(),
        received: count,
        chunks: count,
        messages: kept,
        ofOthers: count,
        endOfHistory: z.boolean(),
        moreRemain: z.boolean(),
      }),
    ),
    gaps: z.array(
      z.strictObject({
        reason: z.enum(['file', 'chunk', 'short']),
        after: instant.nullable(),
        before: instant,
        filled: z.boolean(),
      }),
    ),
    unconfirmedEnd: instant.nullable(),
    anchor: z
      .strictObject({
        id: z.string(),
        fromMe: z.boolean(),
        address: z.string(),
        otherAddress: z.string().nullable(),
        timestamp: instant,
      })
      .nullable(),
  }),
  oldestMessageAt: instant.nullable(),
  nextAllowedAt: instant.nullable(),
  problems: z.array(
    z.strictObject({ origin: z.string(), path: z.string(), reason: z.string(), excerpt: z.string() }),
  ),
  problemCount: count,
  remedies: z.array(
    z
      .strictObject({ command: z.string(), args: z.array(z.string()), why: z.string(), line: z.string() })
      .transform(({ command, args, why }) => ({ command, args, why })),
  ),
  owedFiles: count,
  database: z.string(),
});

/** Reads what `import --json` printed; throws when it is not what is documented, or does not add up. */
export function readImport(stdout: string): ImportResult {
  const result = importSchema.parse(JSON.parse(stdout));
  const { seen, created, updated, unchanged, skipped, rejected } = result.messages;
  const ended = [created, updated, unchanged, ...Object.values(skipped), ...Object.values(rejected)];
  const sum = ended.reduce((total, n) => total + n, 0);
  if (sum !== seen) throw new Error(`${seen} messages seen, ${sum} accounted for`);
  return result;
}
