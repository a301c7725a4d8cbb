#!/bin/sh
# Makes the machine on Azure that main.json describes, or brings it there again.
# 'sh deploy.sh --help' shows the options. The text is the same for every machine but for the constants.
set -eu
umask 077

# ==== constants of this machine: data, never run ====
vm=@vm@
catlet_id=@catlet_id@
deployment=@deployment@
windows=@windows@
image_wanted=@image_wanted@
image_known=@image_known@
image_upload=@image_upload@
data_blobs=@data_blobs@
container=@container@
has_parameters=@has_parameters@
has_secrets=@has_secrets@
open_to_anyone=@open_to_anyone@
custom_data=@custom_data@
each_conversion() {
@conversions@
}
# ==== end of the constants ====

# ==== common.sh stands here ====

# ==== folder.sh stands here ====

usage() {
    cat <<'EOT'
Usage: sh deploy.sh -g GROUP -u ADMIN [options]

Makes the machine in a resource group that exists, or changes it to what main.json says.
It shows what would change and asks before it changes anything.

  -g GROUP             the resource group of the machine
  -u ADMIN             the name of the administrator
  -k PUBLIC-KEY-FILE   Linux: the administrator's SSH key, one line as in id_ed25519.pub
  -i IMAGE-ID          the gallery image version to start from; upload.sh prints it
  -s STORAGE-ACCOUNT   the account that upload.sh brought the data disks to
  -p NAME=VALUE        a parameter of main.json; again for more; NAME=@FILE takes a file
  --anyone             allow adminSources that let the whole internet reach the machine
  --stack              deploy as a deployment stack
  --what-if            show what would change, and stop
  --yes                do not ask
  -h, --help           show this

Windows: the administrator's password comes from AZURE_ADMIN_PASSWORD, or is asked for.
It gets to Azure in a file that only you can read, which is gone at the end.
EOT
}

# ---- options ----

# Whether these addresses let everybody in.
lets_anyone_in() {
    printf '%s' "$1" | LC_ALL=C tr '[:upper:]' '[:lower:]' | tr -s '\n\r\t ,()"'"'"'[]' '\n' | grep -qxE '\*|any|internet|.*/0+'
}

settings=''
setting_names=''
sources=''
add_setting() {
    name=${1%%=*}
    case $1 in *=*) ;; *) wrong "-p takes NAME=VALUE, not '$1'." ;; esac
    case $name in
        '' | [!abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ]* | *[!abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_]*)
            wrong "'$name' is not the name of a parameter." ;;
    esac
    plain "$1" || wrong "The value of $name holds a control character. Write it into a file: -p $name=@FILE."
    name=$(lower "$name")
    case $name in
        adminpassword) wrong 'A password on a command line can be read by others. Set AZURE_ADMIN_PASSWORD instead.' ;;
        customdata) wrong "customData comes from the build alone: change the catlet, run 'eryphc build', then run this again." ;;
        adminsources) sources=${1#*=} ;;
    esac
    settings="$settings$newline$1"
    setting_names="$setting_names $name"
}
is_set() { case "$setting_names " in *" $1 "*) ;; *) return 1 ;; esac; }

group='' admin='' key_file='' image='' account='' anyone='' stack='' what_if='' yes=''
while getopts ':g:u:k:i:s:p:h-:' option; do
    case $option in
        g) group=$OPTARG ;;
        u) admin=$OPTARG ;;
        k) key_file=$OPTARG ;;
        i) image=$OPTARG ;;
        s) account=$OPTARG ;;
        p) add_setting "$OPTARG" ;;
        h) usage; exit 0 ;;
        -)
            case $OPTARG in
                anyone) anyone=yes ;;
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

# ---- what can be seen without Azure ----

