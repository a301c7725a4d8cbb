#!/bin/sh
# Kills deploy.ps1 and eryph-runtime before and after each call and each file that they change, and lets each change fail
# once, on the model of a Hyper-V host; looks at what the next runs make of it. All points, or the tenth of a number (0 to
# 9). The tests do a tenth.
set -eu
cd "$(dirname "$0")/.."
part="--all"
[ $# -eq 0 ] || part="--part $1"
# shellcheck disable=SC2086
PYTHONPATH=tests:runtime:compiler .venv/bin/python tests/powershell/sweep.py $part
