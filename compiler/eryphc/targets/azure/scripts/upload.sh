#!/bin/sh
# Brings the disks of this folder to Azure and makes the image that the machine starts from.
# 'sh upload.sh --help' shows the options. The text is the same for every machine but for the constants.
set -eu
umask 077

# ==== constants of this machine: data, never run ====
image_upload=@image_upload@
gallery=@gallery@
definition=@definition@
version=@version@
container=@container@
# Each call gets a file, the name of its blob, bytes, and whether it is of use for the image and for a data disk.
each_blob() {
@blobs@
}
each_conversion() {
@conversions@
}
# ==== end of the constants ====

# ==== common.sh stands here ====

# ==== folder.sh stands here ====

usage() {
    cat <<'EOT'
Usage: sh upload.sh -g IMAGES-GROUP -s STORAGE-ACCOUNT [-l LOCATION] [--drop-blob] [--yes]

Uploads the disks, makes the image, and prints the id of the image as its last line.
What is there already is neither uploaded nor made again.

  -g IMAGES-GROUP      the resource group of the images; made where it is missing
  -s STORAGE-ACCOUNT   the account for the blobs; made where it is missing
  -l LOCATION          where the group and the account are made, such as westeurope
  --drop-blob          remove the blob of the image at the end; those of data disks stay
  --yes                do not ask
  -h, --help           show this

You need the role 'Storage Blob Data Contributor' for the account. azcopy is used where it is
installed: it leaves out what is empty in a disk.
EOT
}

group='' account='' location='' drop='' yes=''
while getopts ':g:s:l:h-:' option; do
    case $option in
        g) group=$OPTARG ;;
        s) account=$OPTARG ;;
        l) location=$OPTARG ;;
        h) usage; exit 0 ;;
        -)
            case $OPTARG in
                drop-blob) drop=yes ;;
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

missing=''
show_conversion() {
    [ -n "$missing" ] || say 'No image was at hand for a disk when this was built. Convert it, then build again:'
    missing=yes
    say "  $1"
}
each_conversion show_conversion

blobs=''
count_blob() { blobs=yes; }
each_blob count_blob
[ -n "$blobs" ] || fail 'There is nothing to upload.'

check_group
[ -n "$account" ] || wrong '-s needs the name of a storage account.'
check_account
# Azure shows locations as 'West Europe' and takes 'westeurope'.
location=$(lower "$location" | tr -d ' ')
case $location in *[!abcdefghijklmnopqrstuvwxyz0123456789]*) wrong "'$location' is not the name of a location, such as westeurope." ;; esac

# Azure would say so only after the upload.
check_file() {
    again="Run 'eryphc build' again: it writes the whole file."
    readable "$here/$1" || fail "$here/$1 cannot be read." "$again"
    bytes=$(wc -c <"$here/$1" | tr -d ' ')
    [ "$bytes" = "$3" ] || fail "$here/$1 has $bytes bytes and should have $3." "$again"
    cookie=$(tail -c 512 "$here/$1" | dd bs=8 count=1 2>/dev/null | tr -d '\000')
    [ "$cookie" = conectix ] || fail "$here/$1 does not end as a fixed VHD does." "$again"
}
each_blob check_file
if [ -n "$image_upload" ]; then check_folder image.json image.parameters.json; fi
check_terminal

# ---- what is there ----

check_login
make_work
exists=$(azure group exists --name "$group" --output tsv) || fail "Azure does not say whether the resource group $group exists." "The message above is Azure's own."
find_account
if [ -n "$account_id" ]; then
    # An image is made where its blob lies.
    if [ -n "$location" ] && [ "$location" != "$account_location" ]; then
        fail "The storage account $account is in $account_location, not in $location." 'Leave -l out, or take another account: an image is made where its blob lies.'
    fi
    location=$account_location
elif [ -z "$location" ] && [ "$exists" = true ]; then
    location=$(azure group show --name "$group" --query location --output tsv) || fail "The resource group $group cannot be read." "The message above is Azure's own."
fi
[ -n "$location" ] || fail "The resource group $group is not there yet." 'Say where to make it: -l LOCATION.'

# The id of the image version once Azure has made it.
find_image() {
    code=0
    state=''
    image=$(look sig image-version show --resource-group "$group" --gallery-name "$gallery" --gallery-image-definition "$definition" \
        --gallery-image-version "$version" --query '[provisioningState, id]' --output tsv) || code=$?
    case $code in
        0)
            { read -r state && read -r image; } <<EOT || :
$image
EOT
            [ "$state" = Succeeded ] || image=''
            ;;
        3) image='' ;;
        *) fail 'Azure does not say whether the image is there.' "The message above is Azure's own." ;;
    esac
}
image=''
if [ -n "$image_upload" ] && [ "$exists" = true ]; then find_image; fi

