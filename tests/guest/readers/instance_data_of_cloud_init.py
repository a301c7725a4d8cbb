"""Runs under the system's Python: what cloud-init knows of a NoCloud seed when it renders.

Usage: instance_data_of_cloud_init.py SEED RUN. SEED is a folder with meta-data and user-data, RUN
one to write to. Prints as JSON the keys of `ds.meta_data` and `v1`, and what templates render to.
"""

import json
import sys
from pathlib import Path

from cloudinit import helpers
from cloudinit.handlers.jinja_template import render_jinja_payload
from cloudinit.sources import DataSourceNoCloud

run = Path(sys.argv[2])
run.mkdir()
paths = helpers.Paths({"cloud_dir": str(run / "cloud"), "run_dir": str(run)})
source = DataSourceNoCloud.DataSourceNoCloud({"datasource": {"NoCloud": {}}}, None, paths)
source.seed_dirs = [sys.argv[1]]
source._get_devices = lambda _label: []
assert source._get_data()
source.persist_instance_data(write_cache=False)
data = json.loads((run / "instance-data-sensitive.json").read_text(encoding="utf-8"))
HEAD = "## template: jinja\n"
PRINTED = "{{ ds.meta_data.local_hostname }} {{ ds.meta_data.hostname }} {{ v1.HOSTNAME | string }}"
print(
    json.dumps(
        {
            "meta_data": sorted(data["ds"]["meta_data"]),
            "v1": sorted(data["v1"]),
            "rendered": render_jinja_payload(HEAD + PRINTED, "part", data),
            "ended": render_jinja_payload(HEAD + "{{ ds.meta_data.network.x }}", "part", data),
        }
    )
)
