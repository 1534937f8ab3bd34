/**
 * Works without the package bash-completion, and in the bash 3.2 of macOS. The words of the line are passed on as they are, and never
 * evaluated. bash divides words at `=` and `:`. The script joins the pieces again, and removes from each candidate the part that bash
 * has already taken.
 */
export const bashScript = `# bash completion for belay
_belay() {
  local tab=$'\\t' words=() word current line longest=0 values=() descriptions=() directive i join=
  for ((i = 1; i <= COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    if [[ -n $join || $word == [=:] ]] && ((\${#words[@]} > 0)); then
      words[\${#words[@]}-1]+=$word
    else
      words+=("$word")
    fi
    join=
    [[ $word == [=:] ]] && join=yes
  done
  current=\${words[\${#words[@]}-1]}
  while IFS= read -r line; do
    if [[ $line == :* ]]; then
      directive=\${line#:}
      break
    fi
    values+=("\${line%%"$tab"*}")
    descriptions+=("$line")
  done < <(belay __complete "\${words[@]}" 2> /dev/null)

  COMPREPLY=()
  ((directive & 1)) && return
  if ((directive & 4)) && type compopt > /dev/null 2>&1; then
    compopt +o default
  fi
  [[ $current == --*=* ]] && current=\${current#*=}
  local cut=
  [[ $current == *:* && $COMP_WORDBREAKS == *:* ]] && cut=\${current%"\${current##*:}"}
  for i in "\${!values[@]}"; do
    ((\${#values[i]} > longest)) && longest=\${#values[i]}
  done
  for i in "\${!values[@]}"; do
    word=\${values[i]#"$cut"}
    # Alone, or one after the other in the same place: then it is what will stand on the line, and not what is listed.
    if ((\${#values[@]} == 1 || COMP_TYPE == 37 || COMP_TYPE == 42)); then
      COMPREPLY+=("$(printf %q "$word")")
    elif [[ \${descriptions[i]} == *"$tab"* ]]; then
      COMPREPLY+=("$(printf "%-\${longest}s  (%s)" "$word" "\${descriptions[i]#*"$tab"}")")
    else
      COMPREPLY+=("$word")
    fi
  done
}
complete -o default -F _belay belay
`;
