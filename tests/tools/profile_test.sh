#!/usr/bin/env bash
# Tests tools/profile with fake profilers: the commands it runs, and its messages if something is missing.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/expect.sh"

isolate bash env awk cat dirname mkdir rm tee touch
repo=$scratch/repo
program=$repo/build/release/warpfit
mkdir -p "$repo/tools" "$scratch/work"
cp "$root"/tools/{profile,lib.sh} "$repo/tools"

profile() {
  (cd "$scratch/work" && PATH=$bin CUDA_HOME=$scratch/cuda NSIGHT_HOME=$scratch/opt "$repo/tools/profile" "$@")
}
# Both fakes write the requested report and then behave like the program; a failed run leaves no table.
# shellcheck disable=SC2016  # expanded by the fake
writes_report='for word in "$@"; do case $word in --output=*) touch "${word#--output=}.nsys-rep" ;; esac; done
[ "$1" != stats ] || echo "a table of $*"'
fake nsys "$writes_report"
# shellcheck disable=SC2016
fake ncu 'while [ $# -gt 0 ]; do [ "$1" != --export ] || touch "$2.ncu-rep"; shift; done; echo "a table"'

# The program has not been built.
expect_run 1 profile -- train
expect_said "there is no program $program"
mkdir -p "$repo/build/release"
echo '#!/usr/bin/env bash' >"$program"
chmod +x "$program"

# The timeline.
expect_run 0 profile -- train --data "my data" --device cuda
expect "one profile, one stats" [ "$(calls | cut -d' ' -f1,2)" = "nsys profile
nsys stats" ]
for option in --trace=cuda,nvtx,osrt,cublas --cuda-graph-trace=node "--output=$repo/build/profile/timeline" \
  "$program train --data my data --device cuda" --report=nvtx_sum --report=cuda_gpu_kern_sum --report=cuda_api_sum \
  --report=cuda_gpu_mem_time_sum "$repo/build/profile/timeline.nsys-rep"; do
  expect "a call has $option" eval "calls | grep -qF -- ' $option'"
done
expect "everything is recorded" eval '! calls | grep -q capture-range'
expect_said "a table of stats"
expect_file "$repo/build/profile/stats.txt"

# A range of epochs; an output folder, relative to the caller's working directory.
for form in "--profile-epochs 2-3" --profile-epochs=2-3; do
  forget_calls
  # shellcheck disable=SC2086  # one or two words
  expect_run 0 profile --output mine -- train $form
  expect "only what the program marks is recorded" \
    eval 'calls | grep -q "^nsys profile .*--capture-range=cudaProfilerApi --capture-range-end=stop .*warpfit train"'
done
expect_file "$scratch/work/mine/stats.txt"

# The kernels of one step.
forget_calls
expect_run 0 profile --ncu --output mine -- train --device cuda
expect "kernels of a step, the clocks as they are" \
  eval 'calls | grep -q "^ncu --nvtx --nvtx-include warpfit@step/ .*--launch-count [0-9]* --section .*--clock-control none .*warpfit train"'
expect_file "$scratch/work/mine/kernels.txt"
forget_calls
expect_run 0 profile --ncu --output mine -- train --profile-epochs 2-2
expect "only what the program marks" eval 'calls | grep -q "^ncu .*--nvtx-include warpfit@chunk/ .*--profile-from-start off .*warpfit train"'

# --dry-run prints the commands, quoted for the shell, and does nothing else.
forget_calls
rm -r "$repo/build/profile"
expect_run 0 profile --dry-run -- train --data "my data"
expect_said 'train --data my\ data'
expect_said "nsys stats"
expect "nothing is run" [ -z "$(calls)" ]
expect_no_file "$repo/build/profile"

# A run that fails, and one in which nothing was recorded: the table of an earlier run is removed.
fake nsys 'exit 6'
expect_run 6 profile -- train
expect_not_said "a table"
fake nsys '[ "$1" != stats ] || echo "a table"'
expect_run 1 profile --output mine -- train --profile-epochs 5-5
expect_said "nsys wrote no report"
expect_not_said "a table"
fake ncu 'echo "==PROF== No kernels were profiled"'
expect_run 1 profile --ncu --output mine -- train
expect_said "ncu wrote no report"

# A profiler that is not on the PATH is found in the usual installation folders; otherwise the message says where to
# get it.
no_fake nsys
no_fake ncu
expect_run 1 profile -- train
expect_said "nsys is not here: it is part of Nsight Systems"
expect_run 1 profile --ncu -- train
expect_said "package nsight-compute"
expect_run 0 profile --dry-run -- train
expect_said "nsys profile --output="
mkdir -p "$scratch/cuda/bin" "$scratch/opt/nsight-compute/2025.3.1"
fake nsys "$writes_report"
mv "$bin/nsys" "$scratch/cuda/bin/nsys"
expect_run 0 profile -- train
fake ncu 'while [ $# -gt 0 ]; do [ "$1" != --export ] || touch "$2.ncu-rep"; shift; done'
mv "$bin/ncu" "$scratch/opt/nsight-compute/2025.3.1/ncu"
expect_run 0 profile --ncu -- train

expect_run 2 profile train
expect_said "the arguments of the program follow --"
expect_run 2 profile --
expect_run 2 profile -- --epochs 3
expect_run 2 profile --output -- train
expect_run 2 profile --gpu -- train
expect_run 0 profile --help
expect_said "tools/profile [--ncu] [--dry-run]"

finish
