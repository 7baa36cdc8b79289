import { isNamed, transitionsOf, wordsOf, type CompletionNode } from './tree.js';

/** A completion script for bash. */
export function bashCompletion(nodes: readonly CompletionNode[]): string {
  return `# bash completion for wa-reconcile
# Now:    source <(wa-reconcile completion bash)
# Always: wa-reconcile completion bash > ~/.local/share/bash-completion/completions/wa-reconcile
# Names are compared here and not by compgen -W, which would run what stands in them.
_wa_reconcile_names() {
  local name
  while IFS= read -r name; do
    if [[ -n "$name" && "$name" == "$current"* ]]; then COMPREPLY+=("$name"); fi
  done < <(wa-reconcile completion names "$1" --quiet 2>/dev/null)
}
_wa_reconcile() {
  local current previous at i words files names
  current="\${COMP_WORDS[COMP_CWORD]}"
  previous="\${COMP_WORDS[COMP_CWORD-1]}"
  at=""
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$at/\${COMP_WORDS[i]}" in
${transitions(nodes)}
    esac
  done
  case "$at $previous" in
${values(nodes)}
  esac
  words="" files="" names=""
  case "$at" in
${words(nodes)}
  esac
  if [[ -n "$files" && "$current" != -* ]]; then
    COMPREPLY=($(compgen -f -- "$current"))
  elif [[ -n "$names" && "$current" != -* ]]; then
    _wa_reconcile_names "$names"
  else
    COMPREPLY=($(compgen -W "$words" -- "$current"))
  fi
}
complete -o filenames -F _wa_reconcile wa-reconcile
`;
}

function transitions(nodes: readonly CompletionNode[]): string {
  return transitionsOf(nodes)
    .map(({ from, word, to }) => `      "${from}/${word}") at="${to}" ;;`)
    .join('\n');
}

/** The possible words after an option with a value. */
function values(nodes: readonly CompletionNode[]): string {
  return nodes
    .flatMap(({ path, options }) =>
      options.flatMap(({ flags, value }) => {
        if (value === 'none') return [];
        const pattern = flags.map((flag) => `"${path} ${flag}"`).join('|');
        if (value === 'any') return [`    ${pattern}) return ;;`];
        if (isNamed(value)) return [`    ${pattern}) _wa_reconcile_names ${value}; return ;;`];
        const source = value === 'files' ? '-f' : `-W "${value.join(' ')}"`;
        return [`    ${pattern}) COMPREPLY=($(compgen ${source} -- "$current")); return ;;`];
      }),
    )
    .join('\n');
}

function words(nodes: readonly CompletionNode[]): string {
  return nodes
    .map((node) => {
      const files =
        node.argument === 'files' ? ' files=1' : isNamed(node.argument) ? ` names=${node.argument}` : '';
      return `    "${node.path}") words="${wordsOf(node).join(' ')}"${files} ;;`;
    })
    .join('\n');
}
