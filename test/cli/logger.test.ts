import { describe, expect, test } from 'vitest';
import type { Console } from '../../src/cli/console.js';
import { createLogger, type LoggerOptions } from '../../src/cli/logger.js';
import { PLAIN } from '../../src/cli/ui/look.js';

async function log(options: Partial<LoggerOptions> = {}) {
  const lines: string[] = [];
  const console: Console = { line: (text) => void lines.push(text) };
  const logger = await createLogger(console, {
    verbosity: 0,
    quiet: false,
    json: false,
    look: PLAIN,
    ...options,
  });
  return { logger, lines };
}

describe('the log', () => {
  test('is one readable line per message for people', async () => {
    const { logger, lines } = await log();
    logger.warn({ attempt: 2, origin: 'day.ndjson:7' }, 'the batch is tried again');
    logger.error(new Error('disk\nfull'), 'it failed');
    expect(lines).toEqual([
      'warn  the batch is tried again  attempt=2 origin=day.ndjson:7',
      'error it failed  error=disk full',
    ]);
  });

  test('is one object per message for programs, beside the progress events', async () => {
    const { logger, lines } = await log({ json: true });
    logger.warn({ attempt: 2 }, 'again');
    expect(JSON.parse(lines[0] ?? '')).toEqual({
      event: 'log',
      ts: expect.stringMatching(/^\d{4}-.*Z$/) as unknown,
      level: 'warn',
      attempt: 2,
      msg: 'again',
    });
  });

  test('says more with -v, everything with -v -v, and only errors with -q', async () => {
    const levels = async (options: Partial<LoggerOptions>): Promise<string[]> => {
      const { logger, lines } = await log(options);
      logger.debug('debug');
      logger.info('info');
      logger.warn('warn');
      logger.error('error');
      return lines.map((line) => line.slice(0, 5).trim());
    };
    expect(await levels({})).toEqual(['warn', 'error']);
    expect(await levels({ verbosity: 1 })).toEqual(['info', 'warn', 'error']);
    expect(await levels({ verbosity: 2 })).toEqual(['debug', 'info', 'warn', 'error']);
    expect(await levels({ quiet: true })).toEqual(['error']);
  });

  test('holds no secret and nobody’s words, at either level, in either form', async () => {
    for (const json of [true, false]) {
      const { logger, lines } = await log({ json });
      logger.warn(
        { password: 'hunter2', message: { body: 'hunter2' }, config: { url: 'x://a:hunter2@b' } },
        'x',
      );
      logger.warn('connecting to postgresql://app:hunter2@db/crm');
      logger.error(new Error('refused: postgresql://app:hunter2@db/crm'), 'x');
      expect(lines).toHaveLength(3);
      expect(lines.join('\n')).not.toContain('hunter2');
    }
  });

  test('cannot be made to obey what it tells', async () => {
    const { logger, lines } = await log();
    logger.warn({ name: '\u001b]0;owned\u0007Ana' }, 'a \u001b[2Jname');
    expect(lines[0]).not.toContain('\u001b');
  });
});
