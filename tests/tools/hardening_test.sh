#!/usr/bin/env bash
# Checks with readelf that the binaries have the hardening features that CMakeLists.txt asks for.
#
#   hardening_test.sh HOST_LIBRARY PROGRAM [SHARED_LIBRARY...]
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/expect.sh"

host_library=$1 program=$2
shift 2

has() { grep -qE -- "$1" "$scratch/said"; }    # REGEX
lacks() { ! grep -qE -- "$1" "$scratch/said"; } # REGEX

for file in "$program" "$@"; do
  [[ $file ]] || continue
  expect_run 0 readelf --wide --file-header "$file"
  expect "$file: its addresses are random (PIE, or a shared library)" has 'Type: +DYN'
  expect_run 0 readelf --wide --dynamic "$file"
  expect "$file: functions are resolved at the start" has 'FLAGS.*BIND_NOW|Flags:.*\bNOW\b'
  expect_run 0 readelf --wide --program-headers "$file"
  expect "$file: resolved addresses are read-only" has GNU_RELRO
  expect "$file: the stack is not executable" has 'GNU_STACK .* RW +0x'
  expect "$file: no memory is writable and executable" lacks ' (RWE|R?WE) +0x'
  expect_run 0 readelf --wide --dyn-syms "$file"
  expect "$file: stack protector" has ' __stack_chk_fail@'
done

expect_run 0 readelf --wide --dyn-syms "$program"
expect "checked copies (_FORTIFY_SOURCE)" has ' __[a-z]+_chk@'
expect "checked indices (_GLIBCXX_ASSERTIONS)" has 'glibcxx_assert_fail'

# Checked for each of our object files: the program has this note only if the C library's start files have it too.
if [[ $(uname -m) == x86_64 ]]; then
  expect_run 0 readelf --wide --notes "$host_library"
  objects=$(grep -c '^File: ' "$scratch/said")
  protected=$(grep -c 'IBT, SHSTK' "$scratch/said" || true)
  : >"$scratch/said"
  expect "control-flow protection in all objects ($protected of $objects)" [ "$objects" -gt 0 -a "$protected" = "$objects" ]
fi
finish
