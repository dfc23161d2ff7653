# shellcheck shell=bash
# Shared by the tests of tools/gpu_check: a fake GPU, fake programs, and expectations of the results. To be sourced.

source "$(dirname "${BASH_SOURCE[0]}")/expect.sh"
isolate bash env awk cat cmp cp cut date diff dirname find grep gzip head ldd mkdir mkfifo mktemp mv paste realpath rm sed \
  sha256sum sleep stat tac tail tar tee timeout touch tr xargs
ln -s "$(python3 -c 'import sys; print(sys.executable)')" "$bin/python3" # python3 on the PATH may be only a wrapper
repo="$scratch/my repo"
mkdir -p "$repo"/{cuda,tools/bench,tests/goldens,build/release/tools/bench,data/fashion-mnist,variants/fast}
cp "$root"/tools/{gpu_check,gpu_stages.sh,lib.sh} "$repo/tools"
cp "$root"/tools/bench/{gpu_summary,check_golden,runs}.py "$repo/tools/bench"
cp "$root/tests/goldens/tutorial_seed0.json" "$repo/tests/goldens"
echo 0123abc >"$repo/COMMIT"
echo 4567def >"$repo/variants/fast/COMMIT"
python3 - "$root/tests/goldens/tutorial_seed0.json" >"$scratch/tutorial" <<'END'
import json, sys
for epoch in json.load(open(sys.argv[1]))["epochs"]:
    print(f"Epoch {epoch['epoch']}")
    for seen, loss in epoch["train"]:
        print(f"loss: {loss:>7f}  [{seen:>5d}/60000]")
    print(f"Test Error: \n Accuracy: {epoch['test_correct'] / 100:>0.1f}%, Avg loss: {epoch['test_avg_loss']:>8f} \n")
print("Done!")
END

gpu_check() { PATH=$bin CUDA_HOME=$scratch/none "$repo/tools/gpu_check" "$@"; }

