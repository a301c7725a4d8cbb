# What host.ps1 (the host program of eryph-runtime) and deploy.ps1 have in common: how a state is read, and how one action
# is done. Both get this text in the place that they name; it is run in no other way.

# ---- failures, waiting, paths ----

$script:Step = ''
$script:Thing = ''

# An error whose id and category a caller can decide on; texts of the system are localised.
function New-Failure {
    param([string] $Id, [System.Management.Automation.ErrorCategory] $Category, [string] $Message)
    $exception = New-Object -TypeName System.InvalidOperationException -ArgumentList $Message
    New-Object -TypeName System.Management.Automation.ErrorRecord -ArgumentList $exception, $Id, $Category, $script:Thing
}

# Waits until the condition holds: the service answers before all its views agree.
function Wait-Until {
    param([scriptblock] $Condition, [string] $What, [double] $Seconds = 60)
    $untilClock = [System.Diagnostics.Stopwatch]::StartNew()
    while (-not (& $Condition)) {
        if ($untilClock.Elapsed.TotalSeconds -gt $Seconds) {
            throw (New-Failure -Id 'EryphcTimeout' -Category OperationTimeout -Message "After $Seconds seconds the host does not show: $What.")
        }
        Start-Sleep -Milliseconds 200
    }
}

# .NET knows neither PowerShell's drives nor its current folder.
function Get-NativePath {
    param([string] $Path)
    $ExecutionContext.SessionState.Path.GetUnresolvedProviderPathFromPSPath($Path)
}

# Names that Windows keeps for devices, with whatever extension.
$script:Devices = New-Object -TypeName System.Text.RegularExpressions.Regex -ArgumentList '\A(?i:con|prn|aux|nul|(?:com|lpt)[0-9\u00b9\u00b2\u00b3])(?:\.|\z)'

# Whether Windows makes another name of it, or none: it drops dots and blanks at the end.
function Test-ForeignName { param([string] $Name) $Name -and ($Name.TrimEnd('. '.ToCharArray()) -cne $Name -or $script:Devices.IsMatch($Name)) }

