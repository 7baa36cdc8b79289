import type { Command } from 'commander';
import { GLOBAL_GROUP } from './flags/global.js';
import { buildProgram, isGroup } from './program.js';

/** Every command's help, as Markdown. The options that all commands have stand once, at the top. */
export function renderReference(): string {
  const program = buildProgram();
  const sections = leaves(program).map((command) => {
    const name = nameOf(command);
    return `## ${name}\n\n${fence(helpOf(command, false))}`;
  });
  return [`# wa-reconcile\n\n${fence(helpOf(program, true))}`, ...sections].join('\n\n');
}

function leaves(command: Command): Command[] {
  return command.commands.flatMap((sub) => [...(isGroup(sub) ? [] : [sub]), ...leaves(sub)]);
}

function nameOf(command: Command): string {
  return command.parent === null ? command.name() : `${nameOf(command.parent)} ${command.name()}`;
}

/** The help as `--help` prints it, at 80 columns. */
function helpOf(command: Command, withGlobals: boolean): string {
  let text = '';
  command.configureOutput({
    writeOut: (part) => {
      text += part;
    },
    getOutHelpWidth: () => 80,
  });
  if (!withGlobals) {
    command.configureHelp({
      ...command.configureHelp(),
      visibleOptions: (shown) => shown.options.filter((option) => option.helpGroupHeading !== GLOBAL_GROUP),
    });
  }
  command.outputHelp();
  return text.trimEnd();
}

function fence(text: string): string {
  return `\`\`\`text\n${text}\n\`\`\``;
}
