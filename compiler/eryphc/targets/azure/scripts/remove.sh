#!/bin/sh
# Removes the machine from Azure with what was made for it. Data disks stay unless --data says otherwise; images always stay.
# 'sh remove.sh --help' shows the options. The text is the same for every machine but for the constants.
set -eu
umask 077

# ==== constants of this machine: data, never run ====
catlet_id=@catlet_id@
deployment=@deployment@
os_disk=@os_disk@
# ==== end of the constants ====

# ==== common.sh stands here ====

usage() {
    cat <<'EOT'
Usage: sh remove.sh -g GROUP [--data] [--stack] [--what-if] [--yes]

Deletes what carries the id of this catlet in the resource group, the machine first.
It shows the list and asks before it deletes anything.

  -g GROUP     the resource group of the machine
  --data       also delete the data disks, with all that is on them
  --stack      the machine was deployed with --stack: also delete the stack
  --what-if    show the list, and stop
  --yes        do not ask
  -h, --help   show this
EOT
}

group='' data='' stack='' what_if='' yes=''
while getopts ':g:h-:' option; do
    case $option in
        g) group=$OPTARG ;;
        h) usage; exit 0 ;;
        -)
            case $OPTARG in
                data) data=yes ;;
                stack) stack=yes ;;
                what-if) what_if=yes ;;
                yes) yes=yes ;;
                help) usage; exit 0 ;;
                *) wrong "There is no option --$OPTARG." ;;
            esac
            ;;
        :) wrong "-$OPTARG needs a value." ;;
        *) wrong "There is no option -$OPTARG." ;;
    esac
done
shift $((OPTIND - 1))
[ $# -eq 0 ] || wrong "'$1' belongs to no option."
check_group
check_terminal
check_login
exists=$(azure group exists --name "$group" --output tsv) || fail "Azure does not say whether the resource group $group exists." "The message above is Azure's own."
[ "$exists" = true ] || fail "There is no resource group $group in this subscription." 'Choose another subscription:' 'az account set --subscription NAME'

# Lines of type and id of what carries our tag. azure-cli does not take --tag together with a group.
list_ours() {
    ours=$(azure resource list --resource-group "$group" --query "[?tags.\"eryphc-catlet-id\" == '$catlet_id'].[type, id]" --output tsv) ||
        fail "What is in the resource group $group cannot be listed." "The message above is Azure's own."
}

# What a resource is to us: its turn in the order of deletion, 'data', or 'other'. Nothing may be in use when its turn comes.
turn_of() {
    case $(lower "$1") in
        microsoft.compute/virtualmachines) turn=1 ;;
        microsoft.network/networkinterfaces) turn=2 ;;
        microsoft.network/virtualnetworks) turn=3 ;;
        microsoft.network/natgateways) turn=4 ;;
        microsoft.network/publicipaddresses) turn=5 ;;
        microsoft.network/networksecuritygroups) turn=6 ;;
        microsoft.compute/disks)
            # The disk of the system goes with its machine, unless a deployment stopped half-way.
            turn=data
            [ "$(lower "${2##*/}")" != "$(lower "$os_disk")" ] || turn=7
            if [ "$turn" = data ] && [ -n "$data" ]; then turn=7; fi
            ;;
        # Images, snapshots and what else got our tag from elsewhere.
        *) turn=other ;;
    esac
}

tab=$(printf '\t')
# Calls the function with type and id of each of ours.
each_of_ours() {
    while IFS=$tab read -r type id; do
        [ -n "$id" ] || continue
        turn_of "$type" "$id"
        "$@" "$type" "$id"
    done <<EOT
$ours
EOT
}

# One line for each whose turn it is, without the part of the id that all have in common.
shown=''
show_due() {
    [ "$turn" != "$1" ] || shown="$shown$newline  ${4#*/providers/}$2"
}
list_ours
for due in 1 2 3 4 5 6 7; do each_of_ours show_due "$due" ''; done
goes=$shown shown=''
each_of_ours show_due data ' (a data disk; --data deletes it)'
each_of_ours show_due other ''
stays=$shown
if [ -n "$goes" ]; then say "To be deleted:$goes"; fi
if [ -n "$stays" ]; then say "These stay:$stays"; fi
if [ -z "$goes" ]; then
    say "Nothing in the resource group $group is to be deleted for this catlet."
    [ -n "$stack" ] || exit 0
fi
[ -z "$what_if" ] || exit 0
ask "Delete ${goes:+this}${stack:+${goes:+ and }the stack $deployment}?"

# Type and id follow the turn that is due.
delete_due() {
    [ "$turn" = "$1" ] || return 0
    say "Deleting ${3#*/providers/}"
    azure resource delete --ids "$3" --output none || fail "$3 could not be deleted." "The message above is Azure's own. Mend what it names and run this again; what is gone stays gone."
}

# Without --data the stack lets go of everything, so that the data disks stay.
delete_stack() {
    azure stack group delete --name "$deployment" --resource-group "$group" --action-on-unmanage "$1" --yes --output none ||
        fail "The stack $deployment could not be deleted." "The message above is Azure's own. Without --stack this script needs no stack."
}

if [ -n "$stack" ] && [ -n "$data" ]; then delete_stack deleteResources; else each_of_ours delete_due 1; fi
# With a machine go its interfaces and the disk of its system.
list_ours
for due in 1 2 3 4 5 6 7; do each_of_ours delete_due "$due"; done
if [ -n "$stack" ] && [ -z "$data" ]; then delete_stack detachAll; fi
say 'Deleted.'
