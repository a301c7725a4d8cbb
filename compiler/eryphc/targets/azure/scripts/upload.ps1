# Brings the disks of this folder to Azure and makes the image that the machine starts from; -Help shows the options.
# The text is the same for every machine but for the constants. Windows PowerShell 5.1 and PowerShell 7.
[CmdletBinding(PositionalBinding = $false)]
param(
    [Alias('g')] [string] $Group = '', [Alias('s')] [string] $StorageAccount = '', [Alias('l')] [string] $Location = '',
    [switch] $DropBlob, [switch] $Yes, [Alias('h')] [switch] $Help
)

# ==== constants of this machine: data, never run ====
$image_upload = @image_upload@
$gallery = @gallery@
$definition = @definition@
$version = @version@
$container = @container@
# Each has a file, the name of its blob, bytes, and whether it is of use for the image and for a data disk.
$blobs = @(
@blobs@
)
$conversions = @(
@conversions@
)
# ==== end of the constants ====

# ==== common.ps1 stands here ====

# ==== folder.ps1 stands here ====

$usage = @'
Usage: .\upload.ps1 -g IMAGES-GROUP -s STORAGE-ACCOUNT [-l LOCATION] [-DropBlob] [-Yes]

Uploads the disks, makes the image, and prints the id of the image as its last line.
What is there already is neither uploaded nor made again.

  -g IMAGES-GROUP      the resource group of the images; made where it is missing
  -s STORAGE-ACCOUNT   the account for the blobs; made where it is missing
  -l LOCATION          where the group and the account are made, such as westeurope
  -DropBlob            remove the blob of the image at the end; those of data disks stay
  -Yes                 do not ask
  -Help                show this

You need the role 'Storage Blob Data Contributor' for the account. azcopy is used where it is
installed: it leaves out what is empty in a disk.
'@

# Azure would say so only after the upload.
function Test-Disk {
    param($Blob)
    $again = "Run 'eryphc build' again: it writes the whole file."
    $file = Join-Path $PSScriptRoot $Blob[0]
    if (-not (Test-Path -LiteralPath $file -PathType Leaf)) { Stop-Run "$file cannot be read.", $again }
    $stream = [System.IO.File]::OpenRead($file)
    try {
        if ("$($stream.Length)" -cne $Blob[2]) { Stop-Run "$file has $($stream.Length) bytes and should have $($Blob[2]).", $again }
        $cookie = New-Object byte[] 8
        if ($stream.Length -ge 512) {
            $null = $stream.Seek(-512, [System.IO.SeekOrigin]::End)
            $null = $stream.Read($cookie, 0, 8)
        }
    } finally { $stream.Dispose() }
    if ([System.Text.Encoding]::ASCII.GetString($cookie) -cne 'conectix') { Stop-Run "$file does not end as a fixed VHD does.", $again }
}

# The id of the image version once Azure has made it.
function Search-Image {
    $found = @(Search-Az 'sig', 'image-version', 'show', '--resource-group', $Group, '--gallery-name', $gallery, '--gallery-image-definition', $definition, '--gallery-image-version', $version, '--query', '[provisioningState, id]', '--output', 'tsv')
    if ($script:Code -notin 0, 3) { Stop-Run 'Azure does not say whether the image is there.', "The message above is Azure's own." }
    if ($found.Count -eq 2 -and $found[0] -ceq 'Succeeded') { $found[1] }
}

function Stop-Role {
    $scope = $(if ($null -ne $script:Account) { $script:Account.id } else { 'ID-OF-THE-ACCOUNT' })
    Stop-Run "Azure did not let you at the blobs of the storage account $StorageAccount.", "The message above is Azure's own. You need a role for its data, also as the owner of the account:",
        "az role assignment create --role 'Storage Blob Data Contributor' --assignee YOUR-ACCOUNT --scope $scope", 'It works after some minutes; then run this again.'
}

