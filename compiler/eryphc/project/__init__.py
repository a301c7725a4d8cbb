"""Where input is read: `eryphc.yaml`, the specifications, and the gene pools that belong to one."""
