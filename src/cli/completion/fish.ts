export const fishScript = `# fish completion for belay
function __belay_complete
    set -l before (commandline -opc)
    set -e before[1]
    set -l current (commandline -ct)
    set -l lines (belay __complete $before "$current" 2>/dev/null)
    set -l directive (string replace -fr '^:(\\d+)$' '$1' -- $lines[-1])
    test -n "$directive"; or return
    test $directive -eq 1; and return
    # What stands before the = is part of the word that fish replaces.
    set -l flag (string match -r -- '^--[^=]*=' "$current")
    if test (count $lines) -gt 1
        printf "%s\\n" "$flag"$lines[1..-2]
    else if test $directive -eq 0
        __fish_complete_path "$current"
    end
end
complete -c belay -e
complete -c belay -f -a '(__belay_complete)'
`;
