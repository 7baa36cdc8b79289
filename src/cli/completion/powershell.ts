import { isNamed, transitionsOf, wordsOf, type CompletionNode } from './tree.js';

/** A completion script for PowerShell. If it offers nothing, PowerShell offers file names. */
export function powershellCompletion(nodes: readonly CompletionNode[]): string {
  return `# PowerShell completion for wa-reconcile
# Now:    wa-reconcile completion powershell | Out-String | Invoke-Expression
# Always: wa-reconcile completion powershell >> $PROFILE
Register-ArgumentCompleter -Native -CommandName wa-reconcile -ScriptBlock {
    param($current, $ast, $position)
    $transitions = @{
${transitionsOf(nodes)
  .map(({ from, word, to }) => `        '${from}/${word}' = '${to}'`)
  .join('\n')}
    }
    $words = @{
${nodes.map((node) => `        '${node.path}' = ${list(wordsOf(node))}`).join('\n')}
    }
    $values = @{
${values(nodes)}
    }
    $named = @{
${named(nodes)}
    }
    $at = ''
    $typed = @($ast.CommandElements | Select-Object -Skip 1 | ForEach-Object { $_.ToString() })
    if ($current -ne '' -and $typed.Count -gt 0) { $typed = @($typed | Select-Object -SkipLast 1) }
    foreach ($word in $typed) {
        if ($transitions.ContainsKey("$at/$word")) { $at = $transitions["$at/$word"] }
    }
    $after = if ($typed.Count -gt 0) { "$at " + $typed[-1] } else { '' }
    $candidates = if ($named.ContainsKey($after)) { wa-reconcile completion names $named[$after] --quiet 2>$null } elseif ($values.ContainsKey($after)) { $values[$after] } else { $words[$at] }
    $candidates | Where-Object { $_ -like "$current*" } | ForEach-Object {
        $text = if ($_ -match '^[\\w.@:+-]+$') { $_ } else { "'" + $_.Replace("'", "''") + "'" }
        [System.Management.Automation.CompletionResult]::new($text, $_, 'ParameterValue', $_)
    }
}
`;
}

/** The possible words after an option with a value; none for a path or free text. */
function values(nodes: readonly CompletionNode[]): string {
  return nodes
    .flatMap(({ path, options }) =>
      options.flatMap(({ flags, value }) =>
        value === 'none'
          ? []
          : flags.map(
              (flag) => `        '${path} ${flag}' = ${list(typeof value === 'string' ? [] : value)}`,
            ),
      ),
    )
    .join('\n');
}

/** Options whose values the database knows. */
function named(nodes: readonly CompletionNode[]): string {
  return nodes
    .flatMap(({ path, options }) =>
      options.flatMap(({ flags, value }) =>
        isNamed(value) ? flags.map((flag) => `        '${path} ${flag}' = '${value}'`) : [],
      ),
    )
    .join('\n');
}

function list(words: readonly string[]): string {
  return `@(${words.map((word) => `'${word}'`).join(', ')})`;
}
