here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)

readable() { [ -f "$1" ] && [ -r "$1" ]; }

check_folder() {
    for file; do
        readable "$here/$file" || fail "$here/$file cannot be read." "The scripts need the whole folder: run 'eryphc build' again."
    done
}

check_account() {
    case $account in
        *[!0123456789abcdefghijklmnopqrstuvwxyz]*) wrong "'$account' is not the name of a storage account: lower-case letters and digits alone." ;;
    esac
    between 3 24 "$account" || wrong "'$account' is not the name of a storage account: 3 to 24 characters."
}

# Parameters go to azure-cli in a file: no value is seen in a list of processes, none is read as the name of a file.
values=''
put() {
    values="$values${values:+,}$newline    \"$1\": {\"value\": \"$(printf '%s' "$2" | LC_ALL=C sed 's/["\\]/\\&/g')\"}"
}

write_values() {
    # shellcheck disable=SC2016
    printf '%s\n' '{' \
        '  "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentParameters.json#",' \
        '  "contentVersion": "1.0.0.0",' "  \"parameters\": {$values" '  }' '}' >"$work/parameters.json"
}

# Id, address of the blobs and location of the storage account; nothing when the subscription has no such account.
# shellcheck disable=SC2034
find_account() {
    found=$(azure storage account list --query "[?name == '$account'] | [0].[id, primaryEndpoints.blob, location]" --output tsv) ||
        fail 'The storage accounts of the subscription cannot be listed.' "The message above is Azure's own."
    { read -r account_id && read -r blob_address && read -r account_location; } <<EOT || account_id=''
$found
EOT
    prefix="${blob_address%/}/$container/"
}
