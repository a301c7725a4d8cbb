#!/bin/sh
# Builds the sdist and the wheel of the last commit, twice, and requires the same bytes. Installs
# the wheel into an empty environment and runs every tour of the documentation there.
#
#     sh tests/wheel.sh [--installer venv|uv|pipx] [FOLDER]
#
# FOLDER (dist) receives the two files. The checkout needs a .venv with requirements-dev.lock.
set -eu
cd "$(dirname "$0")/.."
top=$PWD
installer=venv
if [ "${1:-}" = --installer ]; then
  installer=$2
  shift 2
fi
dist=${1:-dist}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export SOURCE_DATE_EPOCH

# The builder is the one of the lock file: its version is written into the wheel.
build() {
  "$top/.venv/bin/python" -m build --no-isolation --outdir "$1" "$2" >"$work/log" 2>&1 ||
    { cat "$work/log" >&2; exit 1; }
}
export_commit() {
  mkdir -p "$1"
  git archive --format=tar HEAD | tar -x -C "$1"
}

echo "== build"
export_commit "$work/one"
build "$work/first" "$work/one"
# Again: other folder, other umask, and the wheel from the commit instead of from the sdist.
(umask 077 && export_commit "$work/another folder/two")
(umask 077 && build "$work/second" "$work/another folder/two")
(cd "$work/another folder/two" && build "$work/third" . --wheel)
for file in "$work"/first/*; do
  name=$(basename "$file")
  for other in "$work/second/$name" "$work/third/$name"; do
    # The third build makes no sdist.
    if [ -e "$other" ] || [ "${name%.whl}" != "$name" ]; then
      cmp "$file" "$other"
    fi
  done
  sha256sum "$file" | sed "s|$work/first/||"
done

echo "== what the wheel holds"
wheel=$(echo "$work"/first/*.whl)
"$top/.venv/bin/python" -m zipfile -e "$wheel" "$work/unpacked"
mv "$work/unpacked/eryphc/examples" "$work/examples"
for package in compiler/eryphc runtime/eryph_runtime stdlib-genes/eryph_stdlib_genes; do
  diff -r "$work/one/$package" "$work/unpacked/${package#*/}"
done
for path in "$work"/examples/*; do
  diff -r "$work/one/examples/${path##*/}" "$path"
done

echo "== install ($installer)"
unset PYTHONPATH VIRTUAL_ENV
export PYTHONNOUSERSITE=1
mkdir "$work/bin"
case $installer in
  venv)
    python3 -m venv "$work/environment"
    "$work/environment/bin/python" -m pip install --quiet --disable-pip-version-check "$wheel"
    ln -s "$work/environment/bin/eryphc" "$work/environment/bin/eryph-runtime" "$work/bin"
    ;;
  uv)
    UV_TOOL_DIR="$work/tools" UV_TOOL_BIN_DIR="$work/bin" uv tool install --quiet "$wheel"
    ;;
  pipx)
    PIPX_HOME="$work/tools" PIPX_BIN_DIR="$work/bin" PIPX_MAN_DIR="$work/man" \
      pipx install --quiet "$wheel"
    ;;
  *)
    echo "no such installer: $installer" >&2
    exit 2
    ;;
esac
version=$("$work/bin/eryphc" version)
echo "$version"
case $(basename "$wheel") in
  "eryphc-${version#eryphc }-"*) ;;
  *) echo "the wheel is not called after that version: $wheel" >&2; exit 1 ;;
esac

echo "== the tours"
ERYPHC_BIN="$work/bin" .venv/bin/python -m pytest -q -n0 tests/test_readme.py
mkdir -p "$dist"
cp "$work"/first/* "$dist"
echo "in $dist: $(cd "$work/first" && echo *)"
