program=$(basename -- "$0")
newline='
'

# Standard output is for results alone; all other text goes where errors go.
say() { printf '%s\n' "$@" >&2; }

# The first text says what is wrong, the others what to do next.
fail() {
    say "$program: $1"
    shift
    for line; do say "  $line"; done
    exit 1
}

wrong() {
    say "$program: $1" "Run 'sh $program --help' for the options."
    exit 2
}

# The text as one word of a shell command.
quoted() { printf '%s' "$1" | sed "s/'/'\\\\''/g; 1s/^/'/; \$s/\$/'/"; }

# Whether the text holds no control character.
plain() { [ "$(printf '%s' "$1" | LC_ALL=C tr -d '\000-\037\177')" = "$1" ]; }

lower() { printf '%s' "$1" | LC_ALL=C tr '[:upper:]' '[:lower:]'; }

# Whether a text has this many characters.
between() { [ "${#3}" -ge "$1" ] && [ "${#3}" -le "$2" ]; }

# azure-cli reads a value that begins with '-' as an option and one that begins with '@' as a file.
check_group() {
    [ -n "$group" ] || wrong '-g needs the name of a resource group.'
    case $group in
        -* | @* | */* | *\\* | *"'"* | *'"'* | *.) wrong "'$group' is not the name of a resource group." ;;
    esac
    plain "$group" || wrong 'The name of the resource group holds a control character.'
    between 1 90 "$group" || wrong "'$group' is not the name of a resource group: at most 90 characters."
}

# Nothing of this waits for an answer that nobody can give.
check_terminal() {
    [ -n "$yes" ] || [ -n "${what_if-}" ] || [ -t 0 ] ||
        fail 'Nobody can be asked here: standard input is not a terminal.' 'Run it again with --yes to go on without a question.'
}

# azure-cli gets no standard input, so that it asks nothing.
azure() { az "$@" </dev/null; }

# What azure-cli knows of something that may not be there: 3 is its exit code then, and not worth an error.
look() {
    looked=0
    azure "$@" 2>"$work/errors" || looked=$?
    if [ "$looked" -ne 0 ] && [ "$looked" -ne 3 ]; then cat "$work/errors" >&2; fi
    return "$looked"
}

check_login() {
    command -v az >/dev/null 2>&1 || fail 'The program az is not installed.' "Install Azure's command line azure-cli, run 'az login', then run this again."
    subscription=$(azure account show --query '[name, id]' --output tsv) || fail 'Nobody is logged in to Azure.' "Run 'az login', then run this again."
    say "Subscription: $(printf '%s' "$subscription" | tr '\n' ' ')"
}

ask() {
    [ -z "$yes" ] || return 0
    printf '%s [y/N] ' "$1" >&2
    answer=''
    read -r answer || say ''
    case $answer in
        [yY] | [yY][eE][sS]) ;;
        *) fail 'Nothing was changed.' ;;
    esac
}

# A folder for files that nobody else may read, gone at the end however this ends.
work=''
silent=''
clean() {
    if [ -n "$silent" ]; then stty echo 2>/dev/null || :; fi
    if [ -n "$work" ]; then rm -rf -- "$work"; fi
}
trap clean EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 131' QUIT
trap 'exit 141' PIPE
trap 'exit 143' TERM
make_work() { work=$(mktemp -d "${TMPDIR:-/tmp}/eryphc.XXXXXXXX"); }

