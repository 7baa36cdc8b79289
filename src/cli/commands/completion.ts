import { Argument, type Command } from 'commander';
import { ConfigError, EXIT } from '../../model/errors.js';
import type { Attach, Call, Outcome } from '../call.js';
import type { CompletionNode } from '../completion/tree.js';
import { DATABASE_EXITS, describe } from '../describe.js';
import { NAMED } from '../flags/flag.js';
import { drawing, text } from '../ui/document.js';

const SHELLS = ['bash', 'zsh', 'fish', 'powershell'] as const;

export function registerCompletion(parent: Command, attach: Attach): void {
  const command = parent
    .command('completion')
    .addArgument(new Argument('<shell>', 'your shell').choices(SHELLS));
  describe(command, {
    summary: 'Print a script that completes commands in your shell.',
    examples: [
      ['source <(wa-reconcile completion bash)', 'in this bash'],
      ['wa-reconcile completion zsh > "${fpath[1]}/_wa-reconcile"', 'in every zsh'],
      ['wa-reconcile completion fish > ~/.config/fish/completions/wa-reconcile.fish', 'in every fish'],
    ],
    exits: { [EXIT.ok]: 'done', [EXIT.usage]: 'unsupported shell' },
  });
  attach(command, complete);
  const names = describe(
    command
      .command('names', { hidden: true })
      .addArgument(new Argument('<what>', 'connections, runs or undoable runs').choices(NAMED)),
    {
      summary: 'List the names that a completion script offers.',
      details: 'One name per line. The scripts call it where a connection or a run is expected.',
      examples: [['wa-reconcile completion names connections', 'the names of all connections']],
      exits: DATABASE_EXITS,
    },
  );
  attach(names, listNames);
}

async function complete(call: Call): Promise<Outcome> {
  const shell = SHELLS.find((name) => name === call.args[0]);
  if (shell === undefined) throw new ConfigError(`There is no script for ${call.args[0] ?? 'no shell'}.`);
  const [{ buildProgram }, { completionTree }] = await Promise.all([
    import('../program.js'),
    import('../completion/tree.js'),
  ]);
  const script = await scriptFor(shell, completionTree(buildProgram()));
  return {
    presentation: {
      json: { schemaVersion: 1, command: 'completion', shell, script },
      lines: [{ shell, script }],
      csv: { columns: ['shell', 'script'], rows: [[shell, script]] },
      document: { blocks: [drawing(() => script.trimEnd().split('\n'), [text(script)])] },
    },
    exitCode: EXIT.ok,
  };
}

/** About as many as a person reads. */
const MOST_RUNS = 50;

async function listNames(call: Call): Promise<Outcome> {
  const what = NAMED.find((name) => name === call.args[0]) ?? 'connections';
  const [{ withContext }, { listConnections }, { listRuns }, { readUndoable }, { sanitize }] =
    await Promise.all([
      import('../session.js'),
      import('../../commands/connections/list.js'),
      import('../../commands/runs/runs.js'),
      import('../../commands/undo/choose-run.js'),
      import('../ui/sanitize.js'),
    ]);
  const names = await withContext(call, { command: 'completion names' }, async (ctx) => {
    switch (what) {
      case 'connections':
        return (await listConnections(ctx)).connections.map(({ name }) => name);
      case 'runs':
        return (await listRuns(ctx, { limit: MOST_RUNS })).runs.map(({ id }) => id);
      case 'undoable':
        return (await readUndoable(ctx.store.sql, MOST_RUNS)).map(({ id }) => id);
    }
  });
  return {
    presentation: {
      json: { schemaVersion: 1, command: 'completion names', what, names },
      lines: names,
      csv: { columns: [what], rows: names.map((name) => [name]) },
      document: { blocks: [drawing(() => names.map(sanitize), [text(names.join('\n'))])] },
    },
    exitCode: EXIT.ok,
  };
}

async function scriptFor(shell: (typeof SHELLS)[number], nodes: readonly CompletionNode[]): Promise<string> {
  switch (shell) {
    case 'bash':
      return (await import('../completion/bash.js')).bashCompletion(nodes);
    case 'zsh':
      return (await import('../completion/zsh.js')).zshCompletion(nodes);
    case 'fish':
      return (await import('../completion/fish.js')).fishCompletion(nodes);
    case 'powershell':
      return (await import('../completion/powershell.js')).powershellCompletion(nodes);
  }
}
