#!/usr/bin/env bash
# Tests tools/quickstart with fake tools: its configuration with and without a driver or nvcc, and that it repeats no
# work.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/expect.sh"

isolate bash env awk cat cut dirname grep mkdir realpath rm sed
repo="$scratch/my repo" # with a space, to test quoting
driver=$scratch/driver_version

# A repository of fakes: each tool records its call; cmake writes the cache that the real one would write.
fake_tool() { # NAME [BODY]
  printf '#!/usr/bin/env bash\necho "%s $*" >>"%s/calls"\n%s\n' "$1" "$scratch" "${2:-}" >"$repo/tools/$1"
  chmod +x "$repo/tools/$1"
}
fresh_repo() {
  rm -rf -- "$repo"
  mkdir -p "$repo/tools"
  cp "$root"/tools/{quickstart,lib.sh} "$repo/tools"
  fake_tool setup 'echo noise'
  fake_tool fetch_data 'echo noise'
  fake_tool cuda_toolkit 'echo "fetching" >&2; echo "/kit/bin/nvcc"'
  forget_calls
}
# shellcheck disable=SC2016  # expanded by the fake
fake cmake 'echo noise
mkdir -p build/release
if [ "$1" = --preset ]; then
  : >build/release/build.ninja
  for word in "$@"; do
    case $word in -D*) word=${word#-D}; echo "${word%%=*}:STRING=${word#*=}" >>build/release/CMakeCache.txt ;; esac
  done
else
  printf "#!/usr/bin/env bash\necho trained \"\$@\"\n[[ \$* != *--fail ]] || exit 8\n" >build/release/warpfit
  chmod +x build/release/warpfit
fi'
fake nproc 'echo 2'
isolate chmod

quickstart() {
  (cd "$scratch" && PATH=$bin NVIDIA_DRIVER_FILE=$driver CUDA_HOME=$scratch/cuda "$repo/tools/quickstart" "$@")
}
stdout_of() { "$@" 2>/dev/null </dev/null; }
configured() { calls | grep '^cmake --preset' || true; }

# No driver: CUDA is not mentioned, the steps run in order, and stdout has only the training.
fresh_repo
expect "only the training writes to stdout" \
  [ "$(stdout_of quickstart --epochs 3)" = "trained train --data my repo/data/fashion-mnist --epochs 3" ]
expect "each step once, in order" [ "$(calls)" = "setup 
cmake --preset release
cmake --build --preset release --target warpfit
fetch_data " ]

# A second call does not configure again.
forget_calls
expect_run 0 quickstart
expect "is not configured twice" [ -z "$(configured)" ]

# A driver, found by its file or by nvidia-smi, and no nvcc: the toolkit is installed and used for one configuration.
with_toolkit='cmake --preset release -DWARPFIT_CUDA=ON -DCMAKE_CUDA_COMPILER=/kit/bin/nvcc'
echo 'NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.159.04  Release Build  (builder@host)' >"$driver"
forget_calls # in the same build folder, which was configured without CUDA
expect_run 0 quickstart
expect "an old folder is configured again" [ "$(configured)" = "$with_toolkit" ]
forget_calls
expect_run 0 quickstart
expect "the toolkit is looked after, not configured twice" eval 'calls | grep -q ^cuda_toolkit && [ -z "$(configured)" ]'
rm "$driver"
fresh_repo
fake nvidia-smi 'echo 590.10
echo 590.10'
expect_run 0 quickstart
expect "nvidia-smi tells of a driver" [ "$(configured)" = "$with_toolkit" ]

# nvidia-smi without a working driver.
fresh_repo
fake nvidia-smi 'echo "NVIDIA-SMI has failed because it could not communicate with the NVIDIA driver"; exit 9'
expect_run 0 quickstart
expect "no driver, no toolkit" [ "$(configured)" = "cmake --preset release" ]
no_fake nvidia-smi

# A driver that is too old for the toolkit.
fresh_repo
echo 'NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.14  Thu Feb 22 01:44:30 UTC 2024' >"$driver"
expect_run 0 quickstart
expect_said "driver 550.54.14 is older than 580"
expect "no toolkit for it" eval '! calls | grep -q ^cuda_toolkit'
echo 'NVRM version: NVIDIA UNIX x86_64 Kernel Module  580.65.06  Sun Jul 27 07:18:57 UTC 2025' >"$driver"

# An existing nvcc is used: on the PATH, or in CUDA's installation folder.
fresh_repo
fake nvcc
expect_run 0 quickstart
expect "nvcc on the PATH: CMake finds it" [ "$(configured)" = "cmake --preset release" ]
no_fake nvcc
fresh_repo
mkdir -p "$scratch/cuda/bin"
ln -s "$bin/cmake" "$scratch/cuda/bin/nvcc"
expect_run 0 quickstart
expect "nvcc in CUDA's folder: CMake finds it" [ "$(configured)" = "cmake --preset release" ]
rm -r "$scratch/cuda"

# --no-cuda: CUDA is left out and the choice is remembered; a folder that was configured with CUDA is reconfigured.
fresh_repo
expect_run 0 quickstart --epochs 1
forget_calls
expect_run 0 quickstart --no-cuda --epochs 1
expect_said "trained train --data my repo/data/fashion-mnist --epochs 1"
expect "configured without CUDA" [ "$(configured)" = "cmake --preset release -DWARPFIT_CUDA=OFF" ]
echo WARPFIT_CUDA:STRING=OFF >"$repo/build/release/CMakeCache.txt" # the fake appends instead of replacing
forget_calls
expect_run 0 quickstart
expect "it is remembered" eval '[ -z "$(configured)" ] && ! calls | grep -q ^cuda_toolkit'
forget_calls
expect_run 0 quickstart --no-cuda
expect "and not configured twice" [ -z "$(configured)" ]

# The toolkit cannot be installed: its exit code, and a hint how to continue without it.
fresh_repo
fake_tool cuda_toolkit 'echo "no network" >&2; exit 5'
expect_run 5 quickstart
expect_said "no network"
expect_said "tools/quickstart --no-cuda"
expect "nothing is built" eval '! calls | grep -q ^cmake'

# It says what to do next, but not after a failure of training, whose exit code it has.
fresh_repo
expect_run 0 quickstart --epochs 1
expect_said "next: my repo/build/release/warpfit train --help"
expect_said "my repo/build/release/warpfit eval model.safetensors --data my repo/data/fashion-mnist"
expect_run 8 quickstart --fail
expect_not_said "next:"

# A failing step ends the script.
fresh_repo
fake_tool setup 'exit 1'
expect_run 1 quickstart
expect "nothing after a failed set-up" eval '! calls | grep -qv ^setup'
expect_run 0 quickstart --help
expect_said "tools/quickstart [--no-cuda] [ARGUMENT...]"

finish
