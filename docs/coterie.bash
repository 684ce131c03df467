# bash completion for coterie; load with: source <(coterie completion)
_coterie() {
    local word=${COMP_WORDS[COMP_CWORD]} command=${COMP_WORDS[1]:-} two="${COMP_WORDS[1]:-} ${COMP_WORDS[2]:-}"
    local words=''
    if [ "$COMP_CWORD" -eq 1 ]; then
        words='sql help man completion version '
    else
        case $two in
        'sql'\ *) words=' --data --json --seed --threads --quiet --help' ;;
        'help'\ *) words=' --data --json --seed --threads --quiet --help' ;;
        'man'\ *) words=' --data --json --seed --threads --quiet --help' ;;
        'completion'\ *) words=' --data --json --seed --threads --quiet --help' ;;
        'version'\ *) words=' --data --json --seed --threads --quiet --help' ;;
        esac
        if [ "$COMP_CWORD" -eq 2 ]; then
            case $command in
            esac
        fi
    fi
    COMPREPLY=($(compgen -W "$words" -- "$word"))
    [ "${#COMPREPLY[@]}" -gt 0 ] || COMPREPLY=($(compgen -f -- "$word"))
}
complete -F _coterie coterie
