# Puts one machine on this Hyper-V host as the deployment at the end of this file says, or brings it there again.
# Running it twice changes nothing the second time. For hosts without Python; eryph-runtime does the same and more.
#
#   .\deploy.ps1 -WhatIf                       print what would change; 4 is the exit code when there is something
#   .\deploy.ps1 [-Start] [-Restart]           apply; -Restart allows to power off for what a live machine refuses
#   .\deploy.ps1 -Seal                         replace the seed ISO by the one without secrets
#   .\deploy.ps1 -Remove [-KeepDisks]          remove exactly what was made
#       [-EndWorker]                           and end the process of a machine that does not turn off
#   -Parameter @{ folder = 'D:\VMs' }          settings that were left open       (or 'folder=D:\VMs;...')
#   -Volume @{ sda = 'D:\base.vhdx' }          parent disks, by drive             (or 'sda=D:\base.vhdx;...')
#   -ValueFile FILE                            values of open slots, lines NAME=VALUE; - is standard input
#   -TakeOver                                  go on although somebody else deployed this machine
#   -KeepPartial                               leave what was made when creating fails, for a look
#
# Exit codes: 0 done, 1 refused, 2 wrong usage, 3 the host failed, 4 changes are left.
#
# This text is the same for every deployment; only the data between the two marks at its end differs, and no part of it
# is ever run, expanded, used as a pattern or put into another text that is run. Windows PowerShell 5.1 and PowerShell 7.
[CmdletBinding(PositionalBinding = $false)]
param(
    [switch] $WhatIf, [switch] $Start, [switch] $Restart, [switch] $Seal, [switch] $Remove, [switch] $KeepDisks,
    [switch] $EndWorker, [switch] $TakeOver, [switch] $KeepPartial, $Parameter = @{}, $Volume = @{}, [string] $ValueFile = '', [int] $WaitSeconds = 900
)
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
if ("$($ExecutionContext.SessionState.LanguageMode)" -cne 'FullLanguage') {
    "refused, nothing was changed: PowerShell runs in $($ExecutionContext.SessionState.LanguageMode) mode here; this program needs FullLanguage."
    exit 1
}
$ProgressPreference = 'SilentlyContinue'
$WarningPreference = 'SilentlyContinue'

# ==== shared.ps1 stands here ====

# ---- saying ----

$script:Refusals = @()
$script:Notes = @()

function Write-Text { param([string] $Text) [Console]::Out.WriteLine($Text) }
function Add-Refusal { param([string] $Text) $script:Refusals += $Text }
function Add-Note { param([string] $Text) if ($script:Notes -cnotcontains $Text) { $script:Notes += $Text } }
function Test-Same { param([string] $A, [string] $B) [string]::Equals($A, $B, [System.StringComparison]::OrdinalIgnoreCase) }

# A hash table, or 'NAME=VALUE;NAME=VALUE' where the shell gives only text.
function ConvertTo-Map {
    param($Value)
    $map = @{}
    if ($Value -is [System.Collections.IDictionary]) { foreach ($key in $Value.Keys) { $map[[string] $key] = [string] $Value[$key] }; return $map }
    foreach ($pair in "$Value".Split(';')) {
        $at = $pair.IndexOf('=')
        if ($at -gt 0) { $map[$pair.Substring(0, $at).Trim()] = $pair.Substring($at + 1) }
    }
    $map
}

function Read-Value {
    # Values of slots come from a file or standard input, never from the command line: they count as secret.
    if (-not $ValueFile) { return @{} }
    $text = $(if ($ValueFile -ceq '-') { [Console]::In.ReadToEnd() } else { [System.IO.File]::ReadAllText((Get-NativePath $ValueFile)) })
    $map = @{}
    foreach ($line in $text.Split("`n")) {
        $at = $line.IndexOf('=')
        if ($at -gt 0) { $map[$line.Substring(0, $at).Trim()] = $line.Substring($at + 1).TrimEnd("`r") }
    }
    $map
}

# ---- where things stand ----

