function Test-Folder {
    param([string[]] $File)
    foreach ($one in $File) {
        if (-not (Test-Path -LiteralPath (Join-Path $PSScriptRoot $one) -PathType Leaf)) {
            Stop-Run "$(Join-Path $PSScriptRoot $one) cannot be read.", "The scripts need the whole folder: run 'eryphc build' again."
        }
    }
}

function Test-Account {
    if ($StorageAccount -cnotmatch '\A[a-z0-9]{3,24}\z') { Stop-Usage "'$StorageAccount' is not the name of a storage account: 3 to 24 lower-case letters and digits." }
}

# Parameters go to azure-cli in a file: no value is seen in a list of processes, none is read as the name of a file. Each
# is a text of JSON here, since ConvertTo-Json of Windows PowerShell makes other things of lists.
$script:Values = @{}
function Add-Text { param([string] $Name, [string] $Text) $script:Values[$Name] = ConvertTo-Json -InputObject "$Text" }

function Write-Value {
    $lines = @(foreach ($name in $script:Values.Keys) { "    `"$name`": {`"value`": $($script:Values[$name])}" })
    $text = "{`n  `"`$schema`": `"https://schema.management.azure.com/schemas/2019-04-01/deploymentParameters.json#`",`n" +
        "  `"contentVersion`": `"1.0.0.0`",`n  `"parameters`": {`n$($lines -join ",`n")`n  }`n}`n"
    $file = Join-Path $script:Work 'parameters.json'
    [System.IO.File]::WriteAllText($file, '')
    if ($env:OS -cne 'Windows_NT') { & chmod 600 $file }
    [System.IO.File]::WriteAllText($file, $text)
    "@$file"
}

# Id, address of the blobs and location of the storage account; nothing when the subscription has no such account.
$script:Account = $null
function Search-Account {
    $found = @(Invoke-Az 'storage', 'account', 'list', '--query', "[?name == '$StorageAccount'] | [0].[id, primaryEndpoints.blob, location]", '--output', 'tsv')
    if ($script:Code -ne 0) { Stop-Run 'The storage accounts of the subscription cannot be listed.', "The message above is Azure's own." }
    $script:Account = $(if ($found.Count -eq 3) { @{ id = $found[0]; prefix = "$($found[1].TrimEnd('/'))/$container/"; location = $found[2] } })
}
