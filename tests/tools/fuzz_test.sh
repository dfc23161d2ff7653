#!/usr/bin/env bash
# Tests tools/fuzz with a fake fuzzer: its targets, the arguments it passes, its exit codes.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/expect.sh"

repo=$scratch/repo
mkdir -p "$repo/tools" "$repo/tests/fuzz/regressions/idx"
cp "$root"/tools/{fuzz,lib.sh,packages} "$repo/tools"
cp "$root/tests/fuzz/CMakeLists.txt" "$repo/tests/fuzz"
fuzz() { PATH=$bin:$PATH "$repo/tools/fuzz" "$@"; }

expect_run 0 fuzz --list
listed=$(cat "$scratch/said")
expect "lists each target but the planted fault" diff <(echo "$listed") \
  <(cd "$root/tests/fuzz" && ls -- *_target.cpp | sed 's/_target\.cpp$//' | grep -vx planted)
expect "regression inputs are of these targets" [ -z "$(comm -13 <(echo "$listed") <(ls "$root/tests/fuzz/regressions"))" ]
expect_run 0 fuzz --help
expect_said "tools/fuzz TARGET SECONDS"

expect_run 2 fuzz
expect_run 2 fuzz idx
expect_run 2 fuzz nothing 5
expect_said "unknown target 'nothing'"
for seconds in 0 -1 1.5 x; do expect_run 2 fuzz idx "$seconds"; done

# A program from an earlier build.
fake stand_in
expect_run 0 fuzz --program "$bin/stand_in" idx 7
expect "seeds and dictionary first" eval 'calls | head -1 | grep -q "^stand_in --write=/"'
expect "with time, limits, and the regression inputs" \
  eval 'calls | grep -qE -- "-dict=\S+ -max_total_time=7 .*-rss_limit_mb=[0-9]+ .* \S+/corpus \S+/seeds $repo/tests/fuzz/regressions/idx$"'
expect "nothing temporary is left" [ ! -e "$(calls | sed -n '1s/.*--write=//p')" ]
fake stand_in 'case "$*" in --write=*) ;; *) exit 77 ;; esac'
expect_run 1 fuzz --program "$bin/stand_in" idx 7
expect_said "idx: a finding, in $repo/build/fuzz/findings/idx"

# The target is built first; its corpus is kept. A failing build ends the run.
fake cmake "case \"\$*\" in --build*) mkdir -p '$repo/build/fuzz/fuzz' && cp '$bin/built' '$repo/build/fuzz/fuzz/fuzz_idx' ;; esac"
fake built
forget_calls
expect_run 0 fuzz idx 5
expect "builds the target" eval 'calls | grep -q "^cmake --build --preset fuzz --target fuzz_idx$"'
expect "keeps the corpus" eval 'calls | grep -q "$repo/build/fuzz/corpus/idx "'
fake cmake 'exit 1'
expect_run 1 fuzz idx 5

finish