# Everything that the decisions look at: the document, the host, the machine if there is one, its record, final paths.
function Get-Situation {
    param($Doc, [bool] $Chains)
    $marker = "eryphc:v1 catlet=$($Doc.catlet.id) "
    $name = "eryphc-$($Doc.catlet.id)"
    $asked = [pscustomobject] @{ marker = $marker; unfinished_name = $name; files = @(); disks = @(); free = @(); chains = $Chains }
    $state = Read-State $asked
    $it = @{
        doc = $Doc; marker = $marker; name = $name; state = $state; facts = $state.host; machine = $null; record = $null; home = $null; volumes = $null
        parameters = @{}; drives = @{}; switches = @{}; owner = $state.host.account; openslots = @(); parents = @{}
    }
    if ($state.ours.Count -gt 1) { Add-Refusal "$($state.ours.Count) machines carry the marker of this catlet." }
    elseif ($state.ours.Count -eq 1) {
        $it.machine = $state.ours[0].machine
        $it.home = $it.machine.path
        $it.record = Read-Record $it $state.ours[0].record
    }
    Resolve-Parameter $it
    $folder = Resolve-Setting $it $Doc.folders.machine
    if ($null -eq $it.home -and $null -ne $folder) {
        $it.home = $folder.TrimEnd('\') + '\' + $name
        if (Test-File "$($it.home)\eryphc.json") {
            $it.record = Read-Record $it ([System.IO.File]::ReadAllText((Get-NativePath "$($it.home)\eryphc.json")))
            Resolve-Parameter $it
        }
    }
    $store = Resolve-Setting $it $Doc.folders.volumes
    if ($null -ne $store) { $it.volumes = $store.TrimEnd('\') }
    foreach ($drive in $Doc.drives) {
        $folder = $(if ($null -ne $drive.folder) { Resolve-Setting $it $drive.folder })
        if ($null -ne $folder) { $it.drives[$drive.name] = $folder.TrimEnd('\') + "\$name\" + $drive.file }
    }
    foreach ($adapter in $Doc.network_adapters) {
        # Who removes or seals has no use for a switch, which may be gone.
        if ($null -ne $adapter.switch -and -not $Remove -and -not $Seal -and (Test-Allowed $it.facts)) { $it.switches[$adapter.name] = Resolve-Switch $it $adapter (Resolve-Setting $it $adapter.switch) }
    }
    $it
}

function Read-Record {
    param($It, [string] $Text)
    try { $record = ConvertFrom-JsonText $Text } catch { return $null }
    if ($null -ne $record -and $record.schema -ceq 'eryphc/record/v1' -and $record.catlet -ceq $It.doc.catlet.id) { $record }
}

function Get-Member { param($Map, [string] $Name) if ($null -ne $Map -and $null -ne $Map.PSObject.Properties[$Name]) { $Map.$Name } }

# Given now, recorded by the last run, default, what the host itself knows.
function Resolve-Parameter {
    param($It)
    $given = ConvertTo-Map $Parameter
    foreach ($one in $It.doc.parameters) {
        $value = $given[$one.name]
        if (-not $value -and $null -ne $It.record) { $value = Get-Member $It.record.parameters $one.name }
        if (-not $value) { $value = $one.default }
        if (-not $value) {
            switch -CaseSensitive ("$($one.host_default)") {
                'machine-folder' { $value = $It.facts.machine_folder }
                'disk-folder' { $value = $It.facts.disk_folder }
                'default-switch' { $value = $It.state.switches | Where-Object { $_.id -ceq 'c08cb7b8-9b3c-408e-8e30-5e16a3aeb444' } | ForEach-Object { $_.id } }
            }
        }
        $It.parameters[$one.name] = $value
    }
}

function Resolve-Setting { param($It, $Setting) if ($null -ne $Setting.value) { $Setting.value } else { $It.parameters[$Setting.parameter] } }

# The id of a switch that is named exactly, or by id.
function Resolve-Switch {
    param($It, $Adapter, $Wanted)
    if (-not $Wanted) { return $null }
    $found = @($It.state.switches | Where-Object { Test-Same $_.id $Wanted })
    if ($found.Count -eq 0) { $found = @($It.state.switches | Where-Object { $_.name -ceq $Wanted }) }
    if ($found.Count -eq 1) { return $found[0].id }
    $known = @($It.state.switches | ForEach-Object { $_.name }) -join ', '
    Add-Refusal "Adapter $($Adapter.name): the host has $($found.Count) switches '$Wanted'. It has: $known."
}

# ---- what stands in the way: all of it, before anything is changed ----

# Whether this account can work with machines here at all. Without rights the list of machines is empty, which must not
# read as "nothing there".
function Test-Right {
    param($Facts)
    if ($null -eq $Facts.module) { Add-Refusal 'The Hyper-V module for PowerShell is not installed: enable the feature Microsoft-Hyper-V with its management tools.' }
    if (-not $Facts.administrator -and -not $Facts.hyperv_administrator) { Add-Refusal "$($Facts.account) is neither an elevated administrator nor one of the Hyper-V Administrators." }
}

function Test-Precondition {
    param($It, $Values)
    $doc = $It.doc
    $facts = $It.facts
    # Nothing more can be told of a host that shows nothing.
    if (-not (Test-Allowed $facts)) { return }
    Test-Owner $It
    $known = @($doc.parameters | ForEach-Object { $_.name })
    foreach ($name in (ConvertTo-Map $Parameter).Keys) { if ($known -cnotcontains $name) { Add-Refusal "There is no parameter '$name'; there are: $($known -join ', ')." } }
    foreach ($one in $doc.parameters) { if (-not $It.parameters[$one.name]) { Add-Refusal "Parameter '$($one.name)' ($($one.description)) has no value: -Parameter '$($one.name)=VALUE'." } }
    $taking = @($doc.drives | Where-Object { $null -ne $_.volume } | ForEach-Object { $_.name })
    foreach ($name in (ConvertTo-Map $Volume).Keys) { if ($taking -notcontains $name) { Add-Refusal "There is no drive '$name' that takes a disk; there are: $($taking -join ', ')." } }
    Test-Limit $doc $facts
    if ($doc.machine.processor.count -gt $facts.logical_processors) { Add-Refusal "$($doc.machine.processor.count) processors are wanted, the host has $($facts.logical_processors)." }
    if ($null -ne $facts.memory_available -and $doc.machine.memory.startup -gt $facts.memory_available) { Add-Note 'The host has less free memory than the machine needs to start.' }
    $template = $doc.machine.firmware.secure_boot_template
    if ($null -ne $template -and $facts.secure_boot_templates.Count -gt 0 -and $facts.secure_boot_templates -cnotcontains $template) { Add-Refusal "The host has no secure boot template '$template'." }
    Test-Tpm $It
    Test-Nesting $It
    if ($null -ne $It.machine) { Test-Machine $It }
    $own = $(if ($null -ne $It.machine) { $It.machine.id })
    foreach ($other in @($It.state.machines | Where-Object { $_.id -cne $own })) {
        if (Test-Same $other.name $doc.machine.name) { Add-Refusal "There is a machine '$($other.name)' ($($other.id)) that is not ours." }
        foreach ($adapter in $doc.network_adapters) { if ($other.mac_addresses -ccontains $adapter.mac_address) { Add-Refusal "Machine '$($other.name)' has the MAC address of adapter $($adapter.name)." } }
        foreach ($path in $It.drives.Values) { if ($other.disks -contains $path) { Add-Refusal "Machine '$($other.name)' uses $path." } }
    }
    foreach ($path in @($It.home, $It.volumes) + @($It.drives.Values)) {
        if (-not $path) { continue }
        try { Assert-Path $path } catch { Add-Refusal "The path $path is not absolute or holds a character or a name that is refused." }
        if ($path.Length -gt 240) { Add-Refusal "The path $path is longer than 240 characters." }
    }
    foreach ($drive in $doc.drives) { Test-Drive $It $drive }
    if ($null -ne $It.home -and $null -eq $It.machine -and $null -eq $It.record -and (Test-Path -LiteralPath $It.home) -and (-not (Test-Folder $It.home) -or @(Get-ChildItem -LiteralPath $It.home -Force).Count -gt 0)) { Add-Refusal "$($It.home) exists, is not empty and holds no record of ours." }
    Test-Seed $It (Get-WantedSeed $It) $Values
    if ($null -ne $doc.sealed -and $null -ne $doc.seed) { Test-Iso $doc.sealed }
}

# What a version of Windows allows (first builds: Server 2019 17763, Server 2022 20348, Server 2025 26100).
function Test-Limit {
    param($Doc, $Facts)
    $processors = $(if ($Facts.build -lt 20348) { 240 } elseif ($Facts.build -lt 26100) { 1024 } else { 2048 })
    if ($Doc.machine.processor.count -gt $processors) { Add-Refusal "$($Doc.machine.processor.count) processors are wanted; this version of Windows allows $processors." }
    $memory = $(if ($Facts.build -lt 20348) { 12TB } else { 240TB })
    if ($Doc.machine.memory.startup -gt $memory -or $Doc.machine.memory.maximum -gt $memory) { Add-Refusal "More memory is wanted than this version of Windows allows ($memory bytes)." }
    $adapters = $(if ($Facts.build -lt 17763) { 8 } else { 64 })
    if (@($Doc.network_adapters).Count -gt $adapters) { Add-Refusal "$(@($Doc.network_adapters).Count) network adapters are wanted; this version of Windows allows $adapters." }
}

function Test-Tpm {
    param($It)
    $tpm = $It.doc.machine.tpm
    if (-not $tpm.enabled -or ($null -ne $It.machine -and $It.machine.tpm.enabled)) { return }
    $needed = @('Enable-VMTPM', 'Set-VMKeyProtector:NewLocalKeyProtector') + @($(if ($null -ne $tpm.guardian) { 'New-HgsGuardian', 'New-HgsKeyProtector' }))
    foreach ($name in $needed) { if ($It.facts.missing -ccontains $name) { Add-Refusal "The host cannot give the machine a TPM: it has no $name." } }
    if ($null -ne $tpm.guardian -and -not $It.facts.administrator) { Add-Refusal 'Only an administrator can make the guardian of the TPM.' }
    Add-Note 'A machine with a TPM starts only on hosts that hold the certificates of its key protector.'
}

function Test-Nesting {
    param($It)
    $facts = $It.facts
    if (-not $It.doc.machine.processor.nested_virtualization) { return }
    $amd = $facts.processor_vendor -ceq 'amd'
    $least = $(if (-not $amd) { 14393 } elseif ($facts.server) { 20348 } else { 22000 })
    if ($facts.build -lt $least) { Add-Refusal "Nested virtualization needs build $least of Windows on this host; it is $($facts.build)." }
    $version = [version] '0.0'
    if ($null -ne $It.machine -and [version]::TryParse($It.machine.version, [ref] $version) -and $version -lt [version] $(if ($amd) { '9.3' } else { '8.0' })) {
        Add-Refusal "The configuration version $($It.machine.version) of the machine is too old for nested virtualization: Update-VMVersion."
    }
    if ($It.doc.machine.memory.dynamic) { Add-Note 'Dynamic memory does not move while a hypervisor runs inside the machine.' }
}

# What stands in the way in the machine that is there.
function Test-Machine {
    param($It)
    $now = $It.machine
    $firmware = $It.doc.machine.firmware
    if ($now.generation -ne 2) { Add-Refusal "The machine is of generation $($now.generation); that can never be changed." }
    $busy = @($now.operational_status | Where-Object { $_ -cin 'ApplyingSnapshot', 'CreatingSnapshot', 'DeletingSnapshot', 'MergingDisks', 'ExportingVirtualMachine', 'MigratingVirtualMachine', 'MigratingPlannedVm', 'BackingUpVirtualMachine', 'ModifyingUpVirtualMachine', 'StorageMigrationPhaseOne', 'StorageMigrationPhaseTwo' })
    if ($busy.Count -gt 0) { Add-Refusal "The machine is busy ($($busy -join ', ')); try again later." }
    if ($now.state.EndsWith('Critical')) { Add-Refusal "The storage of the machine cannot be reached ($($now.state))." }
    if ($now.name -cne $It.name -and $now.tpm.enabled -and $firmware.secure_boot -and $now.firmware.secure_boot_template -cne $firmware.secure_boot_template) {
        Add-Refusal "The secure boot template cannot be changed once the TPM holds state: it is $($now.firmware.secure_boot_template), wanted is $($firmware.secure_boot_template)."
    }
    foreach ($drive in $It.doc.drives) { Test-Place $It $drive }
}

# The place of a drive, and the size of the disk that is there: nothing of others is detached, no disk is made smaller.
function Test-Place {
    param($It, $Drive)
    $have = Get-DriveAt $It $Drive
    $path = $It.drives[$Drive.name]
    $named = "Drive $($Drive.name)"
    $fits = $null -eq $have -or (Test-Ours $It $have) -or ($have.kind -ceq 'dvd' -and $Drive.type -ceq 'dvd') -or ($path -and (Test-Holds $have $path))
    if (-not $fits) { Add-Refusal "$named`: its place $($Drive.controller):$($Drive.location) is taken by $(if ($have.path) { $have.path } else { 'an empty DVD drive' }); detach that first." }
    if ($Drive.type -ceq 'dvd' -or -not $path) { return }
    foreach ($disk in @($It.machine.drives | Where-Object { Test-Holds $_ $path })) {
        if ($disk.shared -ne ($Drive.type -cne 'vhd')) { Add-Refusal "$named is attached $(if (-not $disk.shared) { 'not ' })as a shared disk; detach it to change that." }
        if ($null -eq $Drive.size -or $null -eq $disk.size) { continue }
        if ($disk.size -gt $Drive.size) { Add-Refusal "$named has $($disk.size) bytes, wanted are $($Drive.size): disks are not made smaller (its smallest size now is $(if ($null -ne $disk.minimum_size) { $disk.minimum_size } else { $disk.size }))." }
        elseif ($disk.size -lt $Drive.size -and ($It.machine.checkpoints -gt 0 -or -not (Test-Same $disk.path $path))) { Add-Refusal "$named cannot grow while the machine has checkpoints; merge them first." }
    }
}

function Get-DriveAt { param($It, $At) $It.machine.drives | Where-Object { $_.controller_type -ceq 'SCSI' -and $_.controller -eq $At.controller -and $_.location -eq $At.location } | Select-Object -First 1 }

# A checkpoint's file counts as the disk below it.
function Test-Holds { param($Have, [string] $Path) $Have.kind -ceq 'disk' -and ((Test-Same $Have.path $Path) -or $Have.chain -contains $Path) }

# Whether the disk in a drive is one that the document wants at some place.
function Test-Ours { param($It, $Have) @($It.drives.Values | Where-Object { Test-Holds $Have $_ }).Count -gt 0 }

function Test-Owner {
    param($It)
    if ($null -eq $It.machine -or $TakeOver) { return }
    foreach ($line in $It.machine.notes.Split("`n")) {
        if (-not $line.StartsWith($It.marker, [System.StringComparison]::Ordinal)) { continue }
        $owner = $line.TrimEnd("`r").Substring($It.marker.Length)
        $owner = $(if ($owner.StartsWith('by=')) { [uri]::UnescapeDataString($owner.Substring(3)) } else { $owner })
        if (-not (Test-Same $owner.Split('/')[0] $It.owner)) { Add-Refusal "The machine was deployed by '$owner', not by '$($It.owner)': -TakeOver." }
    }
}

function Test-Made { param($It, [string] $Path) $null -ne $It.record -and @($It.record.created | Where-Object { Test-Same $_.path $Path }).Count -gt 0 }

function Test-Attached {
    param($It, [string] $Path)
    if ($null -eq $It.machine) { return $false }
    @($It.machine.drives | Where-Object { (Test-Same $_.path $Path) -or $_.chain -contains $Path }).Count -gt 0
}

# Whether the file of a drive must still be made.
function Test-Missing {
    param($It, $Drive)
    $path = $It.drives[$Drive.name]
    $path -and -not (Test-File $path) -and -not (Test-Attached $It $path)
}

function Test-Drive {
    param($It, $Drive)
    if ($null -ne $Drive.media -and -not (Test-File $Drive.media)) { Add-Refusal "Drive $($Drive.name): there is no $($Drive.media)." }
    $path = $It.drives[$Drive.name]
    if (-not $path) { return }
    $folder = Get-FreeSpace $path
    if ($Drive.type -cne 'vhd' -and $folder.kind -ceq 'fixed') { Add-Refusal "Drive $($Drive.name) is shared: $path must lie on a cluster shared volume or an SMB share." }
    if (-not (Test-Missing $It $Drive)) {
        if (Test-Attached $It $path) { return }
        if (-not (Test-Made $It $path)) { Add-Refusal "Drive $($Drive.name): $path exists and is not ours; move it away, or attach it yourself." }
        elseif (-not $path.EndsWith('.vhds', [System.StringComparison]::OrdinalIgnoreCase) -and -not (Hyper-V\Test-VHD -Path $path -ErrorAction Ignore)) { Add-Refusal "Drive $($Drive.name): $path is no healthy virtual disk." }
        return
    }
    $parent = $null
    $needed = [long] 67108864
    if ($null -ne $Drive.volume) {
        $parent = Resolve-Parent $It $Drive
        if ($null -eq $parent) { return }
        $vhd = Read-Vhd $parent.file
        if ($null -eq $vhd -or -not (Hyper-V\Test-VHD -Path $parent.file -ErrorAction Ignore)) { Add-Refusal "Drive $($Drive.name): $($parent.file) is no healthy virtual disk."; return }
        if ($null -ne $Drive.size -and $vhd.Size -gt $Drive.size) { Add-Refusal "Drive $($Drive.name): the parent disk has $($vhd.Size) bytes, wanted are $($Drive.size)." }
        $bad = @("$((Get-Item -LiteralPath $parent.file -Force).Attributes)".Split(',') | ForEach-Object { $_.Trim() } | Where-Object { $_ -cin 'SparseFile', 'Compressed', 'Encrypted' })
        if ($bad.Count -gt 0 -and $Drive.create -ceq 'differencing' -and (Test-Same $parent.file $parent.stored)) { Add-Refusal "Drive $($Drive.name): $($parent.file) is $($bad -join ' and '); Hyper-V refuses such files." }
        $length = (Get-Item -LiteralPath $parent.file).Length
        if ($Drive.create -ceq 'copy') { $needed += $length }
        elseif (-not (Test-Same $parent.file $parent.stored)) {
            $store = (Get-FreeSpace $parent.stored).bytes
            if ($null -ne $store -and $store -lt $length) { Add-Refusal "$($It.volumes): $length bytes are needed for the parent of drive $($Drive.name), $store are free." }
        }
    }
    $free = $folder.bytes
    if ($null -ne $free -and $free -lt $needed) { Add-Refusal "Drive $($Drive.name): $needed bytes are needed, $free are free." }
}

# The parent disk of a drive: { file: where it is, stored: where it shall be, sha256 }. Null after a refusal.
function Resolve-Parent {
    param($It, $Drive)
    if ($It.parents.ContainsKey($Drive.volume)) { return $It.parents[$Drive.volume] }
    $entry = @($It.doc.volumes | Where-Object { $_.name -ceq $Drive.volume })[0]
    $given = (ConvertTo-Map $Volume)[$Drive.name]
    $sha256 = $entry.sha256
    if (-not $sha256 -and $null -ne $It.record) { $sha256 = Get-Member $It.record.volumes $Drive.volume }
    foreach ($source in $entry.sources) { if (-not $given -and $source.kind -ceq 'host') { $given = $source.path } }
    if ($given) {
        if (-not (Test-File $given)) { Add-Refusal "Drive $($Drive.name): there is no $given."; return $null }
        $hash = Get-Sha256 $given
        if ($entry.sha256 -and $hash -cne $entry.sha256) { Add-Refusal "Drive $($Drive.name): $given is another disk; its SHA-256 is $hash, wanted is $($entry.sha256)."; return $null }
        $sha256 = $hash
    }
    $stored = $(if ($sha256) { "$($It.volumes)\$sha256.vhdx" })
    if ($stored -and (Test-File $stored)) {
        if ((Get-Sha256 $stored) -cne $sha256) { Add-Refusal "$stored is not what its name says."; return $null }
        $given = $stored
    }
    if (-not $given) {
        $from = @($entry.sources | Where-Object { $_.kind -ceq 'url' } | ForEach-Object { "; it is to be had at $($_.url), or built in after 'eryphc volume fetch SPEC --into genes'" }) -join ''
        Add-Refusal "Drive $($Drive.name) needs a parent disk$(if ($null -ne $entry.gene) { " ($($entry.gene))" }): -Volume '$($Drive.name)=PATH'$from."
        return $null
    }
    $It.parents[$Drive.volume] = @{ file = $given; stored = $stored; sha256 = $sha256 }
    $It.parents[$Drive.volume]
}

function Get-IsoPath { param($Seed) Join-Path -Path $PSScriptRoot -ChildPath $Seed.file }

function Test-Iso {
    param($Seed)
    $file = Get-IsoPath $Seed
    if (-not (Test-File $file)) { Add-Refusal "$($Seed.file) does not lie beside this program." }
    elseif ((Get-Sha256 $file) -cne $Seed.sha256) { Add-Refusal "$($Seed.file) is not the file that was built with this program." }
}

function Test-Seed {
    param($It, $Seed, $Values)
    if ($null -eq $Seed -or $null -ne (Get-Placed $It $Seed)) { return }
    Test-Iso $Seed
    foreach ($slot in @($Seed.slots | Where-Object { $_.kind -ceq 'value' })) {
        if (-not $Values.ContainsKey($slot.name)) { Add-Refusal "The open slot '$($slot.name)' needs a value of $($slot.length) characters: -ValueFile." }
        elseif ($Values[$slot.name].Length -ne $slot.length -or $Values[$slot.name] -cnotmatch '\A[A-Za-z0-9._~+/=-]*\z') { Add-Refusal "The value of slot '$($slot.name)' must be $($slot.length) characters of A-Z a-z 0-9 - . _ ~ + / =." }
    }
}

# The hash of the ISO that the record says was made of this built one and still lies there; else null.
function Get-Placed {
    param($It, $Seed)
    if ($null -eq $It.record -or $null -eq $It.machine) { return $null }
    foreach ($one in @($It.record.seed, $It.record.sealed)) {
        if ($null -eq $one -or $one.built -cne $Seed.sha256) { continue }
        $path = Get-SeedPath $It $Seed $one.placed
        if ((Test-File $path) -and (Get-Sha256 $path) -ceq $one.placed) { return $one.placed }
    }
}

function Get-SeedPath { param($It, $Seed, [string] $Hash) "$($It.home)\seed\" + $Seed.file.Substring(0, $Seed.file.Length - 4) + '.' + $Hash.Substring(0, 16) + '.iso' }

# ---- what differs ----

$script:Arguments = @{
    'set-machine' = @('start_action', 'start_delay', 'stop_action', 'checkpoint_type', 'automatic_checkpoints')
    'set-firmware' = @('secure_boot', 'secure_boot_template'); 'set-processor' = @('count', 'nested_virtualization')
    'set-memory' = @('dynamic', 'startup', 'minimum', 'maximum'); 'set-adapter' = @('mac_address', 'mac_address_spoofing', 'dhcp_guard', 'router_guard')
}

function Add-Change {
    param($List, [string] $What, [bool] $Off, [string] $Action, $Arguments)
    $null = $List.Add(@{ what = $What; off = $Off; action = $Action; arguments = $Arguments })
}

# A plain property. Those of one setter go out in one call, unless only some of them need the machine off.
function Add-Property {
    param($List, $Fixed, [string] $What, [bool] $Off, [string] $Action, [string] $Key, $Read, $Wanted)
    if ("$Read" -ceq "$Wanted") { return }
    $text = "$What`: $Read -> $Wanted"
    $same = @($List | Where-Object { $_.action -ceq $Action -and $_.off -eq $Off -and $_.arguments['name'] -ceq $Fixed['name'] })
    if ($same.Count -gt 0) { $same[0].arguments[$Key] = $Wanted; $same[0].what += '; ' + $text; return }
    $arguments = $Fixed.Clone()
    foreach ($name in $script:Arguments[$Action]) { $arguments[$name] = $null }
    $arguments[$Key] = $Wanted
    Add-Change $List $text $Off $Action $arguments
}

# The differences between the machine and the document, in the order in which they are to be set.
function Get-Change {
    param($It)
    $list = New-Object -TypeName System.Collections.ArrayList
    $now = $It.machine
    $doc = $It.doc.machine
    $fresh = $now.name -ceq $It.name
    $id = @{ machine = $now.id }
    $memory = $doc.memory
    $nested = $now.processor.nested_virtualization -or $doc.processor.nested_virtualization
    if ($null -ne $now.automatic_checkpoints) { Add-Property $list $id 'automatic checkpoints' $true 'set-machine' 'automatic_checkpoints' $now.automatic_checkpoints $doc.automatic_checkpoints }
    Add-Property $list $id 'checkpoint type' $true 'set-machine' 'checkpoint_type' $now.checkpoint_type $doc.checkpoint_type
    Add-Property $list $id 'start action' $false 'set-machine' 'start_action' $now.start_action $doc.start_action
    Add-Property $list $id 'start delay' $true 'set-machine' 'start_delay' $now.start_delay $doc.start_delay
    Add-Property $list $id 'stop action' $true 'set-machine' 'stop_action' $now.stop_action $doc.stop_action
    Add-Surplus $It $list $fresh
    # Before the TPM: it freezes the template once it holds state.
    Add-Property $list $id 'secure boot' $true 'set-firmware' 'secure_boot' $now.firmware.secure_boot $doc.firmware.secure_boot
    if ($doc.firmware.secure_boot) { Add-Property $list $id 'secure boot template' $true 'set-firmware' 'secure_boot_template' $now.firmware.secure_boot_template $doc.firmware.secure_boot_template }
    if ($now.tpm.enabled -ne $doc.tpm.enabled) {
        # A protector that is there is kept: another one would make the state of the TPM unreadable.
        if ($doc.tpm.enabled -and $now.tpm.key_protector -lt 16) { Add-Change $list 'key protector' $true 'set-key-protector' @{ machine = $now.id; guardian = $doc.tpm.guardian } }
        Add-Change $list "TPM: $($now.tpm.enabled) -> $($doc.tpm.enabled)" $true 'set-tpm' @{ machine = $now.id; enabled = $doc.tpm.enabled }
    }
    Add-Property $list $id 'processors' $true 'set-processor' 'count' $now.processor.count $doc.processor.count
    Add-Property $list $id 'nested virtualization' $true 'set-processor' 'nested_virtualization' $now.processor.nested_virtualization $doc.processor.nested_virtualization
    Add-Property $list $id 'dynamic memory' $true 'set-memory' 'dynamic' $now.memory.dynamic $memory.dynamic
    Add-Property $list $id 'startup memory' ($now.memory.dynamic -or $memory.dynamic -or $nested) 'set-memory' 'startup' $now.memory.startup $memory.startup
    if ($memory.dynamic) {
        Add-Property $list $id 'minimum memory' (-not ($now.memory.dynamic -and $memory.minimum -lt $now.memory.minimum)) 'set-memory' 'minimum' $now.memory.minimum $memory.minimum
        Add-Property $list $id 'maximum memory' (-not ($now.memory.dynamic -and $memory.maximum -gt $now.memory.maximum)) 'set-memory' 'maximum' $now.memory.maximum $memory.maximum
    }
    foreach ($service in $doc.integration_services) {
        $have = @($now.integration_services | Where-Object { $_.id -ceq $service.id })
        if ($have.Count -gt 0 -and $have[0].enabled -ne $service.enabled) { Add-Change $list "integration service $($service.id)" $true 'set-integration-service' @{ machine = $now.id; service = $service.id; enabled = $service.enabled } }
    }
    $last = [math]::Max(0, (@($It.doc.drives | ForEach-Object { $_.controller }) | Measure-Object -Maximum).Maximum)
    for ($count = $now.scsi_controllers; $count -le $last; $count++) { Add-Change $list "SCSI controller $count" $true 'add-scsi-controller' $id.Clone() }
    # Two disks that swap places are both detached before either is attached again.
    foreach ($drive in $It.doc.drives) { Add-Move $It $list $drive }
    foreach ($drive in $It.doc.drives) { Add-Drive $It $list $drive }
    Add-SeedChange $It $list
    foreach ($adapter in $It.doc.network_adapters) { Add-Adapter $It $list $adapter }
    if ($fresh -and $null -ne $doc.boot_drive) {
        # Once, before the name says that the machine is complete: guests put their own entries first later.
        $boot = @($It.doc.drives | Where-Object { $_.name -ceq $doc.boot_drive })[0]
        Add-Change $list "boot from $($doc.boot_drive)" $true 'set-first-boot' @{ machine = $now.id; controller = $boot.controller; location = $boot.location }
    }
    if ($now.name -cne $doc.name) { Add-Change $list "name: $($now.name) -> $($doc.name)" $false 'rename-machine' @{ machine = $now.id; name = $doc.name } }
    return , $list
}

# What is there and not in the document: the adapter that New-VM adds goes, everything else stays and is told.
function Add-Surplus {
    param($It, $List, [bool] $Fresh)
    $wanted = @($It.doc.network_adapters | ForEach-Object { $_.name })
    foreach ($adapter in @($It.machine.network_adapters | Where-Object { $wanted -cnotcontains $_.name })) {
        # One of ours under its former name goes too: two adapters cannot share an address.
        $renamed = -not $adapter.dynamic_mac -and @($It.doc.network_adapters | Where-Object { $_.mac_address -ceq $adapter.mac_address }).Count -gt 0
        if ($Fresh -or $renamed) { Add-Change $List "adapter $($adapter.name): removed" $false 'remove-adapter' @{ machine = $It.machine.id; adapter = $adapter.id } }
        else { Add-Note "Adapter '$($adapter.name)' is not in the deployment and stays." }
    }
    $places = @('0:63') + @($It.doc.drives | ForEach-Object { "$($_.controller):$($_.location)" })
    foreach ($drive in $It.machine.drives) {
        if ($places -cnotcontains "$($drive.controller):$($drive.location)" -and -not (Test-Ours $It $drive)) { Add-Note "The drive at $($drive.controller):$($drive.location) ($($drive.path)) is not in the deployment and stays." }
    }
    if ($It.machine.checkpoints -gt 0) { Add-Note "The machine has $($It.machine.checkpoints) checkpoints; its disks keep their size." }
}

# A disk of ours at another place than its own leaves it.
function Add-Move {
    param($It, $List, $Drive)
    $path = $It.drives[$Drive.name]
    if (-not $path) { return }
    foreach ($disk in @($It.machine.drives | Where-Object { Test-Holds $_ $path })) {
        if ($disk.controller_type -ceq 'SCSI' -and $disk.controller -eq $Drive.controller -and $disk.location -eq $Drive.location) { continue }
        Add-Change $List "drive $($Drive.name): leaves $($disk.controller):$($disk.location)" $true 'detach-disk' @{ machine = $It.machine.id; controller = $disk.controller; location = $disk.location }
    }
}

function Add-Drive {
    param($It, $List, $Drive)
    $at = @{ machine = $It.machine.id; controller = $Drive.controller; location = $Drive.location }
    $where = "drive $($Drive.name)"
    $have = Get-DriveAt $It $Drive
    $path = $(if ($Drive.type -ceq 'dvd') { $Drive.media } else { $It.drives[$Drive.name] })
    if ($Drive.type -ceq 'dvd') {
        # A disk there is one of ours that moves away.
        if ($null -eq $have -or $have.kind -cne 'dvd') { Add-Change $List $where ($null -ne $have -or $Drive.controller -ge $It.machine.scsi_controllers) 'add-dvd' ($at + @{ path = $path }) }
        elseif (-not (Test-Same $have.path $path)) { Add-Change $List "$where`: $($have.path) -> $path" $false 'set-dvd' ($at + @{ path = $path }) }
        return
    }
    if (Test-Missing $It $Drive) { Add-Change $List "$where`: disk $path" $false 'make-drive' @{ drive = $Drive } }
    $moves = $null -ne $have -or (Test-Attached $It $path)
    if ($null -eq $have -or -not (Test-Holds $have $path)) {
        $off = $moves -or $Drive.type -cne 'vhd' -or $Drive.controller -ge $It.machine.scsi_controllers
        Add-Change $List "$where at $($Drive.controller):$($Drive.location)" $off 'attach-disk' ($at + @{ path = $path; shared = $Drive.type -cne 'vhd' })
    }
    $vhd = $(if (Test-File $path) { Read-Vhd $path })
    if ($null -ne $vhd -and $null -ne $Drive.size -and $vhd.Size -lt $Drive.size) { Add-Change $List "$where`: size $($vhd.Size) -> $($Drive.size)" ($Drive.type -cne 'vhd') 'resize-disk' @{ path = $path; size = $Drive.size } }
}

# The ISO that the machine should hold: the sealed one once it was swapped in and both are still the ones of this build.
function Get-WantedSeed {
    param($It)
    $doc = $It.doc
    $record = $It.record
    if ($null -ne $doc.sealed -and $null -ne $record -and $null -ne $record.sealed -and $null -ne $record.seed -and $record.sealed.built -ceq $doc.sealed.sha256 -and $record.seed.built -ceq $doc.seed.sha256) { return $doc.sealed }
    $doc.seed
}

function Add-SeedChange {
    param($It, $List)
    $seed = Get-WantedSeed $It
    if ($null -eq $seed) { return }
    $have = @($It.machine.drives | Where-Object { $_.controller_type -ceq 'SCSI' -and $_.controller -eq 0 -and $_.location -eq 63 })
    $placed = Get-Placed $It $seed
    if ($null -ne $placed -and $have.Count -gt 0 -and (Test-Same $have[0].path (Get-SeedPath $It $seed $placed))) { return }
    Add-Change $List "seed ISO $($seed.file)" $false 'place-seed' @{ seed = $seed }
}

function Add-Adapter {
    param($It, $List, $Adapter)
    $what = "adapter $($Adapter.name)"
    $fixed = @{ machine = $It.machine.id; name = $Adapter.name }
    $have = @($It.machine.network_adapters | Where-Object { $_.name -ceq $Adapter.name })
    if ($have.Count -gt 1) { Add-Refusal "The machine has $($have.Count) adapters '$($Adapter.name)'."; return }
    if ($have.Count -eq 0) {
        Add-Change $List $what $false 'add-adapter' ($fixed + @{ mac_address = $Adapter.mac_address })
        $have = @(@{ mac_address = $Adapter.mac_address; dynamic_mac = $false; mac_address_spoofing = $false; dhcp_guard = $false; router_guard = $false; vlan_mode = 'Untagged'; vlan = $null; switch = $null })
    }
    $mac = $(if ($have[0].dynamic_mac) { 'dynamic' } else { $have[0].mac_address })
    Add-Property $List $fixed "$what MAC" $true 'set-adapter' 'mac_address' $mac $Adapter.mac_address
    foreach ($key in 'mac_address_spoofing', 'dhcp_guard', 'router_guard') { Add-Property $List $fixed "$what $key" $false 'set-adapter' $key $have[0][$key] $Adapter.$key }
    $mode = $(if ($null -eq $Adapter.vlan) { 'Untagged' } else { 'Access' })
    if ($have[0].vlan_mode -cne $mode -or "$($have[0].vlan)" -cne "$($Adapter.vlan)") { Add-Change $List "$what VLAN: $($have[0].vlan) -> $($Adapter.vlan)" $false 'set-vlan' ($fixed + @{ vlan = $Adapter.vlan }) }
    $target = $It.switches[$Adapter.name]
    if ("$($have[0].switch)" -cne "$target") { Add-Change $List "$what switch: $($have[0].switch) -> $target" $false 'connect-adapter' ($fixed + @{ switch = $target }) }
}

# ---- doing ----

# What this run made, newest last, for the way back.
$script:Made = @()

function Invoke-Step {
    param($It, [string] $Action, [System.Collections.IDictionary] $A)
    $script:Step = $Action
    $script:Thing = "$($A['path'])$($A['name'])"
    if ($Action -ceq 'make-drive') { return (New-DriveFile $It $A.drive) }
    if ($Action -ceq 'place-seed') { return (Set-Seed $It $A.seed) }
    $path = $A['path']
    # Before the act, so that a failure in the middle is undone too.
    if ($path -and $Action -cin 'make-folder', 'new-disk', 'copy-file', 'convert-disk' -and -not (Test-Path -LiteralPath $path)) { $script:Made += , @($Action, $path) }
    $done = Invoke-Action $Action ([pscustomobject] $A) { }
    if ($Action -ceq 'new-machine') { $script:Made += , @($Action, $done.value.machine) }
    $done.value
}

function New-Folder { param($It, [string] $Path, [bool] $Protect = $false) $null = Invoke-Step $It 'make-folder' @{ path = $Path; protect = $Protect } }

# The record says what belongs to the machine, before it is made: a killed run can be cleaned up and goes on.
function Save-Record {
    param($It, $Seed = $null, $Sealed = $null)
    $old = $It.record
    $created = @(@{ kind = 'folder'; path = $It.home }, @{ kind = 'folder'; path = "$($It.home)\seed" })
    foreach ($path in $It.drives.Values) { $created += @{ kind = 'folder'; path = $path.Substring(0, $path.LastIndexOf('\')) }, @{ kind = 'file'; path = $path } }
    foreach ($one in @($Seed, $Sealed)) { if ($null -ne $one) { $created += @{ kind = 'file'; path = $one.path } } }
    $all = New-Object -TypeName System.Collections.ArrayList
    foreach ($one in @($(if ($null -ne $old) { $old.created })) + $created) {
        if ($null -ne $one -and @($all | Where-Object { Test-Same $_.path $one.path }).Count -eq 0) { $null = $all.Add([ordered] @{ kind = $one.kind; path = $one.path }) }
    }
    $volumes = [ordered] @{}
    if ($null -ne $old) { foreach ($one in $old.volumes.PSObject.Properties) { $volumes[$one.Name] = $one.Value } }
    foreach ($name in $It.parents.Keys) { $volumes[$name] = $It.parents[$name].sha256 }
    $parameters = [ordered] @{}
    foreach ($one in $It.doc.parameters) { $parameters[$one.name] = $It.parameters[$one.name] }
    $record = [ordered] @{ schema = 'eryphc/record/v1'; catlet = $It.doc.catlet.id; by = $It.owner; created = $all; parameters = $parameters; volumes = $volumes }
    $record.seed = $(if ($null -ne $Seed) { [ordered] @{ built = $Seed.built; placed = $Seed.placed } } elseif ($null -ne $old) { $old.seed })
    $record.sealed = $(if ($null -ne $Sealed) { [ordered] @{ built = $Sealed.built; placed = $Sealed.placed } } elseif ($null -ne $old -and $null -eq $Seed) { $old.sealed })
    $text = ConvertTo-JsonText $record
    Write-AsciiFile "$($It.home)\eryphc.json" ($text + "`n")
    $It.record = ConvertFrom-JsonText $text
}

# A blank disk, a child of its parent, or a copy; the parent goes to the store first.
function New-DriveFile {
    param($It, $Drive)
    $path = $It.drives[$Drive.name]
    New-Folder $It $path.Substring(0, $path.LastIndexOf('\'))
    $disk = @{ path = $path; size = $Drive.size; parent = $null; in_place = $path.EndsWith('.vhds', [System.StringComparison]::OrdinalIgnoreCase) }
    if ($null -eq $Drive.volume) { $null = Invoke-Step $It 'new-disk' $disk; return }
    $parent = Resolve-Parent $It $Drive
    if ($Drive.create -ceq 'differencing') {
        if (-not (Test-File $parent.stored)) {
            # The store is shared by all machines and outlives this one: neither undone nor removed.
            $null = New-Item -ItemType Directory -Path $It.volumes -Force
            $null = Invoke-Action 'copy-file' ([pscustomobject] @{ source = $parent.file; path = $parent.stored; sha256 = $parent.sha256 }) { }
            [System.IO.File]::SetAttributes((Get-NativePath $parent.stored), [System.IO.FileAttributes]::ReadOnly)
        }
        $disk.parent = $parent.stored
        $null = Invoke-Step $It 'new-disk' $disk
        return
    }
    if (-not $disk.in_place) { $null = Invoke-Step $It 'copy-file' @{ source = $parent.file; path = $path; sha256 = $parent.sha256 } }
    else {
        $copy = $path.Substring(0, $path.Length - 5) + '.eryphc-part.vhdx'
        Remove-File $copy
        if ((Copy-Dense $parent.file $copy { }) -cne $parent.sha256) { Remove-File $copy; throw (New-Failure -Id 'EryphcHash' -Category InvalidData -Message 'The file to copy is another one than expected.') }
        $null = Invoke-Step $It 'reset-disk' @{ path = $copy }
        if ($null -ne $Drive.size -and (Hyper-V\Get-VHD -Path $copy).Size -lt $Drive.size) { $null = Invoke-Step $It 'resize-disk' @{ path = $copy; size = $Drive.size } }
        $null = Invoke-Step $It 'convert-disk' @{ source = $copy; path = $path }
        Remove-File $copy
    }
    if ($path.EndsWith('.vhdx', [System.StringComparison]::OrdinalIgnoreCase)) { $null = Invoke-Step $It 'reset-disk' @{ path = $path } }
}

# The ISO with its slots filled. A region in base64 is decoded, changed and encoded again in place: the length stays.
function Get-FilledSeed {
    param($It, $Seed, $Values)
    $image = [System.IO.File]::ReadAllBytes((Get-NativePath (Get-IsoPath $Seed)))
    $ascii = [System.Text.Encoding]::ASCII
    foreach ($place in $Seed.relocations) {
        $slot = @($Seed.slots | Where-Object { $_.name -ceq $place.slot })[0]
        $value = $ascii.GetBytes($(if ($slot.kind -ceq 'vm-id') { $It.machine.id.ToLowerInvariant() } else { $Values[$slot.name] }))
        if ($place.encoding -ceq 'plain') { [Array]::Copy($value, 0, $image, $place.offset, $value.Length); continue }
        $old = $ascii.GetString($image, $place.offset, $place.length)
        $bytes = [Convert]::FromBase64String($old)
        [Array]::Copy($value, 0, $bytes, $place.at, $value.Length)
        $new = [Convert]::ToBase64String($bytes)
        $at = 0
        for ($i = 0; $i -lt $place.length; $i++) {
            if ($old[$i] -ceq "`r" -or $old[$i] -ceq "`n") { continue }
            $image[$place.offset + $i] = [byte] $new[$at]
            $at++
        }
    }
    return , $image
}

# Puts an ISO beside the old one, inserts it, then deletes the old one: a file is never overwritten while it is in use.
function Set-Seed {
    param($It, $Seed)
    New-Folder $It "$($It.home)\seed" $true
    $placed = Get-Placed $It $Seed
    if ($null -eq $placed) {
        $image = Get-FilledSeed $It $Seed $script:Values
        $placed = [BitConverter]::ToString([System.Security.Cryptography.SHA256]::Create().ComputeHash($image)).Replace('-', '').ToLowerInvariant()
        $path = Get-SeedPath $It $Seed $placed
        $facts = @{ path = $path; built = $Seed.sha256; placed = $placed }
        if ($null -ne $It.doc.sealed -and $Seed.sha256 -ceq $It.doc.sealed.sha256) { Save-Record $It -Sealed $facts } else { Save-Record $It -Seed $facts }
        $script:Made += , @('write-seed', $path)
        Remove-File $path
        [System.IO.File]::WriteAllBytes((Get-NativePath $path), $image)
    }
    $path = Get-SeedPath $It $Seed $placed
    $at = @{ machine = $It.machine.id; controller = 0; location = 63; path = $path }
    $have = @($It.machine.drives | Where-Object { $_.controller_type -ceq 'SCSI' -and $_.controller -eq 0 -and $_.location -eq 63 })
    $null = Invoke-Step $It $(if ($have.Count -eq 0) { 'add-dvd' } else { 'set-dvd' }) $at
    foreach ($file in @(Get-ChildItem -LiteralPath "$($It.home)\seed" -Force)) {
        $old = "$($It.home)\seed\$($file.Name)"
        if (-not (Test-Same $old $path) -and (Test-Made $It $old)) { Remove-File $old }
    }
}

# Undoes what this run made, and only that. Answers what could not be undone.
function Undo-Made {
    param($It)
    $left = @()
    for ($i = $script:Made.Count - 1; $i -ge 0; $i--) {
        $kind, $thing = $script:Made[$i]
        try {
            if ($kind -ceq 'new-machine') { Remove-Machine ([pscustomobject] @{ machine = $thing; marker = $It.marker; unfinished_name = $It.name }) }
            elseif ($kind -ceq 'make-folder') { Remove-File "$thing\eryphc.json"; if (-not (Remove-EmptyFolder $thing)) { $left += $thing } }
            else { Remove-File $thing; Remove-File (Get-PartPath $thing) }
        }
        catch { $left += $thing }
    }
    $left
}

function Update-Machine { param($It) $script:Disks = @{}; $It.machine = Read-Machine (Get-Machine $It.machine.id) }

# Applies the changes in their order. Those that need power off are left unless they may be done.
function Invoke-Change {
    param($It, $Changes, [bool] $MayOff)
    $done = 0
    $left = @()
    foreach ($change in $Changes) {
        if ($change.off -and -not $MayOff) { $left += $change; continue }
        try { $null = Invoke-Step $It $change.action $change.arguments }
        catch {
            $fact = Get-ErrorFact $_
            throw (New-Failure -Id 'EryphcApply' -Category OperationStopped -Message "Applied $done of $($Changes.Count): $($change.what): $($fact.message) [$($fact.category), $($fact.id), $($fact.hresult)]")
        }
        $done++
        Write-Text "done: $($change.what)"
    }
    return , $left
}

function New-Machine {
    param($It)
    New-Folder $It $It.home
    Save-Record $It
    foreach ($drive in $It.doc.drives) {
        if (Test-Missing $It $drive) { $script:Thing = $drive.name; Write-Text "disk of $($drive.name)"; $null = New-DriveFile $It $drive }
    }
    $by = 'by=' + [uri]::EscapeDataString($It.owner)
    $folder = $It.home.Substring(0, $It.home.LastIndexOf('\'))
    if ($folder.EndsWith(':')) { $folder += '\' }
    $new = Invoke-Step $It 'new-machine' @{ name = $It.name; folder = $folder; memory = $It.doc.machine.memory.startup; notes = $It.marker + $by }
    $It.machine = @{ id = $new.machine }
    Update-Machine $It
}

# An unfinished machine, or one that is taken over, gets the line that says whose it is; the user's own lines stay.
function Set-Marker {
    param($It)
    $line = $It.marker + 'by=' + [uri]::EscapeDataString($It.owner)
    $lines = @($(if ($It.machine.notes) { $It.machine.notes.Split("`n") }))
    $ours = @($lines | Where-Object { $_.StartsWith($It.marker, [System.StringComparison]::Ordinal) } | ForEach-Object { $_.TrimEnd("`r") })
    if ($ours.Count -gt 0 -and -not ($TakeOver -and $ours -cnotcontains $line)) { return }
    $other = @($lines | Where-Object { -not $_.StartsWith($It.marker, [System.StringComparison]::Ordinal) })
    $null = Invoke-Step $It 'set-notes' @{ machine = $It.machine.id; notes = (@($line) + $other) -join "`n" }
}

function Invoke-Apply {
    param($It)
    $created = $null -eq $It.machine
    try {
        if ($created) { New-Machine $It }
        else { New-Folder $It $It.home; Set-Marker $It; Save-Record $It }
        $changes = Get-Change $It
        $off = @($changes | Where-Object { $_.off }).Count -gt 0
        $was = $It.machine.state
        if ($off -and $was -cne 'Off' -and $Restart) {
            # A saved or paused machine goes on first: its memory is not thrown away.
            if ($was -cne 'Running') { Start-Machine $It }
            $stopped = Invoke-Step $It 'stop-machine' @{ machine = $It.machine.id; how = 'shutdown'; seconds = 300 }
            if ($null -eq $stopped -or -not $stopped.accepted -or "$((Get-Machine $It.machine.id).State)" -cne 'Off') { throw (New-Failure -Id 'EryphcStop' -Category OperationStopped -Message "The guest does not shut down (state $was). Stop it, then run this again.") }
        }
        $left = Invoke-Change $It $changes ($was -ceq 'Off' -or [bool] $Restart)
        Update-Machine $It
        $again = Get-Change $It
        if ($again.Count -gt $left.Count) { throw (New-Failure -Id 'EryphcVerify' -Category InvalidResult -Message ('The host took the changes and still differs: ' + (@($again | ForEach-Object { $_.what }) -join '; '))) }
    }
    catch {
        $first = $_
        if ($created -and -not $KeepPartial) {
            $rest = @(Undo-Made $It)
            if ($rest.Count -gt 0) { Write-Text "not undone: $($rest -join ', ')" } else { Write-Text 'undone: what this run had made' }
        }
        throw $first
    }
    if ($Start -or ($off -and $was -cne 'Off' -and $Restart)) { Start-Catlet $It }
    if ($left.Count -eq 0) { return 0 }
    foreach ($change in $left) { Write-Text "needs power off: $($change.what)" }
    Write-Text 'Run it again with -Restart, or when the machine is off.'
    4
}

function Start-Machine {
    param($It)
    Update-Machine $It
    if ($It.machine.state -ceq 'Paused') { $null = Invoke-Step $It 'resume-machine' @{ machine = $It.machine.id } }
    elseif ($It.machine.state -cne 'Running') { $null = Invoke-Step $It 'start-machine' @{ machine = $It.machine.id; seconds = 300 } }
}

function Start-Catlet {
    param($It)
    Start-Machine $It
    Write-Text 'running'
    if (-not $Start -or $null -eq $It.doc.sealed -or (Get-WantedSeed $It).sha256 -ceq $It.doc.sealed.sha256) { return }
    Write-Text "waiting for the guest to report that it is provisioned, at most $WaitSeconds s"
    $script:Told = $null
    try { Wait-Until -Seconds $WaitSeconds -What 'that the guest is provisioned' -Condition { $script:Told = Get-Provisioned $It; $null -ne $script:Told } }
    catch { Write-Text "The guest did not report it, so the seed ISO still holds the secrets. Run this again with -Seal once 'cloud-init status' in the guest says done."; return }
    # What the guest tells of the reason quotes its configuration, which may be secret.
    if ($script:Told -ceq 'failed') { throw (New-Failure -Id 'EryphcGuest' -Category OperationStopped -Message 'Provisioning failed in the guest, which says so; the seed ISO was not replaced.') }
    Invoke-Seal $It
}

# How provisioning ended: 'done' or 'failed'; nothing while no reporter says that it has. While eryph's guest services say that
# they are at work, no other reporter counts.
function Get-Provisioned {
    param($It)
    $filter = "SystemName='$(([guid] $It.machine.id).ToString().ToUpperInvariant())'"
    foreach ($exchange in @(Get-GuestObject 'Msvm_KvpExchangeComponent' $filter)) {
        $items = Read-KvpItem $exchange.GuestExchangeItems
        $state = ''
        $boot = [long] -1
        $told = $null
        $ended = $null
        foreach ($key in $items.Keys) {
            if ($key -ceq 'eryph.provisioning.state') { $state = "$($items[$key])" }
            # CLOUD_INIT|<boot>|<type>|<event>|<id>; a later boot has a larger number.
            $words = $key.Split('|')
            if ($words.Count -lt 4) { continue }
            if ($words[0] -ceq 'CLOUD_INIT' -and $words[2] -ceq 'finish' -and $words[3] -ceq 'modules-final') {
                $number = $(if ($words[1] -match '^[0-9]{1,18}$') { [long] $words[1] } else { [long] 0 })
                $failed = "$($items[$key])" -match '"result"\s*:\s*"fail'
                if ($number -gt $boot) { $boot = $number; $told = $(if ($failed) { 'failed' } else { 'done' }) }
                elseif ($number -eq $boot -and $failed) { $told = 'failed' }
            }
            # CLOUDBASE_INIT|<boot>|provisioning|<state>|<more>, of eryph's cloudbase-init.
            if ($words[0] -ceq 'CLOUDBASE_INIT' -and $words[2] -ceq 'provisioning') {
                if ($words[3] -eq 'failed') { $ended = 'failed' }
                elseif ($words[3] -eq 'completed' -and $null -eq $ended) { $ended = 'done' }
            }
        }
        if ($state -in 'provisioned', 'completed', 'done', 'succeeded') { return 'done' }
        if ($state -eq 'failed') { return 'failed' }
        if ($state -in 'started', 'running', 'reboot_pending') { return $null }
        if ($null -ne $told) { return $told }
        if ($null -ne $ended) { return $ended }
    }
    return $null
}

function Invoke-Seal {
    param($It)
    Update-Machine $It
    $script:Values = @{}
    $null = Set-Seed $It $It.doc.sealed
    Write-Text "sealed: $($It.doc.sealed.file)"
}

# What -Remove deletes: only what the record lists, and only inside folders that carry the catlet's id.
function Get-Removal {
    param($It)
    $list = @()
    if ($null -eq $It.record) { return , $list }
    $disks = @($It.record.created | Where-Object { $_.kind -ceq 'file' -and $_.path.ToLowerInvariant() -cnotlike '*.iso' } | ForEach-Object { $_.path })
    foreach ($one in @($It.record.created)) {
        if (-not ($one.path + '\').ToLowerInvariant().Contains("\$($It.name)\") -or $one.path.Contains('..')) { continue }
        if (($KeepDisks -and $disks -contains $one.path) -or (Test-Same $one.path "$($It.home)\eryphc.json")) { continue }
        $list += $one
    }
    return , $list
}

# Takes the power away; a saved machine has none, and what it held in memory goes with it.
function Stop-ForRemoval {
    param($It)
    $id = $It.machine.id
    if ($It.machine.state -cin 'Saved', 'FastSaved') { $null = Invoke-Step $It 'discard-saved-state' @{ machine = $id }; return }
    if ($It.machine.state -ceq 'Off') { return }
    $told = ''
    # A machine that hangs may refuse as well as let us wait.
    try { $null = Invoke-Step $It 'stop-machine' @{ machine = $id; how = 'turn-off'; seconds = 120 } }
    catch { if (-not $EndWorker) { $told = " ($((Get-ErrorFact $_).message))" } }
    if ("$((Get-Machine $id).State)" -ceq 'Off') { return }
    if (-not $EndWorker) { throw (New-Failure -Id 'EryphcStop' -Category OperationStopped -Message "The machine does not turn off$told. Where its worker process hangs, -EndWorker ends that process.") }
    Write-Text 'ending the worker process of the machine'
    $null = Invoke-Step $It 'stop-machine' @{ machine = $id; how = 'end-worker'; seconds = 60 }
    if ("$((Get-Machine $id).State)" -cne 'Off') { throw (New-Failure -Id 'EryphcStop' -Category OperationStopped -Message 'The machine stays on although its worker process was ended.') }
}

function Invoke-Remove {
    param($It)
    $list = Get-Removal $It
    $own = $(if ($null -ne $It.machine) { $It.machine.id })
    foreach ($other in @($It.state.machines | Where-Object { $_.id -cne $own })) {
        foreach ($chain in $other.chains) {
            foreach ($path in $chain) { if (@($list | Where-Object { $_.kind -ceq 'file' -and (Test-Same $_.path $path) }).Count -gt 0) { Add-Refusal "Machine '$($other.name)' uses $path." } }
        }
    }
    if ($script:Refusals.Count -gt 0) { return (Write-Refusal) }
    if ($null -ne $It.machine) { Write-Text "remove: machine $($It.machine.name) ($($It.machine.id))" }
    foreach ($one in $list) { Write-Text "remove: $($one.path)" }
    if ($null -eq $It.machine -and $list.Count -eq 0) { Write-Text 'nothing to remove'; return 0 }
    if ($WhatIf) { return 4 }
    if ($null -ne $It.machine) {
        Stop-ForRemoval $It
        $null = Invoke-Step $It 'remove-machine' @{ machine = $It.machine.id; marker = $It.marker; unfinished_name = $It.name }
    }
    for ($i = $list.Count - 1; $i -ge 0; $i--) { if ($list[$i].kind -ceq 'file') { Remove-File $list[$i].path; Remove-File (Get-PartPath $list[$i].path) } }
    # The record goes last but for its folder: until then a run that is killed can go on.
    foreach ($name in 'Virtual Machines', 'Snapshots') { $null = Remove-EmptyFolder "$($It.home)\$name" }
    for ($i = $list.Count - 1; $i -ge 0; $i--) { if ($list[$i].kind -ceq 'folder' -and -not (Test-Same $list[$i].path $It.home)) { $null = Remove-EmptyFolder $list[$i].path } }
    if ($null -ne $It.home) {
        if ($KeepDisks -and $null -ne $It.record -and (Test-Folder $It.home)) {
            # Disks that stay are ours: the next run takes them again.
            $It.record.seed = $null
            $It.record.sealed = $null
            Write-AsciiFile "$($It.home)\eryphc.json" ((ConvertTo-JsonText $It.record) + "`n")
            return 0
        }
        Remove-File "$($It.home)\eryphc.json"
        if ((Test-Folder $It.home) -and -not (Remove-EmptyFolder $It.home)) { Write-Text "left, not empty: $($It.home)" }
    }
    0
}

function Write-Refusal {
    Write-Text 'refused, nothing was changed:'
    foreach ($text in $script:Refusals) { Write-Text "  $text" }
    1
}

function Invoke-Deployment {
    param([string] $Text)
    if (($Remove -and ($Start -or $Seal -or $Restart)) -or ($Seal -and ($Start -or $Restart)) -or (($KeepDisks -or $EndWorker) -and -not $Remove)) { Write-Text 'These options do not go together.'; return 2 }
    $doc = ConvertFrom-JsonText $Text
    if ($doc.schema -cne 'eryphc/deployment/v1') { Write-Text "This program does not know deployments of the kind '$($doc.schema)'."; return 2 }
    $script:Values = Read-Value
    if (-not $WhatIf -and -not (Lock-Catlet $doc.catlet.id 60)) { Add-Refusal 'Another run works on this machine; try again when it is done.'; return (Write-Refusal) }
    $it = Get-Situation $doc ([bool] $Remove)
    Test-Right $it.facts
    if ($Remove) { Test-Owner $it; return (Invoke-Remove $it) }
    if ($Seal) {
        Test-Owner $it
        if ($null -eq $doc.sealed) { Write-Text 'There is nothing to seal: no part of the seed is secret.'; return 0 }
        if ($null -eq $it.machine) { Add-Refusal 'There is no machine to seal.' } elseif ((Get-WantedSeed $it).sha256 -ceq $doc.sealed.sha256) { Write-Text 'sealed already'; return 0 } else { Test-Iso $doc.sealed }
        if ($script:Refusals.Count -gt 0) { return (Write-Refusal) }
        if ($WhatIf) { Write-Text 'change: the sealed ISO'; return 4 }
        Invoke-Seal $it
        return 0
    }
    Test-Precondition $it $script:Values
    $changes = @()
    if ($script:Refusals.Count -eq 0 -and $null -ne $it.machine) { $changes = Get-Change $it }
    if ($script:Refusals.Count -gt 0) { return (Write-Refusal) }
    foreach ($note in $script:Notes) { Write-Text "note: $note" }
    if ($WhatIf) {
        if ($null -eq $it.machine) { Write-Text "create: machine $($doc.machine.name) in $($it.home)"; return 4 }
        foreach ($change in $changes) { Write-Text ('change: ' + $change.what + $(if ($change.off) { ' (needs power off)' })) }
        if ($changes.Count -eq 0) { Write-Text 'nothing to do'; return 0 }
        return 4
    }
    $code = Invoke-Apply $it
    if ($changes.Count -eq 0 -and $code -eq 0) { Write-Text "machine $($it.machine.id) is as the deployment says" }
    $code
}

# ==== the deployment: data, never run ====
$document = @'
{}
'@
# ==== end of the deployment ====

try { $code = @(Invoke-Deployment $document)[-1] }
catch {
    $fact = Get-ErrorFact $_
    [Console]::Error.WriteLine("failed at $($fact.step) $($fact.object): $($fact.message) [$($fact.category), $($fact.id), $($fact.hresult)]")
    $code = 3
}
finally { if ($null -ne (Get-Variable -Name Mutex -Scope Script -ErrorAction Ignore)) { try { $script:Mutex.ReleaseMutex() } catch { $null = $_ } } }
exit $code
