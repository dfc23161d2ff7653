#!/usr/bin/env bash
# Tests tools/gpu_check with a broken engine, programs that hang or print without end, and exceeded time limits: the
# remaining stages run.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/gpu_check_fakes.sh"
healthy

# An engine that fails or hangs in its short run is excluded from later stages; the others run.
warpfit '*"--engine fused"*' 'exit 6'
run 1 --only smoke,golden-fused,golden-layers-stream,compare,whole-command,bench-fused,tests,ncu,variant,repeat-fused,sanitize
expect_row "smoke-fused +FAILED .*exit code 6"
for name in golden-fused-resident golden-fused-stream bench-fused ncu-fused repeat-fused; do
  expect_row "$name +skipped .*the fused engine failed its smoke run"
done
expect_state ok smoke-layers golden-layers-stream compare whole-command tests ncu-layers variant-fast sanitize-racecheck
expect "the summary names it" [ "$(summary 'summary["engines_left_out"]')" = "['fused']" ]
expect "not compared" eval 'calls | grep -q -- "--variants ours-layers,torch-graph,"'
expect "nor chosen" [ "$(calls | grep -c -- '--engine layers --residency auto')" = 3 ]
expect "not tested" eval 'calls | grep -q "Philox.*-.*:.*Fused" && calls | grep -q "list_tests --gtest_filter=-.*:.*Fused"'
expect "memcheck looks for the reason" grep -q 'compute-sanitizer --tool memcheck .*=.FusedTutorial.$' "$scratch/calls"
expect "no other" [ "$(calls | grep -c '^compute-sanitizer .*=.FusedTutorial.$')" = 1 ]
expect "no other" [ "$(calls | grep -c 'compute-sanitizer .*:SecondOpinion.:.Fused.$')" = 3 ]
warpfit '*"--engine layers"*' "sleep $hang"
limit smoke-layers 1
run 1 --only smoke,golden-fused-stream,repeat
expect_row "smoke-layers +timeout"
expect_row "repeat-layers +skipped .*the layers engine failed its smoke run"
expect_state ok smoke-fused golden-fused-stream repeat-fused
usual_limits
warpfit train* 'exit 6'
run 1 --only smoke,golden,compare
expect "PyTorch is still measured" eval 'calls | grep -q -- "--variants torch-graph,torch-eager,jax-scan"'
expect "both are named" [ "$(summary 'summary["engines_left_out"]')" = "['fused', 'layers']" ]
healthy

# Test suites: one crashes, one hangs, the others pass; then so many hang that the stage exceeds its limit.
# shellcheck disable=SC2016
cuda_tests '*Relu*' 'kill -SEGV $$' '*Fused*' "exec sleep $hang" \
  '*Philox*' 'echo "[  FAILED  ] Philox.Words/cuda, where GetParam() = \"cuda\" (3 ms)"; exit 1'
sed -i 's/limited 30/limited 2/' "$repo/tools/gpu_stages.sh"
run 1 --only tests,repeat
expect_row 'tests +FAILED .*ReluTest: exit code 139'
expect_row 'tests +FAILED .*Networks/Fused: timeout'
expect_row 'tests +FAILED .*Philox: exit code 1 .Philox.Words/cuda.'
expect_row '1 of 4 suites passed'
expect_log tests/Backends_Matmul.log PASSED
expect_state ok repeat-fused repeat-layers
cuda_tests '*Relu*' "exec sleep $hang"
usual_limits
limit tests 3
run 1 --only tests,repeat-fused
expect_row 'tests +timeout .*ReluTest: not finished'
expect_row '3 of 4 suites passed'
expect_state ok repeat-fused
usual_limits
healthy

# The limits of a stage and of the whole run; a process that a stage started ends with the stage.
warpfit '*fused*stream*' "sleep $hang"
limit golden-fused-stream 1
run 1 --only golden-fused,compare
expect_row 'golden-fused-stream +timeout'
expect_state ok golden-fused-resident compare
# shellcheck disable=SC2016
sed -i 's/^deadline=.*/deadline=$((start + 1000))/' "$repo/tools/gpu_check"
usual_limits
run 1 --only golden-fused-stream,compare,tests,torch-compile
expect_row 'golden-fused-stream +timeout'
expect_state 'no time' compare tests
expect_row 'torch-compile +skipped .*minutes were over'
warpfit '*"--seed 1"*' "sleep $hang"
run 0 --only load,recipe-cnn-94
expect_row 'recipe-cnn-94 +skipped .*not finished: the 8 minutes were over'
expect "with the results so far" grep -q '^cnn-94, seed 0: 94.33 %' "$scratch/table"
cp "$root/tools/gpu_check" "$repo/tools"
limit recipe-cnn-94 1
run 1 --only recipe-cnn-94
expect_state timeout recipe-cnn-94
healthy
# Unused time of earlier stages extends the limit of the comparison, and no other.
limit golden-fused-resident 10
limit compare 0
limit tests 0
run 1 --only golden-fused-resident,compare,tests
expect_state ok compare
expect_state 'no time' tests
usual_limits
expect "nothing is left running" eval '! left_running'
healthy

# Endless output and a report that is too large: no file exceeds 16 MiB, and the beginning and the end of the log are
# kept.
# shellcheck disable=SC2016
fake compute-sanitizer 'echo first; [ "$2" != memcheck ] || yes "an error" | head -n 3000000; echo "[  PASSED  ] 1 test."'
ln -sf "$(type -P yes)" "$bin/yes"
# shellcheck disable=SC2016
fake ncu 'while [ $# != 0 ]; do case $1 in --export) head -c 17000000 /dev/urandom >"$2.ncu-rep" ;; esac; shift; done'
run 0 --only sanitize-memcheck,ncu-fused
expect_row 'ncu-fused +ok .*fused.ncu-rep was larger'
expect_log sanitize-memcheck.log '^first$'
expect_log sanitize-memcheck.log 'PASSED'
expect_log sanitize-memcheck.log '^\.\.\. cut \.\.\.$'
expect "small files" [ -z "$(find "$out" -size +16M)" ]
fake compute-sanitizer 'yes "an error"'
limit sanitize-memcheck 1
run 1 --only sanitize-memcheck,repeat-fused
expect_state timeout sanitize-memcheck
expect_state ok repeat-fused
expect_log sanitize-memcheck.log 'an error'
expect "small files" [ -z "$(find "$out" -size +16M)" ]
usual_limits
healthy

# An interrupted call keeps its results so far.
warpfit '*layers*resident*' "sleep $hang"
rm -rf -- "$out"
PATH=$bin "$repo/tools/gpu_check" --out "$out" --only golden >"$scratch/said" 2>&1 </dev/null &
for _ in {1..300}; do
  grep -qs golden-fused-stream "$out/summary.json" && break
  sleep 0.1
done
kill $!
wait $! || true
for _ in {1..30}; do left_running && sleep 0.1; done || true
expect "nothing is left running" eval '! left_running'
expect "two stages are in the summary" [ "$(summary '[stage["state"] for stage in summary["stages"]]')" = "['ok', 'ok']" ]
expect_log golden-fused-stream.log "agrees with"
healthy

finish