check_admin() {
    [ -n "$admin" ] || wrong '-u needs the name of the administrator.'
    case $admin in
        [!abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_]* | *[!abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-]* | *.)
            wrong "'$admin' cannot be the administrator: letters, digits, '_', '-' and '.', at the end no '.'." ;;
    esac
    if [ -n "$windows" ]; then longest=20; else longest=64; fi
    [ "${#admin}" -le "$longest" ] || wrong "'$admin' cannot be the administrator: Azure takes at most $longest characters."
    if [ -z "$windows" ]; then
        case $admin in *[ABCDEFGHIJKLMNOPQRSTUVWXYZ]*) wrong "'$admin' cannot be the administrator: lower-case letters alone on Linux." ;; esac
    fi
    case $(lower "$admin") in
        administrator | admin | user | user1 | test | user2 | test1 | user3 | admin1 | 1 | 123 | a | actuser | adm | admin2 | aspnet | \
            backup | console | david | guest | john | owner | root | server | sql | support | support_388945a0 | sys | test2 | test3 | user4 | user5)
            wrong "Azure refuses the administrator '$admin'. Take another name, such as 'operator'." ;;
    esac
}

read_key() {
    key=''
    if [ -n "$windows" ]; then
        [ -z "$key_file" ] || wrong '-k is for Linux: on Windows the administrator has a password.'
        return 0
    fi
    if [ -z "$key_file" ]; then
        is_set adminpublickey || wrong "-k needs the file of the administrator's public key, such as ~/.ssh/id_ed25519.pub."
        return 0
    fi
    readable "$key_file" || fail "The key file $key_file cannot be read." "'ssh-keygen -t ed25519' makes a pair of keys; take the file that ends in .pub."
    key=$(tr -d '\r\000' <"$key_file")
    case $key in *'PRIVATE KEY'*) fail "$key_file is a private key." 'Keep it here, and take the file beside it that ends in .pub.' ;; esac
    kind=${key%% *}
    rest=${key#"$kind"}
    rest=${rest# }
    blob=${rest%% *}
    if plain "$key"; then
        case $kind in
            ssh-* | ecdsa-* | sk-*)
                case $blob in
                    *[!ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=]*) ;;
                    AAAA*) return 0 ;;
                esac
                ;;
        esac
    fi
    fail "$key_file is not one line of an OpenSSH public key." "It begins with 'ssh-ed25519 AAAA' or 'ssh-rsa AAAA'; 'ssh-keygen -y -f PRIVATE-KEY' prints it."
}

