# bash completion for coterie; load with: source <(coterie completion)
_coterie() {
    local word=${COMP_WORDS[COMP_CWORD]} command=${COMP_WORDS[1]:-} two="${COMP_WORDS[1]:-} ${COMP_WORDS[2]:-}"
    local words=''
    if [ "$COMP_CWORD" -eq 1 ]; then
        words='simulate report predict predictions backtest forecast lab rfm features import segment segment rules customer identity quarantine sql quality export backup restore forget serve keys help man completion version '
    else
        case $two in
        'simulate'\ *) words=' --customers --out --events --segments --months --dirty --outliers --difficulty --orders-only --data --json --seed --threads --quiet --help' ;;
        'report'\ *) words=' --out --run --quality --data --json --seed --threads --quiet --help' ;;
        'predict'\ *) words=' --as-of --horizon --folds --customer --top --uplift --out --no-keep --data --json --seed --threads --quiet --help' ;;
        'predictions record') words=' --data --json --seed --threads --quiet --help' ;;
        'backtest'\ *) words=' --as-of --horizon --folds --data --json --seed --threads --quiet --help' ;;
        'forecast'\ *) words=' --by --every --horizon --measure --top --as-of --backtest --folds --service-level --lead-time --without-customers --out --data --json --seed --threads --quiet --help' ;;
        'lab btyd') words=' --input --model --calibration-end --holdout-end --unit --k --prior --data --json --seed --threads --quiet --help' ;;
        'lab forecast') words=' --input --horizon --method --season --backtest --data --json --seed --threads --quiet --help' ;;
        'lab cluster') words=' --input --k --method --cut --n-init --max-iter --batch --tol --init --seeding --isa --labels-out --centroids-out --linkage-out --data --json --seed --threads --quiet --help' ;;
        'rfm'\ *) words=' --as-of --data --json --seed --threads --quiet --help' ;;
        'features list') words=' --as-of --without-timeless --data --json --seed --threads --quiet --help' ;;
        'features show') words=' --as-of --without-timeless --data --json --seed --threads --quiet --help' ;;
        'features export') words=' --out --format --as-of --without-timeless --data --json --seed --threads --quiet --help' ;;
        'import'\ *) words=' --dry-run --map --as --kind --source --date-order --decimal --currency --time-zone --channel --encoding --delimiter --header --data --json --seed --threads --quiet --help' ;;
        'segment'\ *) words=' --k --zoom --as-of --without-timeless --features --exclude --with-predictions --data --json --seed --threads --quiet --help' ;;
        'segment list') words=' --data --json --seed --threads --quiet --help' ;;
        'segment history') words=' --days --data --json --seed --threads --quiet --help' ;;
        'segment diff') words=' --data --json --seed --threads --quiet --help' ;;
        'rules list') words=' --data --json --seed --threads --quiet --help' ;;
        'rules show') words=' --version --data --json --seed --threads --quiet --help' ;;
        'rules put') words=' --from-version --data --json --seed --threads --quiet --help' ;;
        'rules delete') words=' --data --json --seed --threads --quiet --help' ;;
        'rules history') words=' --data --json --seed --threads --quiet --help' ;;
        'rules preview') words=' --name --data --json --seed --threads --quiet --help' ;;
        'rules test') words=' --data --json --seed --threads --quiet --help' ;;
        'rules sync') words=' --dry-run --data --json --seed --threads --quiet --help' ;;
        'rules members') words=' --limit --from --data --json --seed --threads --quiet --help' ;;
        'customer show') words=' --data --json --seed --threads --quiet --help' ;;
        'identity show') words=' --data --json --seed --threads --quiet --help' ;;
        'identity simulate') words=' --rules --data --json --seed --threads --quiet --help' ;;
        'identity apply') words=' --rules --data --json --seed --threads --quiet --help' ;;
        'quarantine list') words=' --code --limit --data --json --seed --threads --quiet --help' ;;
        'quarantine replay') words=' --code --map --date-order --decimal --currency --time-zone --channel --data --json --seed --threads --quiet --help' ;;
        'sql'\ *) words=' --data --json --seed --threads --quiet --help' ;;
        'quality'\ *) words=' --data --json --seed --threads --quiet --help' ;;
        'export segment') words=' --format --out --holdout --purpose --campaign --columns --data --json --seed --threads --quiet --help' ;;
        'export list') words=' --data --json --seed --threads --quiet --help' ;;
        'backup'\ *) words=' --out --data --json --seed --threads --quiet --help' ;;
        'restore'\ *) words=' --force --data --json --seed --threads --quiet --help' ;;
        'forget'\ *) words=' --finish --data --json --seed --threads --quiet --help' ;;
        'serve'\ *) words=' --listen --tls-cert --tls-key --access-log --rate --shopify-secret --max-connections --idle-timeout --data --json --seed --threads --quiet --help' ;;
        'keys create') words=' --role --name --rate --data --json --seed --threads --quiet --help' ;;
        'keys list') words=' --data --json --seed --threads --quiet --help' ;;
        'keys revoke') words=' --data --json --seed --threads --quiet --help' ;;
        'help'\ *) words=' --data --json --seed --threads --quiet --help' ;;
        'man'\ *) words=' --data --json --seed --threads --quiet --help' ;;
        'completion'\ *) words=' --data --json --seed --threads --quiet --help' ;;
        'version'\ *) words=' --data --json --seed --threads --quiet --help' ;;
        esac
        if [ "$COMP_CWORD" -eq 2 ]; then
            case $command in
            predictions) words+=' record' ;;&
            lab) words+=' btyd' ;;&
            lab) words+=' forecast' ;;&
            lab) words+=' cluster' ;;&
            features) words+=' list' ;;&
            features) words+=' show' ;;&
            features) words+=' export' ;;&
            segment) words+=' list' ;;&
            segment) words+=' history' ;;&
            segment) words+=' diff' ;;&
            rules) words+=' list' ;;&
            rules) words+=' show' ;;&
            rules) words+=' put' ;;&
            rules) words+=' delete' ;;&
            rules) words+=' history' ;;&
            rules) words+=' preview' ;;&
            rules) words+=' test' ;;&
            rules) words+=' sync' ;;&
            rules) words+=' members' ;;&
            customer) words+=' show' ;;&
            identity) words+=' show' ;;&
            identity) words+=' simulate' ;;&
            identity) words+=' apply' ;;&
            quarantine) words+=' list' ;;&
            quarantine) words+=' replay' ;;&
            export) words+=' segment' ;;&
            export) words+=' list' ;;&
            keys) words+=' create' ;;&
            keys) words+=' list' ;;&
            keys) words+=' revoke' ;;&
            esac
        fi
    fi
    COMPREPLY=($(compgen -W "$words" -- "$word"))
    [ "${#COMPREPLY[@]}" -gt 0 ] || COMPREPLY=($(compgen -f -- "$word"))
}
complete -F _coterie coterie
