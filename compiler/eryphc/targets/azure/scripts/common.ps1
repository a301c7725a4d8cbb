Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$Program = [System.IO.Path]::GetFileName($PSCommandPath)

# Standard output is for results alone; all other text goes where errors go.
function Write-Text { param([string[]] $Text) foreach ($line in $Text) { [Console]::Error.WriteLine($line) } }

# The first text says what is wrong, the others what to do next. Ends the run with this code.
function Stop-Run {
    param([string[]] $Text, [int] $Code = 1)
    Write-Text "${Program}: $($Text[0])"
    for ($i = 1; $i -lt $Text.Count; $i++) { Write-Text "  $($Text[$i])" }
    throw (New-Object System.OperationCanceledException "$Code")
}

function Stop-Usage { param([string] $Text) Stop-Run $Text, ".\$Program -Help shows the options." -Code 2 }

# The text as one word of a command of PowerShell.
function ConvertTo-Word { param([string] $Text) "'" + ($Text -creplace "(['\u2018\u2019\u201a\u201b])", '$1$1') + "'" }

function Test-Plain { param([string] $Text) $Text -cnotmatch '[\x00-\x1f\x7f]' }

# azure-cli reads a value that begins with '-' as an option and one that begins with '@' as a file, and on Windows its
# command passes through the command interpreter.
function Test-Group {
    if (-not $Group) { Stop-Usage '-g needs the name of a resource group.' }
    if ($Group -cmatch '^[-@]|[/\\''"%^&<>|]|\.$' -or $Group.Length -gt 90 -or -not (Test-Plain $Group)) { Stop-Usage "'$Group' is not the name of a resource group." }
}

function Test-Asking { -not [Console]::IsInputRedirected }

# Nothing of this waits for an answer that nobody can give.
function Test-Terminal {
    param([bool] $Asks)
    if ($Asks -and -not (Test-Asking)) { Stop-Run 'Nobody can be asked here: standard input is not a terminal.', 'Run it again with -Yes to go on without a question.' }
}

# Runs azure-cli with these arguments and without input, gives its output and keeps its exit code. No argument holds a
# double quote: Windows PowerShell would break it. The program azps.ps1, where it is, spares the command interpreter.
$script:Code = 0
$script:Az = $null
function Invoke-Az {
    param([string[]] $Arguments)
    $ErrorActionPreference = 'Continue'
    @() | & $script:Az @Arguments
    $script:Code = $LASTEXITCODE
}

# As above for what may not be there: exit code 3 says so, and is not worth an error.
function Search-Az {
    param([string[]] $Arguments)
    $ErrorActionPreference = 'Continue'
    $errors = Join-Path $script:Work 'errors'
    @() | & $script:Az @Arguments 2> $errors
    $script:Code = $LASTEXITCODE
    if ($script:Code -notin 0, 3) { foreach ($line in [System.IO.File]::ReadAllLines($errors)) { Write-Text $line } }
}

function Test-Login {
    $found = @(Get-Command -Name $(if ($env:OS -ceq 'Windows_NT') { 'azps.ps1', 'az' } else { 'az' }) -ErrorAction Ignore)
    if ($found.Count -eq 0) { Stop-Run 'The program az is not installed.', "Install Azure's command line azure-cli, run 'az login', then run this again." }
    $script:Az = $found[0]
    $subscription = @(Invoke-Az 'account', 'show', '--query', '[name, id]', '--output', 'tsv')
    if ($script:Code -ne 0) { Stop-Run 'Nobody is logged in to Azure.', "Run 'az login', then run this again." }
    Write-Text "Subscription: $($subscription -join ' ')"
}

function Test-GroupExists {
    $exists = @(Invoke-Az 'group', 'exists', '--name', $Group, '--output', 'tsv')
    if ($script:Code -ne 0) { Stop-Run "Azure does not say whether the resource group $Group exists.", "The message above is Azure's own." }
    "$exists" -ceq 'true'
}

function Request-Consent {
    param([string] $Question)
    if ($Yes) { return }
    [Console]::Error.Write("$Question [y/N] ")
    if ("$([Console]::In.ReadLine())" -notin 'y', 'yes') { Stop-Run 'Nothing was changed.' }
}

# A folder for files that nobody else may read, gone at the end however this ends.
$script:Work = $null
function New-Work {
    $folder = Join-Path ([System.IO.Path]::GetTempPath()) "eryphc-$([guid]::NewGuid().ToString('N'))"
    $null = [System.IO.Directory]::CreateDirectory($folder)
    $script:Work = $folder
    if ($env:OS -ceq 'Windows_NT') {
        $me = [System.Security.Principal.WindowsIdentity]::GetCurrent().User.Value
        $null = & icacls.exe $folder /inheritance:r /grant:r "*${me}:(OI)(CI)F"
    } else { & chmod 700 $folder }
    if ($LASTEXITCODE -ne 0) { Stop-Run "The folder $folder cannot be made private." }
}

# Runs the program, and cleans up after it.
function Invoke-Program {
    param([scriptblock] $Body)
    $result = 0
    try { & $Body | ForEach-Object { [Console]::Out.WriteLine("$_") } }
    catch [System.OperationCanceledException] { $result = [int] $_.Exception.Message }
    finally { if ($script:Work) { Remove-Item -LiteralPath $script:Work -Recurse -Force -ErrorAction Ignore } }
    exit $result
}
