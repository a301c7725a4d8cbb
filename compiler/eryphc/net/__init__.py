"""HTTP: the one room that opens connections. It knows addresses and bytes, neither genes nor disks.

`transport` makes one exchange, and alone imports urllib3 and truststore. `client` adds redirects,
retries, deadlines and sizes to it. `credentials` and `tokens` say who asks a registry.
"""
