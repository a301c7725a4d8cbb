# Puts one machine on this Hyper-V host as the deployment at the end of this file says, or brings it there again.
# Running it twice changes nothing the second time. For hosts without Python; eryph-runtime does the same and more.
#
#   .\deploy.ps1 -WhatIf                       print what would change; 4 is the exit code when there is something
#   .\deploy.ps1 [-Start] [-Restart]           apply; -Restart allows to power off for what a live machine refuses
#   .\deploy.ps1 -Seal                         replace the seed ISO by the one without secrets
#   .\deploy.ps1 -Remove [-KeepDisks]          remove exactly what was made
#       [-EndWorker]                           and end the process of a machine that does not turn off
#   -Parameter @{ folder = 'D:\VMs' }          settings that were left open       (or "folder=D:\VMs;..." without ; in it)
#   -Volume @{ sda = 'D:\base.vhdx' }          parent disks, by drive             (or "sda=D:\base.vhdx;...")
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

# What both programs say of numbers, seeds and doubles; this is data as well.
$script:Said = ConvertFrom-JsonText @'
==== said.json stands here ====
'@

# ---- saying ----

$script:Refusals = @()
$script:Needs = @()
$script:Notes = @()

function Write-Text { param([string] $Text) [Console]::Out.WriteLine($Text) }
function Add-Refusal { param([string] $Text) $script:Refusals += $Text }
# What a run that changes something cannot do without; -WhatIf shows the rest all the same.
function Add-Need { param([string] $Text) if ($script:Needs -cnotcontains $Text) { $script:Needs += $Text } }
function Add-Note { param([string] $Text) if ($script:Notes -cnotcontains $Text) { $script:Notes += $Text } }
function Test-Same { param([string] $A, [string] $B) [string]::Equals($A, $B, [System.StringComparison]::OrdinalIgnoreCase) }

# A text of the table above with its values; a value is never searched for names again.
function Get-Said {
    param([string] $Kind, [string] $Name, [System.Collections.IDictionary] $Values = @{})
    $said = Get-Member (Get-Member $script:Said $Kind) $Name
    if ($null -eq $said) { return $null }
    $parts = @($said.Split('{'))
    $text = $parts[0]
    for ($i = 1; $i -lt $parts.Count; $i++) {
        $at = $parts[$i].IndexOf('}')
        $text += "$($Values[$parts[$i].Substring(0, $at)])" + $parts[$i].Substring($at + 1)
    }
    $text
}

# The usual cause of an error, by its number or by one that its text names: texts are localised, numbers are not.
function Get-Hint {
    param($Fact)
    $numbers = @(Format-Hresult $Fact.hresult) + @([System.Text.RegularExpressions.Regex]::Matches($Fact.message, '0x[0-9A-Fa-f]{8}\b') | ForEach-Object { '0x' + $_.Value.Substring(2).ToUpperInvariant() })
    foreach ($number in $numbers) { if ($number) { $hint = Get-Said 'hints' $number; if ($null -ne $hint) { return $hint } } }
}

# ---- what was given ----

$script:Faults = @()

# The pieces of -Parameter or -Volume, each { name, value }: of a hash table, of a list of 'NAME=VALUE', or of a text
# 'NAME=VALUE;NAME=VALUE', since that is all that `powershell -File` hands over.
function Split-Given {
    param([string] $Option, $Given)
    if ($null -eq $Given) { return }
    if ($Given -is [System.Collections.IDictionary]) {
        foreach ($entry in $Given.GetEnumerator()) { @{ name = [string] $entry.Key; value = $entry.Value } }
        return
    }
    $pieces = $(if ($Given -is [string]) { $Given.Split(';') } elseif ($Given -is [System.Collections.IEnumerable]) { @($Given | ForEach-Object { "$_" }) } else { @("$Given") })
    foreach ($piece in $pieces) {
        if (-not $piece.Trim()) { continue }
        $at = $piece.IndexOf('=')
        if ($at -gt 0) { @{ name = $piece.Substring(0, $at).Trim(); value = $piece.Substring($at + 1) }; continue }
        $script:Faults += "$Option`: '$piece' is not NAME=VALUE. A value with ; in it goes into a table: $Option @{ NAME = 'VALUE' }, from a PowerShell prompt."
    }
}

# As a map. What cannot be taken as it stands is a fault of usage, and never left out.
function ConvertTo-Map {
    param($Value, [string] $Option = '')
    $map = @{}
    foreach ($one in @(Split-Given $Option $Value)) {
        $text = $(if ($null -ne $one.value) { [string] $one.value } else { '' })
        if ($map.ContainsKey($one.name)) { $script:Faults += "$Option`: '$($one.name)' is given twice." }
        elseif (-not $text.Trim()) { $script:Faults += "$Option`: '$($one.name)' has no value. Is a variable empty?" }
        elseif ($one.value -is [System.Collections.IEnumerable] -and $one.value -isnot [string]) { $script:Faults += "$Option`: '$($one.name)' has several values." }
        elseif ($one.name.IndexOfAny([char[]] @(34, 39)) -eq 0) { $script:Faults += "$Option`: there are quotes around $($one.name)=$text. cmd.exe takes double quotes away, and only those." }
        $map[$one.name] = $text
    }
    $map
}

# What is wrong with the command line, before anything is looked at.
function Test-Usage {
    $script:Faults = @()
    $null = ConvertTo-Map $Parameter '-Parameter'
    $null = ConvertTo-Map $Volume '-Volume'
    if ($ValueFile -and $ValueFile -cne '-' -and -not (Test-File $ValueFile)) { $script:Faults += "-ValueFile: there is no file $ValueFile." }
    $script:Faults
}