# Absolute, and without the characters that some cmdlets take as wildcards although they have no -LiteralPath.
function Assert-Path {
    param([string] $Path)
    $absolute = $Path.StartsWith('\\') -or ($Path.Length -ge 3 -and [char]::IsLetter($Path[0]) -and $Path.Substring(1, 2) -ceq ':\')
    if (-not $absolute -or $Path.IndexOfAny('*?[]`"<>|'.ToCharArray()) -ge 0 -or $Path.LastIndexOf(':') -gt 1 -or @($Path.Substring(2).Split('\') | Where-Object { Test-ForeignName $_ }).Count -gt 0) {
        throw (New-Failure -Id 'EryphcPath' -Category InvalidArgument -Message 'The path is not absolute or holds a character or a name that is refused.')
    }
}

# The one form of a path that the host tells: one separator between names, none at the end but behind a drive.
function Get-PlainPath {
    param([string] $Path)
    if (-not $Path) { return $Path }
    $plain = @($Path.Replace('/', '\').Split('\') | Where-Object { $_ }) -join '\'
    if ($Path.StartsWith('\\')) { return '\\' + $plain }
    if ($plain.Length -eq 2 -and $plain[1] -ceq ':') { return $plain + '\' }
    $plain
}

function Test-File { param([string] $Path) Test-Path -LiteralPath $Path -PathType Leaf }
function Test-Folder { param([string] $Path) Test-Path -LiteralPath $Path -PathType Container }
function Get-Sha256 { param([string] $Path) (Get-FileHash -LiteralPath $Path -Algorithm SHA256 -ErrorAction Stop).Hash.ToLowerInvariant() }

function Get-PartPath {
    param([string] $Path)
    $dot = $Path.LastIndexOf('.')
    if ($dot -le $Path.LastIndexOf('\')) { return $Path + '.eryphc-part' }
    $Path.Substring(0, $dot) + '.eryphc-part' + $Path.Substring($dot)
}

function Assert-Absent {
    param([string] $Path)
    if (Test-Path -LiteralPath $Path) { throw (New-Failure -Id 'EryphcExists' -Category ResourceExists -Message 'There is a file of that name already.') }
}

function Remove-File {
    param([string] $Path)
    if (-not (Test-File $Path)) { return }
    [System.IO.File]::SetAttributes((Get-NativePath $Path), [System.IO.FileAttributes]::Normal)
    Remove-Item -LiteralPath $Path -Force -Confirm:$false
}

# Only an empty folder goes; answers whether it went.
function Remove-EmptyFolder {
    param([string] $Path)
    if (-not (Test-Folder $Path)) { return $false }
    if (@(Get-ChildItem -LiteralPath $Path -Force | Select-Object -First 1).Count -gt 0) { return $false }
    Remove-Item -LiteralPath $Path -Force -Confirm:$false
    return $true
}

function Move-Part {
    param([string] $Part, [string] $Path)
    [System.IO.File]::Move((Get-NativePath $Part), (Get-NativePath $Path))
}

# On the disk itself when it returns: a host that loses its power keeps the file.
function Write-Part {
    param([string] $Part, [byte[]] $Bytes)
    $stream = [System.IO.File]::Create((Get-NativePath $Part))
    try {
        $stream.Write($Bytes, 0, $Bytes.Length)
        $stream.Flush($true)
    }
    finally { $stream.Dispose() }
}

# Replaces the file as a whole: a reader sees the old text or the new one. Cut off in between, the part file beside it has
# the new one.
function Write-AsciiFile {
    param([string] $Path, [string] $Text)
    $part = Get-PartPath $Path
    Write-Part $part ([System.Text.Encoding]::ASCII.GetBytes($Text))
    if (Test-File $Path) {
        [System.IO.File]::Replace((Get-NativePath $part), (Get-NativePath $Path), [NullString]::Value)
        return
    }
    Move-Part $part $Path
}

# ---- the record and its folder ----

function Get-ParentPath {
    param([string] $Path)
    $above = $Path.TrimEnd('\').Substring(0, $Path.TrimEnd('\').LastIndexOf('\'))
    if ($above.EndsWith(':')) { $above + '\' } else { $above }
}

# The folders above a path, the nearest first, without the root or the share.
function Get-Ancestor {
    param([string] $Path)
    $above = Get-ParentPath $Path
    while (-not $above.EndsWith(':\') -and -not ($above.StartsWith('\\') -and @($above.Substring(2).Split('\')).Count -le 2)) {
        $above
        $above = Get-ParentPath $above
    }
}

# Where a machine's folder waits with its record in it, before it comes to its place and after it has left it.
function Get-WaitingPath { param([string] $Folder, [string] $Name) $Folder.TrimEnd('\') + "\$Name.eryphc-part" }

# All folders in which it may wait: one beside each folder on the way.
function Get-WaitingFolder {
    param([string] $Folder, [string] $Name)
    Get-WaitingPath (Get-ParentPath $Folder) $Name
    foreach ($above in @(Get-Ancestor $Folder)) { Get-WaitingPath (Get-ParentPath $above) $Name }
}

# The record's text. Its writing may have been cut off: then the part file has it, or the folder that waits.
function Read-RecordText {
    param([string] $Folder, [string] $Name)
    $found = $null
    foreach ($one in @($Folder) + @($(if ($Name) { Get-WaitingFolder $Folder $Name }))) {
        foreach ($file in "$one\eryphc.json", "$one\eryphc.eryphc-part.json") {
            if (-not (Test-File $file)) { continue }
            try {
                $text = [System.IO.File]::ReadAllText((Get-NativePath $file))
                if ($null -eq $found) { $found = $text }
                $null = ConvertFrom-JsonText $text
                return $text
            }
            catch { continue }
        }
    }
    $found
}

# Makes a machine's folder with the record in it, so that neither is ever there without the other.
function New-Home {
    param($A)
    if (Test-Folder $A.path) {
        Write-AsciiFile "$($A.path)\eryphc.json" $A.text
        return
    }
    $missing = @(Get-Ancestor $A.path | Where-Object { -not (Test-Folder $_) })
    $above = Get-ParentPath $(if ($missing.Count -gt 0) { $missing[-1] } else { $A.path })
    # One that an earlier run left goes on.
    $waiting = @(@(Get-WaitingFolder $A.path $A.name | Where-Object { Test-Folder $_ }) + @(Get-WaitingPath $above $A.name))[0]
    if (-not (Test-Folder $waiting)) { $null = New-Item -ItemType Directory -Path $waiting -Force }
    Write-AsciiFile "$waiting\eryphc.json" $A.text
    for ($i = $missing.Count - 1; $i -ge 0; $i--) { $null = New-Item -ItemType Directory -Path $missing[$i] -Force }
    [System.IO.Directory]::Move((Get-NativePath $waiting), (Get-NativePath $A.path))
}

# Removes a machine's folder, and the empty ones of `folders` above it; the record goes last. Answers whether it went:
# what somebody else put there stays.
function Remove-Home {
    param($A)
    $above = Get-ParentPath $(if ($A.folders.Count -gt 0) { @($A.folders | Sort-Object -Property Length)[0] } else { $A.path })
    $waiting = Get-WaitingPath $above $A.name
    if (Test-Folder $A.path) {
        foreach ($name in 'Virtual Machines', 'Snapshots', 'UndoLog Configuration') { $null = Remove-EmptyFolder "$($A.path)\$name" }
        Remove-File (Get-PartPath "$($A.path)\eryphc.json")
        if (@(Get-ChildItem -LiteralPath $A.path -Force | Where-Object { $_.Name -cne 'eryphc.json' }).Count -gt 0) {
            Remove-File "$($A.path)\eryphc.json"
            return $false
        }
        Remove-Waiting $waiting
        [System.IO.Directory]::Move((Get-NativePath $A.path), (Get-NativePath $waiting))
    }
    foreach ($folder in @($A.folders | Sort-Object -Property Length -Descending)) { $null = Remove-EmptyFolder $folder }
    foreach ($one in @(Get-WaitingFolder $A.path $A.name)) { Remove-Waiting $one }
    return $true
}

function Remove-Waiting {
    param([string] $Path)
    if (-not (Test-Folder $Path)) { return }
    Remove-File "$Path\eryphc.eryphc-part.json"
    Remove-File "$Path\eryphc.json"
    $null = Remove-EmptyFolder $Path
}

# A dense copy (a copy of a sparse file would be sparse, and Hyper-V refuses those), hashed while it is written.
function Copy-Dense {
    param([string] $Source, [string] $Path, [scriptblock] $Progress)
    $hash = [System.Security.Cryptography.SHA256]::Create()
    $from = [System.IO.File]::OpenRead((Get-NativePath $Source))
    try {
        $to = [System.IO.File]::Create((Get-NativePath $Path))
        try {
            $buffer = New-Object -TypeName byte[] -ArgumentList 4194304
            $done = [long] 0
            while (($count = $from.Read($buffer, 0, $buffer.Length)) -gt 0) {
                $null = $hash.TransformBlock($buffer, 0, $count, $null, 0)
                $to.Write($buffer, 0, $count)
                $done += $count
                & $Progress ([int] [math]::Floor(100 * $done / [math]::Max(1, $from.Length)))
            }
            $null = $hash.TransformFinalBlock($buffer, 0, 0)
            $to.Flush($true)
        }
        finally { $to.Dispose() }
    }
    finally { $from.Dispose() }
    [BitConverter]::ToString($hash.Hash).Replace('-', '').ToLowerInvariant()
}

function Invoke-Program {
    # A program of Windows; its arguments are an array, so no text is parsed again by a shell.
    param([string] $Name, [string[]] $Arguments)
    $program = Get-Command -Name $Name -CommandType Application | Select-Object -First 1
    $null = & $program $Arguments
    if ($LASTEXITCODE -ne 0) { throw (New-Failure -Id "EryphcProgram,$Name" -Category WriteError -Message "$Name ended with $LASTEXITCODE.") }
}

# Null where the platform has no such accounts.
function Get-Identity {
    try { [System.Security.Principal.WindowsIdentity]::GetCurrent() } catch { $null }
}

# Whether the process is elevated and an administrator's. Without accounts of Windows there is nothing to ask: then the
# cmdlets themselves decide.
function Test-Administrator {
    param($Identity)
    if ($null -eq $Identity) { return $true }
    (New-Object -TypeName System.Security.Principal.WindowsPrincipal -ArgumentList $Identity).IsInRole([System.Security.Principal.WindowsBuiltInRole]::Administrator)
}

# Readable by SYSTEM, Administrators, the machines of this host, and the account that made it.
function Protect-Folder {
    param([string] $Path)
    $grants = @('*S-1-5-18:(OI)(CI)F', '*S-1-5-32-544:(OI)(CI)F', '*S-1-5-83-0:(OI)(CI)RX')
    $identity = Get-Identity
    # A platform without such accounts has no such lists either.
    if ($null -eq $identity -and -not (Test-Feature 'icacls.exe')) { return }
    if ($null -ne $identity) { $grants += '*' + $identity.User.Value + ':(OI)(CI)F' }
    Invoke-Program -Name 'icacls.exe' -Arguments (@((Get-NativePath $Path), '/inheritance:r', '/grant:r') + $grants + @('/Q'))
}

# ---- JSON ----
# The cmdlets differ between 5.1 and 7 (dates, one-element arrays, depth, escapes), so both directions are written out.

$script:JsonTokens = New-Object -TypeName System.Text.RegularExpressions.Regex -ArgumentList '\G\s*("(?>[^"\\]+|\\.)*"|-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|[{}\[\],:]|true|false|null)'
$script:JsonEscapes = New-Object -TypeName System.Text.RegularExpressions.Regex -ArgumentList '\\(?:u([0-9a-fA-F]{4})|(.))'
$script:JsonSpecial = New-Object -TypeName System.Text.RegularExpressions.Regex -ArgumentList '[^\x20-\x21\x23-\x5b\x5d-\x7e]'

function ConvertFrom-JsonText {
    # Objects, arrays, strings, Int64 (Double where there is a fraction), Booleans and null.
    param([string] $Text)
    $reader = @{ tokens = @($script:JsonTokens.Matches($Text)); at = 0 }
    $length = 0
    if ($reader.tokens.Count -gt 0) { $length = $reader.tokens[-1].Index + $reader.tokens[-1].Length }
    if ($length -ne $Text.TrimEnd().Length) { throw (New-Failure -Id 'EryphcJson' -Category ParserError -Message "This is no JSON, from character $length on.") }
    $value = Read-JsonValue $reader
    if ($reader.at -ne $reader.tokens.Count) { throw (New-Failure -Id 'EryphcJson' -Category ParserError -Message 'There is something after the JSON.') }
    return , $value
}

function Read-JsonValue {
    param($Reader)
    $token = $Reader.tokens[$Reader.at].Groups[1].Value
    $Reader.at++
    if ($token -ceq '{') {
        $map = [ordered] @{}
        while ($Reader.tokens[$Reader.at].Groups[1].Value -cne '}') {
            $key = Read-JsonValue $Reader
            $Reader.at++
            $map[$key] = Read-JsonValue $Reader
            if ($Reader.tokens[$Reader.at].Groups[1].Value -ceq ',') { $Reader.at++ }
        }
        $Reader.at++
        return [pscustomobject] $map
    }
    if ($token -ceq '[') {
        $list = New-Object -TypeName System.Collections.Generic.List[object]
        while ($Reader.tokens[$Reader.at].Groups[1].Value -cne ']') {
            $list.Add((Read-JsonValue $Reader))
            if ($Reader.tokens[$Reader.at].Groups[1].Value -ceq ',') { $Reader.at++ }
        }
        $Reader.at++
        return , $list.ToArray()
    }
    if ($token[0] -ceq '"') { return (Expand-JsonString $token.Substring(1, $token.Length - 2)) }
    if ($token -ceq 'true') { return $true }
    if ($token -ceq 'false') { return $false }
    if ($token -ceq 'null') { return $null }
    $number = [long] 0
    if ([long]::TryParse($token, [ref] $number)) { return $number }
    [double]::Parse($token, [System.Globalization.CultureInfo]::InvariantCulture)
}

function Expand-JsonString {
    param([string] $Raw)
    if ($Raw.IndexOf('\') -lt 0) { return $Raw }
    $script:JsonEscapes.Replace($Raw, {
            param($match)
            if ($match.Groups[1].Success) { return [string] [char] [Convert]::ToInt32($match.Groups[1].Value, 16) }
            switch -CaseSensitive ($match.Groups[2].Value) {
                'n' { "`n" } 't' { "`t" } 'r' { "`r" } 'b' { "`b" } 'f' { "`f" } default { $_ }
            }
        })
}

function ConvertTo-JsonText {
    # One line of printable ASCII, keys in the order of their characters: as Python's json.dumps(sort_keys=True) writes it.
    param($Value)
    $out = New-Object -TypeName System.Text.StringBuilder
    Write-JsonValue $out $Value
    $out.ToString()
}

function Write-JsonValue {
    param([System.Text.StringBuilder] $Out, $Value)
    if ($null -eq $Value) { $null = $Out.Append('null'); return }
    if ($Value -is [bool]) { $null = $Out.Append($(if ($Value) { 'true' } else { 'false' })); return }
    if ($Value -is [long] -or $Value -is [int] -or $Value -is [uint64] -or $Value -is [uint32] -or $Value -is [uint16]) { $null = $Out.Append($Value.ToString([System.Globalization.CultureInfo]::InvariantCulture)); return }
    if ($Value -is [System.Management.Automation.PSCustomObject]) {
        $map = [ordered] @{}
        foreach ($property in $Value.PSObject.Properties) { $map[$property.Name] = $property.Value }
        $Value = $map
    }
    if ($Value -is [System.Collections.IDictionary]) {
        $null = $Out.Append('{')
        $first = $true
        # Never .Keys or .Values: an entry of that name would be taken for them.
        $keys = [string[]] @(foreach ($pair in $Value.GetEnumerator()) { $pair.Key })
        [array]::Sort($keys, [System.StringComparer]::Ordinal)
        foreach ($key in $keys) {
            if (-not $first) { $null = $Out.Append(', ') }
            $first = $false
            Write-JsonValue $Out $key
            $null = $Out.Append(': ')
            Write-JsonValue $Out $Value[$key]
        }
        $null = $Out.Append('}')
        return
    }
    if ($Value -is [System.Collections.IEnumerable] -and $Value -isnot [string]) {
        $null = $Out.Append('[')
        $first = $true
        foreach ($item in $Value) {
            if (-not $first) { $null = $Out.Append(', ') }
            $first = $false
            Write-JsonValue $Out $item
        }
        $null = $Out.Append(']')
        return
    }
    $text = $script:JsonSpecial.Replace([string] $Value, {
            param($match)
            switch ([int] $match.Value[0]) {
                34 { '\"' } 92 { '\\' } 10 { '\n' } 13 { '\r' } 9 { '\t' } 8 { '\b' } 12 { '\f' } default { '\u{0:x4}' -f $_ }
            }
        })
    $null = $Out.Append('"').Append($text).Append('"')
}

# ---- reading ----

function Test-Feature {
    # Hosts differ by version: a cmdlet, or one of its parameters.
    param([string] $Cmdlet, [string] $Parameter)
    $command = Get-Command -Name $Cmdlet -ErrorAction Ignore | Select-Object -First 1
    if ($null -eq $command) { return $false }
    -not $Parameter -or $command.Parameters.ContainsKey($Parameter)
}

function Import-HyperV {
    # 7 would run a module of old hosts in a helper process and give copies of its objects.
    $options = @{ Name = 'Hyper-V'; ErrorAction = 'Ignore'; PassThru = $true }
    if ($PSVersionTable.PSEdition -eq 'Core') { $options.SkipEditionCheck = $true }
    Import-Module @options | Select-Object -First 1
}

# What could not be read, each by the one thing that it belongs to.
$script:Unread = New-Object -TypeName System.Collections.ArrayList

function Add-Unread {
    param([string] $Object, [string] $What, $Record)
    $null = $script:Unread.Add([ordered] @{ object = $Object; what = $What; message = (Get-ErrorFact $Record).message })
}

# Reads one thing; what cannot be read is told, and `Instead` stands for it.
function Read-Guarded {
    param([string] $GuardedObject, [string] $GuardedWhat, [scriptblock] $GuardedRead, $Instead)
    try { & $GuardedRead }
    catch {
        Add-Unread $GuardedObject $GuardedWhat $_
        if ($null -ne $Instead) { $Instead }
    }
}

# By id, never by name: names repeat and take wildcards. Null when there is none.
function Find-Machine {
    param([string] $Id)
    $guid = [guid] $Id
    try { return (Hyper-V\Get-VM -Id $guid) }
    catch { return (Hyper-V\Get-VM | Where-Object { $_.Id -eq $guid }) }
}

function Get-Machine {
    param([string] $Id)
    $vm = Find-Machine $Id
    if ($null -eq $vm) { throw (New-Failure -Id 'EryphcNoMachine' -Category ObjectNotFound -Message 'There is no such machine on this host.') }
    $vm
}

function Test-MarkedNotes {
    param([string] $Notes, [string] $Marker)
    foreach ($line in $Notes.Split("`n")) { if ($line.StartsWith($Marker, [System.StringComparison]::Ordinal)) { return $true } }
    return $false
}

$script:Disks = @{}

# What Get-VHD says, or null for a file that it cannot read.
function Read-Vhd {
    param([string] $Path)
    if (-not $script:Disks.ContainsKey($Path)) {
        $script:Disks[$Path] = $(try { Hyper-V\Get-VHD -Path $Path } catch { $null })
    }
    $script:Disks[$Path]
}

# The file itself, then its parents: an attached .avhdx shows the disk below it.
function Get-Chain {
    param([string] $Path)
    $chain = @()
    $here = $Path
    while ($here -and $chain.Count -lt 50) {
        $chain += $here
        $vhd = Read-Vhd $here
        $here = $(if ($null -ne $vhd) { Get-PlainPath $vhd.ParentPath })
    }
    return , $chain
}

function Get-Number { param($Value) if ($null -ne $Value) { [long] $Value } }

function Read-Drive {
    param($Drive, [string] $Kind)
    $vhd = $(if ($Kind -ceq 'disk' -and $Drive.Path) { Read-Vhd $Drive.Path })
    [ordered] @{
        kind = $Kind; controller_type = "$($Drive.ControllerType)"; controller = [int] $Drive.ControllerNumber; location = [int] $Drive.ControllerLocation
        path = $(if ($Drive.Path) { Get-PlainPath $Drive.Path }); shared = [bool] ($Kind -ceq 'disk' -and $Drive.SupportPersistentReservations)
        size = $(if ($null -ne $vhd) { Get-Number $vhd.Size }); minimum_size = $(if ($null -ne $vhd) { Get-Number $vhd.MinimumSize })
        chain = $(if ($Kind -ceq 'disk' -and $Drive.Path) { Get-Chain (Get-PlainPath $Drive.Path) } else { , @() })
    }
}

function Read-Adapter {
    param($Adapter)
    $vlan = $Adapter.VlanSetting
    $mode = $(if ($null -ne $vlan) { "$($vlan.OperationMode)" } else { 'Untagged' })
    $connected = $null -ne $Adapter.SwitchId -and $Adapter.SwitchId -ne [guid]::Empty
    [ordered] @{
        id = "$($Adapter.Id)"; name = "$($Adapter.Name)"; mac_address = "$($Adapter.MacAddress)".Replace('-', '').Replace(':', '').ToUpperInvariant()
        dynamic_mac = [bool] $Adapter.DynamicMacAddressEnabled; mac_address_spoofing = "$($Adapter.MacAddressSpoofing)" -ceq 'On'
        dhcp_guard = "$($Adapter.DhcpGuard)" -ceq 'On'; router_guard = "$($Adapter.RouterGuard)" -ceq 'On'
        switch = $(if ($connected) { "$($Adapter.SwitchId)" }); switch_name = $(if ($connected) { "$($Adapter.SwitchName)" })
        vlan_mode = $mode; vlan = $(if ($mode -ceq 'Access') { [int] $vlan.AccessVlanId })
    }
}

function Read-BootSource {
    param($Source)
    $device = $Source.Device
    $drive = "$($Source.BootType)" -ceq 'Drive' -and $null -ne $device
    [ordered] @{ type = "$($Source.BootType)"; controller = $(if ($drive) { [int] $device.ControllerNumber }); location = $(if ($drive) { [int] $device.ControllerLocation }) }
}

function Read-Machine {
    param($Vm)
    $id = "$($Vm.Id)"
    $processor = Read-Guarded $id 'processor' {
        $now = Hyper-V\Get-VMProcessor -VM $Vm
        [ordered] @{ count = [long] $now.Count; nested_virtualization = [bool] $now.ExposeVirtualizationExtensions }
    } ([ordered] @{ count = [long] 0; nested_virtualization = $false })
    $memory = Read-Guarded $id 'memory' {
        $now = Hyper-V\Get-VMMemory -VM $Vm
        [ordered] @{ dynamic = [bool] $now.DynamicMemoryEnabled; startup = [long] $now.Startup; minimum = [long] $now.Minimum; maximum = [long] $now.Maximum }
    } ([ordered] @{ dynamic = $false; startup = [long] 0; minimum = [long] 0; maximum = [long] 0 })
    $firmware = Read-Guarded $id 'firmware' {
        $now = $(if ($Vm.Generation -eq 2) { Hyper-V\Get-VMFirmware -VM $Vm })
        [ordered] @{
            secure_boot = $null -ne $now -and "$($now.SecureBoot)" -ceq 'On'; secure_boot_template = $(if ($null -ne $now) { "$($now.SecureBootTemplate)" })
            boot_order = @($(if ($null -ne $now) { $now.BootOrder | Where-Object { $null -ne $_ } | ForEach-Object { Read-BootSource $_ } }))
        }
    } ([ordered] @{ secure_boot = $false; secure_boot_template = $null; boot_order = @() })
    $tpm = Read-Guarded $id 'TPM' {
        $facts = [ordered] @{ enabled = $false; key_protector = 0 }
        if ($Vm.Generation -eq 2 -and (Test-Feature 'Hyper-V\Get-VMSecurity')) {
            $facts.enabled = [bool] (Hyper-V\Get-VMSecurity -VM $Vm).TpmEnabled
            $facts.key_protector = @(Hyper-V\Get-VMKeyProtector -VM $Vm | ForEach-Object { $_ }).Count
        }
        $facts
    } ([ordered] @{ enabled = $false; key_protector = 0 })
    $disks = @(Read-Guarded $id 'disks' { Hyper-V\Get-VMHardDiskDrive -VM $Vm | ForEach-Object { Read-Drive $_ 'disk' } })
    $dvds = @(Read-Guarded $id 'DVD drives' { Hyper-V\Get-VMDvdDrive -VM $Vm | ForEach-Object { Read-Drive $_ 'dvd' } })
    $checkpoints = $Vm.PSObject.Properties['AutomaticCheckpointsEnabled']
    [ordered] @{
        id = $id; name = "$($Vm.Name)"; notes = "$($Vm.Notes)"; generation = [int] $Vm.Generation; version = "$($Vm.Version)"; state = "$($Vm.State)"
        operational_status = @($Vm.OperationalStatus | ForEach-Object { "$_" }); path = Get-PlainPath $Vm.Path
        start_action = "$($Vm.AutomaticStartAction)"; start_delay = [int] $Vm.AutomaticStartDelay; stop_action = "$($Vm.AutomaticStopAction)"
        checkpoint_type = "$($Vm.CheckpointType)"; automatic_checkpoints = $(if ($null -ne $checkpoints) { [bool] $checkpoints.Value })
        checkpoints = @(Read-Guarded $id 'checkpoints' { Hyper-V\Get-VMSnapshot -VM $Vm }).Count
        processor = $processor
        memory = $memory
        firmware = $firmware
        tpm = $tpm
        integration_services = @(Read-Guarded $id 'integration services' { Hyper-V\Get-VMIntegrationService -VM $Vm | ForEach-Object { [ordered] @{ id = Get-ServiceGuid $_; enabled = [bool] $_.Enabled } } })
        scsi_controllers = @(Read-Guarded $id 'SCSI controllers' { Hyper-V\Get-VMScsiController -VM $Vm }).Count
        drives = $disks + $dvds
        network_adapters = @(Read-Guarded $id 'network adapters' { Hyper-V\Get-VMNetworkAdapter -VM $Vm | ForEach-Object { Read-Adapter $_ } })
    }
}

# The names of the services are localised; their ids end in a GUID.
function Get-ServiceGuid { param($Service) "$($Service.Id)".Substring("$($Service.Id)".LastIndexOf('\') + 1).ToUpperInvariant() }

function Read-HostFact {
    param([bool] $HasModule, [string] $ModuleVersion)
    $identity = Get-Identity
    $groups = @($(if ($null -ne $identity) { $identity.Groups | ForEach-Object { $_.Value } }))
    $administrator = Test-Administrator $identity
    $operator = $groups -contains 'S-1-5-32-578'
    $system = $(try { CimCmdlets\Get-CimInstance -ClassName Win32_OperatingSystem } catch { $null })
    $build = $(if ($null -ne $system) { [int] $system.BuildNumber } else { [System.Environment]::OSVersion.Version.Build })
    $processor = "$env:PROCESSOR_IDENTIFIER"
    # Without rights it fails, and its localised text would hide what the caller has to say about rights.
    $facts = $(if ($HasModule -and ($administrator -or $operator)) { Read-Guarded 'host' 'settings of Hyper-V' { Hyper-V\Get-VMHost } })
    [ordered] @{
        account = $(if ($null -ne $identity) { $identity.Name } else { [System.Environment]::MachineName + '\' + [System.Environment]::UserName })
        elevated = $administrator; administrator = $administrator
        hyperv_administrator = $operator; language_mode = "$($ExecutionContext.SessionState.LanguageMode)"
        powershell = "$($PSVersionTable.PSVersion)"; build = $build; server = $null -ne $system -and $system.ProductType -ne 1
        processor_vendor = $(if ($processor.Contains('GenuineIntel')) { 'intel' } elseif ($processor.Contains('AuthenticAMD')) { 'amd' } else { 'other' })
        logical_processors = $(if ($null -ne $facts) { [int] $facts.LogicalProcessorCount } else { [System.Environment]::ProcessorCount })
        memory_available = $(if ($null -ne $system) { 1024 * [long] $system.FreePhysicalMemory })
        secure_boot_templates = @($(if ($null -ne $facts -and $null -ne $facts.PSObject.Properties['SecureBootTemplates']) { $facts.SecureBootTemplates | ForEach-Object { "$($_.Name)" } }))
        machine_folder = $(if ($null -ne $facts -and $facts.VirtualMachinePath) { Get-PlainPath $facts.VirtualMachinePath }); disk_folder = $(if ($null -ne $facts -and $facts.VirtualHardDiskPath) { Get-PlainPath $facts.VirtualHardDiskPath })
        module = $(if ($HasModule) { $ModuleVersion })
        missing = @($(foreach ($pair in $script:Features) { if (-not (Test-Feature $pair[0] $pair[1])) { $name = $pair[0].Substring($pair[0].IndexOf('\') + 1); if ($pair[1]) { "$name`:$($pair[1])" } else { $name } } }))
    }
}

$script:Features = @(
    @('Hyper-V\New-VM', ''), @('Hyper-V\Set-VM', 'AutomaticCheckpointsEnabled'), @('Hyper-V\Set-VM', 'CheckpointType'), @('Hyper-V\Set-VMFirmware', 'SecureBootTemplate'),
    @('Hyper-V\Set-VMProcessor', 'ExposeVirtualizationExtensions'), @('Hyper-V\Enable-VMTPM', ''), @('Hyper-V\Set-VMKeyProtector', 'NewLocalKeyProtector'),
    @('Hyper-V\Get-VMSecurity', ''), @('Hyper-V\Add-VMHardDiskDrive', 'SupportPersistentReservations'), @('Hyper-V\Set-VHD', 'ResetDiskIdentifier'),
    @('Hyper-V\Convert-VHD', ''), @('Hyper-V\Start-VM', 'AsJob'), @('HgsClient\Get-HgsGuardian', ''), @('HgsClient\New-HgsGuardian', ''),
    @('HgsClient\New-HgsKeyProtector', ''), @('NetTCPIP\Get-NetNeighbor', ''), @('CimCmdlets\Get-CimInstance', '')
)

function Get-FreeSpace {
    # The volume with the longest mount point that the path lies under; shares and cluster volumes by what is known of them.
    param([string] $Path)
    $kind = $(if ($Path.StartsWith('\\')) { 'network' } elseif ($Path.Length -gt 3 -and $Path.Substring(3).StartsWith('ClusterStorage\', [System.StringComparison]::OrdinalIgnoreCase)) { 'csv' } else { 'fixed' })
    $best = $null
    if ($kind -cne 'network') {
        $volumes = $(try { @(CimCmdlets\Get-CimInstance -ClassName Win32_Volume) } catch { @() })
        foreach ($volume in $volumes) {
            if ($volume.Name -and ($Path + '\').StartsWith($volume.Name, [System.StringComparison]::OrdinalIgnoreCase) -and ($null -eq $best -or $volume.Name.Length -gt $best.Name.Length)) { $best = $volume }
        }
    }
    $bytes = $(if ($null -ne $best -and $null -ne $best.FreeSpace) { [long] $best.FreeSpace } elseif ($kind -ceq 'fixed') { try { (New-Object -TypeName System.IO.DriveInfo -ArgumentList $Path.Substring(0, 1)).AvailableFreeSpace } catch { $null } })
    [ordered] @{ bytes = $bytes; kind = $kind }
}

# The words of .NET: Compressed, Encrypted, SparseFile, IntegrityStream and others. Files inherit most of a folder's.
function Get-FileAttribute {
    param([string] $Path)
    return , @("$((Get-Item -LiteralPath $Path -Force).Attributes)".Split(',') | ForEach-Object { $_.Trim() })
}

# `Names`: of a folder, the names that hold this text (at most 1000); null where they are not asked for.
function Read-File {
    param([string] $Path, [bool] $Hash, [bool] $Text, $Names)
    $answer = [ordered] @{ path = $Path; kind = 'absent'; size = $null; sha256 = $null; text = $null; attributes = @(); empty = $null; names = @() }
    if (Test-Folder $Path) {
        $answer.kind = 'folder'
        $answer.attributes = Get-FileAttribute $Path
        $answer.empty = @(Get-ChildItem -LiteralPath $Path -Force | Select-Object -First 1).Count -eq 0
        if ($null -ne $Names) { $answer.names = @(Get-ChildItem -LiteralPath $Path -Force | ForEach-Object { $_.Name } | Where-Object { $_.Contains([string] $Names) } | Select-Object -First 1000) }
    }
    elseif (Test-File $Path) {
        $answer.kind = 'file'
        $item = Get-Item -LiteralPath $Path -Force
        $answer.size = [long] $item.Length
        $answer.attributes = Get-FileAttribute $Path
        if ($Hash) { $answer.sha256 = Read-Guarded $Path 'content' { Get-Sha256 $Path } }
        if ($Text) { $answer.text = Read-Guarded $Path 'content' { [System.IO.File]::ReadAllText((Get-NativePath $Path)) } }
    }
    $answer
}

# A disk that Get-VHD cannot read is no disk for whoever asked; that it is there, its file says.
function Read-Disk {
    param([string] $Path)
    if (-not (Test-File $Path)) { return }
    $vhd = Read-Vhd $Path
    if ($null -eq $vhd) { return }
    $healthy = $(try { [bool] (Hyper-V\Test-VHD -Path $Path) } catch { $false })
    [ordered] @{
        path = $Path; size = [long] $vhd.Size; file_size = [long] $vhd.FileSize
        minimum_size = Get-Number $vhd.MinimumSize; parent = $(if ($vhd.ParentPath) { Get-PlainPath $vhd.ParentPath })
        type = "$($vhd.VhdType)"; format = "$($vhd.VhdFormat)"; chain = Get-Chain $Path
        healthy = $healthy
    }
}

# Whether this account can see machines at all.
function Test-Allowed { param($Facts) $null -ne $Facts.module -and ($Facts.administrator -or $Facts.hyperv_administrator) }

# One machine of the host: what others must know of it.
function Read-Summary {
    param($Vm, [bool] $WithChains)
    $id = "$($Vm.Id)"
    $paths = @(Read-Guarded $id 'disks' { Hyper-V\Get-VMHardDiskDrive -VM $Vm | Where-Object { $_.Path } | ForEach-Object { Get-PlainPath $_.Path } })
    $chains = @()
    if ($WithChains) { foreach ($path in $paths) { $chains += , (Get-Chain $path) } }
    [ordered] @{
        id = $id; name = "$($Vm.Name)"; notes = "$($Vm.Notes)"; state = "$($Vm.State)"; path = Get-PlainPath $Vm.Path
        mac_addresses = @(Read-Guarded $id 'network adapters' { Hyper-V\Get-VMNetworkAdapter -VM $Vm | ForEach-Object { (Read-Adapter $_).mac_address } })
        disks = $paths; chains = $chains
        media = @(Read-Guarded $id 'DVD drives' { Hyper-V\Get-VMDvdDrive -VM $Vm | Where-Object { $_.Path } | ForEach-Object { Get-PlainPath $_.Path } })
    }
}

# Everything that a decision needs, in one answer. Source: docs/reference/deployment.md, "The state".
function Read-State {
    param($Asked)
    $script:Disks = @{}
    $script:Unread.Clear()
    $module = Import-HyperV
    $facts = Read-HostFact ($null -ne $module) $(if ($null -ne $module) { "$($module.Version)" })
    $switches = @()
    $machines = @()
    $ours = @()
    if (Test-Allowed $facts) {
        $switches = @(Read-Guarded 'host' 'switches' { Hyper-V\Get-VMSwitch | ForEach-Object { [ordered] @{ id = "$($_.Id)"; name = "$($_.Name)"; type = "$($_.SwitchType)" } } })
        foreach ($vm in @(Hyper-V\Get-VM)) {
            $told = $script:Unread.Count
            $marked = (Test-MarkedNotes "$($vm.Notes)" $Asked.marker) -or $vm.Name -ceq $Asked.unfinished_name
            $summary = Read-Summary $vm ([bool] $Asked.chains)
            $own = $(if ($marked) { [ordered] @{ machine = Read-Machine $vm; record = Read-Guarded "$($vm.Id)" 'record' { Read-RecordText (Get-PlainPath $vm.Path).TrimEnd('\') '' } } })
            if ($script:Unread.Count -gt $told -and $null -eq (Find-Machine "$($vm.Id)")) {
                # It went while it was read: it is no machine of this host any more.
                $script:Unread.RemoveRange($told, $script:Unread.Count - $told)
                continue
            }
            $machines += $summary
            if ($null -ne $own) { $ours += $own }
        }
    }
    $files = @(foreach ($file in $Asked.files) {
            $path = Expand-Folder $file.path $facts
            $answer = Read-Guarded $path 'file' { Read-File $path $file.sha256 $file.text $file.names } ([ordered] @{ path = $path; kind = 'file'; size = $null; sha256 = $null; text = $null; attributes = @(); empty = $null; names = @() })
            $answer.Insert(0, 'asked', $file.path)
            $answer
        })
    $disks = @($(if (Test-Allowed $facts) { foreach ($disk in $Asked.disks) { $path = Expand-Folder $disk $facts; Read-Guarded $path 'disk' { Read-Disk $path } } }))
    $free = @(foreach ($folder in $Asked.free) {
            $path = Expand-Folder $folder $facts
            $answer = Get-FreeSpace $path
            [ordered] @{ asked = $folder; path = $path; bytes = $answer.bytes; kind = $answer.kind }
        })
    [ordered] @{ host = $facts; switches = $switches; machines = $machines; ours = $ours; files = $files; disks = $disks; free = $free; unread = @($script:Unread) }
}

function Expand-Folder {
    param([string] $Path, $Facts)
    foreach ($pair in @('{machine-folder}\', $Facts.machine_folder), @('{disk-folder}\', $Facts.disk_folder)) {
        if ($Path.StartsWith($pair[0], [System.StringComparison]::Ordinal) -and $pair[1]) { $Path = $pair[1].TrimEnd('\') + '\' + $Path.Substring($pair[0].Length) }
    }
    Assert-Path $Path
    $Path
}

# ---- actions ----

# The machines that hold a file now: attached, below what is attached, or inserted. Asked right before the file goes, because
# what was read earlier may not hold any more.
function Get-Holder {
    param([string] $Path)
    $script:Disks = @{}
    foreach ($vm in @(Hyper-V\Get-VM)) {
        # A machine that cannot be read says nothing; that it could not was told before.
        try { $held = @(foreach ($drive in @(Hyper-V\Get-VMHardDiskDrive -VM $vm)) { if ($drive.Path) { Get-Chain (Get-PlainPath $drive.Path) } }) + @(Hyper-V\Get-VMDvdDrive -VM $vm | ForEach-Object { Get-PlainPath $_.Path }) }
        catch { continue }
        if ($held -contains (Get-PlainPath $Path)) { "$($vm.Name)" }
    }
}

function Assert-Free {
    param([string] $Path)
    if (-not (Test-File $Path) -or $Path.Contains('.eryphc-part') -or [System.IO.Path]::GetExtension($Path) -notin '.vhdx', '.avhdx', '.vhds', '.vhd', '.iso') { return }
    $holders = @(Get-Holder $Path)
    if ($holders.Count -gt 0) { throw (New-Failure -Id 'EryphcInUse' -Category ResourceBusy -Message "The file is in use by: $($holders -join ', ').") }
}

function Find-Adapter {
    param($Vm, [string] $Name)
    $found = @(Hyper-V\Get-VMNetworkAdapter -VM $Vm | Where-Object { $_.Name -ceq $Name })
    if ($found.Count -ne 1) { throw (New-Failure -Id 'EryphcAdapter' -Category ObjectNotFound -Message "The machine has $($found.Count) adapters of that name.") }
    $found[0]
}

function Get-DvdAt { param($Vm, $At) Hyper-V\Get-VMDvdDrive -VM $Vm -ControllerNumber $At.controller -ControllerLocation $At.location }
function Get-DiskAt { param($Vm, $At) Hyper-V\Get-VMHardDiskDrive -VM $Vm -ControllerType SCSI -ControllerNumber $At.controller -ControllerLocation $At.location }
function Get-OnOff { param([bool] $Value) if ($Value) { 'On' } else { 'Off' } }

# A call that may block on the guest runs as a job of the module; a job that failed gives its error here. With
# -Patient the caller looks at the state itself: time being up is no error.
function Wait-State {
    param([string] $Id, $Job, [string[]] $States, [double] $Seconds, [switch] $Patient)
    try {
        Wait-Until -Seconds $Seconds -What "state $($States -join ' or ')" -Condition {
            if ($null -ne $Job -and "$($Job.State)" -ceq 'Failed') { $null = Receive-Job -Job $Job -ErrorAction Stop }
            $States -ccontains "$((Get-Machine $Id).State)"
        }
    }
    catch { if (-not $Patient -or -not $_.FullyQualifiedErrorId.StartsWith('EryphcTimeout')) { throw } }
}

# The process in which a machine runs, for one that cannot even be turned off. Numbers of processes are used again, so
# it must be a worker whose command line names this very machine.
function Stop-Worker {
    param([string] $Id, [double] $Seconds)
    $guid = ([guid] $Id).ToString().ToUpperInvariant()
    $system = @(CimCmdlets\Get-CimInstance -Namespace 'root\virtualization\v2' -ClassName Msvm_ComputerSystem -Filter "Name='$guid'")
    $number = $(if ($system.Count -eq 1) { [long] $system[0].ProcessID } else { [long] 0 })
    $worker = @($(if ($number -gt 0) { CimCmdlets\Get-CimInstance -ClassName Win32_Process -Filter "ProcessId=$number" }))
    if ($worker.Count -ne 1 -or "$($worker[0].Name)" -ine 'vmwp.exe' -or -not "$($worker[0].CommandLine)".ToUpperInvariant().Contains($guid)) {
        throw (New-Failure -Id 'EryphcWorker' -Category ObjectNotFound -Message 'The host shows no worker process of this machine that could be ended; only an elevated administrator sees it.')
    }
    Microsoft.PowerShell.Management\Stop-Process -Id ([int] $number) -Force -Confirm:$false
    Wait-Until -Seconds $Seconds -What 'the worker process gone' -Condition { @(CimCmdlets\Get-CimInstance -ClassName Win32_Process -Filter "ProcessId=$number" | Where-Object { "$($_.CommandLine)".ToUpperInvariant().Contains($guid) }).Count -eq 0 }
    # Server 2016 starts such a machine again by itself: only an Off that lasts counts.
    $clock = [System.Diagnostics.Stopwatch]::StartNew()
    for ($off = 0; $off -lt 3 -and $clock.Elapsed.TotalSeconds -lt $Seconds; $off++) {
        Start-Sleep -Seconds 2
        $vm = Get-Machine $Id
        if ("$($vm.State)" -ceq 'Off') { continue }
        $off = -1
        # It may refuse while it is between two states.
        try { Wait-State $Id (Hyper-V\Stop-VM -VM $vm -TurnOff -Force -Confirm:$false -AsJob) @('Off') 20 -Patient } catch { $null = $_ }
    }
}

function Stop-Machine {
    param([string] $Id, [string] $How, [double] $Seconds)
    $vm = Get-Machine $Id
    $value = $null
    switch ($How) {
        'shutdown' {
            # Stop-VM cannot ask without a deadline after which it forces; the service in the guest can.
            $filter = "SystemName='$(([guid] $Id).ToString().ToUpperInvariant())'"
            $code = [long] 32782
            if ("$($vm.State)" -cne 'Stopping') {
                $component = @(CimCmdlets\Get-CimInstance -Namespace 'root\virtualization\v2' -ClassName Msvm_ShutdownComponent -Filter $filter)
                if ($component.Count -eq 0) { return [ordered] @{ accepted = $false; code = $null } }
                $arguments = @{ Force = $false; Reason = 'eryphc' }
                $code = [long] (CimCmdlets\Invoke-CimMethod -InputObject $component[0] -MethodName InitiateShutdown -Arguments $arguments).ReturnValue
            }
            $value = [ordered] @{ accepted = @(0, 4096, 32782) -contains $code; code = $code }
            if ($value.accepted) { Wait-State $Id $null @('Off') $Seconds -Patient }
        }
        'force' { Wait-State $Id (Hyper-V\Stop-VM -VM $vm -Force -Confirm:$false -AsJob) @('Off') $Seconds -Patient }
        'turn-off' { Wait-State $Id (Hyper-V\Stop-VM -VM $vm -TurnOff -Force -Confirm:$false -AsJob) @('Off') $Seconds -Patient }
        'end-worker' { Stop-Worker $Id $Seconds }
        'save' { Wait-State $Id (Hyper-V\Stop-VM -VM $vm -Save -Confirm:$false -AsJob) @('Saved', 'FastSaved') $Seconds }
    }
    $value
}

function Set-KeyProtector {
    param($Vm, $Guardian)
    if ($null -eq $Guardian) { Hyper-V\Set-VMKeyProtector -VM $Vm -NewLocalKeyProtector; return }
    $owner = HgsClient\Get-HgsGuardian | Where-Object { $_.Name -ceq $Guardian }
    if ($null -eq $owner) { $owner = HgsClient\New-HgsGuardian -Name $Guardian -GenerateCertificates }
    $protector = HgsClient\New-HgsKeyProtector -Owner $owner -AllowUntrustedRoot
    Hyper-V\Set-VMKeyProtector -VM $Vm -KeyProtector $protector.RawData
}

function Remove-Machine {
    param($A)
    $vm = Find-Machine $A.machine
    if ($null -eq $vm) { return }
    if (-not (Test-MarkedNotes "$($vm.Notes)" $A.marker) -and $vm.Name -cne $A.unfinished_name) {
        throw (New-Failure -Id 'EryphcNotOurs' -Category PermissionDenied -Message 'The machine does not carry our marker.')
    }
    $folder = (Get-PlainPath $vm.Path).TrimEnd('\')
    Wait-Until -What 'no work on the disks' -Seconds 600 -Condition { @((Get-Machine $A.machine).OperationalStatus | Where-Object { "$_" -ceq 'MergingDisks' }).Count -eq 0 }
    Hyper-V\Remove-VM -VM $vm -Force -Confirm:$false
    # It stays in the list until its checkpoints are merged into its disks.
    Wait-Until -What 'the machine is gone' -Seconds 1200 -Condition { $null -eq (Find-Machine $A.machine) }
    foreach ($name in "Virtual Machines\$($A.machine)", 'Virtual Machines', "Snapshots\$($A.machine)", 'Snapshots', 'UndoLog Configuration') { $null = Remove-EmptyFolder "$folder\$name" }
}

function New-Disk {
    param($A)
    Assert-Absent $A.path
    $target = $(if ($A.in_place) { $A.path } else { Get-PartPath $A.path })
    Remove-File $target
    if ($null -eq $A.parent) { $null = Hyper-V\New-VHD -Path $target -SizeBytes $A.size -Dynamic }
    elseif ($null -eq $A.size) { $null = Hyper-V\New-VHD -Path $target -ParentPath $A.parent -Differencing }
    else { $null = Hyper-V\New-VHD -Path $target -ParentPath $A.parent -Differencing -SizeBytes $A.size }
    # Otherwise two children attached to one machine would look like one disk.
    if ($null -ne $A.parent -and $target.EndsWith('.vhdx', [System.StringComparison]::OrdinalIgnoreCase)) { Hyper-V\Set-VHD -Path $target -ResetDiskIdentifier -Force }
    if (-not $A.in_place) { Move-Part $target $A.path }
}

# A finished copy gets its name in a folder that others use too; one that another run brought meanwhile is as good.
function Move-Whole {
    param($A)
    if (Test-File $A.path) {
        if ((Get-Sha256 $A.path) -cne $A.sha256) { throw (New-Failure -Id 'EryphcHash' -Category InvalidData -Message 'There is another file of that name already.') }
        Remove-File $A.source
        return $false
    }
    [System.IO.File]::SetAttributes((Get-NativePath $A.source), [System.IO.FileAttributes]::ReadOnly)
    Move-Part $A.source $A.path
    return $true
}

# Does one action. Answers { created, value }.
function Invoke-Action {
    param([string] $Action, $A, [scriptblock] $Progress)
    $created = $false
    $value = $null
    foreach ($name in 'path', 'source', 'folder', 'parent') { if ($A.PSObject.Properties[$name] -and $null -ne $A.$name) { Assert-Path $A.$name } }
    $vm = $(if ($A.PSObject.Properties['machine'] -and $Action -cne 'remove-machine') { Get-Machine $A.machine })
    switch -CaseSensitive ($Action) {
        'make-folder' {
            $created = -not (Test-Folder $A.path)
            if ($created) { $null = New-Item -ItemType Directory -Path $A.path -Force }
            if ($A.protect) { Protect-Folder $A.path }
        }
        'make-home' { $created = -not (Test-Folder $A.path); New-Home $A }
        'delete-home' { $value = [ordered] @{ deleted = Remove-Home $A } }
        'write-text' { $created = -not (Test-File $A.path); Write-AsciiFile $A.path $A.text }
        'place-part' {
            $part = Get-PartPath $A.path
            Assert-Absent $A.path
            if ((Get-Item -LiteralPath $part).Length -ne $A.size -or (Get-Sha256 $part) -cne $A.sha256) { throw (New-Failure -Id 'EryphcHash' -Category InvalidData -Message 'What arrived is not what was sent.') }
            Move-Part $part $A.path
            if ($A.read_only) { [System.IO.File]::SetAttributes((Get-NativePath $A.path), [System.IO.FileAttributes]::ReadOnly) }
            $created = $true
        }
        'copy-file' {
            $part = Get-PartPath $A.path
            Assert-Absent $A.path
            Remove-File $part
            $hash = Copy-Dense $A.source $part $Progress
            if ($null -ne $A.sha256 -and $hash -cne $A.sha256) { Remove-File $part; throw (New-Failure -Id 'EryphcHash' -Category InvalidData -Message 'The file to copy is another one than expected.') }
            Move-Part $part $A.path
            $created = $true
        }
        'move-whole' { $created = Move-Whole $A }
        'clear-sparse' { Invoke-Program -Name 'fsutil.exe' -Arguments @('sparse', 'setflag', (Get-NativePath $A.path), '0') }
        'delete-file' { Assert-Free $A.path; Remove-File $A.path }
        'delete-folder' { $value = [ordered] @{ deleted = Remove-EmptyFolder $A.path } }
        'new-disk' { New-Disk $A; $created = $true }
        'convert-disk' { $null = Hyper-V\Convert-VHD -Path $A.source -DestinationPath $A.path; $created = $true }
        'reset-disk' { Hyper-V\Set-VHD -Path $A.path -ResetDiskIdentifier -Force }
        'resize-disk' { Hyper-V\Resize-VHD -Path $A.path -SizeBytes $A.size }
        'new-machine' {
            $new = Hyper-V\New-VM -Name $A.name -Path $A.folder -Generation 2 -MemoryStartupBytes $A.memory -NoVHD -Force -Confirm:$false
            Hyper-V\Set-VM -VM $new -Notes $A.notes
            $value = [ordered] @{ machine = "$($new.Id)" }
            $created = $true
        }
        'set-notes' { Hyper-V\Set-VM -VM $vm -Notes $A.notes }
        'rename-machine' { Hyper-V\Rename-VM -VM $vm -NewName $A.name }
        'set-machine' {
            if ($null -ne $A.automatic_checkpoints) { Hyper-V\Set-VM -VM $vm -AutomaticCheckpointsEnabled $A.automatic_checkpoints }
            if ($null -ne $A.checkpoint_type) { Hyper-V\Set-VM -VM $vm -CheckpointType $A.checkpoint_type }
            if ($null -ne $A.start_action) { Hyper-V\Set-VM -VM $vm -AutomaticStartAction $A.start_action }
            if ($null -ne $A.start_delay) { Hyper-V\Set-VM -VM $vm -AutomaticStartDelay $A.start_delay }
            if ($null -ne $A.stop_action) { Hyper-V\Set-VM -VM $vm -AutomaticStopAction $A.stop_action }
        }
        'set-firmware' {
            if ($null -ne $A.secure_boot_template) { Hyper-V\Set-VMFirmware -VM $vm -SecureBootTemplate $A.secure_boot_template }
            if ($null -ne $A.secure_boot) { Hyper-V\Set-VMFirmware -VM $vm -EnableSecureBoot (Get-OnOff $A.secure_boot) }
        }
        'set-first-boot' {
            $device = $(if ($null -ne (Get-DiskAt $vm $A)) { Get-DiskAt $vm $A } else { Get-DvdAt $vm $A })
            Hyper-V\Set-VMFirmware -VM $vm -FirstBootDevice $device
        }
        'set-key-protector' { Set-KeyProtector $vm $A.guardian }
        'set-tpm' { if ($A.enabled) { Hyper-V\Enable-VMTPM -VM $vm } else { Hyper-V\Disable-VMTPM -VM $vm } }
        'set-processor' {
            if ($null -ne $A.count) { Hyper-V\Set-VMProcessor -VM $vm -Count $A.count }
            if ($null -ne $A.nested_virtualization) { Hyper-V\Set-VMProcessor -VM $vm -ExposeVirtualizationExtensions $A.nested_virtualization }
        }
        'set-memory' {
            # In one call, so that no state between breaks minimum <= startup <= maximum.
            $memory = @{}
            if ($null -ne $A.dynamic) { $memory.DynamicMemoryEnabled = $A.dynamic }
            if ($null -ne $A.startup) { $memory.StartupBytes = $A.startup }
            if ($null -ne $A.minimum) { $memory.MinimumBytes = $A.minimum }
            if ($null -ne $A.maximum) { $memory.MaximumBytes = $A.maximum }
            Hyper-V\Set-VMMemory -VM $vm @memory
        }
        'set-integration-service' {
            $service = Hyper-V\Get-VMIntegrationService -VM $vm | Where-Object { (Get-ServiceGuid $_) -ceq $A.service }
            if ($null -eq $service) { throw (New-Failure -Id 'EryphcService' -Category ObjectNotFound -Message 'The host has no such integration service.') }
            if ($A.enabled) { Hyper-V\Enable-VMIntegrationService -VMIntegrationService $service } else { Hyper-V\Disable-VMIntegrationService -VMIntegrationService $service }
        }
        'add-scsi-controller' { Hyper-V\Add-VMScsiController -VM $vm }
        'attach-disk' {
            if ($A.shared) { Hyper-V\Add-VMHardDiskDrive -VM $vm -ControllerType SCSI -ControllerNumber $A.controller -ControllerLocation $A.location -Path $A.path -SupportPersistentReservations }
            else { Hyper-V\Add-VMHardDiskDrive -VM $vm -ControllerType SCSI -ControllerNumber $A.controller -ControllerLocation $A.location -Path $A.path }
            Wait-Until -What 'the disk is attached' -Condition { $null -ne (Get-DiskAt (Get-Machine $A.machine) $A) }
        }
        'detach-disk' {
            $drive = Get-DiskAt $vm $A
            if ($null -ne $drive) { Hyper-V\Remove-VMHardDiskDrive -VMHardDiskDrive $drive }
            Wait-Until -What 'the disk is detached' -Condition { $null -eq (Get-DiskAt (Get-Machine $A.machine) $A) }
        }
        'add-dvd' {
            if ($null -eq $A.path) { Hyper-V\Add-VMDvdDrive -VM $vm -ControllerNumber $A.controller -ControllerLocation $A.location }
            else { Hyper-V\Add-VMDvdDrive -VM $vm -ControllerNumber $A.controller -ControllerLocation $A.location -Path $A.path }
            Wait-Until -What 'the DVD drive' -Condition { $null -ne (Get-DvdAt (Get-Machine $A.machine) $A) }
        }
        'set-dvd' {
            # Ejecting is asynchronous, and an insert before it is done fails.
            if ((Get-DvdAt $vm $A).Path) {
                Hyper-V\Set-VMDvdDrive -VMDvdDrive (Get-DvdAt $vm $A) -Path $null
                Wait-Until -What 'the DVD drive is empty' -Condition { -not (Get-DvdAt (Get-Machine $A.machine) $A).Path }
            }
            if ($null -ne $A.path) {
                Hyper-V\Set-VMDvdDrive -VMDvdDrive (Get-DvdAt (Get-Machine $A.machine) $A) -Path $A.path
                Wait-Until -What 'the medium is inserted' -Condition { [string]::Equals((Get-PlainPath (Get-DvdAt (Get-Machine $A.machine) $A).Path), (Get-PlainPath $A.path), [System.StringComparison]::OrdinalIgnoreCase) }
            }
        }
        'add-adapter' {
            Hyper-V\Add-VMNetworkAdapter -VM $vm -Name $A.name -StaticMacAddress $A.mac_address
            Wait-Until -What 'the adapter' -Condition { @(Hyper-V\Get-VMNetworkAdapter -VM (Get-Machine $A.machine) | Where-Object { $_.Name -ceq $A.name }).Count -gt 0 }
        }
        'remove-adapter' {
            $adapter = Hyper-V\Get-VMNetworkAdapter -VM $vm | Where-Object { $_.Id -ceq $A.adapter }
            # One that a run that was cut off has removed is listed for a while, and may be gone by now.
            try { if ($null -ne $adapter) { Hyper-V\Remove-VMNetworkAdapter -VMNetworkAdapter $adapter } }
            catch { if (@(Hyper-V\Get-VMNetworkAdapter -VM (Get-Machine $A.machine) | Where-Object { $_.Id -ceq $A.adapter }).Count -gt 0) { throw } }
            Wait-Until -What 'the adapter is gone' -Condition { @(Hyper-V\Get-VMNetworkAdapter -VM (Get-Machine $A.machine) | Where-Object { $_.Id -ceq $A.adapter }).Count -eq 0 }
        }
        'set-adapter' {
            $adapter = Find-Adapter $vm $A.name
            if ($null -ne $A.mac_address) { Hyper-V\Set-VMNetworkAdapter -VMNetworkAdapter $adapter -StaticMacAddress $A.mac_address }
            if ($null -ne $A.mac_address_spoofing) { Hyper-V\Set-VMNetworkAdapter -VMNetworkAdapter $adapter -MacAddressSpoofing (Get-OnOff $A.mac_address_spoofing) }
            if ($null -ne $A.dhcp_guard) { Hyper-V\Set-VMNetworkAdapter -VMNetworkAdapter $adapter -DhcpGuard (Get-OnOff $A.dhcp_guard) }
            if ($null -ne $A.router_guard) { Hyper-V\Set-VMNetworkAdapter -VMNetworkAdapter $adapter -RouterGuard (Get-OnOff $A.router_guard) }
        }
        'set-vlan' {
            $adapter = Find-Adapter $vm $A.name
            if ($null -eq $A.vlan) { Hyper-V\Set-VMNetworkAdapterVlan -VMNetworkAdapter $adapter -Untagged }
            else { Hyper-V\Set-VMNetworkAdapterVlan -VMNetworkAdapter $adapter -Access -VlanId $A.vlan }
        }
        'connect-adapter' {
            $adapter = Find-Adapter $vm $A.name
            if ($null -eq $A.switch) { Hyper-V\Disconnect-VMNetworkAdapter -VMNetworkAdapter $adapter }
            else {
                $guid = [guid] $A.switch
                $target = Hyper-V\Get-VMSwitch | Where-Object { $_.Id -eq $guid }
                if ($null -eq $target) { throw (New-Failure -Id 'EryphcSwitch' -Category ObjectNotFound -Message 'The host has no such switch.') }
                Hyper-V\Connect-VMNetworkAdapter -VMNetworkAdapter $adapter -VMSwitch $target
            }
        }
        'start-machine' { Wait-State $A.machine (Hyper-V\Start-VM -VM $vm -Confirm:$false -AsJob) @('Running') $A.seconds }
        'resume-machine' { Hyper-V\Resume-VM -VM $vm -Confirm:$false; Wait-State $A.machine $null @('Running') 60 }
        'stop-machine' { $value = Stop-Machine $A.machine $A.how $A.seconds }
        'discard-saved-state' { Hyper-V\Remove-VMSavedState -VM $vm; Wait-State $A.machine $null @('Off') 60 }
        'remove-machine' { Remove-Machine $A }
        default { throw (New-Failure -Id 'EryphcAction' -Category NotImplemented -Message 'There is no such action.') }
    }
    [ordered] @{ created = $created; value = $value }
}

# The number of an error as documents write it.
function Format-Hresult { param($Number) $(if ($null -ne $Number) { '0x{0:X8}' -f [int] $Number }) }

# An error as data. Nobody decides on the message: it may be localised.
function Get-ErrorFact {
    param([System.Management.Automation.ErrorRecord] $Record)
    $cause = $Record.Exception
    while ($cause -is [System.Management.Automation.MethodInvocationException] -and $null -ne $cause.InnerException) { $cause = $cause.InnerException }
    [ordered] @{
        step = $script:Step; object = $script:Thing; category = "$($Record.CategoryInfo.Category)"; id = "$($Record.FullyQualifiedErrorId)"
        hresult = [long] $cause.HResult; message = "$($cause.Message)"
    }
}

# What the guest wrote is data of a stranger: read as XML without document types, bounded.
function Read-KvpItem {
    param($Items)
    $answer = [ordered] @{}
    $settings = New-Object -TypeName System.Xml.XmlReaderSettings
    $settings.DtdProcessing = [System.Xml.DtdProcessing]::Prohibit
    $settings.XmlResolver = $null
    $settings.MaxCharactersInDocument = 65536
    foreach ($item in @($Items | Select-Object -First 1000)) {
        try {
            $text = New-Object -TypeName System.IO.StringReader -ArgumentList "$item"
            $document = New-Object -TypeName System.Xml.XmlDocument
            $document.XmlResolver = $null
            $document.Load([System.Xml.XmlReader]::Create($text, $settings))
            $name = $document.SelectSingleNode('/INSTANCE/PROPERTY[@NAME="Name"]/VALUE')
            $data = $document.SelectSingleNode('/INSTANCE/PROPERTY[@NAME="Data"]/VALUE')
            if ($null -eq $name) { continue }
            $value = $(if ($null -ne $data) { $data.InnerText } else { '' })
            $answer[$name.InnerText] = $value.Substring(0, [math]::Min(4096, $value.Length))
        }
        catch { continue }
    }
    $answer
}

# What the host's own table of neighbours knows of these addresses.
function Read-Neighbor {
    param([string[]] $Macs)
    if ($null -eq $Macs -or $Macs.Count -eq 0 -or -not (Test-Feature 'NetTCPIP\Get-NetNeighbor')) { return }
    $wanted = @($Macs | ForEach-Object { $_.Replace('-', '').ToUpperInvariant() })
    foreach ($neighbor in @(NetTCPIP\Get-NetNeighbor -ErrorAction SilentlyContinue)) {
        $mac = "$($neighbor.LinkLayerAddress)".Replace('-', '').ToUpperInvariant()
        if ($wanted -ccontains $mac) { [ordered] @{ mac_address = $mac; address = "$($neighbor.IPAddress)"; state = "$($neighbor.State)" } }
    }
}

function Get-GuestObject {
    # Null or a list; a class that the host lacks, or a machine without guest, gives an empty list.
    param([string] $Class, [string] $Filter)
    try { @(CimCmdlets\Get-CimInstance -Namespace 'root\virtualization\v2' -ClassName $Class -Filter $Filter) } catch { @() }
}

# True once this process holds the machine's lock; it lets go when the process ends.
function Lock-Catlet {
    param([string] $Catlet, [double] $Seconds)
    $script:Mutex = New-Object -TypeName System.Threading.Mutex -ArgumentList $false, ('Global\eryphc-' + ([guid] $Catlet).ToString())
    # The one who held it was killed: it is ours now.
    try { return $script:Mutex.WaitOne([int] (1000 * $Seconds)) } catch [System.Threading.AbandonedMutexException] { return $true }
}
