# A model of one Hyper-V host for the stand-in cmdlets: HYPERV_MODEL names this file, HYPERV_STATE its state.
#
# It keeps what a program can observe: machines with their settings, disks as small JSON files on a drive C: that is a
# folder (HYPERV_DRIVE), asynchronous effects that need a few reads to show, and the refusals of Hyper-V: settings
# that need the machine off, a template that is frozen by the TPM, a TPM without protector, a disk that lacks its parent.
#   HYPERV_KILL_AT=N    the process dies right after its N-th changing call (0: never)
#   HYPERV_FAIL=CMDLET  that cmdlet fails once it is called (category DeviceError), with the text HYPERV_FAIL_TEXT
#   HYPERV_DOUBLES=1    paths of machines in the root of a drive get two separators
#   SWEEP_CONTROL=FILE  before and after each changing call `Test-Point` is called (workbench.py)

Set-StrictMode -Version 3.0
$script:Changes = 0

if ($env:HYPERV_DRIVE -and -not (Get-PSDrive -Name C -ErrorAction Ignore)) {
    $null = New-PSDrive -Name C -PSProvider FileSystem -Root $env:HYPERV_DRIVE -Scope Global
}

function Get-ModelPath { param([string] $Path) $ExecutionContext.SessionState.Path.GetUnresolvedProviderPathFromPSPath($Path) }
# 7 takes a name that looks like a date for one, unless it is told not to; 5.1 has no such parameter. Asked
# once: a refusal costs more than a read.
$script:AsText = @{ DateKind = 'String' }
try { $null = ConvertFrom-Json -InputObject '{}' @AsText }
catch [System.Management.Automation.ParameterBindingException] { $script:AsText = @{} }
function Read-ModelState {
    $asText = $script:AsText
    $state = ConvertFrom-Json -InputObject ([System.IO.File]::ReadAllText($env:HYPERV_STATE)) @asText
    # A machine whose worker is a process of the test's: it ends with that process.
    foreach ($row in @($state.vms | Where-Object { $_.PSObject.Properties['Worker'] })) { if (-not (Test-Path -LiteralPath "/proc/$($row.Worker)")) { $row.State = 'Off' } }
    $state
}

function Write-ModelState {
    param($State, [string] $Cmdlet)
    [System.IO.File]::WriteAllText($env:HYPERV_STATE, (ConvertTo-Json -InputObject $State -Depth 12))
    if ($env:SWEEP_CONTROL) { $null = Test-Point }
    $script:Changes++
    if ($env:HYPERV_KILL_AT -and [int] $env:HYPERV_KILL_AT -eq $script:Changes) {
        [System.Diagnostics.Process]::GetCurrentProcess().Kill()
        Start-Sleep -Seconds 60
    }
}

function New-Refusal {
    param([string] $Text, [string] $Id = 'InvalidParameter', $Category = 'InvalidArgument', $Target)
    New-HyperVError $Text -Id "$Id,Microsoft.HyperV.PowerShell.Commands" -Category $Category -TargetObject $Target
}

