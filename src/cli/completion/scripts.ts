/** Shells that there are scripts for. */
export const completionShells = ["bash", "zsh", "fish"] as const;
export type CompletionShell = (typeof completionShells)[number];

/**
 * A shell's completion script. What is offered is not in it: it asks `weft __complete -- WORDS… CURRENT`, which knows
 * weft's own commands and asks the daemon for names. The answer is a line a candidate, with a tab and a description,
 * and last `:` and what the shell itself is to offer besides: none, files, folders or commands.
 */
export function completionScript(shell: CompletionShell): string {
  return scripts[shell];
}

const bash = `# bash completion for weft
_weft() {
  local line=\${COMP_LINE:0:COMP_POINT} words current answer besides value prefix
  read -ra words <<< "$line"
  if [[ $line == *[[:space:]] || \${#words[@]} -eq 0 ]]; then words+=(""); fi
  current=\${words[-1]}
  answer=$("\${words[0]}" __complete -- "\${words[@]:1}" 2>/dev/null) || return 0
  besides=\${answer##*$'\\n'}
  COMPREPLY=()
  while IFS=$'\\t' read -r value _; do
    if [[ $value != :* ]]; then COMPREPLY+=("$value"); fi
  done <<< "$answer"
  if [[ $current == --*=* ]]; then prefix=\${current%%=*}=; fi
  case $besides in
    :files) mapfile -t -O "\${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -P "$prefix" -- "\${current#"$prefix"}") ;;
    :folders) mapfile -t -O "\${#COMPREPLY[@]}" COMPREPLY < <(compgen -d -P "$prefix" -- "\${current#"$prefix"}") ;;
    :commands) mapfile -t -O "\${#COMPREPLY[@]}" COMPREPLY < <(compgen -c -- "$current") ;;
  esac
  if [[ $besides == :files || $besides == :folders ]]; then compopt -o filenames 2>/dev/null; fi
  if [[ \${#COMPREPLY[@]} -eq 1 && \${COMPREPLY[0]} == *[=:] ]]; then compopt -o nospace 2>/dev/null; fi
  # Bash ends words at = and :, and replaces only what follows the last of them.
  prefix=\${current%"\${current##*[=:]}"}
  if [[ -n $prefix ]]; then COMPREPLY=("\${COMPREPLY[@]#"$prefix"}"); fi
}
complete -F _weft weft
`;

const zsh = `#compdef weft
# zsh completion for weft
_weft() {
  local answer line value
  local -a lines values shown
  answer=$("\${words[1]}" __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null) || return 1
  lines=("\${(@f)answer}")
  for line in "\${(@)lines[1,-2]}"; do
    value=\${line%%$'\\t'*}
    values+=("$value")
    if [[ $line == *$'\\t'?* ]]; then shown+=("$value  -- \${line#*$'\\t'}"); else shown+=("$value"); fi
  done
  if (( \${#values} )); then compadd -l -d shown -- "\${values[@]}"; fi
  case \${lines[-1]} in
    :files) if compset -P '--*='; then _files; else _files; fi ;;
    :folders) if compset -P '--*='; then _files -/; else _files -/; fi ;;
    :commands) _command_names -e ;;
  esac
  return 0
}
if [[ $funcstack[1] == _weft ]]; then _weft "$@"; else compdef _weft weft; fi
`;

const fish = `# fish completion for weft
function __weft_complete
    set -l words (commandline --tokenize --cut-at-cursor --current-process)
    set -l current (commandline --cut-at-cursor --current-token)
    set -l answer ($words[1] __complete -- $words[2..-1] "$current" 2>/dev/null)
    or return
    for line in $answer[1..-2]
        echo $line
    end
    switch $answer[-1]
        case :files
            __fish_complete_path "$current"
        case :folders
            __fish_complete_directories "$current"
        case :commands
            __fish_complete_command
    end
end
complete --command weft --no-files --arguments '(__weft_complete)'
`;

const scripts: Readonly<Record<CompletionShell, string>> = { bash, zsh, fish };
