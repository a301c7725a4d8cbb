"""Runs in an environment of its own: cloudbase-init's own code reads a network-config.

Usage: read_network_with_cloudbase_init.py NETWORK_CONFIG. Prints the links as JSON.
"""

import json
import pathlib
import sys

import yaml
from cloudbaseinit.metadata.services import nocloudservice

data = yaml.safe_load(pathlib.Path(sys.argv[1]).read_bytes())
details = nocloudservice.NoCloudNetworkConfigParser.parse(data)
print(json.dumps([[link.name, link.mac_address] for link in details.links]))