function Read-Value {
    # Values of slots come from a file or standard input, never from the command line: they count as secret.
    if (-not $ValueFile) { return @{} }
    $text = $(if ($ValueFile -ceq '-') { [Console]::In.ReadToEnd() } else { [System.IO.File]::ReadAllText((Get-NativePath $ValueFile)) })
    $map = @{}
    $number = 0
    foreach ($line in $text.Split("`n")) {
        $number++
        if (-not $line.Trim()) { continue }
        $at = $line.IndexOf('=')
        # The line may be a secret, so it is not shown.
        if ($at -gt 0) { $map[$line.Substring(0, $at).Trim()] = $line.Substring($at + 1).TrimEnd("`r") }
        else { $script:Faults += "-ValueFile: line $number is not NAME=VALUE." }
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
        parameters = @{}; drives = [ordered] @{}; switches = @{}; owner = $state.host.account; parents = @{}; folder = $null; copies = @{}
    }
    if ($state.ours.Count -eq 1) {
        $it.machine = $state.ours[0].machine
        $it.home = $it.machine.path
        $it.record = Read-Record $it $state.ours[0].record
        if ($null -eq $it.record) { $it.record = Get-RestoredRecord $it }
    }
    Resolve-Parameter $it
    $it.folder = Resolve-Setting $it $Doc.folders.machine
    if ($null -eq $it.home -and $it.folder) {
        $it.home = $it.folder.TrimEnd('\') + '\' + $name
        if (-not (Get-PathFault $it.home)) { $it.record = Read-Record $it (Read-RecordText $it.home $name) }
        Resolve-Parameter $it
    }
    $store = Resolve-Setting $it $Doc.folders.volumes
    if ($store) { $it.volumes = $store.TrimEnd('\') }
    foreach ($drive in $Doc.drives) {
        $folder = $(if ($null -ne $drive.folder) { Resolve-Setting $it $drive.folder })
        if ($folder) { $it.drives[$drive.name] = Get-MovedPath $it $drive ($folder.TrimEnd('\') + "\$name\" + $drive.file) }
    }
    $it
}

# The machine's id is asked for only once it is there.
function Get-MachineId { param($It) if ($null -ne $It.machine) { $It.machine.id } else { '' } }

function Get-LeafName { param([string] $Path) $Path.TrimEnd('\').Substring($Path.TrimEnd('\').LastIndexOf('\') + 1) }

# Where the disk of a drive lies: of a machine that was moved it is what the drive holds, known by its place and its file's name.
function Get-MovedPath {
    param($It, $Drive, [string] $Path)
    $have = $(if ($null -ne $It.machine) { Get-DriveAt $It $Drive })
    if ($null -eq $have -or $have.kind -cne 'disk' -or (Test-Holds $have $Path)) { return $Path }
    foreach ($held in @($have.path) + @($have.chain)) { if ($held -and (Test-Same (Get-LeafName $held) $Drive.file)) { return $held } }
    $Path
}

# Only we use such names: a folder named after the catlet and what lies in it, and files beside those of others that say
# whose they are. A record is trusted only for these.
function Test-Own {
    param($It, [string] $Path)
    $parts = @($Path.Replace('/', '\').TrimEnd('\').Split('\'))
    if ($parts -contains '..') { return $false }
    $parts -contains $It.name -or $parts[-1].ToLowerInvariant().Contains(".$($It.name).")
}

function Test-Unfinished { param([string] $Name) $Name.ToLowerInvariant().Contains('.eryphc-part') }

function Get-Name {
    param([string] $Folder)
    if (Test-Folder $Folder) { Get-ChildItem -LiteralPath $Folder -Force | ForEach-Object { $_.Name } }
}

$script:SeedNames = New-Object -TypeName System.Text.RegularExpressions.Regex -ArgumentList '(?s)\A.+\.[0-9a-f]{16}(?:\.eryphc-part)?\.iso\z'

# Our ISO files on the host, finished or not, by the folder and the names that only we use.
function Get-SeedFile { param($It) if ($null -ne $It.home) { Get-Name "$($It.home)\seed" | Where-Object { $script:SeedNames.IsMatch($_) } | ForEach-Object { "$($It.home)\seed\$_" } } }

# Unfinished files of earlier runs, by the folders and the names that only we use.
function Get-Leftover {
    param($It)
    $folders = @($(if ($null -ne $It.home) { $It.home, "$($It.home)\seed" })) + @(foreach ($pair in $It.drives.GetEnumerator()) { if (Test-Own $It $pair.Value) { Get-ParentPath $pair.Value } })
    $seen = @{}
    foreach ($folder in $folders) {
        if ($seen.ContainsKey($folder)) { continue }
        $seen[$folder] = $true
        Get-Name $folder | Where-Object { Test-Unfinished $_ } | ForEach-Object { "$folder\$_" }
    }
    if ($It.volumes) { Get-Name $It.volumes | Where-Object { $_.Contains(".$($It.name).") } | ForEach-Object { "$($It.volumes)\$_" } }
}

# Null for a text that is no record of this catlet; records of earlier versions lack two of the keys.
function Read-Record {
    param($It, [string] $Text)
    if (-not $Text) { return $null }
    try {
        $read = ConvertFrom-JsonText $Text
        if ($read.schema -cne 'eryphc/record/v1' -or $read.catlet -cne $It.doc.catlet.id) { return $null }
        $record = @{ by = [string] $read.by; created = @(); deleting = @(); parameters = $read.parameters; volumes = $read.volumes; seed = $null; sealed = $null; restart = $false }
        foreach ($one in $read.created) { $record.created += , ([ordered] @{ kind = [string] $one.kind; path = [string] $one.path }) }
        if ($null -ne $read.PSObject.Properties['deleting']) { foreach ($path in $read.deleting) { $record.deleting += [string] $path } }
        if ($null -ne $read.PSObject.Properties['restart']) { $record.restart = [bool] $read.restart }
        foreach ($kind in 'seed', 'sealed') { if ($null -ne $read.$kind) { $record[$kind] = [pscustomobject] @{ built = [string] $read.$kind.built; placed = [string] $read.$kind.placed } } }
        if ($null -eq $record.parameters -or $null -eq $record.volumes) { return $null }
        return $record
    }
    catch { return $null }
}

# A record that was lost or is broken, read anew from the machine: who made it, where it lies, its disks, switches and ISO.
function Get-RestoredRecord {
    param($It)
    $doc = $It.doc
    $found = [ordered] @{}
    $volumes = [ordered] @{}
    $settle = { param($Setting, $Value) if ($null -ne $Setting -and $null -ne $Setting.parameter -and $Value -and -not $found.Contains($Setting.parameter)) { $found[$Setting.parameter] = $Value } }
    & $settle $doc.folders.machine (Get-AboveOwn $It $It.machine.path)
    foreach ($drive in $doc.drives) {
        $have = Get-DriveAt $It $drive
        if ($null -eq $have -or -not $have.path -or -not $drive.file) { continue }
        $chain = @($(if ($have.chain.Count -gt 0) { $have.chain } else { $have.path }))
        $own = @(for ($i = 0; $i -lt $chain.Count; $i++) { if (Test-Same (Get-LeafName $chain[$i]) $drive.file) { $i } })
        if ($own.Count -eq 0) { continue }
        & $settle $drive.folder (Get-AboveOwn $It (Get-ParentPath $chain[$own[0]]))
        for ($i = $own[0] + 1; $i -lt $chain.Count; $i++) {
            $path = $chain[$i]
            $leaf = Get-LeafName $path
            if ($null -eq $drive.volume -or $leaf -cnotmatch '\A[0-9a-f]{64}\.vhdx\z') { continue }
            $volumes[$drive.volume] = $leaf.Substring(0, 64)
            & $settle $doc.folders.volumes (Get-ParentPath $path)
            break
        }
    }
    foreach ($adapter in $doc.network_adapters) {
        foreach ($have in @($It.machine.network_adapters | Where-Object { $_.name -ceq $adapter.name })) { & $settle $adapter.switch $have.switch }
    }
    $record = @{ by = "$(Get-Owner $It)"; created = @(); deleting = @(); parameters = [pscustomobject] $found; volumes = [pscustomobject] $volumes; seed = $null; sealed = $null; restart = $false }
    $It.record = $record
    Add-InsertedSeed $It $record
    $record
}

# The folder that holds a folder of ours; nothing where the machine was moved out of such.
function Get-AboveOwn { param($It, [string] $Path) if (Test-Same (Get-LeafName $Path) $It.name) { Get-ParentPath $Path } }

# The ISO that the machine holds, where it is one of this deployment and is whole.
function Add-InsertedSeed {
    param($It, $Record)
    $doc = $It.doc
    $have = Get-SeedDrive $It
    if ($null -eq $doc.seed -or $null -eq $have -or -not $have.path -or -not (Test-File $have.path)) { return }
    $hash = Get-Sha256 $have.path
    foreach ($kind in 'seed', 'sealed') {
        $seed = $doc.$kind
        if ($null -eq $seed -or -not (Test-Same $have.path (Get-SeedPath $It $seed $hash))) { continue }
        $wanted = Get-Wanted $It $seed
        if ($null -ne $wanted -and $wanted -cne $hash) { continue }
        $Record.seed = [pscustomobject] @{ built = $doc.seed.sha256; placed = $hash }
        if ($kind -ceq 'sealed') { $Record.sealed = [pscustomobject] @{ built = $seed.sha256; placed = $hash } }
    }
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

# ---- what stands in the way: all of it, before anything is changed ----
# eryph-runtime says the same of the same host, in the same words (tests/powershell/test_one_verdict.py).

function Get-Quoted { param([string] $Text) '`' + $Text + '`' }
function Get-QuotedList { param($Names) @($Names | ForEach-Object { Get-Quoted $_ }) -join ', ' }

# Whether this account can work with machines here at all. Without rights the list of machines is empty, which must not
# read as "nothing there".
function Test-Right {
    param($Facts)
    if ($null -eq $Facts.module) { Add-Refusal 'the host has no Hyper-V module: enable the feature Microsoft-Hyper-V and its management tools for PowerShell' }
    if (-not $Facts.administrator -and -not $Facts.hyperv_administrator) { Add-Refusal "$($Facts.account) is neither administrator (or the process is not elevated) nor a member of Hyper-V Administrators on the host" }
}

# What forbids to touch the machine at all: there are several, or it is somebody else's.
function Test-Owner {
    param($It)
    if ($It.state.ours.Count -gt 1) {
        $listed = @($It.state.ours | ForEach-Object { "$(Get-Quoted $_.machine.name) ($($_.machine.id))" }) -join ', '
        Add-Refusal "several machines carry the marker of this catlet: $listed"
    }
    if ($null -eq $It.machine -or $TakeOver) { return }
    $owner = Get-Owner $It
    if ($null -eq $owner -or (Test-SameOwner $owner $It.owner)) { return }
    Add-Refusal "$(Get-Quoted $It.machine.name) was created by $(if ($owner) { $owner } else { 'somebody unknown' }), not by $($It.owner); -TakeOver makes it yours. $(Get-Said 'refusals' 'build-your-own')"
}

# The owner that the notes name; empty where the marker names none, null without a marker.
function Get-Owner {
    param($It)
    foreach ($line in $It.machine.notes.Split("`n")) {
        if (-not $line.StartsWith($It.marker, [System.StringComparison]::Ordinal)) { continue }
        foreach ($word in $line.Substring($It.marker.Length).Split()) { if ($word.StartsWith('by=')) { return [uri]::UnescapeDataString($word.Substring(3)) } }
        return ''
    }
}

# The same account, and the same user beyond it where both name one.
function Test-SameOwner {
    param([string] $A, [string] $B)
    $first = $A.Split([char[]] '/', 2)
    $second = $B.Split([char[]] '/', 2)
    (Test-Same $first[0] $second[0]) -and ($first.Count -lt 2 -or $second.Count -lt 2 -or -not $first[1] -or -not $second[1] -or $first[1] -ceq $second[1])
}

# Why a path cannot be used on the host; nothing where it can.
function Get-PathFault {
    param([string] $Path)
    if ($Path -cnotmatch '\A(?:[A-Za-z]:\\|\\\\[^\\]+\\[^\\]+)' -or $Path.StartsWith('\\?\') -or $Path.StartsWith('\\.\')) { return 'must be an absolute Windows path such as D:\Machines' }
    $rest = $(if ($Path[1] -ceq ':') { $Path.Substring(3) } else { $Path.Substring(2) })
    foreach ($name in @($rest.TrimEnd('\').Split('\') | Where-Object { $_ })) {
        if ($name -cin '.', '..') { return "'$name' no file name" }
        if ($name.IndexOfAny('<>:"/|?*[]`%'.ToCharArray()) -ge 0 -or @($name.ToCharArray() | Where-Object { [int] $_ -lt 32 }).Count -gt 0) { return "'$name' holds one of < > : `" / \ | ? * [ ] `` % or a control character" }
        if ($name.TrimEnd('. '.ToCharArray()) -cne $name) { return "'$name' ends in a dot or a blank" }
        if ($script:Devices.IsMatch($name)) { return "'$name' is a reserved name of Windows" }
        if ($name.Length -gt 255) { return "'$name' is longer than 255 characters" }
    }
    if ($Path.Substring(2).Contains('\\')) { return 'has an empty component' }
    if ($Path.Length -gt 240) { return 'is longer than 240 characters' }
}

# The id of a switch that is named exactly, or by id.
function Resolve-Switch {
    param($It, $Adapter, $Wanted)
    if (-not $Wanted) { return $null }
    $found = @($It.state.switches | Where-Object { Test-Same $_.id $Wanted })
    if ($found.Count -eq 0) { $found = @($It.state.switches | Where-Object { $_.name -ceq $Wanted }) }
    if ($found.Count -eq 1) { return $found[0].id }
    $named = "adapter $(Get-Quoted $Adapter.name)"
    if ($found.Count -gt 1) { Add-Refusal "$named`: the host has several switches named $(Get-Quoted $Wanted); say its id: $(@(Get-Sorted ($found | ForEach-Object { $_.id })) -join ', ')"; return }
    $known = Get-QuotedList (Get-Sorted @($It.state.switches | ForEach-Object { $_.name }))
    Add-Refusal "$named`: the host has no switch $(Get-Quoted $Wanted); it has $(if ($known) { $known } else { 'none' })"
}

function Get-Sorted {
    param($Texts)
    $sorted = [string[]] @($Texts | Where-Object { $null -ne $_ })
    [array]::Sort($sorted, [System.StringComparer]::Ordinal)
    $sorted
}

function Test-Precondition {
    param($It, $Values)
    $doc = $It.doc
    $facts = $It.facts
    # Nothing more can be told of a host that shows nothing, or of a machine that is not ours.
    if (-not (Test-Allowed $facts)) { return }
    Test-Owner $It
    if ($script:Refusals.Count -gt 0) { return }
    $known = @(Get-Sorted ($doc.parameters | ForEach-Object { $_.name }))
    foreach ($name in @(Get-Sorted @((ConvertTo-Map $Parameter).GetEnumerator() | ForEach-Object { $_.Key }))) {
        if ($known -cnotcontains $name) { Add-Refusal "the deployment has no parameter $(Get-Quoted $name); it has $(if ($known.Count -gt 0) { Get-QuotedList $known } else { 'none' })" }
    }
    foreach ($one in $doc.parameters) {
        $value = $It.parameters[$one.name]
        if (-not $value) { Add-Refusal "parameter $(Get-Quoted $one.name) ($($one.description)) has no value: -Parameter '$($one.name)=VALUE'" }
        elseif ($one.kind -ceq 'folder' -and (Get-PathFault $value)) { Add-Refusal "parameter $(Get-Quoted $one.name): $value`: $(Get-PathFault $value)" }
    }
    $taking = @($doc.drives | Where-Object { $null -ne $_.volume } | ForEach-Object { $_.name })
    foreach ($pair in (ConvertTo-Map $Volume).GetEnumerator()) { if ($taking -notcontains $pair.Key) { Add-Refusal "There is no drive '$($pair.Key)' that takes a disk; there are: $($taking -join ', ')." } }
    foreach ($adapter in $doc.network_adapters) { if ($null -ne $adapter.switch) { $It.switches[$adapter.name] = Resolve-Switch $It $adapter (Resolve-Setting $It $adapter.switch) } }
    Test-Limit $It
    Test-Tpm $It
    Test-Nesting $It
    foreach ($adapter in $doc.network_adapters) {
        $static = @($adapter.addresses)
        foreach ($switch in @($It.state.switches | Where-Object { $_.id -ceq $It.switches[$adapter.name] -and $_.id -ceq 'c08cb7b8-9b3c-408e-8e30-5e16a3aeb444' -and $static.Count -gt 0 })) {
            Add-Note "adapter $(Get-Quoted $adapter.name): the static address $($static[0]) does not work on $(Get-Quoted $switch.name), which changes its subnet with every start of the host; name a switch of your own"
        }
    }
    Test-Other $It
    foreach ($pair in $It.drives.GetEnumerator()) { if ($fault = Get-PathFault $pair.Value) { Add-Refusal "drive $(Get-Quoted $pair.Key): $($pair.Value): $fault" } }
    # What cannot be a path is not looked at.
    if ($script:Refusals.Count -gt 0 -and @(@($It.home, $It.volumes) + @($It.drives.GetEnumerator() | ForEach-Object { $_.Value }) | Where-Object { $_ -and (Get-PathFault $_) }).Count -gt 0) { return }
    foreach ($drive in $doc.drives) { Test-Drive $It $drive }
    Test-Space $It
    Test-FolderAttribute $It
    if ($null -ne $It.home -and $null -eq $It.machine -and $null -eq $It.record -and (Test-Path -LiteralPath $It.home) -and (-not (Test-Folder $It.home) -or @(Get-Name $It.home | Where-Object { -not (Test-Unfinished $_) }).Count -gt 0)) {
        Add-Refusal "$($It.home) exists, is not empty and holds no record of this catlet"
    }
    if ($null -ne $It.machine) { Test-Machine $It }
    Test-Seed $It (Get-WantedSeed $It) $Values
    if ($null -ne $doc.seed) { Test-Seed $It $doc.sealed $Values }
    Add-Unreadable $It
}

# What cannot be read of our machine cannot be compared; of others it is only told.
function Add-Unreadable {
    param($It)
    foreach ($one in $It.state.unread) {
        $name = @($It.state.machines | Where-Object { $_.id -ceq $one.object } | ForEach-Object { Get-Quoted $_.name })
        $text = "$(if ($name.Count -gt 0) { $name[0] } else { $one.object }): the host cannot read its $($one.what) ($($one.message))"
        if ($null -ne $It.machine -and $one.object -ceq $It.machine.id) { Add-Refusal $text } else { Add-Note $text }
    }
}

# What a version of Windows, and this host, allow (first builds: Server 2019 17763, Server 2022 20348, Server 2025 26100).
function Test-Limit {
    param($It)
    $wanted = $It.doc.machine
    $facts = $It.facts
    $template = $wanted.firmware.secure_boot_template
    if ($wanted.firmware.secure_boot -and $facts.secure_boot_templates.Count -gt 0 -and $facts.secure_boot_templates -cnotcontains $template) {
        Add-Refusal "the host has no secure boot template $(Get-Quoted $template); it has $(Get-QuotedList $facts.secure_boot_templates)"
    }
    $count = $wanted.processor.count
    $limit = $(if ($facts.build -lt 20348) { 240 } elseif ($facts.build -lt 26100) { 1024 } else { 2048 })
    if ($count -gt $limit) { Add-Refusal "$count processors; this host's version allows $limit" }
    elseif ($count -gt $facts.logical_processors) { Add-Refusal "$count processors; the host has $($facts.logical_processors), and a machine with more does not start" }
    $largest = [math]::Max([long] $wanted.memory.startup, [long] $wanted.memory.maximum)
    $ceiling = $(if ($facts.build -lt 20348) { 12TB } else { 240TB })
    if ($largest -gt $ceiling) { Add-Refusal "$largest bytes of memory; this host's version allows $ceiling" }
    $most = $(if ($facts.build -lt 17763) { 8 } else { 64 })
    if (@($It.doc.network_adapters).Count -gt $most) { Add-Refusal "$(@($It.doc.network_adapters).Count) network adapters; this host's version allows $most" }
    $off = $null -eq $It.machine -or $It.machine.state -ceq 'Off'
    if ($off -and $null -ne $facts.memory_available -and $wanted.memory.startup -gt $facts.memory_available) {
        Add-Note "the host has $([math]::Floor($facts.memory_available / 1MB)) MiB of memory free, the machine starts with $([math]::Floor($wanted.memory.startup / 1MB)) MiB"
    }
}

function Test-Tpm {
    param($It)
    $tpm = $It.doc.machine.tpm
    if (-not $tpm.enabled -or ($null -ne $It.machine -and $It.machine.tpm.enabled)) { return }
    $needed = @('Enable-VMTPM', 'Set-VMKeyProtector:NewLocalKeyProtector') + @($(if ($null -ne $tpm.guardian) { 'New-HgsGuardian', 'New-HgsKeyProtector' }))
    foreach ($name in $needed) { if ($It.facts.missing -ccontains $name) { Add-Refusal "the host cannot give the machine a TPM: it has no $name" } }
    if ($null -ne $tpm.guardian -and -not $It.facts.administrator) { Add-Refusal "only an administrator can make the TPM's guardian" }
    Add-Note 'a machine with a TPM starts only on hosts that hold the certificates of its key protector'
}

function Test-Nesting {
    param($It)
    $facts = $It.facts
    if (-not $It.doc.machine.processor.nested_virtualization) { return }
    $amd = $facts.processor_vendor -ceq 'amd'
    $least = $(if (-not $amd) { 14393 } elseif ($facts.server) { 20348 } else { 22000 })
    if ($facts.build -lt $least) { Add-Refusal "nested virtualization needs build $least or newer on this host; it is $($facts.build)" }
    $version = [version] '0.0'
    if ($null -ne $It.machine -and [version]::TryParse($It.machine.version, [ref] $version) -and $version -lt [version] $(if ($amd) { '9.3' } else { '8.0' })) {
        Add-Refusal "nested virtualization needs a newer configuration version than $($It.machine.version); update it with Update-VMVersion"
    }
    if ($It.doc.machine.memory.dynamic) { Add-Note 'nested virtualization: dynamic memory does not move while a hypervisor runs inside' }
}

# Machines of others that have our name, an address or a file of ours.
function Test-Other {
    param($It)
    $doc = $It.doc
    $ours = @($It.state.ours | ForEach-Object { $_.machine.id })
    $others = @($It.state.machines | Where-Object { $ours -cnotcontains $_.id })
    $taken = @($others | Where-Object { Test-Same $_.name $doc.machine.name })
    if ($taken.Count -gt 0 -and ($null -eq $It.machine -or $It.machine.name -cne $doc.machine.name)) {
        Add-Refusal "a machine named $(Get-Quoted $doc.machine.name) exists and is not ours ($($taken[0].id)); rename it, build with another --name, or adopt it: give its notes the line $(Get-Quoted (Get-MarkerLine $It))"
    }
    foreach ($other in $others) {
        foreach ($adapter in $doc.network_adapters) { if ($other.mac_addresses -ccontains $adapter.mac_address) { Add-Refusal "adapter $(Get-Quoted $adapter.name): $(Get-Quoted $other.name) has the address $($adapter.mac_address) too. $(Get-Said 'refusals' 'build-your-own')" } }
    }
    foreach ($pair in $It.drives.GetEnumerator()) { foreach ($name in @(Get-OtherHolder $It $pair.Value)) { Add-Refusal "$(Get-Quoted $name) uses $($pair.Value)" } }
}

# The names of other machines that hold a file, as far as they were asked for.
function Get-OtherHolder {
    param($It, [string] $Path)
    $own = Get-MachineId $It
    foreach ($other in $It.state.machines) {
        if ($other.id -ceq $own) { continue }
        if (@($other.disks) + @($other.media) + @(foreach ($chain in $other.chains) { $chain }) -contains $Path) { $other.name }
    }
}

# What stands in the way in the machine that is there.
function Test-Machine {
    param($It)
    $now = $It.machine
    $named = Get-Quoted $now.name
    $firmware = $It.doc.machine.firmware
    if ($now.generation -ne 2) { Add-Refusal "$named is of generation $($now.generation), which cannot be changed" }
    $busy = @(Get-Sorted @($now.operational_status | Where-Object { $_ -cin 'ApplyingSnapshot', 'CreatingSnapshot', 'DeletingSnapshot', 'MergingDisks', 'ExportingVirtualMachine', 'MigratingVirtualMachine', 'MigratingPlannedVm', 'BackingUpVirtualMachine', 'ModifyingUpVirtualMachine', 'StorageMigrationPhaseOne', 'StorageMigrationPhaseTwo' }))
    if ($busy.Count -gt 0) { Add-Refusal "$named is busy ($($busy -join ', ')); try again later" }
    if ($now.state.EndsWith('Critical')) { Add-Refusal "the storage of $named cannot be reached ($($now.state))" }
    if ($now.name -cne $It.name -and $now.tpm.enabled -and $firmware.secure_boot -and $now.firmware.secure_boot_template -cne $firmware.secure_boot_template) {
        Add-Refusal "the secure boot template cannot be changed once the TPM holds state: it is $($now.firmware.secure_boot_template), wanted is $($firmware.secure_boot_template)"
    }
    foreach ($drive in $It.doc.drives) { Test-Place $It $drive }
    $seat = Get-SeedDrive $It
    if ($null -ne $seat -and $seat.kind -cne 'dvd') { Add-Refusal "the seed's place 0:63 is taken by $($seat.path); detach that first" }
    foreach ($adapter in $It.doc.network_adapters) {
        $count = @($now.network_adapters | Where-Object { $_.name -ceq $adapter.name }).Count
        if ($count -gt 1) { Add-Refusal "the machine has $count adapters named $(Get-Quoted $adapter.name)" }
    }
    foreach ($path in @(Get-OldSeed $It)) { foreach ($name in @(Get-OtherHolder $It $path)) { Add-Refusal "$(Get-Quoted $name) uses $path, which holds secrets and is to go" } }
    if ($It.folder -and -not (Test-Same $now.path.TrimEnd('\') ($It.folder.TrimEnd('\') + '\' + $It.name))) { Add-Note "left alone: the machine lies in $($now.path), not in $($It.folder)" }
}

# The place of a drive, and the size of the disk that is there: nothing of others is detached, no disk is made smaller.
function Test-Place {
    param($It, $Drive)
    $have = Get-DriveAt $It $Drive
    $path = $It.drives[$Drive.name]
    $named = "drive $(Get-Quoted $Drive.name)"
    $fits = $null -eq $have -or (Test-Ours $It $have) -or ($have.kind -ceq 'dvd' -and $Drive.type -ceq 'dvd') -or ($path -and (Test-Holds $have $path))
    if (-not $fits) { Add-Refusal "$named`: its place $($Drive.controller):$($Drive.location) is taken by $(if ($have.path) { $have.path } else { 'an empty DVD drive' }); detach that first" }
    if ($Drive.type -ceq 'dvd' -or -not $path) { return }
    $attached = @($It.machine.drives | Where-Object { Test-Holds $_ $path })
    foreach ($disk in $attached) {
        if ($disk -eq $have -and $disk.shared -ne ($Drive.type -cne 'vhd')) { Add-Refusal "$named is attached $(if (-not $disk.shared) { 'not ' })as a shared disk; detach it to change that" }
        if ($null -eq $Drive.size) { continue }
        if ($null -eq $disk.size) { Add-Note "left alone: the disk of $named cannot be read" }
        elseif ($disk.size -gt $Drive.size) { Add-Shrinking $named $disk.size $Drive.size $disk.minimum_size }
        elseif ($disk.size -lt $Drive.size -and ($It.machine.checkpoints -gt 0 -or -not (Test-Same $disk.path $path))) { Add-Refusal "$named cannot grow while the machine has checkpoints; merge them first" }
    }
    $vhd = $(if ($attached.Count -eq 0 -and $fits -and (Test-File $path)) { Read-Vhd $path })
    if ($null -ne $vhd -and $null -ne $Drive.size -and $vhd.Size -gt $Drive.size) { Add-Shrinking $named $vhd.Size $Drive.size (Get-Number $vhd.MinimumSize) }
}

function Add-Shrinking {
    param([string] $Named, $Size, $Wanted, $Smallest)
    Add-Refusal "$Named has $Size bytes, wanted are $Wanted`: disks are not shrunk (its smallest size now is $(if ($null -ne $Smallest) { $Smallest } else { $Size }))"
}

function Get-DriveAt { param($It, $At) $It.machine.drives | Where-Object { $_.controller_type -ceq 'SCSI' -and $_.controller -eq $At.controller -and $_.location -eq $At.location } | Select-Object -First 1 }

function Get-SeedDrive { param($It) if ($null -ne $It.machine) { Get-DriveAt $It @{ controller = 0; location = 63 } } }

# A checkpoint's file counts as the disk below it.
function Test-Holds { param($Have, [string] $Path) $Have.kind -ceq 'disk' -and ((Test-Same $Have.path $Path) -or $Have.chain -contains $Path) }

# Whether the disk in a drive is one that the document wants at some place.
function Test-Ours { param($It, $Have) @($It.drives.GetEnumerator() | Where-Object { Test-Holds $Have $_.Value }).Count -gt 0 }

function Test-Made { param($It, [string] $Path) $null -ne $It.record -and @($It.record.created | Where-Object { Test-Same $_.path $Path }).Count -gt 0 }

function Test-Attached {
    param($It, [string] $Path)
    if ($null -eq $It.machine) { return $false }
    @($It.machine.drives | Where-Object { (Test-Same $_.path $Path) -or $_.chain -contains $Path }).Count -gt 0
}

# Whether the file of a drive must still be made. Disk sets are made in place: one that a killed run left is made again.
function Test-Missing {
    param($It, $Drive)
    $path = $It.drives[$Drive.name]
    if (-not $path -or (Test-Attached $It $path)) { return $false }
    -not (Test-File $path) -or ($Drive.type -ceq 'vhd_set' -and $null -eq (Read-Vhd $path))
}

# The file of a drive that is there, and the parent of one that is to be made. What the machine has already may be damaged too.
function Test-Drive {
    param($It, $Drive)
    $named = "drive $(Get-Quoted $Drive.name)"
    if ($null -ne $Drive.media -and -not (Test-File $Drive.media)) { Add-Refusal "$named`: the host has no file $($Drive.media)" }
    $path = $It.drives[$Drive.name]
    if (-not $path) { return }
    if ($Drive.type -cne 'vhd' -and (Get-FreeSpace (Get-ParentPath $path)).kind -ceq 'fixed') { Add-Refusal "$named is shared: $(Get-ParentPath $path) must lie on a cluster shared volume or an SMB share" }
    elseif ($Drive.type -ceq 'vhd' -and $path.StartsWith('\\')) { Add-Note "$named lies on a share: the host logs in there for itself, which fails from a remote session without delegation" }
    $set = $Drive.type -ceq 'vhd_set'
    $attached = Test-Attached $It $path
    if ($attached -and -not (Test-File $path)) { Add-Refusal "$named`: $path is attached, and there is no such file"; return }
    if (Test-File $path) {
        if (-not $attached -and -not (Test-Made $It $path)) { Add-Refusal "$named`: $path exists and is not known to be ours; move it away, or attach it yourself" }
        elseif ($null -eq (Read-Vhd $path)) { if ($attached -or -not $set) { Add-Refusal "$named`: $path is no disk that Hyper-V can read" } }
        elseif (-not $set -and -not (Test-Healthy $path)) { Add-Refusal "$named`: $path or a parent of it is damaged or missing (Test-VHD)" }
        if (-not (Test-Missing $It $Drive)) { return }
    }
    if ($null -eq $Drive.volume) { return }
    $parent = Resolve-Parent $It $Drive
    if ($null -eq $parent) { return }
    $vhd = Read-Vhd $parent.file
    if ($null -eq $vhd -or -not (Test-Healthy $parent.file) -or "$($vhd.VhdFormat)" -cne 'VHDX') { Add-Refusal "$named`: $($parent.file) is no sound VHDX disk"; return }
    if ($null -ne $Drive.size -and $vhd.Size -gt $Drive.size) { Add-Refusal "$named`: the parent disk has $($vhd.Size) bytes, wanted are $($Drive.size); ask for a $(Get-Quoted 'size') that is as large, or leave it out"; return }
    $item = Get-Item -LiteralPath $parent.file -Force
    $bad = @(Get-Sorted @("$($item.Attributes)".Split(',') | ForEach-Object { $_.Trim() } | Where-Object { $_ -cin 'SparseFile', 'Compressed', 'Encrypted' }))
    if ($bad.Count -gt 0 -and (Test-Same $parent.file $parent.stored)) { Add-Refusal "$named`: $($parent.file) is $($bad -join ', '); Hyper-V attaches no such file"; return }
    if ($Drive.create -ceq 'copy') { Add-Copy $It (Get-ParentPath $path) $item.Length }
    elseif (-not (Test-Same $parent.file $parent.stored)) { Add-Copy $It $It.volumes $item.Length }
}

function Test-Healthy { param([string] $Path) try { [bool] (Hyper-V\Test-VHD -Path $Path -ErrorAction Ignore) } catch { $false } }

function Add-Copy { param($It, [string] $Folder, [long] $Bytes) $It.copies[$Folder] = [long] $It.copies[$Folder] + $Bytes }

function Test-Space {
    param($It)
    foreach ($pair in $It.copies.GetEnumerator()) {
        $free = (Get-FreeSpace $pair.Key).bytes
        if ($null -ne $free -and $free -lt $pair.Value) { Add-Refusal "$($pair.Key) has $free bytes free; $($pair.Value) would be copied there" }
    }
    foreach ($folder in @($It.home) + @($It.drives.GetEnumerator() | ForEach-Object { Get-ParentPath $_.Value }) + @($It.copies.GetEnumerator() | ForEach-Object { $_.Key })) {
        $free = $(if ($folder) { (Get-FreeSpace $folder).bytes })
        if ($null -ne $free -and $free -lt 1GB) { Add-Note "$folder has less than 1 GiB free" }
    }
}

# The folders in which no disk can be made that Hyper-V attaches: what is new inherits these attributes.
function Test-FolderAttribute {
    param($It)
    foreach ($drive in @($It.doc.drives | Where-Object { Test-Missing $It $_ })) {
        foreach ($path in @($It.drives[$drive.name]) + @($(if ($drive.create -ceq 'differencing' -and $It.volumes) { "$($It.volumes)\x" }))) {
            $folder = $path
            do {
                $at = $folder.LastIndexOf('\')
                $folder = $(if ($at -gt 2) { $folder.Substring(0, $at) } elseif ($at -eq 2) { $folder.Substring(0, 3) } else { '' })
            } while ($folder.Length -gt 3 -and -not (Test-Folder $folder))
            if (-not $folder -or -not (Test-Folder $folder)) { continue }
            $attributes = Get-FileAttribute $folder
            $bad = @($attributes | Where-Object { $_ -cin 'Compressed', 'Encrypted', 'IntegrityStream' })
            $text = Get-Said 'refusals' 'folder-attribute' @{ folder = $folder; attributes = $bad -join ' and ' }
            if ($bad.Count -gt 0 -and $script:Refusals -cnotcontains $text) { Add-Refusal $text }
        }
    }
}

# The parent disk of a drive: { file: where it is, stored: where it shall be, sha256 }. Null after a refusal.
function Resolve-Parent {
    param($It, $Drive)
    if ($It.parents.ContainsKey($Drive.volume)) { return $It.parents[$Drive.volume] }
    $entry = @($It.doc.volumes | Where-Object { $_.name -ceq $Drive.volume })[0]
    $named = "drive $(Get-Quoted $Drive.name)"
    $given = (ConvertTo-Map $Volume)[$Drive.name]
    $sha256 = $entry.sha256
    if (-not $sha256 -and $null -ne $It.record) { $sha256 = Get-Member $It.record.volumes $Drive.volume }
    foreach ($source in $entry.sources) { if (-not $given -and $source.kind -ceq 'host') { $given = $source.path } }
    if ($given) {
        if (-not (Test-File $given)) { Add-Refusal "$named`: the host has no file $given"; return $null }
        $hash = Get-Sha256 $given
        if ($entry.sha256 -and $hash -cne $entry.sha256) { Add-Refusal "$(Get-Quoted $given) is not the volume of $named`: its SHA-256 is $hash, wanted is $($entry.sha256)"; return $null }
        $sha256 = $hash
    }
    $stored = $(if ($sha256) { "$($It.volumes)\$sha256.vhdx" })
    if ($stored -and (Test-File $stored)) {
        if ((Get-Sha256 $stored) -cne $sha256) { Add-Refusal "$named`: $stored was changed: its SHA-256 is another"; return $null }
        $given = $stored
    }
    if (-not $given) {
        $from = @($entry.sources | Where-Object { $_.kind -ceq 'url' } | ForEach-Object { "; to be had at $($_.url), or built in after $(Get-Quoted 'eryphc volume fetch SPEC --into genes')" } | Select-Object -First 1) -join ''
        Add-Need "$named needs its volume$(if ($null -ne $entry.gene) { " ($($entry.gene))" }): -Volume '$($Drive.name)=PATH'$from"
        return $null
    }
    $It.parents[$Drive.volume] = @{ file = $given; stored = $stored; sha256 = $sha256 }
    $It.parents[$Drive.volume]
}

function Get-IsoPath { param($Seed) Join-Path -Path $PSScriptRoot -ChildPath $Seed.file }

function Test-Iso {
    param($Seed)
    $file = Get-IsoPath $Seed
    if (-not (Test-File $file)) { Add-Need "$(Get-Quoted $Seed.file) does not lie beside the deployment: copy the whole folder" }
    elseif ((Get-Sha256 $file) -cne $Seed.sha256) { Add-Need "$(Get-Quoted $Seed.file) is not the file that was built with this deployment: build again, or copy the whole folder again" }
}

# Why a value cannot fill a slot; else nothing. The text never holds the value: it counts as secret.
function Get-SlotFault {
    param($Slot, [string] $Value)
    if ($Value.Length -ne $Slot.length) { "$(Get-Quoted $Slot.name) must have exactly $($Slot.length) characters, not $($Value.Length)" }
    elseif ($Value -cnotmatch '\A[A-Za-z0-9._~+/=-]+\z') { "$(Get-Quoted $Slot.name) may hold only letters, digits and -._~+/=" }
}

function Get-ValueSlot { param($Seed) @($Seed.slots | Where-Object { $_.kind -ceq 'value' }) }

function Test-Seed {
    param($It, $Seed, $Values)
    if ($null -eq $Seed) { return }
    $slots = Get-ValueSlot $Seed
    $missing = @($slots | Where-Object { -not $Values.ContainsKey($_.name) })
    $here = Test-File (Get-IsoPath $Seed)
    if ($missing.Count -eq 0 -and $here) { Test-Iso $Seed; return }
    if ($null -ne (Get-Placed $It $Seed)) { return }
    if (@(Get-RecordedSeed $It $Seed).Count -gt 0) { Add-Need 'the seed ISO must be placed again: its file beside the deployment, and the values of its open slots, are needed'; return }
    if ($missing.Count -gt 0) { Add-Need "no value for the open slots $(@($missing | ForEach-Object { "$(Get-Quoted $_.name) ($($_.length) characters)" }) -join ', '): -ValueFile FILE" }
    if (-not $here) { Test-Iso $Seed }
}

# The hash of the ISO that this machine is to hold, where the built file and all values are at hand; else null.
function Get-Wanted {
    param($It, $Seed)
    foreach ($slot in Get-ValueSlot $Seed) {
        if (-not $script:Values.ContainsKey($slot.name)) { return $null }
    }
    $file = Get-IsoPath $Seed
    if ((Test-File $file) -and (Get-Sha256 $file) -ceq $Seed.sha256) { Get-Hash (Get-FilledSeed $It $Seed $script:Values) }
}

# The hashes of the ISO files that were made of this built one.
function Get-RecordedSeed {
    param($It, $Seed)
    if ($null -eq $It.record -or $null -eq $It.machine) { return }
    foreach ($one in @($It.record.seed, $It.record.sealed)) { if ($null -ne $one -and $one.built -ceq $Seed.sha256) { $one.placed } }
}

# The hash of the ISO of this built one that lies there; else null. Where a value or the built file is not at hand, the record
# says which it is.
function Get-Placed {
    param($It, $Seed)
    if ($null -eq $It.record -or $null -eq $It.machine) { return $null }
    $wanted = Get-Wanted $It $Seed
    foreach ($hash in @(if ($null -ne $wanted) { $wanted } else { Get-RecordedSeed $It $Seed })) {
        $path = Get-SeedPath $It $Seed $hash
        if ((Test-File $path) -and (Get-Sha256 $path) -ceq $hash) { return $hash }
    }
}

function Get-SeedPath { param($It, $Seed, [string] $Hash) "$($It.home)\seed\" + $Seed.file.Substring(0, $Seed.file.Length - 4) + '.' + $Hash.Substring(0, 16) + '.iso' }

# ISO files of ours that the machine is not to hold: they may have secrets.
function Get-OldSeed {
    param($It)
    $seed = Get-WantedSeed $It
    $placed = $(if ($null -ne $seed) { Get-Placed $It $seed })
    $kept = $(if ($null -ne $placed) { Get-SeedPath $It $seed $placed })
    Get-SeedFile $It | Where-Object { -not (Test-Same $_ $kept) }
}

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
    if (@(Get-MarkerOfOwner $It).Count -eq 0) { Add-Change $list "owner: $(Get-Owner $It) -> $($It.owner)" $false 'set-notes' @{ machine = $now.id; notes = Get-MarkedNotes $It } }
    foreach ($path in @(Get-Leftover $It)) { Add-Change $list "unfinished file: $path" $false 'delete-file' @{ path = $path } }
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
    # We stopped it for a change, and that run did not come to its end.
    if ($null -ne $It.record -and $It.record.restart -and $now.state -ceq 'Off') { Add-Change $list 'power: Off -> Running' $false 'start-machine' @{ machine = $now.id; seconds = 300 } }
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
        else { Add-Note "left alone: the network adapter $(Get-Quoted $adapter.name) is not in the deployment" }
    }
    $places = @('0:63') + @($It.doc.drives | ForEach-Object { "$($_.controller):$($_.location)" })
    foreach ($drive in $It.machine.drives) {
        if ($places -cnotcontains "$($drive.controller):$($drive.location)" -and -not (Test-Ours $It $drive) -and $drive.controller_type -ceq 'SCSI') { Add-Note "left alone: the $($drive.kind) drive at $($drive.controller):$($drive.location) ($(if ($drive.path) { $drive.path } else { 'empty' })) is not in the deployment" }
    }
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

# The ISO that the machine is meant to hold: the sealed one once sealing has begun and both are still the ones of this build.
function Get-WantedSeed {
    param($It)
    $doc = $It.doc
    $record = $It.record
    if ($null -ne $doc.sealed -and $null -ne $doc.seed -and $null -ne $record -and $null -ne $record.sealed -and $null -ne $record.seed -and $record.sealed.built -ceq $doc.sealed.sha256 -and $record.seed.built -ceq $doc.seed.sha256) { return $doc.sealed }
    $doc.seed
}

function Add-SeedChange {
    param($It, $List)
    $seed = Get-WantedSeed $It
    $have = Get-SeedDrive $It
    $placed = $(if ($null -ne $seed) { Get-Placed $It $seed })
    $kept = $(if ($null -ne $placed) { Get-SeedPath $It $seed $placed })
    $at = @{ machine = $It.machine.id; controller = 0; location = 63; path = $null }
    if ($null -eq $seed) { if ($null -ne $have -and $have.path -and ((Test-Own $It $have.path) -or @(Get-SeedFile $It) -contains $have.path)) { Add-Change $List "seed: $($have.path) leaves" $false 'set-dvd' $at } }
    elseif ($null -eq $kept -or $null -eq $have -or -not (Test-Same $have.path $kept)) {
        Add-SeedNote $It $seed $(if ($null -ne $have) { $have.path })
        Add-Change $List "seed ISO $($seed.file)" $false 'place-seed' @{ seed = $seed }
    }
    # The files of earlier runs hold secrets that no machine needs. Those of a seed that is still to come are known only then.
    foreach ($path in @(Get-SeedFile $It | Where-Object { -not (Test-Same $_ $kept) -and -not (Test-Unfinished $_) })) {
        foreach ($drive in @($It.machine.drives | Where-Object { $_.kind -ceq 'dvd' -and (Test-Same $_.path $path) -and ($_.controller -ne 0 -or $_.location -ne 63) })) {
            Add-Change $List "seed: $path leaves $($drive.controller):$($drive.location)" $false 'set-dvd' @{ machine = $It.machine.id; controller = $drive.controller; location = $drive.location; path = $null }
        }
        Add-Change $List "seed: old file $path" $false 'delete-old-seed' @{ path = $path }
    }
}

# What a machine that exists will do with another seed, said before it gets it.
function Add-SeedNote {
    param($It, $Seed, $Medium)
    $doc = $It.doc
    if ($It.machine.name -ceq $It.name -or $Seed.sha256 -cne $doc.seed.sha256) { return }
    $before = $(if ($null -ne $It.record) { $It.record.seed })
    $wanted = Get-Wanted $It $Seed
    if ($null -ne $before) { if ($before.built -ceq $Seed.sha256 -and ($null -eq $wanted -or $before.placed -ceq $wanted)) { return } }
    elseif (-not $Medium -or $null -eq $wanted -or (Test-Same $Medium (Get-SeedPath $It $Seed $wanted))) { return }
    $values = @{ file = $Seed.file; id = $Seed.instance_id }
    if ($Seed.instance_id -ceq $doc.catlet.id) { Add-Note (Get-Said 'notes' "seed-$($doc.guest)" $values) }
    elseif ($Seed.instance_id -cmatch '\Ai-[0-9a-f]{16}\z') { Add-Note (Get-Said 'notes' 'seed-new-instance' $values) }
    else { Add-Note (Get-Said 'notes' 'seed-own-id' $values) }
}

# That a new machine may have a double in its network, and who has its addresses there already.
function Add-NeighborNote {
    param($It)
    if ($null -ne $It.machine -or -not (Test-Allowed $It.facts)) { return }
    $adapters = @($It.doc.network_adapters)
    $external = @($It.state.switches | Where-Object { $_.type -ceq 'External' } | ForEach-Object { $_.id })
    $outside = @($adapters | Where-Object { $external -contains $It.switches[$_.name] } | ForEach-Object { $_.name })
    if ($outside.Count -gt 0) { Add-Note (Get-Said 'notes' 'twins' @{ adapters = $outside -join ', ' }) }
    foreach ($neighbor in @(Read-Neighbor @($adapters | ForEach-Object { $_.mac_address }))) {
        if ($neighbor.state -cin 'Unreachable', 'Incomplete') { continue }
        $own = @($adapters | Where-Object { $_.mac_address -ceq $neighbor.mac_address })[0]
        Add-Note (Get-Said 'notes' 'neighbor' @{ adapter = $own.name; address = $neighbor.address; mac = $neighbor.mac_address })
    }
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

function Invoke-Step {
    param($It, [string] $Action, [System.Collections.IDictionary] $A)
    $script:Step = $Action
    $script:Thing = "$($A['path'])$($A['name'])"
    if ($Action -ceq 'make-drive') { return (New-DriveFile $It $A.drive) }
    if ($Action -ceq 'place-seed') { return (Set-Seed $It $A.seed) }
    # By now the seed may have been placed that has this name.
    if ($Action -ceq 'delete-old-seed') { if (@(Get-OldSeed $It) -notcontains $A.path) { return }; $Action = 'delete-file' }
    (Invoke-Action $Action ([pscustomobject] $A) { }).value
}

# All that is ours or is about to be, with `More`. Settled: nothing is about to be made any more, so what is not there is
# forgotten. eryph-runtime makes the same bytes (recording.py).
function Get-RecordText {
    param($It, $More = @(), $Set = @{}, [switch] $Settled)
    $old = $It.record
    $doc = $It.doc
    $all = New-Object -TypeName 'System.Collections.Generic.Dictionary[string,object]'
    foreach ($one in @(Get-OwnThing $It) + @($More) + @($(if ($null -ne $old) { $old.created }))) {
        if ($null -eq $one) { continue }
        $spelling = $(if ($null -ne $old) { @($old.created | Where-Object { Test-Same $_.path $one.path }) })
        $all[$one.path.ToLowerInvariant()] = [ordered] @{ kind = $one.kind; path = $(if (@($spelling).Count -gt 0 -and $null -ne @($spelling)[0]) { @($spelling)[0].path } else { $one.path }) }
    }
    $byPath = @{}
    foreach ($pair in $all.GetEnumerator()) { $byPath[$pair.Value.path] = $pair.Value }
    $created = @(foreach ($path in @(Get-Sorted @($all.GetEnumerator() | ForEach-Object { $_.Value.path }))) { if (-not $Settled -or (Test-Path -LiteralPath $path)) { $byPath[$path] } })
    $volumes = [ordered] @{}
    if ($null -ne $old) { foreach ($one in $old.volumes.PSObject.Properties) { $volumes[$one.Name] = $one.Value } }
    foreach ($pair in $It.parents.GetEnumerator()) { $volumes[$pair.Key] = $pair.Value.sha256 }
    $parameters = [ordered] @{}
    foreach ($one in $doc.parameters) { if ($It.parameters[$one.name]) { $parameters[$one.name] = $It.parameters[$one.name] } }
    $record = [ordered] @{
        schema = 'eryphc/record/v1'; catlet = $doc.catlet.id; by = $(if ($null -ne $old -and (Test-SameOwner $old.by $It.owner)) { $old.by } else { $It.owner })
        created = $created; deleting = @($(if ($null -ne $old -and $null -eq $It.machine) { $old.deleting | Where-Object { Test-File $_ } })); parameters = $parameters; volumes = $volumes
        seed = $(if ($null -ne $old -and $null -ne $It.machine) { $old.seed }); sealed = $(if ($null -ne $old -and $null -ne $It.machine) { $old.sealed })
        restart = $null -ne $old -and $old.restart -and $null -ne $It.machine -and $It.machine.state -ceq 'Off'
    }
    foreach ($pair in $Set.GetEnumerator()) { $record[$pair.Key] = $pair.Value }
    if ($null -ne $doc.seed -and (Get-WantedSeed $It) -eq $doc.seed -and -not $Set.ContainsKey('sealed')) { $record.sealed = $null }
    (ConvertTo-JsonText $record) + "`n"
}

# What the document wants of files and folders that only we name so.
function Get-OwnThing {
    param($It)
    $folders = @()
    $files = @(Get-SeedFile $It)
    if ($null -ne $It.home) { $folders += $It.home; if ($null -ne $It.doc.seed) { $folders += "$($It.home)\seed" } }
    foreach ($pair in $It.drives.GetEnumerator()) { if (Test-Own $It $pair.Value) { $folders += Get-ParentPath $pair.Value; $files += $pair.Value } }
    foreach ($folder in $folders) { foreach ($above in @(Get-Ancestor $folder)) { if ($folders -notcontains $above -and -not (Test-Folder $above)) { @{ kind = 'folder'; path = $above } } } }
    foreach ($folder in $folders) { @{ kind = 'folder'; path = $folder } }
    foreach ($file in $files) { @{ kind = 'file'; path = $file } }
}

# The record says what is ours before it is made, and until it is gone: a killed run can be cleaned up and goes on. It is
# written only where it says something new.
function Save-Record {
    param($It, $More = @(), $Set = @{}, [switch] $Settled)
    $text = Get-RecordText $It $More $Set -Settled:$Settled
    $path = "$($It.home)\eryphc.json"
    if (-not (Test-Folder $It.home)) { $null = Invoke-Step $It 'make-home' @{ path = $It.home; name = $It.name; text = $text } }
    elseif (-not (Test-File $path) -or [System.IO.File]::ReadAllText((Get-NativePath $path)) -cne $text) { $null = Invoke-Step $It 'write-text' @{ path = $path; text = $text } }
    $It.record = Read-Record $It $text
}

function New-Folder { param($It, [string] $Path, [bool] $Protect = $false) $null = Invoke-Step $It 'make-folder' @{ path = $Path; protect = $Protect } }

# A blank disk, a child of its parent, or a copy; the parent goes to the store first.
function New-DriveFile {
    param($It, $Drive)
    $path = $It.drives[$Drive.name]
    New-Folder $It $path.Substring(0, $path.LastIndexOf('\'))
    $disk = @{ path = $path; size = $Drive.size; parent = $null; in_place = $path.EndsWith('.vhds', [System.StringComparison]::OrdinalIgnoreCase) }
    if ($disk.in_place) { $null = Invoke-Step $It 'delete-file' @{ path = $path } }
    if ($null -eq $Drive.volume) { $null = Invoke-Step $It 'new-disk' $disk; return }
    $parent = Resolve-Parent $It $Drive
    if ($Drive.create -ceq 'differencing') {
        if (-not (Test-File $parent.stored)) {
            # The store is shared by all machines and outlives this one. Until the copy is whole, its name says whose it is.
            $copy = $parent.stored.Substring(0, $parent.stored.Length - 5) + ".$($It.name).vhdx"
            Save-Record $It @(, @{ kind = 'file'; path = $copy })
            New-Folder $It $It.volumes
            Remove-File $copy
            $null = Invoke-Step $It 'copy-file' @{ source = $parent.file; path = $copy; sha256 = $parent.sha256 }
            $null = Invoke-Step $It 'move-whole' @{ source = $copy; path = $parent.stored; sha256 = $parent.sha256 }
        }
        $disk.parent = $parent.stored
        $null = Invoke-Step $It 'new-disk' $disk
        return
    }
    if (-not $disk.in_place) { $null = Invoke-Step $It 'copy-file' @{ source = $parent.file; path = $path; sha256 = $parent.sha256 } }
    else {
        # A set is converted from a copy, which is one of our unfinished files all the time.
        $copy = $path.Substring(0, $path.Length - 5) + '.eryphc-part.vhdx'
        Remove-File $copy
        $null = Invoke-Step $It 'copy-file' @{ source = $parent.file; path = $copy; sha256 = $parent.sha256 }
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

function Get-Hash { param([byte[]] $Bytes) [BitConverter]::ToString([System.Security.Cryptography.SHA256]::Create().ComputeHash($Bytes)).Replace('-', '').ToLowerInvariant() }

# Puts an ISO beside the old one and inserts it, then the old one goes: a file is never overwritten while it is in use.
function Set-Seed {
    param($It, $Seed)
    $placed = Get-Placed $It $Seed
    $have = Get-SeedDrive $It
    $at = @{ machine = $It.machine.id; controller = 0; location = 63; path = $null }
    if ($null -eq $placed) {
        $image = Get-FilledSeed $It $Seed $script:Values
        $placed = Get-Hash $image
        $path = Get-SeedPath $It $Seed $placed
        $facts = [ordered] @{ built = $Seed.sha256; placed = $placed }
        $sealing = $null -ne $It.doc.sealed -and $Seed.sha256 -ceq $It.doc.sealed.sha256
        Save-Record $It @(, @{ kind = 'file'; path = $path }) $(if ($sealing) { @{ sealed = $facts } } else { @{ seed = $facts; sealed = $null } })
        New-Folder $It "$($It.home)\seed" $true
        if ($null -ne $have -and (Test-Same $have.path $path)) { $null = Invoke-Step $It 'set-dvd' $at }
        $null = Invoke-Step $It 'delete-file' @{ path = $path }
        $part = Get-PartPath $path
        Write-Part $part $image
        Move-Part $part $path
    }
    $at.path = Get-SeedPath $It $Seed $placed
    $null = Invoke-Step $It $(if ($null -eq $have) { 'add-dvd' } else { 'set-dvd' }) $at
    Update-Machine $It
    foreach ($old in @(Get-OldSeed $It)) { $null = Invoke-Step $It 'delete-file' @{ path = $old } }
}

# Undoes a creation as a removal would, by the record and by our names, but for what was there before. Answers what could
# not be undone; that stays in the record.
function Undo-Creation {
    param($It, $Before)
    $now = $null
    try {
        $script:Refusals = @()
        $now = Get-Situation $It.doc $true
        $removal = Get-Removal $now $Before
        Test-Owner $now
        if ($script:Refusals.Count -gt 0) { return $script:Refusals }
        return @(Invoke-Removal $now $removal -Patient)
    }
    catch { return (Get-ErrorFact $_).message }
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
            throw (New-Failure -Id 'EryphcApply' -Category OperationStopped -Message "Applied $done of $($Changes.Count): $($change.what): $($fact.message) [$($fact.category), $($fact.id), $(Format-Hresult $fact.hresult)]")
        }
        $done++
        Write-Text "done: $($change.what)"
    }
    return , $left
}

function New-Machine {
    param($It)
    # What a removal that was cut off left goes before anything is made.
    foreach ($path in @($(if ($null -ne $It.record) { $It.record.deleting }))) { if ((Test-Own $It $path) -and (Test-File $path)) { $null = Invoke-Step $It 'delete-file' @{ path = $path } } }
    Save-Record $It
    foreach ($path in @(Get-Leftover $It)) { $null = Invoke-Step $It 'delete-file' @{ path = $path } }
    foreach ($drive in $It.doc.drives) {
        if (Test-Missing $It $drive) { $script:Thing = $drive.name; Write-Text "disk of $($drive.name)"; $null = New-DriveFile $It $drive }
    }
    $folder = Get-ParentPath $It.home
    $new = Invoke-Step $It 'new-machine' @{ name = $It.name; folder = $folder; memory = $It.doc.machine.memory.startup; notes = Get-MarkerLine $It }
    $It.machine = @{ id = $new.machine }
    Update-Machine $It
}

function Get-MarkerLine { param($It) $It.marker + 'by=' + [uri]::EscapeDataString($It.owner) }

# The lines of the notes that say that the machine is ours, unless it was somebody else's.
function Get-MarkerOfOwner {
    param($It)
    $owner = Get-Owner $It
    if ($null -ne $owner -and (Test-SameOwner $owner $It.owner)) { $owner }
}

# The notes with our line in them; every other line stays as it is.
function Get-MarkedNotes {
    param($It)
    $found = $false
    $lines = @(foreach ($line in @($(if ($It.machine.notes) { $It.machine.notes.Split("`n") }))) {
            if (-not $found -and $line.StartsWith($It.marker, [System.StringComparison]::Ordinal)) { $found = $true; Get-MarkerLine $It } else { $line }
        })
    if (-not $found) { $lines = @(Get-MarkerLine $It) + $lines }
    $lines -join "`n"
}

# Stops the machine for the changes that need that. That it is to run again is written first: then any later run starts it,
# whatever becomes of this one.
function Stop-ForChange {
    param($It)
    $was = $It.machine.state
    Save-Record $It @() @{ restart = $true }
    # A saved or paused machine goes on first: its memory is not thrown away.
    if ($was -cne 'Running') { Start-Machine $It }
    $stopped = Invoke-Step $It 'stop-machine' @{ machine = $It.machine.id; how = 'shutdown'; seconds = 300 }
    Update-Machine $It
    if ($null -ne $stopped -and $stopped.accepted -and $It.machine.state -ceq 'Off') { return }
    Save-Record $It
    throw (New-Failure -Id 'EryphcStop' -Category OperationStopped -Message "The guest does not shut down (state $was). Stop it, then run this again.")
}

function Invoke-Apply {
    param($It)
    $created = $null -eq $It.machine
    # What lies there already, of a machine whose disks were kept, is not undone.
    $before = @($(if ($created -and $null -ne $It.record) { $It.record.created | Where-Object { $_.kind -ceq 'file' -and @($It.record.deleting) -notcontains $_.path -and (Test-File $_.path) } | ForEach-Object { $_.path } }))
    try {
        if ($created) { New-Machine $It }
        $changes = Get-Change $It
        $restarting = $Restart -and $It.machine.state -cne 'Off' -and @($changes | Where-Object { $_.off }).Count -gt 0
        if ($restarting) { Stop-ForChange $It; $changes = Get-Change $It }
        $unread = $It.machine.state -cne 'Off' -and @($changes | Where-Object { $_.action -ceq 'place-seed' }).Count -gt 0
        if ($changes.Count -gt 0) { Save-Record $It }
        $left = Invoke-Change $It $changes ($It.machine.state -ceq 'Off')
        Update-Machine $It
        $again = Get-Change $It
        if ($again.Count -gt $left.Count) { throw (New-Failure -Id 'EryphcVerify' -Category InvalidResult -Message ('The host took the changes and still differs: ' + (@($again | ForEach-Object { $_.what }) -join '; '))) }
        Save-Record $It -Settled
    }
    catch {
        $first = $_
        if ($created -and -not $KeepPartial) {
            $rest = @(Undo-Creation $It $before)
            if ($rest.Count -gt 0) { Write-Text "not undone: $($rest -join ', ')" } else { Write-Text 'undone: what this run had made' }
        }
        elseif ($null -ne $It.record -and $It.record.restart -and (Test-Off $It)) { Write-Text 'The machine is off: this run had stopped it. The next one starts it.' }
        throw $first
    }
    if ($Start) { Start-Catlet $It $unread }
    elseif ($restarting) { Write-Text 'running' }
    if ($left.Count -eq 0) { return 0 }
    foreach ($change in $left) { Write-Text "needs power off: $($change.what)" }
    Write-Text 'Run it again with -Restart, or when the machine is off.'
    4
}

function Test-Off { param($It) try { "$((Get-Machine $It.machine.id).State)" -ceq 'Off' } catch { $false } }

function Start-Machine {
    param($It)
    Update-Machine $It
    if ($It.machine.state -ceq 'Paused') { $null = Invoke-Step $It 'resume-machine' @{ machine = $It.machine.id } }
    elseif ($It.machine.state -cne 'Running') { $null = Invoke-Step $It 'start-machine' @{ machine = $It.machine.id; seconds = 300 } }
}

function Start-Catlet {
    param($It, [bool] $Unread)
    $unread = $Unread -and $It.machine.state -ceq 'Running'
    Start-Machine $It
    Write-Text 'running'
    if (-not $Start -or $null -eq $It.doc.sealed -or (Test-Sealed $It)) { return }
    # What the guest has said is about the ISO that it had before.
    if ($unread) { Write-Text 'The machine ran while its ISO was exchanged, so what the guest said before does not count. Restart it, and run this with -Seal once it has read the new one.'; return }
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
        foreach ($pair in $items.GetEnumerator()) {
            $key = $pair.Key
            if ($key -ceq 'eryph.provisioning.state') { $state = "$($pair.Value)" }
            # CLOUD_INIT|<boot>|<type>|<event>|<id>; a later boot has a larger number.
            $words = $key.Split('|')
            if ($words.Count -lt 4) { continue }
            if ($words[0] -ceq 'CLOUD_INIT' -and $words[2] -ceq 'finish' -and $words[3] -ceq 'modules-final') {
                $number = $(if ($words[1] -match '^[0-9]{1,18}$') { [long] $words[1] } else { [long] 0 })
                $failed = "$($pair.Value)" -match '"result"\s*:\s*"fail'
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

# Sealed is what the host shows: the ISO without secrets is inserted, and no other ISO of ours is left. What the record
# says is what was meant.
function Test-Sealed {
    param($It)
    $seed = Get-WantedSeed $It
    if ($null -eq $It.doc.sealed -or $null -eq $seed -or $seed.sha256 -cne $It.doc.sealed.sha256) { return $false }
    $list = New-Object -TypeName System.Collections.ArrayList
    Add-SeedChange $It $list
    $list.Count -eq 0 -and @(Get-SeedFile $It | Where-Object { Test-Unfinished $_ }).Count -eq 0 -and @($It.state.unread | Where-Object { $_.object -ceq $It.machine.id }).Count -eq 0
}

function Invoke-Seal {
    param($It)
    Update-Machine $It
    $script:Values = @{}
    # From here on it is meant to be sealed: whatever becomes of this run, the next one goes on.
    if ($null -eq $It.record.seed -or $It.record.seed.built -cne $It.doc.seed.sha256) { $It.record.seed = [pscustomobject] @{ built = $It.doc.seed.sha256; placed = Get-Hash (Get-FilledSeed $It $It.doc.sealed $script:Values) } }
    $null = Set-Seed $It $It.doc.sealed
    $list = New-Object -TypeName System.Collections.ArrayList
    Add-SeedChange $It $list
    foreach ($path in @(Get-Leftover $It)) { Add-Change $list "unfinished file: $path" $false 'delete-file' @{ path = $path } }
    $null = Invoke-Change $It $list $false
    Update-Machine $It
    if (-not (Test-Sealed $It)) { throw (New-Failure -Id 'EryphcSeal' -Category InvalidResult -Message 'The ISO with secrets, or a file of it, is still there; seal again.') }
    Save-Record $It -Settled
    Write-Text "sealed: $($It.doc.sealed.file)"
}

# What -Remove deletes: everything of ours that is there, but for what is spared. Nothing outside of folders and names that
# only we use.
function Get-Removal {
    param($It, $Spared = @())
    $record = $It.record
    $recorded = @($(if ($null -ne $record) { $record.created }))
    $files = @($recorded | Where-Object { $_.kind -ceq 'file' -and (Test-Own $It $_.path) } | ForEach-Object { $_.path })
    $disks = @($files | Where-Object { $_ -match '\.(?:vhdx|vhds|avhdx)\z' -and -not (Test-Unfinished $_) -and -not $_.ToLowerInvariant().Contains(".$($It.name).") })
    foreach ($pair in $It.drives.GetEnumerator()) {
        $mine = (Test-Own $It $pair.Value) -or ($null -ne $It.home -and $pair.Value.StartsWith($It.home + '\', [System.StringComparison]::OrdinalIgnoreCase))
        if ($mine -and ((Test-Attached $It $pair.Value) -or (Test-Made $It $pair.Value))) { $disks += $pair.Value }
    }
    $kept = @($Spared) + @($(if ($KeepDisks) { $disks })) | Where-Object { Test-File $_ }
    $gone = @(@(Get-Distinct (@($disks) + @(Get-SeedFile $It) + @(Get-Leftover $It) + $files)) | Where-Object { (Test-File $_) -and @($kept) -notcontains $_ -and -not (Test-Same $_ "$($It.home)\eryphc.json") })
    $folders = @($recorded | Where-Object { $_.kind -ceq 'folder' } | ForEach-Object { $_.path })
    $own = @($folders | Where-Object { Test-Own $It $_ }) + @(foreach ($pair in $It.drives.GetEnumerator()) { if (Test-Own $It $pair.Value) { Get-ParentPath $pair.Value } }) + @($(if ($null -ne $It.home) { $It.home, "$($It.home)\seed" }))
    # Folders above ours that we made for them; like all folders they go only when empty.
    $above = @($folders | Where-Object { $folder = $_; @($own | Where-Object { $_.StartsWith($folder + '\', [System.StringComparison]::OrdinalIgnoreCase) }).Count -gt 0 })
    $there = @(Get-Distinct ($own + $above) | Where-Object { Test-Folder $_ } | Sort-Object -Property Length -Descending)
    $last = @($(if ($null -ne $It.home) { Get-Distinct (@($there) + $above) | Where-Object { (Test-Same $_ $It.home) -or $It.home.StartsWith($_ + '\', [System.StringComparison]::OrdinalIgnoreCase) } }))
    @{
        files = $gone; folders = @($there | Where-Object { $last -notcontains $_ }); kept = @($kept); home = $null -ne $It.home -and (Test-Folder $It.home); above = @($last | Where-Object { -not (Test-Same $_ $It.home) })
        waiting = @($(if ($null -ne $It.home) { Get-WaitingFolder $It.home $It.name | Where-Object { Test-Folder $_ } }))
    }
}

function Get-Distinct {
    param($Paths)
    $seen = @{}
    foreach ($path in $Paths) { if ($path -and -not $seen.ContainsKey($path.ToLowerInvariant())) { $seen[$path.ToLowerInvariant()] = $true; $path } }
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
    $removal = Get-Removal $It
    foreach ($path in $removal.files) { foreach ($name in @(Get-OtherHolder $It $path)) { Add-Refusal "$(Get-Quoted $name) uses $path" } }
    if ($script:Refusals.Count -gt 0) { return (Write-Refusal) }
    if ($null -ne $It.machine) { Write-Text "remove: machine $($It.machine.name) ($($It.machine.id))" }
    foreach ($path in @($removal.files) + @($removal.folders) + @($(if ($removal.home -and $removal.kept.Count -eq 0) { $It.home })) + @($removal.waiting)) { Write-Text "remove: $path" }
    if ($null -eq $It.machine -and @($removal.files).Count + @($removal.folders).Count + @($removal.waiting).Count -eq 0 -and ($removal.kept.Count -gt 0 -or -not $removal.home)) { Write-Text 'nothing to remove'; return 0 }
    if ($WhatIf) { return 4 }
    # What is about to be deleted stands in the record before anything is.
    if ($removal.home) { Save-Record $It @() @{ deleting = @(Get-Sorted @($removal.files | Where-Object { Test-Own $It $_ })); restart = $false } }
    $left = @(Invoke-Removal $It $removal)
    foreach ($one in $left) { Write-Text "left, not empty: $one" }
    0
}

# The machine before what it holds, its record with the folder last. Patient: goes on where one thing fails, and answers what
# is left; the record stays as long as anything of it does.
function Invoke-Removal {
    param($It, $Removal, [switch] $Patient)
    $left = @()
    $steps = @()
    if ($null -ne $It.machine) { $steps += , @("machine $($It.machine.id)", { Stop-ForRemoval $It; $null = Invoke-Step $It 'remove-machine' @{ machine = $It.machine.id; marker = $It.marker; unfinished_name = $It.name } }) }
    foreach ($path in $Removal.files) { $steps += , @($path, 'delete-file') }
    foreach ($path in $Removal.folders) { $steps += , @($path, 'delete-folder') }
    foreach ($step in $steps) {
        try { if ($step[1] -is [scriptblock]) { & $step[1] } else { $null = Invoke-Step $It $step[1] @{ path = $step[0] } } }
        catch {
            if (-not $Patient) { throw }
            $left += $step[0]
        }
    }
    if ($left.Count -gt 0 -or $null -eq $It.home) { return $left }
    if ($Removal.kept.Count -gt 0) {
        # Disks that stay are ours: the next run takes them again.
        $It.machine = $null
        Save-Record $It @() @{ deleting = @(); seed = $null; sealed = $null; restart = $false } -Settled
        return
    }
    if (-not $Removal.home -and $Removal.waiting.Count -eq 0) { return }
    $done = Invoke-Step $It 'delete-home' @{ path = $It.home; name = $It.name; folders = @($Removal.above) }
    if (-not $done.deleted) { $It.home }
}

# Nothing is swapped in a drive that is somebody else's, or deleted below another machine.
function Test-SealHolder {
    param($It)
    $have = Get-SeedDrive $It
    if ($null -ne $have -and $have.kind -cne 'dvd') { Add-Refusal "the seed's place 0:63 is taken by $($have.path); detach that first" }
    foreach ($path in @(Get-SeedFile $It)) { foreach ($name in @(Get-OtherHolder $It $path)) { Add-Refusal "$(Get-Quoted $name) uses $path, which holds secrets and is to go" } }
    foreach ($one in @($It.state.unread | Where-Object { $_.object -ceq $It.machine.id })) { Add-Refusal "$(Get-Quoted $It.machine.name): the host cannot read its $($one.what) ($($one.message))" }
}

function Write-Refusal {
    Write-Text 'refused, nothing was changed:'
    foreach ($text in @(Get-Distinct $script:Refusals)) { Write-Text "  $text" }
    1
}

function Invoke-Deployment {
    param([string] $Text)
    if (($Remove -and ($Start -or $Seal -or $Restart)) -or ($Seal -and ($Start -or $Restart)) -or (($KeepDisks -or $EndWorker) -and -not $Remove)) { Write-Text 'These options do not go together.'; return 2 }
    $doc = ConvertFrom-JsonText $Text
    if ($doc.schema -cne 'eryphc/deployment/v1') { Write-Text "This program does not know deployments of the kind '$($doc.schema)'."; return 2 }
    $script:Values = $(if (@(Test-Usage).Count -eq 0) { Read-Value } else { @{} })
    if ($script:Faults.Count -gt 0) { foreach ($text in $script:Faults) { Write-Text $text }; return 2 }
    if (-not $WhatIf -and -not (Lock-Catlet $doc.catlet.id 60)) { Add-Refusal 'Another run works on this machine; try again when it is done.'; return (Write-Refusal) }
    foreach ($slot in @(foreach ($seed in @($doc.seed, $doc.sealed)) { if ($null -ne $seed) { Get-ValueSlot $seed } })) {
        $fault = $(if ($script:Values.ContainsKey($slot.name)) { Get-SlotFault $slot $script:Values[$slot.name] })
        if ($fault) { Add-Refusal $fault; return (Write-Refusal) }
    }
    $it = Get-Situation $doc ([bool] $Remove)
    Test-Right $it.facts
    # The list of a host that shows nothing says nothing.
    if ($script:Refusals.Count -gt 0) { return (Write-Refusal) }
    if ($Remove) { Test-Owner $it; if ($script:Refusals.Count -gt 0) { return (Write-Refusal) }; return (Invoke-Remove $it) }
    if ($Seal) {
        Test-Owner $it
        if ($null -eq $doc.sealed) { Write-Text 'There is nothing to seal: no part of the seed is secret.'; return 0 }
        if ($null -eq $it.machine -and $script:Refusals.Count -eq 0) { Add-Refusal 'There is no machine to seal.' }
        if ($script:Refusals.Count -gt 0) { return (Write-Refusal) }
        if ((Test-Sealed $it) -and @(Get-Leftover $it).Count -eq 0) { Write-Text 'sealed already'; return 0 }
        if ($null -eq (Get-Placed $it $doc.sealed)) { Test-Iso $doc.sealed }
        Test-SealHolder $it
        $script:Refusals += $script:Needs
        if ($script:Refusals.Count -gt 0) { return (Write-Refusal) }
        if ($WhatIf) { Write-Text 'change: the sealed ISO'; return 4 }
        Invoke-Seal $it
        return 0
    }
    Test-Precondition $it $script:Values
    Add-NeighborNote $it
    $changes = @()
    if ($script:Refusals.Count -eq 0 -and $null -ne $it.machine) { $changes = Get-Change $it }
    if (-not $WhatIf) { $script:Refusals += $script:Needs }
    if ($script:Refusals.Count -gt 0) { return (Write-Refusal) }
    foreach ($note in $script:Notes) { Write-Text "note: $note" }
    if ($WhatIf) {
        foreach ($need in $script:Needs) { Write-Text "needed for apply: $need" }
        if ($null -eq $it.machine) { Write-Text "create: machine $($doc.machine.name) in $($it.home)"; return 4 }
        foreach ($change in $changes) { Write-Text ('change: ' + $change.what + $(if ($change.off) { ' (needs power off)' })) }
        if ($changes.Count -eq 0 -and $script:Needs.Count -eq 0) { Write-Text 'nothing to do'; return 0 }
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
    [Console]::Error.WriteLine("failed at $($fact.step) $($fact.object): $($fact.message) [$($fact.category), $($fact.id), $(Format-Hresult $fact.hresult)]")
    $hint = Get-Hint $fact
    if ($null -ne $hint) { [Console]::Error.WriteLine("  hint: $hint") }
    $code = 3
}
finally { if ($null -ne (Get-Variable -Name Mutex -Scope Script -ErrorAction Ignore)) { try { $script:Mutex.ReleaseMutex() } catch { $null = $_ } } }
exit $code
