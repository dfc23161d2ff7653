#!/usr/bin/env bash
# Tests tools/coverage with fake tests and line counts: what it builds and runs, its groups, its exit codes.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/expect.sh"

repo=$scratch/repo
tree=$repo/build/coverage
mkdir -p "$repo/tools" "$tree/host"
cp "$root"/tools/{coverage,lib.sh,packages} "$repo/tools"
coverage() { PATH=$bin:$PATH "$repo/tools/coverage" "$@"; }

# The patterns of the groups match existing files.
for pattern in $(sed -nE '/^groups\(\)/,/^\}/s/^\w+ +(host\S+) .*/\1/p' "$root/tools/coverage"); do
  expect "there are files of $pattern" eval '(cd "$root" && find host -type f | grep -E "^$pattern" >/dev/null)'
done

# tests and counts: fakes of a successful run.
tests() { fake tests "$1"; }
# shellcheck disable=SC2016  # expanded by the fake
healthy='[ "$4" != --json ] && [ "$5" != --json ] || echo {} >"'$tree'/coverage.json"'
fake gcovr "$healthy"
fake cmake "case \"\$*\" in --build*) cp '$bin/tests' '$tree/warpfit_tests' ;; esac"
tests ''
touch "$tree/host/old.gcda"

expect_run 1 coverage --report
expect_said "nothing was counted yet"
expect_run 0 coverage
expect "builds the tests" eval 'calls | grep -qx "cmake --build --preset coverage --target warpfit_tests"'
expect "runs all but a GPU's" eval 'calls | grep -qxF -- "tests --gtest_brief=1 --gtest_filter=-*/cuda*:InspectLimits.*:Resources.*:Predict.TakesAModelOfManyLayers"'
expect_no_file "$tree/host/old.gcda"
for group in files stream checkpoints run_folder cli; do expect_said "== $group"; done
expect "95 % of the first four, and no limit for the command line" \
  [ "$(calls | grep -o 'fail-under-line [0-9]*' | cut -d' ' -f2 | paste -sd ' ')" = "95 95 95 95 0" ]
expect_run 0 coverage 'Json.*'
expect "runs what the filter says" eval 'calls | grep -qxF -- "tests --gtest_brief=1 --gtest_filter=Json.*"'
forget_calls
expect_run 0 coverage --report
expect "nothing is built for a report" eval '! calls | grep -q ^cmake'

# A failing test, a group with too low coverage, and a missing gcovr.
tests 'exit 1'
expect_run 1 coverage
expect_said "== cli"
tests ''
fake gcovr "$healthy"'
case "$*" in *host/stream/*) exit 2 ;; esac'
expect_run 1 coverage
expect_said "stream: less than 95 % of the lines are covered"
expect_not_said "files: less than"
expect_run 2 coverage --what
expect_run 2 coverage one two
no_fake gcovr
isolate bash env awk cat dirname
PATH=$bin expect_run 1 "$repo/tools/coverage"
expect_said "apt-get install gcovr"

finish
