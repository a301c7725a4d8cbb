#!/bin/sh
# Kills pushes, pulls, updates of a lock, builds that keep outputs and work on the store while they
# run, ROUNDS times each (200 if it is not given), and looks at what is left. The tests do a tenth.
set -eu
cd "$(dirname "$0")/.."
rounds=${1:-200}
python=.venv/bin/python
$python tests/sharing/kills.py --rounds "$rounds"
$python tests/lockfile/kills.py "$rounds"
$python tests/store/kills.py "$rounds"
$python tests/store/output_kills.py --rounds "$rounds"
