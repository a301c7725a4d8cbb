# The host program of eryph-runtime: carries out the requests of the runtime.
# Source: docs/reference/deployment.md, "The host protocol".
#
# This text is constant. Values arrive as JSON on standard input and are only ever variables: nothing that comes in is
# run, expanded, used as a pattern or put into another text that is run. Decisions are made by the one who asks; here
# stands how a state is read and how one action is done. Windows PowerShell 5.1 and PowerShell 7.
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
$WarningPreference = 'SilentlyContinue'

# ==== shared.ps1 stands here ====

# ---- what a running machine tells ----

# Nothing for a name that nobody knows.
function Resolve-HostName {
    param([string] $Name)
    try { [System.Net.Dns]::GetHostAddresses($Name) | ForEach-Object { "$_" } } catch { $null = $_ }
}

function Read-Guest {
    param([string] $Id, [string[]] $Macs, [string[]] $Names)
    $vm = Find-Machine $Id
    $empty = [ordered] @{ guest = [ordered] @{}; intrinsic = [ordered] @{} }
    # The addresses of a machine that is yet to be made may be those of another one in the network.
    $neighbors = @(Read-Neighbor $Macs)
    if ($null -eq $vm) { return [ordered] @{ state = $null; operational_status = @(); heartbeat = $null; uptime = $null; adapters = @(); kvp = $empty; guest_network = @(); neighbors = $neighbors; names = @() } }
    $guid = ([guid] $Id).ToString().ToUpperInvariant()
    $exchange = @(Get-GuestObject 'Msvm_KvpExchangeComponent' "SystemName='$guid'")
    if ($exchange.Count -gt 0) {
        $empty.guest = Read-KvpItem $exchange[0].GuestExchangeItems
        $empty.intrinsic = Read-KvpItem $exchange[0].GuestIntrinsicExchangeItems
    }
    $configured = @(Get-GuestObject 'Msvm_GuestNetworkAdapterConfiguration' "InstanceID LIKE 'Microsoft:GuestNetwork\\$guid\\%'")
    $uptime = $vm.PSObject.Properties['Uptime']
    [ordered] @{
        state = "$($vm.State)"; operational_status = @($vm.OperationalStatus | ForEach-Object { "$_" }); heartbeat = "$($vm.Heartbeat)"
        uptime = $(if ($null -ne $uptime -and $null -ne $uptime.Value) { [long] $uptime.Value.TotalSeconds })
        # What cannot be read tells nothing; the operation `read` says that it could not.
        adapters = @(Read-Guarded $Id 'network adapters' {
                Hyper-V\Get-VMNetworkAdapter -VM $vm | ForEach-Object {
                    $facts = Read-Adapter $_
                    [ordered] @{ id = $facts.id; name = $facts.name; mac_address = $facts.mac_address; addresses = @($_.IPAddresses | Where-Object { $_ } | ForEach-Object { "$_" }) }
                }
            })
        kvp = $empty
        guest_network = @(foreach ($one in $configured) { [ordered] @{ adapter = "$($one.InstanceID)"; addresses = @($one.IPAddresses | Where-Object { $_ } | ForEach-Object { "$_" }) } })
        neighbors = $neighbors
        names = @(foreach ($one in $Names) { [ordered] @{ name = $one; addresses = @(Resolve-HostName $one) } })
    }
}

# ---- requests ----

# The bytes of one block, or null at the end of the input.
function Read-Block {
    $text = New-Object -TypeName System.Text.StringBuilder
    while ($null -ne ($line = [Console]::In.ReadLine())) {
        if ($line.Trim() -ceq '.') { return , [Convert]::FromBase64String($text.ToString()) }
        $null = $text.Append($line.Trim())
    }
    return $null
}

# All lines in one call, so that nothing of the timer comes between them.
function Write-Line {
    param([string[]] $Lines)
    [Console]::Out.Write(($Lines -join "`n") + "`n")
    [Console]::Out.Flush()
}

# Writes every ten seconds that this program lives, whatever call it is in: the timer of .NET calls Console.WriteLine
# itself, on a thread of its own, and runs no script.
function Start-Beat {
    param([string] $Nonce)
    $write = [System.Delegate]::CreateDelegate([System.Threading.TimerCallback], [System.Console].GetMethod('WriteLine', [type[]] @([object])))
    New-Object -TypeName System.Threading.Timer -ArgumentList $write, "==eryph-alive $Nonce==", 10000, 10000
}