function Find-Row {
    # The machines that the bound parameters name, by object (id) or by name with wildcards.
    param($State, $Bound)
    if ($Bound.ContainsKey('VM')) { $ids = @($Bound.VM | ForEach-Object { "$($_.Id)" }); return @($State.vms | Where-Object { $ids -contains $_.Id }) }
    foreach ($key in 'VMProcessor', 'VMMemory', 'VMFirmware', 'VMHardDiskDrive', 'VMDvdDrive', 'VMNetworkAdapter', 'VMIntegrationService') {
        if ($Bound.ContainsKey($key)) { $ids = @($Bound[$key] | ForEach-Object { "$($_.VMId)" }); return @($State.vms | Where-Object { $ids -contains $_.Id }) }
    }
    if ($Bound.ContainsKey('Id')) {
        $hit = @($State.vms | Where-Object { $_.Id -eq "$($Bound.Id)" })
        if ($hit.Count -eq 0) { throw (New-Refusal "Hyper-V was unable to find a virtual machine with id '$($Bound.Id)'." -Target $Bound.Id) }
        return $hit
    }
    foreach ($key in 'VMName', 'Name') {
        if ($Bound.ContainsKey($key)) {
            return @(foreach ($name in $Bound[$key]) {
                    $hit = @($State.vms | Where-Object { $_.Name -like $name })
                    if ($hit.Count -eq 0) { throw (New-Refusal "Hyper-V was unable to find a virtual machine with name `"$name`"." -Target $name) }
                    $hit
                })
        }
    }
    return @($State.vms)
}

function Assert-Off {
    param($Row, [string] $What)
    if ($Row.State -ne 'Off') {
        throw (New-Refusal "$What cannot be changed while the virtual machine is $($Row.State)." -Id 'InvalidState' -Category InvalidOperation -Target $Row.Name)
    }
}

function ConvertTo-VM {
    param($Row)
    New-HyperVObject VirtualMachine @{
        Id = [guid] $Row.Id; Name = $Row.Name; Generation = $Row.Generation; State = $Row.State; Notes = $Row.Notes; Path = $Row.Path
        ConfigurationLocation = $Row.Path; Version = $Row.Version; AutomaticStartAction = $Row.StartAction; AutomaticStopAction = $Row.StopAction
        AutomaticStartDelay = $Row.StartDelay; AutomaticCheckpointsEnabled = $Row.AutomaticCheckpoints; CheckpointType = $Row.CheckpointType
        ProcessorCount = $Row.Count; MemoryStartup = $Row.Startup; DynamicMemoryEnabled = $Row.Dynamic; OperationalStatus = @($(if ($Row.PSObject.Properties['Work']) { $Row.Work } else { 'Ok' }))
        Heartbeat = $(if ($Row.State -eq 'Running') { 'OkApplicationsUnknown' } else { 'Disabled' }); IsClustered = $false
    }
}

function ConvertTo-Adapter {
    param($Row, $Adapter)
    New-HyperVObject VMNetworkAdapter @{
        Name = $Adapter.Name; VMId = [guid] $Row.Id; VMName = $Row.Name; Id = $Adapter.Id; MacAddress = $Adapter.Mac; DynamicMacAddressEnabled = $Adapter.DynamicMac
        MacAddressSpoofing = $Adapter.Spoofing; DhcpGuard = $Adapter.DhcpGuard; RouterGuard = $Adapter.RouterGuard
        SwitchName = $Adapter.SwitchName; Connected = [bool] $Adapter.SwitchName; SwitchId = [guid] $Adapter.SwitchId
        IPAddresses = @($(if ($Row.State -eq 'Running') { $Adapter.IPAddresses })); IsLegacy = $false; DeviceNaming = 'Off'
        VlanSetting = (New-HyperVObject VMNetworkAdapterVlanSetting @{ OperationMode = $Adapter.VlanMode; AccessVlanId = $Adapter.VlanId })
    }
}

function ConvertTo-Disk {
    param($Row, $Disk)
    New-HyperVObject HardDiskDrive @{
        Path = $Disk.Path; ControllerType = 'SCSI'; ControllerNumber = $Disk.Number; ControllerLocation = $Disk.Location; VMId = [guid] $Row.Id
        VMName = $Row.Name; SupportPersistentReservations = $Disk.Shared; Id = "Microsoft:$($Row.Id)\disk\$($Disk.Number)\$($Disk.Location)"
    }
}

function ConvertTo-Dvd {
    param($Row, $Dvd)
    New-HyperVObject DvdDrive @{
        Path = $Dvd.Path; ControllerType = 'SCSI'; ControllerNumber = $Dvd.Number; ControllerLocation = $Dvd.Location; VMId = [guid] $Row.Id; VMName = $Row.Name
        DvdMediaType = $(if ($Dvd.Path) { 'ISO' } else { 'None' }); Id = "Microsoft:$($Row.Id)\dvd\$($Dvd.Number)\$($Dvd.Location)"
    }
}

function Read-Disk {
    # A disk is the text 'vhdxfile' and a JSON object { format, size, minimum, parent, identifier }; as on a host a child names its parent.
    param([string] $Path)
    if (-not (Test-Path -LiteralPath $Path)) { throw (New-Refusal "The system cannot find the file '$Path'." -Id 'ObjectNotFound' -Category ObjectNotFound -Target $Path) }
    try { ConvertFrom-Json -InputObject ([System.IO.File]::ReadAllText((Get-ModelPath $Path)).Substring(8)) }
    catch { throw (New-Refusal "The file or directory is corrupted and unreadable: '$Path'." -Id 'Corrupt' -Category InvalidData -Target $Path) }
}

function Write-Disk {
    param([string] $Path, $Disk)
    [System.IO.File]::WriteAllText((Get-ModelPath $Path), 'vhdxfile' + (ConvertTo-Json -InputObject $Disk -Depth 4))
}

function Assert-Chain {
    param([string] $Path)
    $here = $Path
    for ($depth = 0; $here -and $depth -lt 50; $depth++) { $here = (Read-Disk $here).parent }
}

function Assert-FreePlace {
    param($Row, $Number, $Location)
    if ($Number -ge $Row.Controllers) { throw (New-Refusal "There is no SCSI controller $Number." -Target $Row.Name) }
    foreach ($drive in @($Row.Disks) + @($Row.Dvds)) {
        if ($drive.Number -eq $Number -and $drive.Location -eq $Location) { throw (New-Refusal "The place $Number`:$Location is already in use." -Target $Row.Name) }
    }
}

function Get-FreeLocation {
    param($Row, $Number)
    $taken = @(@($Row.Disks) + @($Row.Dvds) | Where-Object { $_.Number -eq $Number } | ForEach-Object { $_.Location })
    0..63 | Where-Object { $taken -notcontains $_ } | Select-Object -First 1
}

function Assert-Startable {
    param($State, $Row)
    if ($Row.Count -gt $State.host.processors) { throw (New-Refusal 'The virtual machine has incompatible processor settings.' -Id 'OperationFailed' -Category InvalidOperation) }
    if ($Row.Startup -gt $State.host.memory) { throw (New-Refusal 'Not enough memory in the system to start the virtual machine.' -Id 'OutOfMemory' -Category ResourceUnavailable) }
    foreach ($disk in $Row.Disks) { Assert-Chain $disk.Path }
    foreach ($dvd in @($Row.Dvds | Where-Object { $_.Path })) {
        if (-not (Test-Path -LiteralPath $dvd.Path)) { throw (New-Refusal "The system cannot find '$($dvd.Path)'." -Id 'ObjectNotFound' -Category ObjectNotFound) }
        # the worker's right on the file is lost when the file is overwritten while it is inserted
        if ((Get-FileHash -LiteralPath $dvd.Path).Hash -ne $dvd.Hash) { throw (New-Refusal "Access to '$($dvd.Path)' is denied (0x80070005)." -Id 'AccessDenied' -Category PermissionDenied) }
    }
}

# One function a group of cmdlets: gets the state, answers objects, and says by its first answer whether the state changed.

function Invoke-MachineModel {
    param([string] $Cmdlet, $State, $Bound)
    switch ($Cmdlet) {
        'New-VM' {
            if (-not (Test-Path -LiteralPath $Bound.Path)) { throw (New-Refusal "The folder '$($Bound.Path)' does not exist." -Id 'ObjectNotFound' -Category ObjectNotFound) }
            $id = [guid]::NewGuid().ToString()
            $folder = $(if ($env:HYPERV_DOUBLES) { $Bound.Path } else { $Bound.Path.TrimEnd('\') }) + '\' + $Bound.Name
            $null = New-Item -ItemType Directory -Force -Path ($folder + '\Virtual Machines')
            [System.IO.File]::WriteAllText((Get-ModelPath "$folder\Virtual Machines\$id.vmcx"), 'configuration')
            $row = [pscustomobject] @{
                Id = $id; Name = $Bound.Name; Generation = [int] $Bound.Generation; State = 'Off'; Notes = ''; Path = $folder; Version = '10.0'
                StartAction = 'StartIfRunning'; StopAction = 'Save'; StartDelay = 0; AutomaticCheckpoints = $true; CheckpointType = 'Production'
                Count = 1; Nested = $false; Startup = $Bound.MemoryStartupBytes; Minimum = 536870912; Maximum = 1099511627776; Dynamic = $false
                SecureBoot = 'On'; Template = 'MicrosoftWindows'; Protector = 'AAAABA=='; Tpm = $false; Boot = @(); Controllers = 1
                Disks = @(); Dvds = @(); Snapshots = @(); Kvp = @(); IntegrationOff = @('Guest Service Interface')
                Adapters = @([pscustomobject] @{ Name = 'Network Adapter'; Id = "Microsoft:$id\$([guid]::NewGuid())"; Mac = '000000000000'; DynamicMac = $true
                        Spoofing = 'Off'; DhcpGuard = 'Off'; RouterGuard = 'Off'; SwitchName = $null; SwitchId = [guid]::Empty.ToString(); VlanMode = 'Untagged'
                        VlanId = 0; IPAddresses = @(); Linger = 2; Gone = $false
                    })
            }
            $State.vms = @($State.vms) + $row
            Write-ModelState $State
            ConvertTo-VM $row
        }
        'Set-VM' {
            foreach ($row in (Find-Row $State $Bound)) {
                if ($Bound.ContainsKey('AutomaticStopAction')) { Assert-Off $row 'The automatic stop action'; $row.StopAction = "$($Bound.AutomaticStopAction)" }
                if ($Bound.ContainsKey('AutomaticStartAction')) { $row.StartAction = "$($Bound.AutomaticStartAction)" }
                if ($Bound.ContainsKey('AutomaticStartDelay')) { $row.StartDelay = $Bound.AutomaticStartDelay }
                if ($Bound.ContainsKey('AutomaticCheckpointsEnabled')) { $row.AutomaticCheckpoints = $Bound.AutomaticCheckpointsEnabled }
                if ($Bound.ContainsKey('CheckpointType')) { $row.CheckpointType = "$($Bound.CheckpointType)" }
                if ($Bound.ContainsKey('Notes')) { $row.Notes = $Bound.Notes }
            }
            Write-ModelState $State
        }
        'Rename-VM' {
            if ($Bound.NewName.Length -gt 100) { throw (New-Refusal 'The parameter is incorrect (0x80070057).') }
            foreach ($row in (Find-Row $State $Bound)) { $row.Name = $Bound.NewName }
            Write-ModelState $State
        }
        'Remove-VM' {
            foreach ($row in (Find-Row $State $Bound)) {
                Assert-Off $row 'The virtual machine'
                Remove-Item -LiteralPath ($row.Path + "\Virtual Machines\$($row.Id).vmcx") -ErrorAction Ignore
                $State.vms = @($State.vms | Where-Object { $_.Id -ne $row.Id })
            }
            Write-ModelState $State
        }
        'Start-VM' {
            foreach ($row in (Find-Row $State $Bound)) {
                Assert-Startable $State $row
                $row.State = 'Running'
                if ($row.PSObject.Properties['KvpOnStart']) { $row.Kvp = @($row.KvpOnStart) }
            }
            Write-ModelState $State
        }
        'Resume-VM' { foreach ($row in (Find-Row $State $Bound)) { $row.State = 'Running' }; Write-ModelState $State }
        'Stop-VM' {
            foreach ($row in (Find-Row $State $Bound)) {
                if ($row.State -ceq 'Saved' -and $Bound.ContainsKey('TurnOff')) { throw (New-Refusal 'There is no power to take away.' -Id 'InvalidState' -Category InvalidOperation -Target $row.Name) }
                if ($row.PSObject.Properties['Refuses'] -and $row.State -cne 'Off') { throw (New-Refusal 'It cannot be turned off in its current state.' -Id 'InvalidState' -Category InvalidOperation -Target $row.Name) }
                if ($row.PSObject.Properties['Worker'] -and $row.State -cne 'Off') { continue }; $row.State = $(if ($Bound.ContainsKey('Save') -and $Bound.Save) { 'Saved' } else { 'Off' })
            }
            Write-ModelState $State
        }
        'Remove-VMSavedState' { foreach ($row in (Find-Row $State $Bound)) { if ($row.State -cne 'Saved') { throw (New-Refusal 'There is no saved state.') }; $row.State = 'Off' }; Write-ModelState $State }
        'Set-VMProcessor' {
            foreach ($row in (Find-Row $State $Bound)) {
                if ($Bound.ContainsKey('Count')) { Assert-Off $row 'The number of processors'; $row.Count = $Bound.Count }
                if ($Bound.ContainsKey('ExposeVirtualizationExtensions')) { Assert-Off $row 'Nesting'; $row.Nested = $Bound.ExposeVirtualizationExtensions }
            }
            Write-ModelState $State
        }
        'Set-VMMemory' {
            foreach ($row in (Find-Row $State $Bound)) {
                foreach ($key in 'StartupBytes', 'MinimumBytes', 'MaximumBytes') {
                    if ($Bound.ContainsKey($key) -and $Bound[$key] % 2097152) { throw (New-Refusal 'The memory size is not properly aligned.') }
                }
                if ($Bound.ContainsKey('DynamicMemoryEnabled') -and $Bound.DynamicMemoryEnabled -ne $row.Dynamic) { Assert-Off $row 'Dynamic memory'; $row.Dynamic = $Bound.DynamicMemoryEnabled }
                if ($Bound.ContainsKey('StartupBytes') -and $Bound.StartupBytes -ne $row.Startup) { if ($row.Dynamic) { Assert-Off $row 'Startup memory' }; $row.Startup = $Bound.StartupBytes }
                if ($Bound.ContainsKey('MinimumBytes')) { if ($Bound.MinimumBytes -gt $row.Minimum) { Assert-Off $row 'Minimum memory' }; $row.Minimum = $Bound.MinimumBytes }
                if ($Bound.ContainsKey('MaximumBytes')) { if ($Bound.MaximumBytes -lt $row.Maximum) { Assert-Off $row 'Maximum memory' }; $row.Maximum = $Bound.MaximumBytes }
                if ($row.Dynamic -and ($row.Minimum -gt $row.Startup -or $row.Startup -gt $row.Maximum)) { throw (New-Refusal 'Memory: minimum, startup and maximum do not go together.') }
            }
            Write-ModelState $State
        }
        'Set-VMFirmware' {
            foreach ($row in (Find-Row $State $Bound)) {
                if ($Bound.ContainsKey('EnableSecureBoot')) { Assert-Off $row 'Secure boot'; $row.SecureBoot = "$($Bound.EnableSecureBoot)" }
                if ($Bound.ContainsKey('SecureBootTemplate') -and $Bound.SecureBootTemplate -ne $row.Template) {
                    Assert-Off $row 'The secure boot template'
                    if ($row.Tpm) { throw (New-Refusal 'The template cannot be changed while the virtual TPM holds state.' -Category InvalidOperation) }
                    if (@($State.host.templates) -notcontains $Bound.SecureBootTemplate) { throw (New-Refusal 'The value matches none of the secure boot templates.') }
                    $row.Template = $Bound.SecureBootTemplate
                }
                if ($Bound.ContainsKey('FirstBootDevice')) {
                    Assert-Off $row 'The boot order'
                    $device = $Bound.FirstBootDevice
                    $first = "$($device.ControllerNumber):$($device.ControllerLocation)"
                    $row.Boot = @($first) + @($row.Boot | Where-Object { $_ -ne $first })
                }
            }
            Write-ModelState $State
        }
        'Set-VMKeyProtector' {
            foreach ($row in (Find-Row $State $Bound)) {
                Assert-Off $row 'The key protector'
                $row.Protector = $(if ($Bound.ContainsKey('KeyProtector')) { [Convert]::ToBase64String($Bound.KeyProtector) } else { [Convert]::ToBase64String([byte[]] (1..64)) })
            }
            Write-ModelState $State
        }
        'Enable-VMTPM' {
            foreach ($row in (Find-Row $State $Bound)) {
                Assert-Off $row 'The TPM'
                if ([Convert]::FromBase64String($row.Protector).Length -lt 16) { throw (New-Refusal 'The virtual machine has no key protector.' -Category InvalidOperation) }
                $row.Tpm = $true
            }
            Write-ModelState $State
        }
        'Disable-VMTPM' { foreach ($row in (Find-Row $State $Bound)) { Assert-Off $row 'The TPM'; $row.Tpm = $false }; Write-ModelState $State }
        'Enable-VMIntegrationService' {
            foreach ($row in (Find-Row $State $Bound)) { $names = @($Bound.VMIntegrationService | ForEach-Object { $_.Name }); $row.IntegrationOff = @($row.IntegrationOff | Where-Object { $names -notcontains $_ }) }
            Write-ModelState $State
        }
    }
}

function Invoke-DeviceModel {
    param([string] $Cmdlet, $State, $Bound)
    switch ($Cmdlet) {
        'Add-VMScsiController' { foreach ($row in (Find-Row $State $Bound)) { Assert-Off $row 'A SCSI controller'; $row.Controllers++ }; Write-ModelState $State }
        'Add-VMHardDiskDrive' {
            foreach ($row in (Find-Row $State $Bound)) {
                $number = $(if ($Bound.ContainsKey('ControllerNumber')) { $Bound.ControllerNumber } else { 0 })
                $location = $(if ($Bound.ContainsKey('ControllerLocation')) { $Bound.ControllerLocation } else { Get-FreeLocation $row $number })
                Assert-FreePlace $row $number $location
                Assert-Chain $Bound.Path
                $disk = [pscustomobject] @{ Path = $Bound.Path; Number = $number; Location = $location; Shared = [bool] ($Bound.ContainsKey('SupportPersistentReservations') -and $Bound.SupportPersistentReservations) }
                $row.Disks = @($row.Disks) + $disk
                $row.Boot = @($row.Boot) + "$number`:$location"
                Write-ModelState $State
                if ($Bound.ContainsKey('Passthru') -and $Bound.Passthru) { ConvertTo-Disk $row $disk }
            }
        }
        'Remove-VMHardDiskDrive' {
            foreach ($drive in $Bound.VMHardDiskDrive) {
                $row = @($State.vms | Where-Object { $_.Id -eq "$($drive.VMId)" })[0]
                $row.Disks = @($row.Disks | Where-Object { $_.Number -ne $drive.ControllerNumber -or $_.Location -ne $drive.ControllerLocation })
            }
            Write-ModelState $State
        }
        'Add-VMDvdDrive' {
            foreach ($row in (Find-Row $State $Bound)) {
                $number = $(if ($Bound.ContainsKey('ControllerNumber')) { $Bound.ControllerNumber } else { 0 })
                $location = $(if ($Bound.ContainsKey('ControllerLocation')) { $Bound.ControllerLocation } else { Get-FreeLocation $row $number })
                Assert-FreePlace $row $number $location
                $path = $(if ($Bound.ContainsKey('Path')) { $Bound.Path })
                $hash = $null
                if ($path) {
                    if (-not (Test-Path -LiteralPath $path)) { throw (New-Refusal "The system cannot find '$path'." -Id 'ObjectNotFound' -Category ObjectNotFound) }
                    $hash = (Get-FileHash -LiteralPath $path).Hash
                }
                $dvd = [pscustomobject] @{ Number = $number; Location = $location; Path = $path; Linger = 0; Hash = $hash }
                $row.Dvds = @($row.Dvds) + $dvd
                Write-ModelState $State
                if ($Bound.ContainsKey('Passthru') -and $Bound.Passthru) { ConvertTo-Dvd $row $dvd }
            }
        }
        'Set-VMDvdDrive' {
            foreach ($drive in $Bound.VMDvdDrive) {
                $row = @($State.vms | Where-Object { $_.Id -eq "$($drive.VMId)" })[0]
                $dvd = @($row.Dvds | Where-Object { $_.Number -eq $drive.ControllerNumber -and $_.Location -eq $drive.ControllerLocation })[0]
                if (-not $Bound.Path) { $dvd.Linger = 2 }
                else {
                    if ($dvd.Linger -gt 0) { throw (New-Refusal 'The drive is still ejecting.' -Id 'ResourceBusy' -Category ResourceBusy) }
                    if (-not (Test-Path -LiteralPath $Bound.Path)) { throw (New-Refusal "The system cannot find '$($Bound.Path)'." -Id 'ObjectNotFound' -Category ObjectNotFound) }
                    $dvd.Path = $Bound.Path
                    $dvd.Hash = (Get-FileHash -LiteralPath $Bound.Path).Hash
                }
            }
            Write-ModelState $State
        }
        'Add-VMNetworkAdapter' {
            foreach ($row in (Find-Row $State $Bound)) {
                $mac = '000000000000'
                if ($Bound.ContainsKey('StaticMacAddress')) { $mac = $Bound.StaticMacAddress.Replace('-', '').Replace(':', '').ToUpperInvariant() }
                $adapter = [pscustomobject] @{
                    Name = $(if ($Bound.ContainsKey('Name')) { $Bound.Name } else { 'Network Adapter' }); Id = "Microsoft:$($row.Id)\$([guid]::NewGuid())"; Mac = $mac
                    DynamicMac = -not $Bound.ContainsKey('StaticMacAddress'); Spoofing = 'Off'; DhcpGuard = 'Off'; RouterGuard = 'Off'; SwitchName = $null
                    SwitchId = [guid]::Empty.ToString(); VlanMode = 'Untagged'; VlanId = 0; IPAddresses = @('fe80::1', '192.0.2.10'); Linger = 0; Gone = $false
                }
                if ($Bound.ContainsKey('SwitchName')) { Connect-ModelAdapter $State $adapter $Bound.SwitchName }
                $row.Adapters = @($row.Adapters) + $adapter
                Write-ModelState $State
                if ($Bound.ContainsKey('Passthru') -and $Bound.Passthru) { ConvertTo-Adapter $row $adapter }
            }
        }
        { $_ -in 'Remove-VMNetworkAdapter', 'Set-VMNetworkAdapter', 'Connect-VMNetworkAdapter', 'Disconnect-VMNetworkAdapter', 'Set-VMNetworkAdapterVlan', 'Rename-VMNetworkAdapter' } {
            foreach ($object in $Bound.VMNetworkAdapter) {
                $row = @($State.vms | Where-Object { $_.Id -eq "$($object.VMId)" })[0]
                $adapter = @($row.Adapters | Where-Object { $_.Id -eq $object.Id })[0]
                switch ($Cmdlet) {
                    'Remove-VMNetworkAdapter' { $adapter.Gone = $true }
                    'Rename-VMNetworkAdapter' { $adapter.Name = $Bound.NewName }
                    'Set-VMNetworkAdapter' {
                        if ($Bound.ContainsKey('StaticMacAddress')) { Assert-Off $row 'The MAC address'; $adapter.Mac = $Bound.StaticMacAddress.Replace('-', '').Replace(':', '').ToUpperInvariant(); $adapter.DynamicMac = $false }
                        if ($Bound.ContainsKey('DynamicMacAddress')) { Assert-Off $row 'The MAC address'; $adapter.DynamicMac = $true }
                        if ($Bound.ContainsKey('MacAddressSpoofing')) { $adapter.Spoofing = "$($Bound.MacAddressSpoofing)" }
                        if ($Bound.ContainsKey('DhcpGuard')) { $adapter.DhcpGuard = "$($Bound.DhcpGuard)" }
                        if ($Bound.ContainsKey('RouterGuard')) { $adapter.RouterGuard = "$($Bound.RouterGuard)" }
                    }
                    'Connect-VMNetworkAdapter' { Connect-ModelAdapter $State $adapter $(if ($Bound.ContainsKey('VMSwitch')) { $Bound.VMSwitch.Name } else { $Bound.SwitchName }) }
                    'Disconnect-VMNetworkAdapter' { $adapter.SwitchName = $null; $adapter.SwitchId = [guid]::Empty.ToString() }
                    'Set-VMNetworkAdapterVlan' {
                        if ($Bound.ContainsKey('Access') -and $Bound.Access) { $adapter.VlanMode = 'Access'; $adapter.VlanId = $Bound.VlanId } else { $adapter.VlanMode = 'Untagged'; $adapter.VlanId = 0 }
                    }
                }
            }
            Write-ModelState $State
        }
    }
}

function Connect-ModelAdapter {
    param($State, $Adapter, [string] $Name)
    $switch = @($State.switches | Where-Object { $_.Name -eq $Name })
    if ($switch.Count -ne 1) { throw (New-Refusal "There is no switch '$Name'." -Target $Name) }
    $Adapter.SwitchName = $switch[0].Name
    $Adapter.SwitchId = $switch[0].Id
}

function Invoke-ReadModel {
    param([string] $Cmdlet, $State, $Bound)
    # Of such a machine the host answers nothing to these.
    if ($Bound.ContainsKey('VM')) {
        $rows = @(Find-Row $State $Bound)
        if ($rows.Count -eq 0) { throw (New-Refusal 'Hyper-V was unable to find the virtual machine.' -Category ObjectNotFound) }
        foreach ($row in $rows) { if ($row.PSObject.Properties['Unreadable'] -and $row.Unreadable -contains $Cmdlet) { throw (New-Refusal 'The object cannot be read.' -Id 'OperationFailed' -Category ReadError) } }
    }
    switch ($Cmdlet) {
        'Get-VM' {
            foreach ($row in (Find-Row $State $Bound)) { ConvertTo-VM $row }
            # One that goes right after it was listed.
            if (@($State.vms | Where-Object { $_.PSObject.Properties['Vanishes'] }).Count -gt 0) { $State.vms = @($State.vms | Where-Object { -not $_.PSObject.Properties['Vanishes'] }); Save-Quietly $State }
        }
        'Get-VMProcessor' { foreach ($row in (Find-Row $State $Bound)) { New-HyperVObject VMProcessor @{ Count = $row.Count; ExposeVirtualizationExtensions = $row.Nested; VMId = [guid] $row.Id } } }
        'Get-VMMemory' {
            foreach ($row in (Find-Row $State $Bound)) { New-HyperVObject VMMemory @{ Startup = $row.Startup; Minimum = $row.Minimum; Maximum = $row.Maximum; DynamicMemoryEnabled = $row.Dynamic; VMId = [guid] $row.Id } }
        }
        'Get-VMFirmware' {
            foreach ($row in (Find-Row $State $Bound)) { New-HyperVObject VMFirmware @{ SecureBoot = $row.SecureBoot; SecureBootTemplate = $row.Template; VMId = [guid] $row.Id; BootOrder = @() } }
        }
        'Get-VMSecurity' { foreach ($row in (Find-Row $State $Bound)) { New-HyperVObject VMSecurity @{ TpmEnabled = $row.Tpm } } }
        'Get-VMKeyProtector' { foreach ($row in (Find-Row $State $Bound)) { , [Convert]::FromBase64String($row.Protector) } }
        'Get-VMSnapshot' { foreach ($row in (Find-Row $State $Bound)) { foreach ($name in $row.Snapshots) { New-HyperVObject VMSnapshot @{ Name = $name; VMId = [guid] $row.Id } } } }
        'Get-VMScsiController' { foreach ($row in (Find-Row $State $Bound)) { for ($i = 0; $i -lt $row.Controllers; $i++) { New-HyperVObject VMScsiController @{ ControllerNumber = $i; VMId = [guid] $row.Id } } } }
        'Get-VMHardDiskDrive' { foreach ($row in (Find-Row $State $Bound)) { foreach ($disk in @($row.Disks | Where-Object { Test-Place $_ $Bound })) { ConvertTo-Disk $row $disk } } }
        'Get-VMDvdDrive' {
            foreach ($row in (Find-Row $State $Bound)) {
                foreach ($dvd in @($row.Dvds | Where-Object { Test-Place $_ $Bound })) {
                    ConvertTo-Dvd $row $dvd
                    if ($dvd.Linger -gt 0) { $dvd.Linger--; if ($dvd.Linger -eq 0) { $dvd.Path = $null; $dvd.Hash = $null }; Save-Quietly $State }
                }
            }
        }
        'Get-VMNetworkAdapter' {
            foreach ($row in (Find-Row $State $Bound)) {
                foreach ($adapter in @($row.Adapters)) {
                    if (-not $Bound.ContainsKey('Name') -or $adapter.Name -like $Bound.Name) { ConvertTo-Adapter $row $adapter }
                    if ($adapter.Gone) {
                        if ($adapter.Linger -gt 0) { $adapter.Linger-- } else { $row.Adapters = @($row.Adapters | Where-Object { $_.Id -ne $adapter.Id }) }
                        Save-Quietly $State
                    }
                }
            }
        }
        'Get-VMNetworkAdapterVlan' { foreach ($object in $Bound.VMNetworkAdapter) { $object.VlanSetting } }
        'Get-VMIntegrationService' {
            foreach ($row in (Find-Row $State $Bound)) {
                foreach ($pair in @(@('Gastdienstschnittstelle', 'Guest Service Interface', '6C09BB55-D683-4DA0-8931-C9BF705F6480'), @('Takt', 'Heartbeat', '84EAAE65-2F2E-45F5-9BB5-0E857DC8EB47'), @('Herunterfahren', 'Shutdown', '9F8233AC-BE49-4C79-8EE3-E7E1985B2077'), @('Datenaustausch', 'Key-Value Pair Exchange', '2A34B1C2-FD73-4043-8A5B-DD2159BC743F'))) {
                    New-HyperVObject VMIntegrationComponent @{ Name = $pair[0]; Id = "Microsoft:$($row.Id)\$($pair[2])"; Enabled = ($row.IntegrationOff -notcontains $pair[1]); VMId = [guid] $row.Id; VMName = $row.Name; PrimaryOperationalStatus = 'Ok' }
                }
            }
        }
        'Get-VMSwitch' {
            foreach ($switch in $State.switches) {
                if ($Bound.ContainsKey('Id') -and @($Bound.Id | ForEach-Object { "$_" }) -notcontains $switch.Id) { continue }
                if ($Bound.ContainsKey('Name') -and -not @($Bound.Name | Where-Object { $switch.Name -like $_ })) { continue }
                New-HyperVObject VMSwitch @{ Name = $switch.Name; Id = [guid] $switch.Id; SwitchType = $switch.Type }
            }
        }
        'Get-NetNeighbor' { if ($State.PSObject.Properties['neighbors']) { $State.neighbors } }
        'Get-VMHost' {
            $facts = $State.host
            New-HyperVObject VMHost @{
                LogicalProcessorCount = $facts.processors; MemoryCapacity = $facts.memory; VirtualHardDiskPath = $facts.disks; VirtualMachinePath = $facts.machines
                SecureBootTemplates = @($facts.templates | ForEach-Object { New-HyperVObject SecureBootTemplate @{ Name = $_ } }); Name = 'HOST'
                SupportedVmVersions = @('9.0', '10.0'); MacAddressMinimum = '00155D010100'; MacAddressMaximum = '00155D0101FF'
            }
        }
    }
}

function Save-Quietly { param($State) [System.IO.File]::WriteAllText($env:HYPERV_STATE, (ConvertTo-Json -InputObject $State -Depth 12)) }

function Test-Place {
    param($Drive, $Bound)
    if ($Bound.ContainsKey('ControllerNumber') -and $Bound.ControllerNumber -ne $Drive.Number) { return $false }
    if ($Bound.ContainsKey('ControllerLocation') -and $Bound.ControllerLocation -ne $Drive.Location) { return $false }
    return $true
}

function Invoke-DiskModel {
    param([string] $Cmdlet, $State, $Bound)
    $path = @($Bound.Path)[0]
    switch ($Cmdlet) {
        'New-VHD' {
            if (Test-Path -LiteralPath $path) { throw (New-Refusal "The file '$path' exists." -Id 'ObjectExists' -Category ResourceExists) }
            $size = $(if ($Bound.ContainsKey('SizeBytes')) { $Bound.SizeBytes })
            $parent = $(if ($Bound.ContainsKey('ParentPath')) { $Bound.ParentPath })
            if ($parent) { Assert-Chain $parent; if (-not $size) { $size = (Read-Disk $parent).size } }
            Write-Disk $path ([pscustomobject] @{ format = 'VHDX'; size = $size; minimum = 0; parent = $parent; identifier = [guid]::NewGuid().ToString(); fixed = [bool] ($Bound.ContainsKey('Fixed')) })
            Write-ModelState $State
        }
        'Convert-VHD' {
            $disk = Read-Disk $path
            $disk.format = $(if ($Bound.DestinationPath -like '*.vhds') { 'VHDSet' } else { 'VHDX' }); $disk.parent = $null
            Write-Disk $Bound.DestinationPath $disk
            if ($Bound.ContainsKey('DeleteSource') -and $Bound.DeleteSource) { Remove-Item -LiteralPath $path }
            Write-ModelState $State
        }
        'Get-VHD' {
            foreach ($one in $Bound.Path) {
                $disk = Read-Disk $one
                New-HyperVObject VirtualHardDisk @{
                    Path = $one; VhdFormat = $disk.format; VhdType = $(if ($disk.parent) { 'Differencing' } elseif ($disk.fixed) { 'Fixed' } else { 'Dynamic' }); Size = $disk.size; FileSize = 4194304
                    MinimumSize = $(if ($disk.minimum) { $disk.minimum }); ParentPath = $disk.parent; DiskIdentifier = $disk.identifier; Attached = $false
                }
            }
        }
        'Test-VHD' { try { Assert-Chain $path; $true } catch { $false } }
        'Resize-VHD' {
            $disk = Read-Disk $path
            if ($Bound.SizeBytes -lt $disk.size) { throw (New-Refusal 'The disk cannot be made smaller.' -Id 'InvalidSize') }
            $disk.size = $Bound.SizeBytes
            Write-Disk $path $disk
            Write-ModelState $State
        }
        'Set-VHD' {
            if (@($State.vms | Where-Object { @($_.Disks | ForEach-Object { $_.Path }) -contains $path }).Count) { throw (New-Refusal "The disk '$path' is in use." -Id 'ResourceBusy' -Category ResourceBusy) }
            $disk = Read-Disk $path
            $disk.identifier = [guid]::NewGuid().ToString()
            Write-Disk $path $disk
            Write-ModelState $State
        }
    }
}

function Invoke-CimModel {
    param([string] $Cmdlet, $State, $Bound)
    if ($Cmdlet -eq 'Invoke-CimMethod') {
        if ($Bound.MethodName -eq 'InitiateShutdown') {
            $row = @($State.vms | Where-Object { $_.Id -eq $Bound.InputObject.SystemName })[0]
            if (-not $row.PSObject.Properties['Worker']) { $row.State = 'Off' }
            Write-ModelState $State
        }
        return [pscustomobject] @{ ReturnValue = [uint32] 0 }
    }
    $class = $(if ($Bound.ContainsKey('ClassName')) { $Bound.ClassName } else { '' })
    $running = @($State.vms | Where-Object { $_.State -eq 'Running' -and (-not $Bound.ContainsKey('Filter') -or $Bound.Filter.ToUpperInvariant().Contains($_.Id.ToUpperInvariant())) })
    switch ($class) {
        'Win32_OperatingSystem' { [pscustomobject] @{ BuildNumber = "$($State.host.build)"; Version = "10.0.$($State.host.build)"; ProductType = [uint32] 3; FreePhysicalMemory = [uint64] ($State.host.memory / 1024); Caption = 'Model' } }
        'Win32_LogicalDisk' { [pscustomobject] @{ DeviceID = 'C:'; DriveType = [uint32] 3; FileSystem = 'NTFS'; FreeSpace = [uint64] $State.host.free } }
        'Win32_Volume' { [pscustomobject] @{ Name = 'C:\'; DriveLetter = 'C:'; FileSystem = 'NTFS'; FreeSpace = [uint64] $State.host.free } }
        'Msvm_ComputerSystem' { foreach ($row in $running) { [pscustomobject] @{ Name = $row.Id; ElementName = $row.Name; ProcessID = [uint32] $(if ($row.PSObject.Properties['Worker']) { $row.Worker } else { 0 }) } } }
        'Win32_Process' {
            foreach ($row in @($State.vms | Where-Object { $_.State -ceq 'Running' -and $_.PSObject.Properties['Worker'] -and $Bound.Filter -ceq "ProcessId=$($_.Worker)" })) {
                [pscustomobject] @{ ProcessId = [uint32] $row.Worker; Name = 'vmwp.exe'; CommandLine = "C:\Windows\System32\vmwp.exe $(([guid] $row.WorkerOf).ToString().ToUpperInvariant())" }
            }
        }
        'Msvm_ShutdownComponent' { foreach ($row in $running) { [pscustomobject] @{ SystemName = $row.Id } } }
        'Msvm_KvpExchangeComponent' {
            foreach ($row in $running) {
                $items = @(foreach ($item in $row.Kvp) {
                        $name = [System.Security.SecurityElement]::Escape($item.Name); $data = [System.Security.SecurityElement]::Escape($item.Data)
                        "<INSTANCE CLASSNAME=`"Msvm_KvpExchangeDataItem`"><PROPERTY NAME=`"Data`" TYPE=`"string`"><VALUE>$data</VALUE></PROPERTY><PROPERTY NAME=`"Name`" TYPE=`"string`"><VALUE>$name</VALUE></PROPERTY></INSTANCE>"
                    })
                [pscustomobject] @{ SystemName = $row.Id.ToUpperInvariant(); GuestExchangeItems = $items; GuestIntrinsicExchangeItems = @() }
            }
        }
        default { }
    }
}

function Invoke-HyperVModel {
    param([string] $Cmdlet, [string] $Set, [hashtable] $Bound)
    if ($env:HYPERV_FAIL -and $env:HYPERV_FAIL -eq $Cmdlet) { throw (New-Refusal $(if ($env:HYPERV_FAIL_TEXT) { $env:HYPERV_FAIL_TEXT } else { "$Cmdlet fails on purpose." }) -Id 'OnPurpose' -Category DeviceError) }
    $verb = $Cmdlet.Split('-')[0]
    if ($env:SWEEP_CONTROL -and $verb -notin 'Get', 'Test' -and (Test-Point call)) { throw (New-Refusal "$Cmdlet fails on purpose." -Id 'OnPurpose' -Category DeviceError) }
    $state = Read-ModelState
    if ($Cmdlet -like '*-Cim*') { return Invoke-CimModel $Cmdlet $state $Bound }
    if ($Cmdlet -like '*-VHD') { return Invoke-DiskModel $Cmdlet $state $Bound }
    if ($verb -eq 'Get') { return Invoke-ReadModel $Cmdlet $state $Bound }
    if ($Cmdlet -like '*Drive' -or $Cmdlet -like '*NetworkAdapter*' -or $Cmdlet -like '*ScsiController') { return Invoke-DeviceModel $Cmdlet $state $Bound }
    return Invoke-MachineModel $Cmdlet $state $Bound
}
