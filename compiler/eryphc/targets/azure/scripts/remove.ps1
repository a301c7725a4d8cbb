# Removes the machine from Azure with what was made for it; -Help shows the options. Data disks stay unless -Data says
# otherwise; images always stay. The text is the same for every machine but for the constants. Windows PowerShell 5.1 and 7.
[CmdletBinding(PositionalBinding = $false)]
param([Alias('g')] [string] $Group = '', [switch] $Data, [switch] $Stack, [switch] $WhatIf, [switch] $Yes, [Alias('h')] [switch] $Help)

# ==== constants of this machine: data, never run ====
$catlet_id = @catlet_id@
$deployment = @deployment@
$os_disk = @os_disk@
# ==== end of the constants ====

# ==== common.ps1 stands here ====

$usage = @'
Usage: .\remove.ps1 -g GROUP [-Data] [-Stack] [-WhatIf] [-Yes]

Deletes what carries the id of this catlet in the resource group, the machine first.
It shows the list and asks before it deletes anything.

  -g GROUP   the resource group of the machine
  -Data      also delete the data disks, with all that is on them
  -Stack     the machine was deployed with -Stack: also delete the stack
  -WhatIf    show the list, and stop
  -Yes       do not ask
  -Help      show this
'@

# In this order nothing is in use when its turn comes.
$order = 'Microsoft.Compute/virtualMachines', 'Microsoft.Network/networkInterfaces', 'Microsoft.Network/virtualNetworks', 'Microsoft.Network/natGateways',
    'Microsoft.Network/publicIPAddresses', 'Microsoft.Network/networkSecurityGroups', 'Microsoft.Compute/disks'

# What carries our tag, with its turn: a place in the order, 'data', or 'other' for images, snapshots and what else got the tag from elsewhere.
function Get-Ours {
    $text = @(Invoke-Az 'resource', 'list', '--resource-group', $Group, '--query', '[].{type: type, id: id, tags: tags}', '--output', 'json') -join "`n"
    if ($script:Code -ne 0) { Stop-Run "What is in the resource group $Group cannot be listed.", "The message above is Azure's own." }
    foreach ($one in @(if ($text.Trim()) { ConvertFrom-Json $text | ForEach-Object { $_ } })) {
        if ($null -eq $one.tags -or $null -eq $one.tags.PSObject.Properties['eryphc-catlet-id'] -or $one.tags.'eryphc-catlet-id' -cne $catlet_id) { continue }
        $turn = 'other'
        for ($i = 0; $i -lt $order.Count; $i++) { if ($order[$i] -eq $one.type) { $turn = $i } }
        # The disk of the system goes with its machine, unless a deployment stopped half-way.
        if ($one.type -eq 'Microsoft.Compute/disks' -and -not $Data -and $one.id.Substring($one.id.LastIndexOf('/') + 1) -ne $os_disk) { $turn = 'data' }
        @{ turn = "$turn"; id = $one.id; shown = $one.id -creplace '\A.*?/providers/', '' }
    }
}

function Remove-Ours {
    param($Ours, [int[]] $Turns)
    foreach ($turn in $Turns) {
        foreach ($one in $Ours) {
            if ($one.turn -cne "$turn") { continue }
            Write-Text "Deleting $($one.shown)"
            Invoke-Az 'resource', 'delete', '--ids', $one.id, '--output', 'none'
            if ($script:Code -ne 0) { Stop-Run "$($one.id) could not be deleted.", "The message above is Azure's own. Mend what it names and run this again; what is gone stays gone." }
        }
    }
}

# Without -Data the stack lets go of everything, so that the data disks stay.
function Remove-Stack {
    param([string] $How)
    Invoke-Az 'stack', 'group', 'delete', '--name', $deployment, '--resource-group', $Group, '--action-on-unmanage', $How, '--yes', '--output', 'none'
    if ($script:Code -ne 0) { Stop-Run "The stack $deployment could not be deleted.", "The message above is Azure's own. Without -Stack this script needs no stack." }
}

Invoke-Program {
    if ($Help) { return $usage }
    Test-Group
    Test-Terminal (-not $Yes -and -not $WhatIf)
    Test-Login
    if (-not (Test-GroupExists)) { Stop-Run "There is no resource group $Group in this subscription.", 'Choose another subscription:', 'az account set --subscription NAME' }
    $ours = @(Get-Ours)
    $goes = @(foreach ($turn in 0..6) { $ours | Where-Object { $_.turn -ceq "$turn" } | ForEach-Object { "  $($_.shown)" } })
    $stays = @($ours | Where-Object { $_.turn -ceq 'data' } | ForEach-Object { "  $($_.shown) (a data disk; -Data deletes it)" }) + @($ours | Where-Object { $_.turn -ceq 'other' } | ForEach-Object { "  $($_.shown)" })
    if ($goes.Count -gt 0) { Write-Text (@('To be deleted:') + $goes) }
    if ($stays.Count -gt 0) { Write-Text (@('These stay:') + $stays) }
    if ($goes.Count -eq 0) {
        Write-Text "Nothing in the resource group $Group is to be deleted for this catlet."
        if (-not $Stack) { return }
    }
    if ($WhatIf) { return }
    $what = @(@(if ($goes.Count -gt 0) { 'this' }) + @(if ($Stack) { "the stack $deployment" })) -join ' and '
    Request-Consent "Delete ${what}?"
    if ($Stack -and $Data) { Remove-Stack 'deleteResources' } else { Remove-Ours $ours 0 }
    # With a machine go its interfaces and the disk of its system.
    Remove-Ours @(Get-Ours) (0..6)
    if ($Stack -and -not $Data) { Remove-Stack 'detachAll' }
    Write-Text 'Deleted.'
}
