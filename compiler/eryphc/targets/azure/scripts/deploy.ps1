# Makes the machine on Azure that main.json describes, or brings it there again; -Help shows the options.
# The text is the same for every machine but for the constants. Windows PowerShell 5.1 and PowerShell 7.
[CmdletBinding(PositionalBinding = $false)]
param(
    [Alias('g')] [string] $Group = '', [Alias('u')] [string] $Admin = '', [Alias('k')] [string] $PublicKeyFile = '',
    [Alias('i')] [string] $ImageId = '', [Alias('s')] [string] $StorageAccount = '', [Alias('p')] [string[]] $Parameter = @(),
    [switch] $Anyone, [switch] $Stack, [switch] $WhatIf, [switch] $Yes, [Alias('h')] [switch] $Help
)

# ==== constants of this machine: data, never run ====
$vm = @vm@
$catlet_id = @catlet_id@
$deployment = @deployment@
$windows = @windows@
$image_wanted = @image_wanted@
$image_known = @image_known@
$image_upload = @image_upload@
$data_blobs = @data_blobs@
$container = @container@
$has_parameters = @has_parameters@
$has_secrets = @has_secrets@
$open_to_anyone = @open_to_anyone@
$custom_data = @custom_data@
$conversions = @(
@conversions@
)
# ==== end of the constants ====

# ==== common.ps1 stands here ====

# ==== folder.ps1 stands here ====

$usage = @'
Usage: .\deploy.ps1 -g GROUP -u ADMIN [options]

Makes the machine in a resource group that exists, or changes it to what main.json says.
It shows what would change and asks before it changes anything.

  -g GROUP             the resource group of the machine
  -u ADMIN             the name of the administrator
  -k PUBLIC-KEY-FILE   Linux: the administrator's SSH key, one line as in id_ed25519.pub
  -i IMAGE-ID          the gallery image version to start from; upload.ps1 prints it
  -s STORAGE-ACCOUNT   the account that upload.ps1 brought the data disks to
  -p NAME=VALUE, ...   parameters of main.json; NAME=@FILE takes a file
  -Anyone              allow adminSources that let the whole internet reach the machine
  -Stack               deploy as a deployment stack
  -WhatIf              show what would change, and stop
  -Yes                 do not ask
  -Help                show this

Windows: the administrator's password comes from AZURE_ADMIN_PASSWORD, or is asked for.
It gets to Azure in a file that only you can read, which is gone at the end.
'@

# ---- options ----

$refused_names = @(
    'administrator', 'admin', 'user', 'user1', 'test', 'user2', 'test1', 'user3', 'admin1', '1', '123', 'a', 'actuser', 'adm', 'admin2', 'aspnet',
    'backup', 'console', 'david', 'guest', 'john', 'owner', 'root', 'server', 'sql', 'support', 'support_388945a0', 'sys', 'test2', 'test3', 'user4', 'user5'
)

function Test-Admin {
    if (-not $Admin) { Stop-Usage '-u needs the name of the administrator.' }
    if ($Admin -cnotmatch '\A[A-Za-z0-9_][A-Za-z0-9_.-]*\z' -or $Admin.EndsWith('.')) { Stop-Usage "'$Admin' cannot be the administrator: letters, digits, '_', '-' and '.', at the end no '.'." }
    $longest = $(if ($windows) { 20 } else { 64 })
    if ($Admin.Length -gt $longest) { Stop-Usage "'$Admin' cannot be the administrator: Azure takes at most $longest characters." }
    if (-not $windows -and $Admin -cmatch '[A-Z]') { Stop-Usage "'$Admin' cannot be the administrator: lower-case letters alone on Linux." }
    if ($refused_names -contains $Admin) { Stop-Usage "Azure refuses the administrator '$Admin'. Take another name, such as 'operator'." }
}

# A path of the user, as seen from where the user is.
function Get-UserPath { param([string] $Path) $ExecutionContext.SessionState.Path.GetUnresolvedProviderPathFromPSPath($Path) }

# Whether these addresses let everybody in.
function Test-Anyone { param([string] $Text) @($Text -split '[\s,()"''\[\]]+' | Where-Object { $_ -match '\A(\*|any|internet|.*/0+)\z' }).Count -gt 0 }