# program PATH BODY: a fake program that records its calls and its environment
program() {
  printf '#!/usr/bin/env bash\necho "%s $*" >>"%s/calls"\nenv >>"%s/environment"\n%s\n' "$1" "$scratch" "$scratch" "$2" >"$repo/$1"
  chmod +x "$repo/$1"
}
# shellcheck disable=SC2120  # the tests pass arguments
# warpfit [PATTERN ACTION]...: a fake trainer that executes the action for calls that match the pattern; created at
# $where
warpfit() {
  local cases=''
  while (($# > 0)); do
    cases+="$1) $2 ;; "
    shift 2
  done
  program "${where:-build/release/warpfit}" "case \"\$*\" in $cases --version) echo warpfit 0.1 ;;
  bench*) echo 'step 20.0'; while [ \"\$1\" != --json ]; do shift; done; echo '{\"steps\":300}' >\"\$2\" ;;
  *cnn-94.toml*) printf 'warpfit [info] epoch %d: train 0.250 s, test 0.100 s, 240000 samples/s\n' 1 2 >&2 ;;
  eval*) echo '{\"samples\":10000,\"loss\":0.2,\"correct\":9433,\"accuracy\":0.9433,\"classes\":[{\"class\":0}]}' ;;
  *) cat '$scratch/tutorial' ;; esac"
}
# shellcheck disable=SC2120
# cuda_tests [PATTERN ACTION]...: the same for cuda_tests; its filter is in \$1
cuda_tests() {
  local cases=''
  while (($# > 0)); do
    cases+="$1) $2 ;; "
    shift 2
  done
  program build/release/cuda_tests "case \"\$*\" in *list_tests*) printf 'Running main()\n%s.\n  Test/cuda\n' ReluTest Backends/Matmul Networks/Fused Philox ;;
  $cases *) [ \"\$WARPFIT_REQUIRE_CUDA\" = 1 ] && echo '[  PASSED  ] 12 tests.' || echo '[  PASSED  ] 0 tests.' ;; esac"
}
compare() { # EXIT_CODE
  cat >"$repo/tools/bench/compare" <<END
import os, sys
open(sys.argv[sys.argv.index("--json") + 1], "a").write("{}\n")
open("$scratch/environment", "a").write("".join(f"{name}=\n" for name in os.environ))
open("$scratch/calls", "a").write("compare " + " ".join(sys.argv[1:]) + "\n")
print("table of", sys.argv[sys.argv.index("--variants") + 1])
if $1 == 1:
    print("torch-graph   FAILED: it broke")
sys.exit($1)
END
}
conv_steps() { # EXIT_CODE
  cat >"$repo/tools/bench/conv_steps" <<END
import sys
open(sys.argv[sys.argv.index("--json") + 1], "a").write("{}\n")
open("$scratch/calls", "a").write("conv_steps " + " ".join(sys.argv[1:]) + "\n")
print("| a training step | warpfit | PyTorch |")
if $1 == 1:
    print("\nFAILED: PyTorch, LeNet-5: it broke")
sys.exit($1)
END
}
nccl_ranks() { # EXIT_CODE LAST_LINE
  cat >"$repo/tools/bench/nccl_ranks" <<END
import os, sys
open(sys.argv[sys.argv.index("--json") + 1], "a").write("{}\n")
open("$scratch/calls", "a").write("nccl_ranks " + " ".join(sys.argv[1:]) + "\n")
print("| training | a step |\n")
print("""$2""")
sys.exit($1)
END
}
# shellcheck disable=SC2016,SC2119  # expanded by the fakes
healthy() {
  fake nvidia-smi 'case "$*" in *lms*) echo "clocks.sm [MHz]"; exec sleep 88.'$$' ;; *=name*) echo "NVIDIA H100 (80GB) HBM3" ;;
    *) echo "580.1, 81559 MiB, 700.00 W, Disabled, 1980 MHz, 2619 MHz, 1980 MHz, 2619 MHz" ;; esac'
  fake nvcc 'echo "Cuda compilation tools, release 13.0, V13.0.88"'
  fake compute-sanitizer 'while [ "${1##*/}" != cuda_tests ]; do shift; done; exec "$@"'
  fake ncu 'while [ $# != 0 ]; do case $1 in --export) echo report >"$2.ncu-rep" ;; --page) echo "page $2" ;; esac; shift; done'
  warpfit
  where=variants/fast/warpfit warpfit
  cuda_tests
  compare 0
  conv_steps 0
  nccl_ranks 0 'NCCL 2.30.7; one process: 100 us a step'
  program build/release/tools/bench/cuda_ops_bench 'echo "ReLU 2.0 us"'
  cp "$(type -P true)" "$repo/build/release/libwarpfit_cuda.so"
}
out=$scratch/out
rows() { grep -E '^[a-z0-9-]+ +(ok|FAILED|timeout|skipped|no time) ' "$scratch/table"; }
expect_row() { expect "row '$1'" grep -qE "^$1" "$scratch/table"; } # REGEX
has_log() { grep -q -- "$2" <<<"$(tar -xzOf "$out/logs.tar.gz" "logs/$1")"; }
expect_log() { expect "log $1 has '$2'" has_log "$1" "$2"; }
limit() { sed -i "s/^$1  *[0-9]*/$1 $2/" "$repo/tools/gpu_stages.sh"; } # STAGE SECONDS
usual_limits() { cp "$root/tools/gpu_stages.sh" "$repo/tools"; }
summary() { python3 -I -S -c "import json; summary = json.load(open('$out/summary.json')); print($1)"; }
# run CODE ARGUMENT...: runs gpu_check, whose stdout is the table; the summary must agree with it
run() {
  local wanted=$1 code=0
  shift
  forget_calls
  gpu_check --out "$out" "$@" >"$scratch/table" 2>"$scratch/said" </dev/null || code=$?
  expect "exit code $wanted (found $code) of: gpu_check $*" [ "$code" = "$wanted" ]
  expect "table and summary agree" [ "$(rows | awk '{ print $1, ($2 == "no" ? "no time" : $2) }' && echo $((wanted == 0)))" = \
    "$(summary '*(stage["stage"] + " " + stage["state"] for stage in summary["stages"]), int(summary["passed"]), sep="\n"')" ]
}
expect_state() { # STATE STAGE...: expects this state for each of the stages
  local name
  for name in "${@:2}"; do expect_row "$name +$1 "; done
}
in_environment() { grep -qE "$1" "$scratch/environment"; }
# shellcheck disable=SC2034
hang=77.$$ # seconds that a fake program sleeps; unique to this test, for left_running
left_running() { grep -lszxE "(77|88)\.$$" /proc/[0-9]*/cmdline 2>/dev/null | grep -q .; }
