# shellcheck shell=bash
# Shared by the tests of tools/: a scratch folder, counted expectations, and a PATH with fake commands. To be sourced.

# shellcheck disable=SC2034
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
scratch=$(mktemp -d)
trap 'rm -rf -- "$scratch"' EXIT
failures=0
checks=0

# expect NAME COMMAND...: the command must succeed
expect() {
  local name=$1
  shift
  checks=$((checks + 1))
  "$@" && return
  failures=$((failures + 1))
  printf 'FAILED: %s\n  %s\n' "$name" "$*"
  [[ ! -s $scratch/said ]] || sed 's/^/  | /' "$scratch/said"
}

# expect_run CODE COMMAND...: the command must exit with CODE; its output is kept for expect_said
expect_run() {
  local wanted=$1 code=0
  shift
  "$@" >"$scratch/said" 2>&1 </dev/null || code=$?
  expect "exit code $wanted (found $code) of: $*" [ "$code" = "$wanted" ]
}

expect_said() { expect "says '$1'" grep -qF -- "$1" "$scratch/said"; }
expect_not_said() { expect "does not say '$1'" eval "! grep -qF -- '$1' '$scratch/said'"; }
expect_silent() { expect "says nothing" [ ! -s "$scratch/said" ]; }
expect_file() { expect "$1 is there" [ -e "$1" ]; }
expect_no_file() { expect "$1 is not there" [ ! -e "$1" ]; }

# fake NAME [BODY]: creates a command of this name in $bin, which also records its calls in $scratch/calls
bin=$scratch/bin
mkdir -p "$bin"
fake() {
  rm -f -- "$bin/$1"
  printf '#!/usr/bin/env bash\necho "%s $*" >>"%s/calls"\n%s\n' "$1" "$scratch" "${2:-}" >"$bin/$1"
  chmod +x "$bin/$1"
}
no_fake() { rm -f -- "$bin/$1"; }
calls() { cat "$scratch/calls" 2>/dev/null || true; }
forget_calls() { rm -f -- "$scratch/calls"; }

# isolate COMMAND...: from now on, a tool can call only these real commands (linked into $bin) and the fakes
isolate() {
  local name
  for name in "$@"; do ln -sf "$(command -v "$name")" "$bin/$name"; done
}

finish() {
  echo "$checks checks, $failures failed"
  exit $((failures > 0))
}
