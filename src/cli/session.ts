import { withDatabase } from '../commands/database.js';
import type { Context } from '../context.js';
import type { Call } from './call.js';
import { readSecretKey } from './device-options.js';
import { createLogger } from './logger.js';
import type { Interruptible } from './signals.js';
import { createProgress, progressMode } from './ui/progress.js';
import { watchForFullDisk } from './stuck-watchdog.js';
import { chooseDatabase, withPlaces } from './choose-database.js';

export interface SessionOptions {
  /** The command, as another process that waits for the database will be told it. */
  command: string;
  /** See DatabaseOptions: for work that must be alone, or must keep out what has to be alone. */
  lock?: 'shared' | 'exclusive' | undefined;
  /** For `db migrate` and `db status`, which must open a database that is not up to date. */
  unmigrated?: boolean;
  /** Leaves the tables of the embedded database as they are: for `restore`, which makes them in its own transaction. */
  asItIs?: boolean;
  /**
   * Creates the embedded database if missing: only for commands that import data. Others exit with 2 and leave nothing
   * behind, because results about an empty database would mislead.
   */
  creates?: boolean;
  /** Keeps a new database even if it stays empty: for the command that creates one. */
  keepsBlank?: boolean;
  /** Waits this long for the lock even without --lock-wait. */
  leastLockWaitMs?: number;
  /** See actorOf. */
  actor?: string | undefined;
  /** See readAppSecrets. */
  appSecrets?: readonly string[] | undefined;
  /** The work handles `ctx.signal`: a signal ends it after its batch instead of at once. */
  interruptible?: Interruptible | null;
}

/** Opens the database that the settings name, and gives `work` the context of a use-case. */
export async function withContext<T>(
  call: Call,
  options: SessionOptions,
  work: (ctx: Context) => Promise<T>,
): Promise<T> {
  const { io, console, settings, look } = call;
  const choice = chooseDatabase(settings, call.environment, io);
  const { config, notice } = choice;
  if (notice !== undefined) call.notice(notice);
  const log = await createLogger(console, {
    verbosity: settings.verbose,
    quiet: settings.quiet,
    json: settings.events,
    look,
  });
  const { signal } = call.stop;
  if (options.interruptible) call.stop.letEnd(options.interruptible);
  const watchdog =
    config.kind === 'pglite' && options.lock !== undefined
      ? watchForFullDisk({ directory: config.directory, pid: io.pid })
      : undefined;
  const progress = await createProgress(progressMode(settings, io), io, console, look);
  try {
    if (config.kind === 'pglite') progress.emit({ event: 'opening' });
    return await withDatabase(
      config,
      {
        command: options.command,
        host: io.host,
        pid: io.pid,
        waitMs: Math.max(settings.lockWait, options.leastLockWaitMs ?? 0),
        signal,
        lock: options.lock,
        unmigrated: options.unmigrated,
        ...(options.asItIs === undefined ? {} : { asItIs: options.asItIs }),
        creates: options.creates,
        keepsBlank: options.keepsBlank,
      },
      async (store, held) => {
        if (config.kind === 'pglite') progress.emit({ event: 'opened' });
        return work({
          store,
          log,
          clock: io.clock,
          signal: held,
          emit: progress.emit,
          host: io.host,
          pid: io.pid,
          processStartedAt: io.startedAt,
          user: io.user,
          secretKey: () => readSecretKey(call.environment, io.cwd),
          ...(options.actor === undefined ? {} : { actor: options.actor }),
          ...(options.appSecrets === undefined ? {} : { appSecrets: options.appSecrets }),
        });
      },
    );
  } catch (error) {
    throw withPlaces(error, choice);
  } finally {
    progress.close();
    watchdog?.close();
  }
}
