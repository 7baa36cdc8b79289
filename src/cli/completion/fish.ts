import { isNamed, namesCommand, transitionsOf, type CompletionNode, type CompletionOption } from './tree.js';

/** A completion script for fish. */
export function fishCompletion(nodes: readonly CompletionNode[]): string {
  return `# fish completion for wa-reconcile
# Now:    wa-reconcile completion fish | source
# Always: wa-reconcile completion fish > ~/.config/fish/completions/wa-reconcile.fish
function __wa_reconcile_at
    set -l at ''
    for word in (commandline -opc)[2..-1]
        switch "$at/$word"
${transitions(nodes)}
        end
    end
    test "$at" = "$argv[1]"
end
complete -c wa-reconcile -f
${nodes.flatMap(lines).join('\n')}
`;
}

function transitions(nodes: readonly CompletionNode[]): string {
  return transitionsOf(nodes)
    .flatMap(({ from, word, to }) => [`            case '${from}/${word}'`, `                set at '${to}'`])
    .join('\n');
}

function lines({ path, commands, options, argument }: CompletionNode): string[] {
  const at = `complete -c wa-reconcile -n "__wa_reconcile_at '${path}'"`;
  return [
    ...commands.map(({ name, summary }) => `${at} -a ${name} -d ${quote(summary)}`),
    ...(typeof argument === 'string' ? [] : [`${at} -a ${quote(argument.join(' '))}`]),
    ...(argument === 'files' ? [`${at} -F`] : []),
    ...(isNamed(argument) ? [`${at} -a ${quote(`(${namesCommand(argument)})`)}`] : []),
    ...options.map((option) => `${at} ${optionWords(option)}`),
  ];
}

function optionWords({ flags, summary, value }: CompletionOption): string {
  const names = flags.map((flag) => (flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`));
  const described = `${names.join(' ')} -d ${quote(summary)}`;
  if (value === 'none') return described;
  if (value === 'any') return `${described} -x`;
  if (isNamed(value)) return `${described} -x -a ${quote(`(${namesCommand(value)})`)}`;
  return value === 'files' ? `${described} -r -F` : `${described} -x -a ${quote(value.join(' '))}`;
}

function quote(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