# A blob is whole when it has the right length and the mark that it gets at the end of an upload: Azure gives it its full
# length before the first byte arrives.
function Get-BlobState {
    param($Blob)
    $state = @(Search-Az 'storage', 'blob', 'show', '--account-name', $StorageAccount, '--container-name', $container, '--name', $Blob[1], '--auth-mode', 'login', '--query', "[properties.contentLength, metadata.eryphc || '']", '--output', 'tsv')
    if ($script:Code -notin 0, 3) { Stop-Role }
    $state -join ' '
}

function Send-Blob {
    param($Blob)
    Write-Text "Uploading $($Blob[0])"
    $file = Join-Path $PSScriptRoot $Blob[0]
    $retry = 'Run this again: what is there already is not uploaded again.'
    $azcopy = @(Get-Command -Name 'azcopy' -CommandType Application -ErrorAction Ignore)
    if ($azcopy.Count -gt 0) {
        $before = $env:AZCOPY_AUTO_LOGIN_TYPE
        $env:AZCOPY_AUTO_LOGIN_TYPE = 'AZCLI'
        try {
            $ErrorActionPreference = 'Continue'
            @() | & $azcopy[0] copy $file "$($script:Account.prefix)$($Blob[1])" --blob-type PageBlob | ForEach-Object { Write-Text "$_" }
            $script:Code = $LASTEXITCODE
        } finally { $env:AZCOPY_AUTO_LOGIN_TYPE = $before }
        if ($script:Code -ne 0) { Stop-Run "azcopy could not upload $($Blob[0]).", "A refusal (403) means that the role 'Storage Blob Data Contributor' is missing.", $retry }
    } else {
        Write-Text 'azcopy is not installed, so the empty parts of the disk are sent too.'
        Invoke-Az 'storage', 'blob', 'upload', '--account-name', $StorageAccount, '--container-name', $container, '--name', $Blob[1], '--file', $file, '--type', 'page', '--overwrite', 'true', '--auth-mode', 'login', '--output', 'none'
        if ($script:Code -ne 0) { Stop-Run "$($Blob[0]) could not be uploaded.", "The message above is Azure's own.", $retry }
    }
    Invoke-Az 'storage', 'blob', 'metadata', 'update', '--account-name', $StorageAccount, '--container-name', $container, '--name', $Blob[1], '--metadata', 'eryphc=complete', '--auth-mode', 'login', '--output', 'none'
    if ($script:Code -ne 0) { Stop-Role }
}

