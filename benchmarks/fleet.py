"""A fleet: many different catlets that share six genes, written into a folder.

The six: two parents (one inherits from the other), and four genes of fodder that take
variables, add files, users, packages and scripts. Every catlet differs from every other in its
name, its values, its own fodder and its adapter's address.
"""

from __future__ import annotations

import json
from pathlib import Path

_BASE = """\
cpu: 2
memory: 2048
network_adapters:
- name: eth0
capabilities:
- name: secure_boot
fodder:
- source: gene:bench/users/1.0:admin
- name: base-packages
  type: cloud-config
  content:
    packages:
    - curl
    - jq
    timezone: UTC
"""

_SERVER = """\
parent: bench/base/1.0
cpu: 4
memory:
  startup: 2048
  minimum: 1024
  maximum: 8192
fodder:
- source: gene:bench/ntp/1.0:client
- name: hardening
  type: cloud-config
  content:
    write_files:
    - path: /etc/sysctl.d/60-hardening.conf
      content: |
        kernel.kptr_restrict = 2
        net.ipv4.conf.all.rp_filter = 1
    runcmd:
    - [sysctl, --system]
"""

_USERS = """\
name: admin
variables:
- name: username
  value: admin
- name: key
  required: true
fodder:
- name: admin-user
  type: cloud-config
  content: |
    users:
    - default
    - name: {{ username }}
      groups: [sudo]
      shell: /bin/bash
      ssh_authorized_keys:
      - {{ key }}
"""

_NTP = """\
name: client
variables:
- name: server
  value: ntp.example.org
fodder:
- name: ntp
  type: cloud-config
  content: |
    ntp:
      enabled: true
      servers:
      - {{ server }}
"""

_WEB = """\
name: site
variables:
- name: title
  required: true
- name: port
  type: number
  value: 80
fodder:
- name: nginx
  type: cloud-config
  content: |
    packages:
    - nginx
    write_files:
    - path: /var/www/html/index.html
      content: |
        <h1>{{ title }}</h1>
    - path: /etc/nginx/conf.d/site.conf
      content: |
        server { listen {{ port }}; root /var/www/html; }
    runcmd:
    - systemctl enable --now nginx
"""

_MONITORING = """\
name: agent
variables:
- name: target
  required: true
fodder:
- name: agent-config
  type: cloud-config
  content: |
    write_files:
    - path: /etc/agent/agent.conf
      content: |
        target = {{ target }}
    runcmd:
    - systemctl restart agent
- name: agent-check
  type: shellscript
  filename: agent-check.sh
  content: |
    #!/bin/sh
    set -eu
    systemctl is-active agent || journalctl -u agent
"""

_GENES = {
    "base/1.0/catlet.yaml": _BASE,
    "server/1.0/catlet.yaml": _SERVER,
    "users/1.0/fodder/admin.yaml": _USERS,
    "ntp/1.0/fodder/client.yaml": _NTP,
    "web/1.0/fodder/site.yaml": _WEB,
    "monitoring/1.0/fodder/agent.yaml": _MONITORING,
}

_CATLET = """\
name: web-{n:04d}
parent: bench/server/1.0
variables:
- name: customer
  value: customer-{n}
network_adapters:
- name: eth0
  mac_address: "02:00:00:00:{high:02x}:{low:02x}"
fodder:
- source: gene:bench/users/1.0:admin
  variables:
  - name: username
    value: operator{group}
  - name: key
    value: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI{n:043d} operator{group}
- source: gene:bench/web/1.0:site
  variables:
  - name: title
    value: Site of {{{{ customer }}}}
  - name: port
    value: "{port}"
- source: gene:bench/monitoring/1.0:agent
  variables:
  - name: target
    value: collector-{group}.example.org
- name: own-settings
  type: cloud-config
  content: |
    write_files:
    - path: /etc/customer
      content: |
        {{{{ customer }}}} number {n}
    ssh_pwauth: false
"""


def write_fleet(folder: Path, count: int) -> list[Path]:
    """Write the genes to `folder`/genes and `count` specs beside them; gives the specs."""
    for name, text in _GENES.items():
        path = folder / "genes/bench" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
        geneset = "/".join(name.split("/")[:2])
        tag = {
            "version": "1.1",
            "geneset": f"bench/{geneset}",
            "metadata": {"_os_type": "linux"} if path.name == "catlet.yaml" else {},
        }
        manifest = folder / "genes/bench" / geneset / "geneset-tag.json"
        manifest.write_text(json.dumps(tag) + "\n", encoding="utf-8", newline="\n")
    specs = []
    for number in range(count):
        spec = folder / f"web-{number:04d}.yaml"
        spec.write_text(
            _CATLET.format(
                n=number,
                high=number // 256,
                low=number % 256,
                group=number % 7,
                port=8000 + number,
            ),
            encoding="utf-8",
            newline="\n",
        )
        specs.append(spec)
    return specs
