import { isNamed, namesCommand, transitionsOf, type CompletionNode } from './tree.js';

/** A completion script for zsh. `path` and `words` are zsh's own variables, so the place is kept in `at`. */
export function zshCompletion(nodes: readonly CompletionNode[]): string {
  return `#compdef wa-reconcile
# zsh completion for wa-reconcile
# Now:    source <(wa-reconcile completion zsh)
# Always: wa-reconcile completion zsh > "\${fpath[1]}/_wa-reconcile"
_wa_reconcile() {
  local at="" files="" names="" i
  local -a commands options
  for ((i = 2; i < CURRENT; i++)); do
    case "$at/\${words[i]}" in
${transitions(nodes)}
    esac
  done
  case "$at \${words[CURRENT-1]}" in
${values(nodes)}
  esac
  case "$at" in
${candidates(nodes)}
  esac
  if [[ "\${words[CURRENT]}" == -* ]]; then
    _describe -o option options
  elif [[ -n "$files" ]]; then
    _files
  elif [[ -n "$names" ]]; then
    compadd -- \${(f)"$(wa-reconcile completion names "$names" --quiet 2>/dev/null)"}
  else
    _describe command commands
  fi
}
if [[ "$funcstack[1]" == _wa-reconcile ]]; then
  _wa_reconcile "$@"
else
  compdef _wa_reconcile wa-reconcile
fi
`;
}

function transitions(nodes: readonly CompletionNode[]): string {
  return transitionsOf(nodes)
    .map(({ from, word, to }) => `      "${from}/${word}") at="${to}" ;;`)
    .join('\n');
}

function values(nodes: readonly CompletionNode[]): string {
  return nodes
    .flatMap(({ path, options }) =>
      options.flatMap(({ flags, value }) => {
        if (value === 'none') return [];
        const pattern = flags.map((flag) => `"${path} ${flag}"`).join('|');
        if (value === 'any') return [`    ${pattern}) return ;;`];
        const reply =
          value === 'files'
            ? '_files'
            : isNamed(value)
              ? `compadd -- \${(f)"$(${namesCommand(value)})"}`
              : `compadd -- ${value.join(' ')}`;
        return [`    ${pattern}) ${reply}; return ;;`];
      }),
    )
    .join('\n');
}

function candidates(nodes: readonly CompletionNode[]): string {
  return nodes
    .map(({ path, commands, options, argument }) => {
      const choices = typeof argument === 'string' ? [] : argument.map((name) => ({ name, summary: name }));
      const named = [...commands, ...choices].map(({ name, summary }) => quote(`${name}:${summary}`));
      const flags = options.flatMap((option) =>
        option.flags.map((flag) => quote(`${flag}:${option.summary}`)),
      );
      const files = argument === 'files' ? ' files=1' : isNamed(argument) ? ` names=${argument}` : '';
      return `    "${path}") commands=(${named.join(' ')}) options=(${flags.join(' ')})${files} ;;`;
    })
    .join('\n');
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
