import type { Command } from 'commander';
import { EXIT } from '../../model/errors.js';
import type { Action, Attach } from '../call.js';
import { DATABASE_EXITS, describe } from '../describe.js';
import { readFlags } from '../flags/table.js';
import { ORGANIZATION, referenceArgument } from './connection-options.js';
import { presentArchived } from '../views/connections.js';

const EXITS = { ...DATABASE_EXITS, [EXIT.usage]: 'wrong usage or configuration; no such connection' };

export function registerConnectionArchive(parent: Command, attach: Attach): void {
  const archive = parent.command('archive').addArgument(referenceArgument());
  describe(archive, {
    flags: ORGANIZATION,
    summary: 'Archive a connection that is no longer in use.',
    details:
      'It raises no more alerts about silence or history. Its messages stay, entries that name it are still ' +
      'imported, and losses are still reported.',
    examples: [['wa-reconcile connection archive old-number', 'the number is no longer used']],
    exits: EXITS,
  });
  attach(archive, setArchived(true));
  const unarchive = parent.command('unarchive').addArgument(referenceArgument());
  describe(unarchive, {
    flags: ORGANIZATION,
    summary: 'Put an archived connection back into use.',
    examples: [['wa-reconcile connection unarchive old-number', 'alerts are raised again']],
    exits: EXITS,
  });
  attach(unarchive, setArchived(false));
}

function setArchived(archived: boolean): Action {
  return async (call) => {
    const [{ withContext }, { archiveConnection }] = await Promise.all([
      import('../session.js'),
      import('../../commands/connections/remove.js'),
    ]);
    const command = archived ? 'connection archive' : 'connection unarchive';
    const result = await withContext(call, { command, lock: 'exclusive' }, (ctx) =>
      archiveConnection(ctx, call.args[0] ?? '', archived, readFlags(ORGANIZATION, call).values.organization),
    );
    return { presentation: presentArchived(result, archived), exitCode: EXIT.ok };
  };
}
