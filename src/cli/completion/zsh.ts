/** Can be sourced, or put into a directory of `fpath` as `_belay`. */
export const zshScript = `#compdef belay
# zsh completion for belay
_belay() {
  local -a lines candidates
  local line directive
  lines=("\${(@f)$(belay __complete "\${(@Q)words[2,CURRENT]}" 2> /dev/null)}")
  directive=\${lines[-1]#:}
  [[ $directive == <-> ]] || return 1
  (( directive & 1 )) && return 1
  for line in "\${(@)lines[1,-2]}"; do
    [[ -z $line ]] && continue
    # _describe divides at the first colon, and not at a tab.
    line=\${line//:/\\\\:}
    candidates+=("\${line/$'\\t'/:}")
  done
  [[ $PREFIX == --*=* ]] && compset -P 1 '*='
  if (( \${#candidates} )); then
    _describe belay candidates && return
  fi
  (( directive & 4 )) && return 1
  _files
}
if [[ $funcstack[1] == _belay ]]; then
  _belay
else
  compdef _belay belay
fi
`;