explain_role() {
    fail "Azure did not let you at the blobs of the storage account $account." "The message above is Azure's own. You need a role for its data, also as the owner of the account:" \
        "az role assignment create --role 'Storage Blob Data Contributor' --assignee YOUR-ACCOUNT --scope ${account_id:-ID-OF-THE-ACCOUNT}" \
        'It works after some minutes; then run this again.'
}

# A blob is whole when it has the right length and the mark that it gets at the end of an upload: Azure gives it its full
# length before the first byte arrives.
blob_state() {
    code=0
    state=$(look storage blob show --account-name "$account" --container-name "$container" --name "$1" --auth-mode login \
        --query "[properties.contentLength, metadata.eryphc || '']" --output tsv) || code=$?
    case $code in 0) ;; 3) state='' ;; *) explain_role ;; esac
}
todo=' '
bytes_todo=0
plan_blob() {
    if [ -n "$image" ] && [ -z "$5" ]; then
        say "The image of $1 is there."
        return 0
    fi
    state=''
    if [ -n "$account_id" ]; then blob_state "$2"; fi
    if [ "$state" = "$3${newline}complete" ]; then
        say "The blob of $1 is there."
    else
        todo="$todo$2 "
        bytes_todo=$((bytes_todo + $3))
    fi
}
each_blob plan_blob

# ---- ask and do ----

make_image=''
if [ -n "$image_upload" ] && [ -z "$image" ]; then make_image=yes; fi
if [ "$todo" != ' ' ] || [ -n "$make_image" ]; then
    ask "Upload $((bytes_todo / 1048576)) MiB to the storage account $account${make_image:+ and make the image $definition $version} in $location?"
fi

if [ "$exists" != true ]; then
    azure group create --name "$group" --location "$location" --output none || fail "The resource group $group cannot be made." "The message above is Azure's own."
fi
if [ -z "$account_id" ]; then
    azure storage account create --name "$account" --resource-group "$group" --location "$location" --sku Standard_LRS --kind StorageV2 \
        --allow-blob-public-access false --min-tls-version TLS1_2 --output none ||
        fail "The storage account $account cannot be made." 'Its name has to be unique in all of Azure: take another where it is taken.'
    find_account
    [ -n "$account_id" ] || fail "Azure does not show the storage account $account yet." 'Run this again in a minute.'
fi

upload_blob() {
    case $todo in *" $2 "*) ;; *) return 0 ;; esac
    say "Uploading $1"
    retry='Run this again: what is there already is not uploaded again.'
    if command -v azcopy >/dev/null 2>&1; then
        AZCOPY_AUTO_LOGIN_TYPE=AZCLI azcopy copy "$here/$1" "$prefix$2" --blob-type PageBlob </dev/null >&2 ||
            fail "azcopy could not upload $1." "A refusal (403) means that the role 'Storage Blob Data Contributor' is missing." "$retry"
    else
        say 'azcopy is not installed, so the empty parts of the disk are sent too.'
        azure storage blob upload --account-name "$account" --container-name "$container" --name "$2" --file "$here/$1" \
            --type page --overwrite true --auth-mode login --output none || fail "$1 could not be uploaded." "The message above is Azure's own." "$retry"
    fi
    azure storage blob metadata update --account-name "$account" --container-name "$container" --name "$2" --metadata eryphc=complete \
        --auth-mode login --output none || explain_role
}
if [ "$todo" != ' ' ]; then
    azure storage container create --name "$container" --account-name "$account" --auth-mode login --output none || explain_role
    each_blob upload_blob
fi

if [ -n "$make_image" ]; then
    say "Making the image $definition $version, which takes some minutes"
    put location "$location"
    put storageAccountId "$account_id"
    put blobPrefix "$prefix"
    write_values
    azure deployment group create --resource-group "$group" --name "eryphc-image-$version" --no-prompt true --output none \
        --template-file "$here/image.json" --parameters "@$here/image.parameters.json" "@$work/parameters.json" ||
        fail 'The image could not be made.' "The message above is Azure's own. The blob stays: when this runs again it is not uploaded again."
    find_image
    [ -n "$image" ] || fail 'Azure has not finished the image.' "Run this again in some minutes, until it prints the image's id."
fi

drop_blob() {
    if [ -z "$4" ] || [ -n "$5" ]; then return 0; fi
    blob_state "$2"
    [ -n "$state" ] || return 0
    azure storage blob delete --account-name "$account" --container-name "$container" --name "$2" --auth-mode login --output none || explain_role
    say "The blob of $1 is removed."
}
if [ -n "$drop" ] && [ -n "$image" ] && [ -n "$account_id" ]; then each_blob drop_blob; fi

if [ -n "$image" ]; then printf '%s\n' "$image"; fi
