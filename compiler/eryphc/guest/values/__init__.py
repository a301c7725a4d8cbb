"""Whether the values of variables arrive in a guest as the values that they are.

`places` finds the values in a text and puts stand-ins there, `yaml` compares what the guest reads
with and without them, `shell` and `powershell` know how text is quoted, `lint` has the findings.
"""
