@{
    RootModule = 'Eryphc.psm1'
    ModuleVersion = '0.1.0'
    GUID = '5f0a9f0e-6a0e-4c55-9d4e-6d4b7f6a6a11'
    Author = 'The eryphc authors'
    Description = 'Catlets on Hyper-V: cmdlets over the programs eryphc and eryph-runtime.'
    PowerShellVersion = '5.1'
    CompatiblePSEditions = @('Desktop', 'Core')
    FunctionsToExport = @('New-Catlet', 'Build-Catlet', 'Get-Catlet', 'Start-Catlet', 'Stop-Catlet', 'Remove-Catlet', 'Get-CatletIp', 'Test-Catlet')
    CmdletsToExport = @()
    VariablesToExport = @()
    AliasesToExport = @()
    PrivateData = @{ PSData = @{ Tags = @('Hyper-V', 'cloud-init', 'eryph', 'virtual-machine'); License = 'MIT' } }
}