# Writes the bytes behind what is there already, so that a transfer can go on after it was cut.
function Receive-Part {
    param($A, [byte[]] $Bytes)
    Assert-Path $A.path
    $part = Get-PartPath $A.path
    if ($A.offset -eq 0) { Remove-File $part }
    $length = $(if (Test-File $part) { (Get-Item -LiteralPath $part).Length } else { 0 })
    if ($length -ne $A.offset -or $A.offset + $Bytes.Length -gt $A.size) { throw (New-Failure -Id 'EryphcOffset' -Category InvalidArgument -Message "The part file has $length bytes.") }
    $stream = [System.IO.File]::Open((Get-NativePath $part), [System.IO.FileMode]::Append)
    try { $stream.Write($Bytes, 0, $Bytes.Length) } finally { $stream.Dispose() }
    $length += $Bytes.Length
    # Hashed once, at the end: a large file comes in many pieces.
    [ordered] @{ size = [long] $length; sha256 = $(if ($length -eq $A.size) { Get-Sha256 $part }) }
}

function Invoke-Run {
    param($Actions, [string] $Nonce)
    $results = @()
    foreach ($one in $Actions) {
        $script:Step = $one.action
        $a = $one.arguments
        $script:Thing = ''
        foreach ($key in 'path', 'machine', 'name') { if ($a.PSObject.Properties[$key] -and $null -ne $a.$key) { $script:Thing = "$($a.$key)"; break } }
        $script:Percent = -1
        $report = {
            param($percent)
            if ($percent -lt $script:Percent + 5 -and $percent -lt 100) { return }
            $script:Percent = $percent
            Write-Line ("==eryph-event $Nonce== " + (ConvertTo-JsonText ([ordered] @{ action = $one.id; percent = $percent; message = $one.action })))
        }
        try {
            $done = Invoke-Action $one.action $a $report
            $results += [ordered] @{ id = $one.id; ok = $true; created = $done.created; value = $done.value; error = $null }
        }
        catch {
            $results += [ordered] @{ id = $one.id; ok = $false; created = $false; value = $null; error = Get-ErrorFact $_ }
            break
        }
    }
    [ordered] @{ results = $results }
}

function Invoke-Request {
    param($Request)
    $a = $Request.arguments
    switch -CaseSensitive ($Request.operation) {
        'lock' { [ordered] @{ locked = Lock-Catlet $a.catlet $a.seconds } }
        'read' { Read-State $a }
        'run' { Invoke-Run $a.actions $Request.nonce }
        'receive' { Receive-Part $a (Read-Block) }
        'observe' { Read-Guest $a.machine $a.macs $a.names }
        default { throw (New-Failure -Id 'EryphcOperation' -Category NotImplemented -Message 'There is no such operation.') }
    }
}

while ($null -ne ($block = Read-Block)) {
    $answer = [ordered] @{ protocol = 'eryph-runtime/host/v1'; ok = $true; value = $null; error = $null }
    $nonce = ''
    $beat = $null
    try {
        $script:Step = 'request'
        $script:Thing = ''
        $request = ConvertFrom-JsonText ([System.Text.Encoding]::UTF8.GetString($block))
        $nonce = $request.nonce
        if ($nonce.Length -ne 32 -or $nonce.Trim('0123456789abcdef'.ToCharArray())) { throw (New-Failure -Id 'EryphcNonce' -Category InvalidArgument -Message 'The nonce is not 32 hex digits.') }
        if ($request.protocol -cne $answer.protocol) { throw (New-Failure -Id 'EryphcProtocol' -Category InvalidArgument -Message 'The request speaks another protocol.') }
        $script:Step = $request.operation
        $beat = Start-Beat $nonce
        $null = Import-HyperV
        $answer.value = Invoke-Request $request
    }
    catch {
        $answer.ok = $false
        $answer.value = $null
        $answer.error = Get-ErrorFact $_
    }
    $text = ConvertTo-JsonText $answer
    if ($null -ne $beat) { $beat.Dispose() }
    # What a profile printed may have left the line open.
    Write-Line '', "==eryph-begin $nonce==", $text, "==eryph-end $nonce=="
}
