/** `npm run bench:backup [messages]`: measures backup and restore alone, beside what PostgreSQL's own programs do. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeLog } from './generate-log.js';
import { BACKUP_HEADER, backupRatesOf, judgeBackup, measureBackup } from './measure-backup.js';
import { startPostgresqlTarget } from './postgresql-target.js';
import { plainTable, VERDICT_HEADER, verdictRow } from './report.js';
import { replayOnce } from './run-binary.js';

const messages = Number(process.argv[2] ?? 1_000_000);
const directory = await mkdtemp(join(tmpdir(), 'wa-reconcile-bench-'));
const target = await startPostgresqlTarget();
try {
  const log = join(directory, 'log.ndjson');
  await writeLog(log, { messages, seed: 1 });
  await replayOnce(log, messages, { env: target.env, directory });
  const figures = await measureBackup({ url: target.env['DATABASE_URL'] ?? '', messages, directory });
  const verdicts = judgeBackup(figures);
  process.stdout.write(`${target.conditions}\n${plainTable(BACKUP_HEADER, backupRatesOf(figures))}\n`);
  process.stdout.write(`${plainTable(VERDICT_HEADER, verdicts.map(verdictRow))}\n`);
  if (verdicts.some(({ pass }) => pass === false)) process.exitCode = 1;
} finally {
  await target.close();
  await rm(directory, { recursive: true, force: true });
}
