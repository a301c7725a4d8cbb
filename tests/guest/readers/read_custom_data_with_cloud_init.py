"""Runs under the system's Python: cloud-init's Azure data source takes custom data out of its file.

Usage: read_custom_data_with_cloud_init.py CUSTOM_DATA, a file with the text of `customData`. Prints
what the guest reads, in base64.
"""

import sys
from base64 import b64encode
from pathlib import Path
from xml.sax.saxutils import escape

from cloudinit.sources.DataSourceAzure import OvfEnvXml

OVF = """<?xml version="1.0" encoding="utf-8"?>
<Environment xmlns="http://schemas.dmtf.org/ovf/environment/1"
 xmlns:wa="http://schemas.microsoft.com/windowsazure">
<wa:ProvisioningSection><wa:Version>1.0</wa:Version>
<wa:LinuxProvisioningConfigurationSet>
<wa:HostName>web</wa:HostName><wa:UserName>operator</wa:UserName>
<wa:CustomData>{}</wa:CustomData>
</wa:LinuxProvisioningConfigurationSet></wa:ProvisioningSection>
<wa:PlatformSettingsSection><wa:Version>1.0</wa:Version>
<wa:PlatformSettings/></wa:PlatformSettingsSection>
</Environment>
"""

text = Path(sys.argv[1]).read_text(encoding="ascii")
print(b64encode(OvfEnvXml.parse_text(OVF.format(escape(text))).custom_data).decode("ascii"))