Invoke-Program {
    if ($Help) { return $usage }
    if ($conversions.Count -gt 0) {
        Write-Text 'No image was at hand for a disk when this was built. Convert it, then build again:'
        foreach ($one in $conversions) { Write-Text "  $($one[0])" }
    }
    if ($blobs.Count -eq 0) { Stop-Run 'There is nothing to upload.' }
    Test-Group
    if (-not $StorageAccount) { Stop-Usage '-s needs the name of a storage account.' }
    Test-Account
    # Azure shows locations as 'West Europe' and takes 'westeurope'.
    $place = $Location.ToLowerInvariant().Replace(' ', '')
    if ($place -cnotmatch '\A[a-z0-9]*\z') { Stop-Usage "'$Location' is not the name of a location, such as westeurope." }
    foreach ($blob in $blobs) { Test-Disk $blob }
    if ($image_upload) { Test-Folder 'image.json', 'image.parameters.json' }
    Test-Terminal (-not $Yes)

    Test-Login
    New-Work
    $exists = Test-GroupExists
    Search-Account
    if ($null -ne $script:Account) {
        # An image is made where its blob lies.
        if ($place -and $place -cne $script:Account.location) { Stop-Run "The storage account $StorageAccount is in $($script:Account.location), not in $place.", 'Leave -l out, or take another account: an image is made where its blob lies.' }
        $place = $script:Account.location
    } elseif (-not $place -and $exists) {
        $place = "$(Invoke-Az 'group', 'show', '--name', $Group, '--query', 'location', '--output', 'tsv')"
        if ($script:Code -ne 0) { Stop-Run "The resource group $Group cannot be read.", "The message above is Azure's own." }
    }
    if (-not $place) { Stop-Run "The resource group $Group is not there yet.", 'Say where to make it: -l LOCATION.' }
    $image = $(if ($image_upload -and $exists) { Search-Image })

    $todo = @()
    $bytes = [long] 0
    foreach ($blob in $blobs) {
        if ($image -and -not $blob[4]) { Write-Text "The image of $($blob[0]) is there."; continue }
        if ($null -ne $script:Account -and (Get-BlobState $blob) -ceq "$($blob[2]) complete") { Write-Text "The blob of $($blob[0]) is there."; continue }
        $todo += , $blob
        $bytes += [long] $blob[2]
    }
    $making = $image_upload -and -not $image
    if ($todo.Count -gt 0 -or $making) {
        Request-Consent "Upload $([math]::Floor($bytes / 1MB)) MiB to the storage account $StorageAccount$(if ($making) { " and make the image $definition $version" }) in ${place}?"
    }
    if (-not $exists) {
        Invoke-Az 'group', 'create', '--name', $Group, '--location', $place, '--output', 'none'
        if ($script:Code -ne 0) { Stop-Run "The resource group $Group cannot be made.", "The message above is Azure's own." }
    }
    if ($null -eq $script:Account) {
        Invoke-Az 'storage', 'account', 'create', '--name', $StorageAccount, '--resource-group', $Group, '--location', $place, '--sku', 'Standard_LRS', '--kind', 'StorageV2', '--allow-blob-public-access', 'false', '--min-tls-version', 'TLS1_2', '--output', 'none'
        if ($script:Code -ne 0) { Stop-Run "The storage account $StorageAccount cannot be made.", 'Its name has to be unique in all of Azure: take another where it is taken.' }
        Search-Account
        if ($null -eq $script:Account) { Stop-Run "Azure does not show the storage account $StorageAccount yet.", 'Run this again in a minute.' }
    }
    if ($todo.Count -gt 0) {
        Invoke-Az 'storage', 'container', 'create', '--name', $container, '--account-name', $StorageAccount, '--auth-mode', 'login', '--output', 'none'
        if ($script:Code -ne 0) { Stop-Role }
        foreach ($blob in $todo) { Send-Blob $blob }
    }
    if ($making) {
        Write-Text "Making the image $definition $version, which takes some minutes"
        Add-Text 'location' $place
        Add-Text 'storageAccountId' $script:Account.id
        Add-Text 'blobPrefix' $script:Account.prefix
        $own = Write-Value
        Invoke-Az 'deployment', 'group', 'create', '--resource-group', $Group, '--name', "eryphc-image-$version", '--no-prompt', 'true', '--output', 'none', '--template-file', (Join-Path $PSScriptRoot 'image.json'), '--parameters', "@$(Join-Path $PSScriptRoot 'image.parameters.json')", $own
        if ($script:Code -ne 0) { Stop-Run 'The image could not be made.', "The message above is Azure's own. The blob stays: when this runs again it is not uploaded again." }
        $image = Search-Image
        if (-not $image) { Stop-Run 'Azure has not finished the image.', "Run this again in some minutes, until it prints the image's id." }
    }
    if ($DropBlob -and $image -and $null -ne $script:Account) {
        foreach ($blob in $blobs) {
            if (-not $blob[3] -or $blob[4] -or -not (Get-BlobState $blob)) { continue }
            Invoke-Az 'storage', 'blob', 'delete', '--account-name', $StorageAccount, '--container-name', $container, '--name', $blob[1], '--auth-mode', 'login', '--output', 'none'
            if ($script:Code -ne 0) { Stop-Role }
            Write-Text "The blob of $($blob[0]) is removed."
        }
    }
    if ($image) { $image }
}
