# Cmdlets over the two programs `eryphc` (compiles) and `eryph-runtime` (carries out), both found on PATH.
#
# No value ever becomes part of a program text: arguments go to the programs as a list, documents and values of slots by
# standard input, values of variables by a file that only the user can read. Windows PowerShell 5.1 and PowerShell 7.
Set-StrictMode -Version Latest
# No $ErrorActionPreference here: it would turn each error that a cmdlet writes into the end of the user's pipeline. The
# functions that do the work set it for themselves, and the cmdlets write what they throw.

# ---- running the two programs ----

# One argument as the C runtime of Windows reads it back; for 5.1, whose .NET has no list of arguments.
function ConvertTo-Argument {
    param([string] $Text)
    if ($Text -and $Text.IndexOfAny(" `t`n`v`"".ToCharArray()) -lt 0) { return $Text }
    $out = New-Object -TypeName System.Text.StringBuilder
    $null = $out.Append('"')
    $slashes = 0
    foreach ($character in $Text.ToCharArray()) {
        if ($character -ceq '\') { $slashes++; continue }
        # Backslashes count double before a quote, and only there.
        if ($character -ceq '"') { $null = $out.Append('\', 2 * $slashes + 1).Append('"') }
        else { $null = $out.Append('\', $slashes).Append($character) }
        $slashes = 0
    }
    $null = $out.Append('\', 2 * $slashes).Append('"')
    $out.ToString()
}

function Find-Program {
    param([string] $Name)
    # cmd.exe would parse the arguments of a batch file once more.
    $found = Get-Command -Name $Name -CommandType Application -ErrorAction Ignore | Where-Object { $_.Extension -cnotin '.cmd', '.bat' } | Select-Object -First 1
    if ($null -eq $found) { throw (New-Fault -Id 'EryphcNotFound' -Category ObjectNotFound -Message "The program '$Name' is not on PATH. Install it with: pipx install eryphc") }
    $found.Source
}

# Runs a program and gives { code, out, err }; `Text` is its standard input.
function Invoke-Eryph {
    param([string] $Name, [string[]] $Arguments, [string] $Text = '')
    $ErrorActionPreference = 'Stop'
    $utf8 = New-Object -TypeName System.Text.UTF8Encoding -ArgumentList $false
    $start = New-Object -TypeName System.Diagnostics.ProcessStartInfo
    $start.FileName = Find-Program $Name
    if ($null -ne $start.PSObject.Properties['ArgumentList']) { foreach ($one in $Arguments) { $start.ArgumentList.Add($one) } }
    else { $start.Arguments = @($Arguments | ForEach-Object { ConvertTo-Argument $_ }) -join ' ' }
    $start.WorkingDirectory = (Get-Location -PSProvider FileSystem).ProviderPath
    $start.UseShellExecute = $false
    $start.CreateNoWindow = $true
    $start.RedirectStandardInput = $true
    $start.RedirectStandardOutput = $true
    $start.RedirectStandardError = $true
    $start.StandardOutputEncoding = $utf8
    $start.StandardErrorEncoding = $utf8
    $start.EnvironmentVariables['PYTHONIOENCODING'] = 'utf-8'
    $process = [System.Diagnostics.Process]::Start($start)
    try {
        $out = $process.StandardOutput.ReadToEndAsync()
        $err = $process.StandardError.ReadToEndAsync()
        $bytes = $utf8.GetBytes($Text)
        # The stream below the writer: the writer of 5.1 adds a byte order mark.
        $stream = $process.StandardInput.BaseStream
        try { $stream.Write($bytes, 0, $bytes.Length); $stream.Dispose() } catch [System.IO.IOException] { Write-Debug 'The program did not read its input to the end.' }
        $process.WaitForExit()
        [pscustomobject] @{ code = $process.ExitCode; out = $out.Result; err = $err.Result }
    }
    finally {
        if (-not $process.HasExited) { $process.Kill() }
        $process.Dispose()
    }
}

function New-Fault {
    param([string] $Id, [System.Management.Automation.ErrorCategory] $Category, [string] $Message, $Target)
    $exception = New-Object -TypeName System.InvalidOperationException -ArgumentList $Message
    New-Object -TypeName System.Management.Automation.ErrorRecord -ArgumentList $exception, $Id, $Category, $Target
}

# Runs eryph-runtime and gives its report; what it refuses or what failed is thrown. 4 means that changes are left.
function Invoke-Runtime {
    param([string] $Command, [string[]] $Arguments, [string] $Text = '', $Target)
    $ErrorActionPreference = 'Stop'
    $done = Invoke-Eryph -Name 'eryph-runtime' -Arguments (@($Command, '--format', 'json', '-q') + $Arguments) -Text $Text
    $report = $null
    try { $report = ConvertFrom-Json -InputObject $done.out } catch { Write-Debug 'The answer of eryph-runtime is no JSON.' }
    if ($done.code -in 0, 4 -and $null -ne $report) { return $report }
    $reasons = @($(if ($null -ne $report -and $report.PSObject.Properties['error']) { $report.error.reasons } else { $done.err.Trim() }))
    if ($null -ne $report -and $report.PSObject.Properties['error'] -and $report.error.PSObject.Properties['hint'] -and $report.error.hint) { $reasons += "hint: $($report.error.hint)" }
    switch ($done.code) {
        1 { throw (New-Fault -Id 'EryphcRefused' -Category InvalidOperation -Message ($reasons -join [Environment]::NewLine) -Target $Target) }
        2 { throw (New-Fault -Id 'EryphcUsage' -Category InvalidArgument -Message ($reasons -join [Environment]::NewLine) -Target $Target) }
        default { throw (New-Fault -Id 'EryphcHostFailed' -Category ResourceUnavailable -Message ($reasons -join [Environment]::NewLine) -Target $Target) }
    }
}

# The diagnostics of a build as PowerShell shows such things; answers whether it succeeded.
function Write-Diagnostic {
    param($Done, $Target, $Cmdlet)
    $list = @()
    if ($Done.err.TrimStart().StartsWith('[')) { try { $list = @(ConvertFrom-Json -InputObject $Done.err | ForEach-Object { $_ }) } catch { $list = @() } }
    elseif ($Done.err.Trim() -and $Done.code -ne 0) { $Cmdlet.WriteError((New-Fault -Id 'EryphcFailed' -Category InvalidOperation -Message $Done.err.Trim() -Target $Target)) }
    $errors = @($list | Where-Object { $_.level -ceq 'error' })
    foreach ($one in $list) {
        $place = $(if ($null -ne $one.file) { "$($one.file):$($one.line):$($one.column): " } else { '' })
        $text = "$place$($one.message) [$($one.code)]" + $(if ($one.help) { [Environment]::NewLine + "help: $($one.help)" } else { '' })
        switch ($one.level) {
            'error' { $Cmdlet.WriteError((New-Fault -Id $one.code -Category InvalidData -Message $text -Target $Target)) }
            'warning' { Write-Warning -Message $text }
            default { Write-Verbose -Message $text }
        }
    }
    if ($Done.code -ne 0 -and $errors.Count -eq 0 -and $list.Count -gt 0) { $Cmdlet.WriteError((New-Fault -Id 'EryphcFailed' -Category InvalidOperation -Message "eryphc ended with $($Done.code)." -Target $Target)) }
    $Done.code -eq 0
}

# ---- documents, values, objects ----

# Lines that came from one file are one document; Get-Content tells the file at the object that is in the pipeline.
function Add-Line {
    param($Documents, [string] $Line, $Origin)
    $from = $(if ($Origin -is [string]) { $Origin.PSObject.Properties['PSPath'] })
    $source = $(if ($null -ne $from) { "$($from.Value)" } else { '' })
    if ($Documents.Count -eq 0 -or $Documents[$Documents.Count - 1].source -cne $source) {
        $null = $Documents.Add(@{ source = $source; lines = New-Object -TypeName System.Collections.ArrayList })
    }
    $null = $Documents[$Documents.Count - 1].lines.Add($Line)
}

function Get-PlainText {
    param($Value)
    if ($Value -is [System.Security.SecureString]) { return (New-Object -TypeName System.Net.NetworkCredential -ArgumentList '', $Value).Password }
    [string] $Value
}

function ConvertTo-Option {
    param([string] $Option, [System.Collections.IDictionary] $Map)
    foreach ($key in @($Map.Keys | Sort-Object)) { $Option; "$key=$($Map[$key])" }
}

# Where catlets are kept that are made from the pipeline: the user's own folder, one folder a catlet id.
function Get-DeploymentRoot {
    if ($env:ERYPHC_DEPLOYMENTS) { return $env:ERYPHC_DEPLOYMENTS }
    if ($env:LOCALAPPDATA) { return (Join-Path -Path $env:LOCALAPPDATA -ChildPath 'eryphc/catlets') }
    $data = $(if ($env:XDG_DATA_HOME) { $env:XDG_DATA_HOME } else { Join-Path -Path $HOME -ChildPath '.local/share' })
    Join-Path -Path $data -ChildPath 'eryphc/catlets'
}

function Read-Deployment {
    param([string] $Path)
    ConvertFrom-Json -InputObject ([System.IO.File]::ReadAllText($Path))
}

# Deployments kept here, by catlet id.
function Get-KnownDeployment {
    $known = @{}
    $root = Get-DeploymentRoot
    if (Test-Path -LiteralPath $root -PathType Container) {
        foreach ($folder in @(Get-ChildItem -LiteralPath $root -Directory)) {
            $file = Join-Path -Path $folder.FullName -ChildPath 'deployment.json'
            if (Test-Path -LiteralPath $file -PathType Leaf) { $known[$folder.Name] = $file }
        }
    }
    $known
}

function New-CatletObject {
    param($Machine, [string] $CatletId, $DeploymentPath, [string] $HyperVHost, $Seal)
    [pscustomobject] @{
        PSTypeName = 'Eryphc.Catlet'; Name = $Machine.name; State = $Machine.state; Status = $Machine.broad_state; CatletId = $CatletId; VmId = $Machine.id
        Owner = $Machine.owner; MachinePath = $Machine.path; Seal = $Seal; DeploymentPath = $DeploymentPath; HyperVHost = $HyperVHost
    }
}

# Compiles one document or file. Gives { done, path, catlet }; path and catlet are null when it failed.
function Invoke-Build {
    param([string] $SpecPath, [string] $Text, [hashtable] $Options)
    $ErrorActionPreference = 'Stop'
    $quiet = @{ WhatIf = $false; Confirm = $false }
    $root = Get-DeploymentRoot
    $out = $(if ($Options.OutputPath) { $ExecutionContext.SessionState.Path.GetUnresolvedProviderPathFromPSPath($Options.OutputPath) } else { Join-Path -Path $root -ChildPath ('new-' + [guid]::NewGuid().ToString()) })
    $spec = $(if ($SpecPath) { $ExecutionContext.SessionState.Path.GetUnresolvedProviderPathFromPSPath($SpecPath) } else { '-' })
    $arguments = @('build', '--target', 'hyperv', '--output', $out, '--diagnostics', 'json', '--no-input', '--quiet')
    if ($Options.Name) { $arguments += '--name', $Options.Name }
    foreach ($pool in $Options.Genepool) { $arguments += '--genepool', $pool }
    $arguments += @(ConvertTo-Option '--open' $Options.Open)
    $values = $null
    try {
        $null = New-Item -ItemType Directory -Path (Split-Path -Path $out -Parent) -Force @quiet
        if ($Options.Variables.Count -gt 0) {
            $plain = @{}
            foreach ($key in $Options.Variables.Keys) { $plain[[string] $key] = Get-PlainText $Options.Variables[$key] }
            # Only the user can read a file that this makes.
            $values = [System.IO.Path]::GetTempFileName()
            [System.IO.File]::WriteAllText($values, (ConvertTo-Json -InputObject $plain))
            $arguments += '--var-file', $values
        }
        $done = Invoke-Eryph -Name 'eryphc' -Arguments ($arguments + @('--', $spec)) -Text $Text
        if ($done.code -ne 0) { return @{ done = $done; path = $null; catlet = $null } }
        $file = Join-Path -Path $out -ChildPath 'deployment.json'
        $deployment = Read-Deployment $file
        if (-not $Options.OutputPath) {
            # One catlet, one folder: the id is made of project, environment and name.
            $kept = Join-Path -Path $root -ChildPath $deployment.catlet.id
            if (Test-Path -LiteralPath $kept) { Remove-Item -LiteralPath $kept -Recurse -Force @quiet }
            Move-Item -LiteralPath $out -Destination $kept @quiet
            $file = Join-Path -Path $kept -ChildPath 'deployment.json'
        }
        @{ done = $done; path = $file; catlet = $deployment.catlet }
    }
    finally {
        if ($null -ne $values) { Remove-Item -LiteralPath $values -Force @quiet }
        if (-not $Options.OutputPath -and (Test-Path -LiteralPath $out)) { Remove-Item -LiteralPath $out -Recurse -Force @quiet }
    }
}

# The same, with its diagnostics written by the cmdlet; nothing after errors.
function Complete-Build {
    param($Cmdlet, [string] $SpecPath, $Document, [hashtable] $Options)
    $target = $(if ($SpecPath) { $SpecPath } else { Get-DocumentName $Document })
    $text = $(if ($null -ne $Document) { ($Document.lines -join "`n") + "`n" } else { '' })
    try { $built = Invoke-Build -SpecPath $SpecPath -Text $text -Options $Options } catch { $Cmdlet.WriteError($_); return }
    if ((Write-Diagnostic $built.done $target $Cmdlet) -and $null -ne $built.path) { $built }
}

# The path without the name of its provider, which the path of Get-Content begins with.
function Get-DocumentName {
    param($Document)
    if (-not $Document.source) { return 'the catlet from the pipeline' }
    $at = $Document.source.IndexOf('::', [System.StringComparison]::Ordinal)
    if ($at -lt 0) { $Document.source } else { $Document.source.Substring($at + 2) }
}

# The machines that a cmdlet was given: objects, names with wildcards, or a deployment.
function Resolve-Catlet {
    param($Cmdlet, $InputObject, [string[]] $Name, [string] $DeploymentPath, [string] $HyperVHost)
    switch ($Cmdlet.ParameterSetName) {
        'Object' { $InputObject }
        'Name' {
            foreach ($one in $Name) {
                $found = @(Get-Catlet -Name $one -HyperVHost $HyperVHost)
                if ($found.Count -eq 0 -and -not [System.Management.Automation.WildcardPattern]::ContainsWildcardCharacters($one)) {
                    $Cmdlet.WriteError((New-Fault -Id 'EryphcNoCatlet' -Category ObjectNotFound -Message "There is no catlet '$one' on $HyperVHost." -Target $one))
                }
                $found
            }
        }
        'Deployment' {
            $file = $ExecutionContext.SessionState.Path.GetUnresolvedProviderPathFromPSPath($DeploymentPath)
            if (Test-Path -LiteralPath $file -PathType Container) { $file = Join-Path -Path $file -ChildPath 'deployment.json' }
            $deployment = Read-Deployment $file
            [pscustomobject] @{ PSTypeName = 'Eryphc.Catlet'; Name = $deployment.machine.name; CatletId = $deployment.catlet.id; DeploymentPath = $file; HyperVHost = $HyperVHost }
        }
    }
}

# One command of the runtime on one catlet; a failure is that catlet's error, and the pipeline goes on.
function Invoke-OnCatlet {
    param($Cmdlet, [string] $Command, $Catlet, [string[]] $Options = @())
    try {
        if (-not $Catlet.DeploymentPath) {
            throw (New-Fault -Id 'EryphcNoDeployment' -Category ObjectNotFound -Message "The deployment of '$($Catlet.Name)' ($($Catlet.CatletId)) is not kept here: give -DeploymentPath." -Target $Catlet)
        }
        Invoke-Runtime -Command $Command -Arguments (@('--host', $Catlet.HyperVHost) + @($Options | Where-Object { $_ }) + @('--', $Catlet.DeploymentPath)) -Target $Catlet
    }
    catch { $Cmdlet.WriteError($_) }
}

function Get-DefaultHost { if ($env:ERYPH_HOST) { $env:ERYPH_HOST } else { 'local' } }

# ---- the cmdlets ----

function Build-Catlet {
    <#
    .SYNOPSIS
    Compiles a catlet to a Hyper-V deployment: deployment.json, deploy.ps1 and the seed ISO.
    .DESCRIPTION
    Takes the text of a catlet from the pipeline, or a file or folder by -Path. Nothing is changed on a host. What eryphc
    finds becomes errors, warnings and verbose messages.
    .PARAMETER InputObject
    The text of a catlet, in lines or as one string.
    .PARAMETER Path
    The file of a catlet, or a folder that holds catlet.yaml.
    .PARAMETER OutputPath
    The folder that gets the deployment; else a folder of the catlet below the user's own data.
    .PARAMETER Name
    Another name for the machine: one specification, many machines.
    .PARAMETER Variables
    Values of the catlet's variables; a SecureString is taken as it is.
    .PARAMETER Genepool
    Gene pools in order of priority.
    .PARAMETER Open
    Values that the deployment gets later, with their lengths.
    .EXAMPLE
    Get-Content web-config.yaml | Build-Catlet -OutputPath .\build
    .OUTPUTS
    Eryphc.Build with Name, CatletId, DeploymentPath.
    #>
    [CmdletBinding(DefaultParameterSetName = 'Text', SupportsShouldProcess = $true)]
    [OutputType('Eryphc.Build')]
    param(
        [Parameter(Mandatory = $true, ValueFromPipeline = $true, ParameterSetName = 'Text')] [AllowEmptyString()] [string[]] $InputObject,
        [Parameter(Mandatory = $true, Position = 0, ValueFromPipelineByPropertyName = $true, ParameterSetName = 'Path')] [Alias('FullName')] [string] $Path,
        [string] $OutputPath, [string] $Name, [hashtable] $Variables = @{}, [string[]] $Genepool = @(), [hashtable] $Open = @{}
    )
    begin {
        $documents = New-Object -TypeName System.Collections.ArrayList
        $options = @{ OutputPath = $OutputPath; Name = $Name; Variables = $Variables; Genepool = $Genepool; Open = $Open }
        $emit = { param($built) [pscustomobject] @{ PSTypeName = 'Eryphc.Build'; Name = $built.catlet.name; CatletId = $built.catlet.id; DeploymentPath = $built.path } }
    }
    process {
        if ($PSCmdlet.ParameterSetName -ceq 'Text') { foreach ($line in $InputObject) { Add-Line $documents $line $PSItem }; return }
        if (-not $PSCmdlet.ShouldProcess($Path, 'Build')) { return }
        $built = Complete-Build -Cmdlet $PSCmdlet -SpecPath $Path -Options $options
        if ($null -ne $built) { & $emit $built }
    }
    end {
        foreach ($document in $documents) {
            if (-not $PSCmdlet.ShouldProcess((Get-DocumentName $document), 'Build')) { continue }
            $built = Complete-Build -Cmdlet $PSCmdlet -Document $document -Options $options
            if ($null -ne $built) { & $emit $built }
        }
    }
}

function New-Catlet {
    <#
    .SYNOPSIS
    Creates a catlet on a Hyper-V host, or brings one that is there to what its specification says.
    .DESCRIPTION
    Compiles the catlet and applies the deployment. Run again with the same specification it changes nothing. The machine
    is not started: Start-Catlet does that.
    .PARAMETER InputObject
    The text of a catlet, in lines or as one string.
    .PARAMETER Path
    The file of a catlet, or a folder that holds catlet.yaml.
    .PARAMETER DeploymentPath
    A deployment that was built already: its folder, or its deployment.json.
    .PARAMETER Name
    Another name for the machine: one specification, many machines.
    .PARAMETER Variables
    Values of the catlet's variables; a SecureString is taken as it is.
    .PARAMETER Genepool
    Gene pools in order of priority.
    .PARAMETER Volume
    Disk images by drive: a VHDX file here, or host:PATH for one on the host.
    .PARAMETER Parameter
    Settings of the deployment that were left open, such as folder or switch-default.
    .PARAMETER Open
    Values that the deployment gets later, with their lengths.
    .PARAMETER Value
    The values of open slots; a SecureString is taken as it is.
    .PARAMETER Restart
    Power a running machine off for changes that need that, then on again.
    .PARAMETER TakeOver
    Act on a machine that another user deployed.
    .PARAMETER HyperVHost
    local (default), ssh://[USER@]HOST[:PORT] or winrm://[USER@]HOST[:PORT].
    .EXAMPLE
    Get-Content web-config.yaml | New-Catlet | Start-Catlet
    .EXAMPLE
    New-Catlet -Path .\web.yaml -Volume @{ sda = 'host:D:\Images\ubuntu.vhdx' } -HyperVHost ssh://admin@hyperv
    .OUTPUTS
    Eryphc.Catlet
    #>
    [CmdletBinding(DefaultParameterSetName = 'Text', SupportsShouldProcess = $true)]
    [OutputType('Eryphc.Catlet')]
    param(
        [Parameter(Mandatory = $true, ValueFromPipeline = $true, ParameterSetName = 'Text')] [AllowEmptyString()] [string[]] $InputObject,
        [Parameter(Mandatory = $true, Position = 0, ValueFromPipelineByPropertyName = $true, ParameterSetName = 'Path')] [Alias('FullName')] [string] $Path,
        [Parameter(Mandatory = $true, ValueFromPipelineByPropertyName = $true, ParameterSetName = 'Deployment')] [string] $DeploymentPath,
        [Parameter(ParameterSetName = 'Text')] [Parameter(ParameterSetName = 'Path')] [string] $Name,
        [Parameter(ParameterSetName = 'Text')] [Parameter(ParameterSetName = 'Path')] [hashtable] $Variables = @{},
        [Parameter(ParameterSetName = 'Text')] [Parameter(ParameterSetName = 'Path')] [string[]] $Genepool = @(),
        [Parameter(ParameterSetName = 'Text')] [Parameter(ParameterSetName = 'Path')] [hashtable] $Open = @{},
        [hashtable] $Volume = @{}, [hashtable] $Parameter = @{}, [hashtable] $Value = @{},
        [switch] $Restart, [switch] $TakeOver, [string] $HyperVHost = (Get-DefaultHost)
    )
    begin {
        $documents = New-Object -TypeName System.Collections.ArrayList
        $options = @{ OutputPath = ''; Name = $Name; Variables = $Variables; Genepool = $Genepool; Open = $Open }
        $cmdlet = $PSCmdlet
        $apply = {
            param($file, $catletId)
            $arguments = @('--host', $HyperVHost) + @(ConvertTo-Option '--volume' $Volume) + @(ConvertTo-Option '--param' $Parameter)
            foreach ($pool in $Genepool) { if (Test-Path -LiteralPath $pool -PathType Container) { $arguments += '--pool', $pool } }
            if ($Restart) { $arguments += '--restart' }
            if ($TakeOver) { $arguments += '--take-over' }
            $text = @($Value.Keys | Sort-Object | ForEach-Object { "$_=$(Get-PlainText $Value[$_])`n" }) -join ''
            try {
                $report = Invoke-Runtime -Command 'apply' -Arguments ($arguments + @('--', $file)) -Text $text -Target $file
                foreach ($note in $report.notes) { Write-Verbose -Message $note }
                foreach ($change in $report.left) { Write-Warning -Message "needs power off (-Restart): $($change.object): $($change.what)" }
                New-CatletObject -Machine $report.machine -CatletId $catletId -DeploymentPath $file -HyperVHost $HyperVHost -Seal $report.seal
            }
            catch { $cmdlet.WriteError($_) }
        }
    }
    process {
        $origin = $PSItem
        switch ($PSCmdlet.ParameterSetName) {
            'Text' { foreach ($line in $InputObject) { Add-Line $documents $line $origin } }
            'Path' {
                if ($PSCmdlet.ShouldProcess("$Path on $HyperVHost", 'Create catlet')) {
                    $built = Complete-Build -Cmdlet $PSCmdlet -SpecPath $Path -Options $options
                    if ($null -ne $built) { & $apply $built.path $built.catlet.id }
                }
            }
            'Deployment' {
                $catlet = @(Resolve-Catlet $PSCmdlet $null @() $DeploymentPath $HyperVHost)[0]
                if ($PSCmdlet.ShouldProcess("$($catlet.Name) on $HyperVHost", 'Create catlet')) { & $apply $catlet.DeploymentPath $catlet.CatletId }
            }
        }
    }
    end {
        foreach ($document in $documents) {
            if (-not $PSCmdlet.ShouldProcess("$(Get-DocumentName $document) on $HyperVHost", 'Create catlet')) { continue }
            $built = Complete-Build -Cmdlet $PSCmdlet -Document $document -Options $options
            if ($null -ne $built) { & $apply $built.path $built.catlet.id }
        }
    }
}

function Get-Catlet {
    <#
    .SYNOPSIS
    Lists the catlets of a Hyper-V host.
    .DESCRIPTION
    Finds them by the marker in their notes, whoever deployed them. DeploymentPath is set where the deployment is kept in
    the user's own data, as New-Catlet does.
    .PARAMETER Name
    Names, wildcards allowed.
    .PARAMETER HyperVHost
    local (default), ssh://[USER@]HOST[:PORT] or winrm://[USER@]HOST[:PORT].
    .EXAMPLE
    Get-Catlet | Where-Object Name -eq "shared-webserver" | Get-CatletIp
    .OUTPUTS
    Eryphc.Catlet
    #>
    [CmdletBinding()]
    [OutputType('Eryphc.Catlet')]
    param([Parameter(Position = 0)] [string[]] $Name = @('*'), [string] $HyperVHost = (Get-DefaultHost))
    $report = Invoke-Runtime -Command 'list' -Arguments @('--host', $HyperVHost) -Target $HyperVHost
    $known = Get-KnownDeployment
    foreach ($machine in $report.machines) {
        if (@($Name | Where-Object { $machine.name -like $_ }).Count -eq 0) { continue }
        New-CatletObject -Machine $machine -CatletId $machine.catlet -DeploymentPath $known[$machine.catlet] -HyperVHost $HyperVHost -Seal $null
    }
}

function Start-Catlet {
    <#
    .SYNOPSIS
    Starts catlets, or resumes them.
    .PARAMETER InputObject
    Catlets from New-Catlet or Get-Catlet.
    .PARAMETER Name
    Names, wildcards allowed.
    .PARAMETER DeploymentPath
    The deployment: its folder, or its deployment.json.
    .PARAMETER WaitSeconds
    Wait that long for an address of the guest; 0 does not wait.
    .PARAMETER Seal
    Wait for the end of provisioning, then replace the seed ISO by the one without secrets.
    .PARAMETER GuestUser
    With -Seal: ask cloud-init over SSH as this user too, for guests that publish nothing.
    .PARAMETER HyperVHost
    The host, with -Name and -DeploymentPath.
    .EXAMPLE
    Get-Content web-config.yaml | New-Catlet | Start-Catlet
    .OUTPUTS
    Eryphc.Catlet
    #>
    [CmdletBinding(DefaultParameterSetName = 'Object', SupportsShouldProcess = $true)]
    [OutputType('Eryphc.Catlet')]
    param(
        [Parameter(Mandatory = $true, ValueFromPipeline = $true, ParameterSetName = 'Object')] [PSTypeName('Eryphc.Catlet')] $InputObject,
        [Parameter(Mandatory = $true, Position = 0, ParameterSetName = 'Name')] [string[]] $Name,
        [Parameter(Mandatory = $true, ParameterSetName = 'Deployment')] [string] $DeploymentPath,
        [int] $WaitSeconds = 0, [switch] $Seal, [string] $GuestUser, [string] $HyperVHost = (Get-DefaultHost)
    )
    process {
        foreach ($catlet in @(Resolve-Catlet $PSCmdlet $InputObject $Name $DeploymentPath $HyperVHost)) {
            if (-not $PSCmdlet.ShouldProcess("$($catlet.Name) on $($catlet.HyperVHost)", 'Start catlet')) { continue }
            $report = Invoke-OnCatlet $PSCmdlet 'start' $catlet $(if ($WaitSeconds -gt 0) { '--wait', "$WaitSeconds" } else { @() })
            if ($null -eq $report) { continue }
            $state = $report.seal
            if ($Seal -and $state -ceq 'pending') {
                $sealed = Invoke-OnCatlet $PSCmdlet 'seal' $catlet (@('--wait') + @($(if ($GuestUser) { '--guest-user', $GuestUser })))
                if ($null -ne $sealed) { $state = $sealed.seal }
            }
            New-CatletObject -Machine $report.machine -CatletId $catlet.CatletId -DeploymentPath $catlet.DeploymentPath -HyperVHost $catlet.HyperVHost -Seal $state
        }
    }
}

function Stop-Catlet {
    <#
    .SYNOPSIS
    Shuts the guests of catlets down.
    .PARAMETER InputObject
    Catlets from New-Catlet or Get-Catlet.
    .PARAMETER Name
    Names, wildcards allowed.
    .PARAMETER DeploymentPath
    The deployment: its folder, or its deployment.json.
    .PARAMETER Force
    Turn a machine off whose guest does not shut down.
    .PARAMETER EndWorker
    As -Force, and end the process on the host of a machine that does not even turn off.
    .PARAMETER HyperVHost
    The host, with -Name and -DeploymentPath.
    .EXAMPLE
    Get-Catlet web* | Stop-Catlet
    .OUTPUTS
    Eryphc.Catlet
    #>
    [CmdletBinding(DefaultParameterSetName = 'Object', SupportsShouldProcess = $true)]
    [OutputType('Eryphc.Catlet')]
    param(
        [Parameter(Mandatory = $true, ValueFromPipeline = $true, ParameterSetName = 'Object')] [PSTypeName('Eryphc.Catlet')] $InputObject,
        [Parameter(Mandatory = $true, Position = 0, ParameterSetName = 'Name')] [string[]] $Name,
        [Parameter(Mandatory = $true, ParameterSetName = 'Deployment')] [string] $DeploymentPath,
        [switch] $Force, [switch] $EndWorker, [string] $HyperVHost = (Get-DefaultHost)
    )
    process {
        foreach ($catlet in @(Resolve-Catlet $PSCmdlet $InputObject $Name $DeploymentPath $HyperVHost)) {
            if (-not $PSCmdlet.ShouldProcess("$($catlet.Name) on $($catlet.HyperVHost)", 'Stop catlet')) { continue }
            $report = Invoke-OnCatlet $PSCmdlet 'stop' $catlet $(if ($EndWorker) { '--end-worker' } elseif ($Force) { '--force' } else { @() })
            if ($null -ne $report) { New-CatletObject -Machine $report.machine -CatletId $catlet.CatletId -DeploymentPath $catlet.DeploymentPath -HyperVHost $catlet.HyperVHost -Seal $null }
        }
    }
}

function Remove-Catlet {
    <#
    .SYNOPSIS
    Removes catlets: the machine, its disks and files, and nothing else.
    .PARAMETER InputObject
    Catlets from New-Catlet or Get-Catlet.
    .PARAMETER Name
    Names, wildcards allowed.
    .PARAMETER DeploymentPath
    The deployment: its folder, or its deployment.json.
    .PARAMETER KeepDisks
    Leave the disks.
    .PARAMETER Graceful
    Shut the guest down first.
    .PARAMETER HyperVHost
    The host, with -Name and -DeploymentPath.
    .EXAMPLE
    Get-Catlet web | Remove-Catlet
    #>
    [CmdletBinding(DefaultParameterSetName = 'Object', SupportsShouldProcess = $true, ConfirmImpact = 'High')]
    param(
        [Parameter(Mandatory = $true, ValueFromPipeline = $true, ParameterSetName = 'Object')] [PSTypeName('Eryphc.Catlet')] $InputObject,
        [Parameter(Mandatory = $true, Position = 0, ParameterSetName = 'Name')] [string[]] $Name,
        [Parameter(Mandatory = $true, ParameterSetName = 'Deployment')] [string] $DeploymentPath,
        [switch] $KeepDisks, [switch] $Graceful, [string] $HyperVHost = (Get-DefaultHost)
    )
    process {
        foreach ($catlet in @(Resolve-Catlet $PSCmdlet $InputObject $Name $DeploymentPath $HyperVHost)) {
            if (-not $PSCmdlet.ShouldProcess("$($catlet.Name) on $($catlet.HyperVHost)", 'Remove catlet with its disks')) { continue }
            $options = @()
            if ($KeepDisks) { $options += '--keep-disks' }
            if ($Graceful) { $options += '--graceful' }
            $report = Invoke-OnCatlet $PSCmdlet 'remove' $catlet $options
            if ($null -ne $report) { foreach ($path in $report.removed.files) { Write-Verbose -Message "removed $path" } }
        }
    }
}

function Get-CatletIp {
    <#
    .SYNOPSIS
    Gives the IP addresses of catlets.
    .PARAMETER InputObject
    Catlets from New-Catlet or Get-Catlet.
    .PARAMETER Name
    Names, wildcards allowed.
    .PARAMETER DeploymentPath
    The deployment: its folder, or its deployment.json.
    .PARAMETER WaitSeconds
    Wait at most that long for the first address.
    .PARAMETER HyperVHost
    The host, with -Name and -DeploymentPath.
    .EXAMPLE
    (Get-Catlet | Where-Object Name -eq "shared-webserver" | Get-CatletIp).IpAddress
    .OUTPUTS
    Eryphc.CatletIp with Name, CatletId, IpAddress, Adapter, Source; one object an address.
    #>
    [CmdletBinding(DefaultParameterSetName = 'Object')]
    [OutputType('Eryphc.CatletIp')]
    param(
        [Parameter(Mandatory = $true, ValueFromPipeline = $true, ParameterSetName = 'Object')] [PSTypeName('Eryphc.Catlet')] $InputObject,
        [Parameter(Mandatory = $true, Position = 0, ParameterSetName = 'Name')] [string[]] $Name,
        [Parameter(Mandatory = $true, ParameterSetName = 'Deployment')] [string] $DeploymentPath,
        [int] $WaitSeconds = 0, [string] $HyperVHost = (Get-DefaultHost)
    )
    process {
        foreach ($catlet in @(Resolve-Catlet $PSCmdlet $InputObject $Name $DeploymentPath $HyperVHost)) {
            $report = Invoke-OnCatlet $PSCmdlet 'ip' $catlet $(if ($WaitSeconds -gt 0) { '--wait', "$WaitSeconds" } else { @() })
            if ($null -eq $report) { continue }
            foreach ($one in $report.addresses) {
                [pscustomobject] @{ PSTypeName = 'Eryphc.CatletIp'; Name = $catlet.Name; CatletId = $catlet.CatletId; IpAddress = $one.address; Adapter = $one.adapter; Source = $one.source }
            }
        }
    }
}

function Test-Catlet {
    <#
    .SYNOPSIS
    Tells what would change if a catlet were deployed again. Nothing is changed.
    .PARAMETER InputObject
    Catlets from New-Catlet or Get-Catlet.
    .PARAMETER Name
    Names, wildcards allowed.
    .PARAMETER DeploymentPath
    The deployment: its folder, or its deployment.json.
    .PARAMETER HyperVHost
    The host, with -Name and -DeploymentPath.
    .EXAMPLE
    Get-Catlet | Test-Catlet | Where-Object { -not $_.Converged }
    .OUTPUTS
    Eryphc.CatletTest with Name, CatletId, Converged, NeedsPowerOff, Changes, Needs, Notes.
    #>
    [CmdletBinding(DefaultParameterSetName = 'Object')]
    [OutputType('Eryphc.CatletTest')]
    param(
        [Parameter(Mandatory = $true, ValueFromPipeline = $true, ParameterSetName = 'Object')] [PSTypeName('Eryphc.Catlet')] $InputObject,
        [Parameter(Mandatory = $true, Position = 0, ParameterSetName = 'Name')] [string[]] $Name,
        [Parameter(Mandatory = $true, ParameterSetName = 'Deployment')] [string] $DeploymentPath,
        [string] $HyperVHost = (Get-DefaultHost)
    )
    process {
        foreach ($catlet in @(Resolve-Catlet $PSCmdlet $InputObject $Name $DeploymentPath $HyperVHost)) {
            $report = Invoke-OnCatlet $PSCmdlet 'plan' $catlet
            if ($null -eq $report) { continue }
            $changes = @($report.changes | ForEach-Object { [pscustomobject] @{ Object = $_.object; What = $_.what; Is = $_.read; Wanted = $_.wanted; Kind = $_.kind; NeedsPowerOff = $_.needs_off } })
            [pscustomobject] @{
                PSTypeName = 'Eryphc.CatletTest'; Name = $catlet.Name; CatletId = $catlet.CatletId; Converged = $changes.Count -eq 0 -and @($report.needs).Count -eq 0
                NeedsPowerOff = $report.needs_off; Changes = $changes; Needs = @($report.needs); Notes = @($report.notes)
            }
        }
    }
}

Export-ModuleMember -Function New-Catlet, Build-Catlet, Get-Catlet, Start-Catlet, Stop-Catlet, Remove-Catlet, Get-CatletIp, Test-Catlet