check_image() {
    if [ -z "$image_wanted" ]; then
        [ -z "$image" ] || wrong '-i has no use here: this machine starts from a marketplace image.'
        return 0
    fi
    if [ -n "$image" ]; then
        case $image in
            *[!ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/._\(\)-]*) ;;
            /subscriptions/*/images/*/versions/*) return 0 ;;
        esac
        wrong "'$image' is not the id of a gallery image version; upload.sh prints it as its last line."
    fi
    if is_set imageid || [ -n "$image_known" ]; then return 0; fi
    if [ -n "$image_upload" ]; then
        fail '-i needs the id of the image.' "Run 'sh upload.sh -g IMAGES-GROUP -s STORAGE-ACCOUNT'; its last line is the id."
    fi
    say "$program: -i needs the id of a gallery image version: no image was at hand when this was built."
    each_conversion show_conversion
    exit 1
}
show_conversion() { say "  $1"; }

check_data() {
    if [ -z "$data_blobs" ]; then
        [ -z "$account" ] || wrong '-s has no use here: no data disk has a blob.'
    elif [ -n "$account" ]; then
        check_account
    else
        { is_set storageaccountid && is_set blobprefix; } || wrong '-s needs the storage account that upload.sh brought the data disks to.'
    fi
}

check_files() {
    set -- main.json
    if [ -n "$has_parameters" ]; then set -- "$@" main.parameters.json; fi
    if [ -n "$has_secrets" ]; then set -- "$@" secrets.parameters.json; fi
    check_folder "$@"
}

check_sources() {
    [ -z "$anyone" ] || return 0
    open=$open_to_anyone
    if is_set adminsources; then
        case $sources in
            @*)
                sources=${sources#@}
                [ -r "$sources" ] || wrong "The file $sources of adminSources cannot be read."
                sources=$(cat <"$sources")
                ;;
        esac
        case $sources in *\\*) wrong 'Write the addresses of adminSources without backslashes.' ;; esac
        if lets_anyone_in "$sources"; then open=yes; else open=''; fi
    fi
    [ -z "$open" ] || fail 'With these adminSources everybody on the internet reaches the machine.' \
        "Name who shall: -p 'adminSources=[\"203.0.113.7/32\"]'. Or say --anyone."
}

check_group
check_admin
read_key
check_image
check_data
check_files
check_sources
password=${AZURE_ADMIN_PASSWORD-}
# azure-cli and what it starts have no use for it.
unset AZURE_ADMIN_PASSWORD
if [ -n "$windows" ] && [ -z "$password" ] && [ ! -t 0 ]; then
    fail "The administrator's password is needed, and nobody can be asked here." 'Set AZURE_ADMIN_PASSWORD, for this run alone.'
fi
check_terminal

# ---- step 1: is Azure there ----

check_login
exists=$(azure group exists --name "$group" --output tsv) || fail "Azure does not say whether the resource group $group exists." "The message above is Azure's own."
[ "$exists" = true ] || fail "There is no resource group $group in this subscription." \
    'Make it, or choose another subscription:' "az group create --name $(quoted "$group") --location LOCATION" 'az account set --subscription NAME'

# ---- step 2: the password ----

check_password() {
    { [ -z "$(printf '%s' "$1" | LC_ALL=C tr -d '\040-\176')" ] && between 8 123 "$1"; } ||
        fail 'Azure takes no such password: 8 to 123 printable ASCII characters.'
    classes=0
    case $1 in *[abcdefghijklmnopqrstuvwxyz]*) classes=$((classes + 1)) ;; esac
    case $1 in *[ABCDEFGHIJKLMNOPQRSTUVWXYZ]*) classes=$((classes + 1)) ;; esac
    case $1 in *[0123456789]*) classes=$((classes + 1)) ;; esac
    case $1 in *[!abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789]*) classes=$((classes + 1)) ;; esac
    [ "$classes" -ge 3 ] || fail 'Azure takes no such password: three of lower-case letters, upper-case letters, digits and other characters.'
}

read_password() {
    silent=yes
    stty -echo
    printf "Password of %s: " "$admin" >&2
    IFS= read -r password || fail 'No password was given; nothing was changed.'
    printf '\nOnce more: ' >&2
    IFS= read -r again || fail 'No password was given; nothing was changed.'
    stty echo
    silent=''
    say ''
    [ "$password" = "$again" ] || fail 'The two passwords differ; nothing was changed.' 'Run this again.'
}

if [ -n "$windows" ]; then
    # Where printf is a program, a list of processes shows what it prints.
    [ "$(command -v printf)" = printf ] || fail 'This shell has no printf of its own, and a password would be seen.' 'Run the script with another shell, such as dash or bash.'
    [ -n "$password" ] || read_password
    check_password "$password"
fi

# ---- step 3: parameters, later ones win ----

make_work
put adminUsername "$admin"
if [ -n "$windows" ]; then put adminPassword "$password"; fi
if [ -n "$key" ]; then put adminPublicKey "$key"; fi
if [ -n "$image" ]; then put imageId "$image"; fi
if [ -n "$account" ]; then
    find_account
    [ -n "$account_id" ] || fail "The subscription has no storage account $account." \
        "Run 'sh upload.sh -g IMAGES-GROUP -s $account' first: it brings the data disks there."
    put storageAccountId "$account_id"
    put blobPrefix "$prefix"
fi
write_values

set -- --template-file "$here/main.json" --parameters
if [ -n "$has_parameters" ]; then set -- "$@" "@$here/main.parameters.json"; fi
if [ -n "$has_secrets" ]; then set -- "$@" "@$here/secrets.parameters.json"; fi
set -- "$@" "@$work/parameters.json"
# One setting a line, and nothing else parts them.
set -f
IFS=$newline
# shellcheck disable=SC2086
set -- "$@" $settings
unset IFS
set +f

# ---- step 4: a machine that exists keeps its custom data ----

tell_custom_data() {
    say 'This machine exists. Azure never gives it changed custom data: it refuses the change, and the guest keeps' \
        'what it got when it was made. If fodder or a secret value has changed, you need a new machine: run' \
        "'sh remove.sh -g $(quoted "$group")', then 'sh deploy.sh' again. Data disks stay."
}

code=0
tags=$(look vm show --resource-group "$group" --name "$vm" \
    --query "[tags.\"eryphc-catlet-id\" || '', tags.\"eryphc-custom-data\" || '']" --output tsv) || code=$?
case $code in
    0)
        { read -r owner && read -r made_with; } <<EOT || :
$tags
EOT
        [ "$owner" = "$catlet_id" ] || fail "The resource group $group has a machine $vm that does not belong to this catlet." \
            "Its tag eryphc-catlet-id is '$owner', and that of this catlet is '$catlet_id'." "Take another group, or build with another --name."
        if [ -n "$has_secrets" ]; then
            tell_custom_data
        elif [ "$made_with" != "$custom_data" ]; then
            tell_custom_data
            exit 1
        fi
        ;;
    3) say "There is no machine $vm yet." ;;
    *) fail "Azure does not say whether there is a machine $vm." "The message above is Azure's own." ;;
esac

# ---- step 5: show, ask, deploy ----

# The service masks only those secret values that it knows as such, so with secrets it shows which resources, not what of them.
format=FullResourcePayloads
if [ -n "$has_secrets$windows" ]; then format=ResourceIdOnly; fi
azure deployment group what-if --resource-group "$group" --name "$deployment" --result-format "$format" --no-prompt true "$@" ||
    fail 'Azure does not take this deployment; nothing was changed.' "The message above is Azure's own." \
        "A parameter that is missing or wrong is given with -p NAME=VALUE."
[ -z "$what_if" ] || exit 0
ask "Deploy $vm to the resource group $group?"

deploy() {
    if [ -n "$stack" ]; then
        azure stack group create --name "$deployment" --resource-group "$group" --action-on-unmanage detachAll \
            --deny-settings-mode none --yes --output none "$@"
    else
        azure deployment group create --resource-group "$group" --name "$deployment" --no-prompt true --output none "$@"
    fi
}
boot_log="az vm boot-diagnostics get-boot-log --resource-group $(quoted "$group") --name $(quoted "$vm")"
deploy "$@" || fail 'The deployment failed.' 'What was made stays. Mend what the message above names, and run this again.' \
    'Where the machine did not report in time (OSProvisioningTimedOut), look how far its start came:' "$boot_log"

# ---- step 6: what next ----

say '' "The machine $vm is there."
public='' private=''
addresses=$(azure vm show --show-details --resource-group "$group" --name "$vm" --query "[publicIps || '', privateIps || '']" --output tsv) || addresses=''
{ read -r public && read -r private; } <<EOT || :
$addresses
EOT
address=${public:-${private:-ADDRESS}}
if [ -n "$windows" ]; then
    say "Reach it by Remote Desktop: $address, as $admin."
else
    say 'Reach it:' "  ssh $admin@$address"
fi
if [ -z "$public" ]; then
    say 'It has no public address, so that works from its network alone.' \
        "For one, run this again with -p publicIp=true and -p 'adminSources=[\"YOUR-ADDRESS/32\"]'."
fi
if [ -n "$windows" ]; then
    say "Boot diagnostics in Azure's portal show its screen."
else
    say 'How its start went:' "  $boot_log" \
        "Whether its fodder has run, which Azure's success does not say (this needs walinuxagent in the guest):" \
        "  az vm run-command invoke --resource-group $(quoted "$group") --name $(quoted "$vm") --command-id RunShellScript --scripts 'cloud-init status --long'"
fi