# Settings by their names in main.json, with values of the types that it declares.
function Read-Setting {
    $declared = ([System.IO.File]::ReadAllText((Join-Path $PSScriptRoot 'main.json')) | ConvertFrom-Json).parameters
    $settings = @{}
    foreach ($one in $Parameter) {
        $at = $one.IndexOf('=')
        if ($at -lt 1 -or $one.Substring(0, $at) -cnotmatch '\A[A-Za-z][A-Za-z0-9_]*\z') { Stop-Usage "-p takes NAME=VALUE, not '$one'." }
        $name = $one.Substring(0, $at)
        $text = $one.Substring($at + 1)
        if ($name -eq 'adminPassword') { Stop-Usage 'A password on a command line can be read by others. Set AZURE_ADMIN_PASSWORD instead.' }
        if ($name -eq 'customData') { Stop-Usage "customData comes from the build alone: change the catlet, run 'eryphc build', then run this again." }
        $known = $declared.PSObject.Properties[$name]
        if ($null -eq $known) { Stop-Usage "main.json has no parameter '$name'; it has: $(@($declared.PSObject.Properties | ForEach-Object { $_.Name }) -join ', ')." }
        if ($text.StartsWith('@')) {
            $file = Get-UserPath $text.Substring(1)
            if (-not (Test-Path -LiteralPath $file -PathType Leaf)) { Stop-Usage "The file $file of $name cannot be read." }
            $text = [System.IO.File]::ReadAllText($file) -creplace '\r?\n\z', ''
        }
        if ($known.Name -eq 'adminSources') {
            if ($text.Contains('\')) { Stop-Usage 'Write the addresses of adminSources without backslashes.' }
            $script:Sources = $text
        }
        $value = ConvertTo-Json -InputObject "$text"
        if ($known.Value.type -notin 'string', 'securestring') {
            $parsed = $(try { ConvertFrom-Json "{`"it`": $text}" } catch { $null })
            if ($null -eq $parsed -or @($parsed.PSObject.Properties).Count -ne 1) { Stop-Usage "The value of $name has to be JSON, such as true or [`"203.0.113.7/32`"]." }
            $value = $text
        }
        $settings[$known.Name] = $value
    }
    $settings
}

function Read-Key {
    if ($windows) { if ($PublicKeyFile) { Stop-Usage '-k is for Linux: on Windows the administrator has a password.' }; return '' }
    if (-not $PublicKeyFile) {
        if (-not $settings.ContainsKey('adminPublicKey')) { Stop-Usage "-k needs the file of the administrator's public key, such as ~\.ssh\id_ed25519.pub." }
        return ''
    }
    $file = Get-UserPath $PublicKeyFile
    if (-not (Test-Path -LiteralPath $file -PathType Leaf)) { Stop-Run "The key file $file cannot be read.", "'ssh-keygen -t ed25519' makes a pair of keys; take the file that ends in .pub." }
    $key = [System.IO.File]::ReadAllText($file).TrimEnd("`r", "`n")
    if ($key.Contains('PRIVATE KEY')) { Stop-Run "$file is a private key.", 'Keep it here, and take the file beside it that ends in .pub.' }
    if ($key -cnotmatch '\A(ssh|ecdsa|sk)-\S+ AAAA[A-Za-z0-9+/=]*( |\z)' -or -not (Test-Plain $key)) {
        Stop-Run "$file is not one line of an OpenSSH public key.", "It begins with 'ssh-ed25519 AAAA' or 'ssh-rsa AAAA'; 'ssh-keygen -y -f PRIVATE-KEY' prints it."
    }
    $key
}

function Test-Image {
    if (-not $image_wanted) { if ($ImageId) { Stop-Usage '-i has no use here: this machine starts from a marketplace image.' }; return }
    if ($ImageId) {
        if ($ImageId -cnotmatch '\A/subscriptions/[A-Za-z0-9/._()-]+/images/[A-Za-z0-9._-]+/versions/[A-Za-z0-9.]+\z') { Stop-Usage "'$ImageId' is not the id of a gallery image version; upload.ps1 prints it as its last line." }
        return
    }
    if ($image_known -or $settings.ContainsKey('imageId')) { return }
    if ($image_upload) { Stop-Run '-i needs the id of the image.', "Run '.\upload.ps1 -g IMAGES-GROUP -s STORAGE-ACCOUNT'; its last line is the id." }
    Stop-Run (@('-i needs the id of a gallery image version: no image was at hand when this was built.') + @($conversions | ForEach-Object { $_[0] }))
}

function Test-Data {
    if (-not $data_blobs) { if ($StorageAccount) { Stop-Usage '-s has no use here: no data disk has a blob.' }; return }
    if ($StorageAccount) { Test-Account; return }
    if (-not ($settings.ContainsKey('storageAccountId') -and $settings.ContainsKey('blobPrefix'))) { Stop-Usage '-s needs the storage account that upload.ps1 brought the data disks to.' }
}

function Test-Source {
    if ($Anyone) { return }
    $open = [bool] $open_to_anyone
    if ($null -ne $script:Sources) { $open = Test-Anyone $script:Sources }
    if ($open) { Stop-Run 'With these adminSources everybody on the internet reaches the machine.', "Name who shall: -p 'adminSources=[`"203.0.113.7/32`"]'. Or say -Anyone." }
}

function Test-Password {
    param([string] $Text)
    if ($Text -cnotmatch '\A[ -~]{8,123}\z') { Stop-Run 'Azure takes no such password: 8 to 123 printable ASCII characters.' }
    if (@('[a-z]', '[A-Z]', '[0-9]', '[^A-Za-z0-9]' | Where-Object { $Text -cmatch $_ }).Count -lt 3) { Stop-Run 'Azure takes no such password: three of lower-case letters, upper-case letters, digits and other characters.' }
}

function Read-Password {
    $texts = foreach ($prompt in "Password of $Admin", 'Once more') {
        $place = [System.Runtime.InteropServices.Marshal]::SecureStringToBSTR((Read-Host -Prompt $prompt -AsSecureString))
        try { [System.Runtime.InteropServices.Marshal]::PtrToStringBSTR($place) } finally { [System.Runtime.InteropServices.Marshal]::ZeroFreeBSTR($place) }
    }
    if ($texts[0] -cne $texts[1]) { Stop-Run 'The two passwords differ; nothing was changed.', 'Run this again.' }
    $texts[0]
}

function Show-CustomData {
    Write-Text 'This machine exists. Azure never gives it changed custom data: it refuses the change, and the guest keeps',
        'what it got when it was made. If fodder or a secret value has changed, you need a new machine: run',
        "'.\remove.ps1 -g $(ConvertTo-Word $Group)', then '.\deploy.ps1' again. Data disks stay."
}

Invoke-Program {
    if ($Help) { return $usage }
    $script:Sources = $null
    Test-Group
    Test-Admin
    Test-Folder (@('main.json') + @(if ($has_parameters) { 'main.parameters.json' }) + @(if ($has_secrets) { 'secrets.parameters.json' }))
    $settings = Read-Setting
    $key = Read-Key
    Test-Image
    Test-Data
    Test-Source
    $password = "$env:AZURE_ADMIN_PASSWORD"
    # azure-cli and what it starts have no use for it.
    $env:AZURE_ADMIN_PASSWORD = $null
    if ($windows -and -not $password -and -not (Test-Asking)) { Stop-Run "The administrator's password is needed, and nobody can be asked here.", 'Set AZURE_ADMIN_PASSWORD, for this run alone.' }
    Test-Terminal (-not $Yes -and -not $WhatIf)

    Test-Login
    if (-not (Test-GroupExists)) {
        Stop-Run "There is no resource group $Group in this subscription.", 'Make it, or choose another subscription:', "az group create --name $(ConvertTo-Word $Group) --location LOCATION", 'az account set --subscription NAME'
    }
    if ($windows) {
        if (-not $password) { $password = Read-Password }
        Test-Password $password
    }

    # Parameters, later ones win: those of the build, secret ones, the script's own, the user's.
    New-Work
    Add-Text 'adminUsername' $Admin
    if ($windows) { Add-Text 'adminPassword' $password }
    if ($key) { Add-Text 'adminPublicKey' $key }
    if ($ImageId) { Add-Text 'imageId' $ImageId }
    if ($StorageAccount) {
        Search-Account
        if ($null -eq $script:Account) { Stop-Run "The subscription has no storage account $StorageAccount.", "Run '.\upload.ps1 -g IMAGES-GROUP -s $StorageAccount' first: it brings the data disks there." }
        Add-Text 'storageAccountId' $script:Account.id
        Add-Text 'blobPrefix' $script:Account.prefix
    }
    foreach ($name in $settings.Keys) { $script:Values[$name] = $settings[$name] }
    $template = @('--template-file', (Join-Path $PSScriptRoot 'main.json'), '--parameters')
    if ($has_parameters) { $template += "@$(Join-Path $PSScriptRoot 'main.parameters.json')" }
    if ($has_secrets) { $template += "@$(Join-Path $PSScriptRoot 'secrets.parameters.json')" }
    $template += Write-Value

    # A machine that exists keeps its custom data.
    $tags = (@(Search-Az 'vm', 'show', '--resource-group', $Group, '--name', $vm, '--query', 'tags', '--output', 'json') -join "`n")
    if ($script:Code -eq 0) {
        $tags = $(if ($tags.Trim()) { ConvertFrom-Json $tags })
        $has = @{ 'eryphc-catlet-id' = ''; 'eryphc-custom-data' = '' }
        foreach ($name in @($has.Keys)) { if ($null -ne $tags -and $null -ne $tags.PSObject.Properties[$name]) { $has[$name] = $tags.$name } }
        if ($has['eryphc-catlet-id'] -cne $catlet_id) {
            Stop-Run "The resource group $Group has a machine $vm that does not belong to this catlet.", "Its tag eryphc-catlet-id is '$($has['eryphc-catlet-id'])', and that of this catlet is '$catlet_id'.", 'Take another group, or build with another --name.'
        }
        if ($has_secrets) { Show-CustomData }
        elseif ($has['eryphc-custom-data'] -cne $custom_data) { Show-CustomData; throw (New-Object System.OperationCanceledException '1') }
    } elseif ($script:Code -eq 3) { Write-Text "There is no machine $vm yet." }
    else { Stop-Run "Azure does not say whether there is a machine $vm.", "The message above is Azure's own." }

    # The service masks only those secret values that it knows as such, so with secrets it shows which resources, not what of them.
    $format = $(if ($has_secrets -or $windows) { 'ResourceIdOnly' } else { 'FullResourcePayloads' })
    Invoke-Az (@('deployment', 'group', 'what-if', '--resource-group', $Group, '--name', $deployment, '--result-format', $format, '--no-prompt', 'true') + $template)
    if ($script:Code -ne 0) { Stop-Run 'Azure does not take this deployment; nothing was changed.', "The message above is Azure's own.", 'A parameter that is missing or wrong is given with -p NAME=VALUE.' }
    if ($WhatIf) { return }
    Request-Consent "Deploy $vm to the resource group ${Group}?"
    if ($Stack) { Invoke-Az (@('stack', 'group', 'create', '--name', $deployment, '--resource-group', $Group, '--action-on-unmanage', 'detachAll', '--deny-settings-mode', 'none', '--yes', '--output', 'none') + $template) }
    else { Invoke-Az (@('deployment', 'group', 'create', '--resource-group', $Group, '--name', $deployment, '--no-prompt', 'true', '--output', 'none') + $template) }
    $boot_log = "az vm boot-diagnostics get-boot-log --resource-group $(ConvertTo-Word $Group) --name $(ConvertTo-Word $vm)"
    if ($script:Code -ne 0) {
        Stop-Run 'The deployment failed.', 'What was made stays. Mend what the message above names, and run this again.', 'Where the machine did not report in time (OSProvisioningTimedOut), look how far its start came:', $boot_log
    }

    Write-Text '', "The machine $vm is there."
    $addresses = @(Invoke-Az 'vm', 'show', '--show-details', '--resource-group', $Group, '--name', $vm, '--query', "[publicIps || '', privateIps || '']", '--output', 'tsv') + @('', '')
    $address = @($addresses[0], $addresses[1], 'ADDRESS' | Where-Object { $_ })[0]
    if ($windows) { Write-Text "Reach it by Remote Desktop: $address, as $Admin." } else { Write-Text 'Reach it:', "  ssh $Admin@$address" }
    if (-not $addresses[0]) { Write-Text 'It has no public address, so that works from its network alone.', "For one, run this again with -p 'publicIp=true', 'adminSources=[`"YOUR-ADDRESS/32`"]'." }
    if ($windows) { Write-Text "Boot diagnostics in Azure's portal show its screen." }
    else {
        Write-Text 'How its start went:', "  $boot_log", "Whether its fodder has run, which Azure's success does not say (this needs walinuxagent in the guest):",
            "  az vm run-command invoke --resource-group $(ConvertTo-Word $Group) --name $(ConvertTo-Word $vm) --command-id RunShellScript --scripts 'cloud-init status --long'"
    }
}
