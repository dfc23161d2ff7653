#!/usr/bin/env bash
# Checks that no tool imports Python modules from the working directory, which may belong to somebody else.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/expect.sh"

# Modules that the tools import; each reports it if it is imported from here.
hostile=$scratch/hostile
mkdir -p "$hostile/nvidia/cudnn" "$hostile/nvidia/bad/lib"
touch "$hostile/nvidia/bad/lib/libcublas.so.13" "$hostile/nvidia/bad/lib/libcudnn.so.9"
for module in nvidia/__init__ nvidia/cudnn/__init__ pip venv ensurepip importlib tarfile json torch jax; do
  mkdir -p "$(dirname "$hostile/$module")"
  echo "open('$scratch/imported', 'a').write('$module\n')" >"$hostile/$module.py"
done
cd "$hostile"
expect_clean() { # TOOL
  expect "$1 imports nothing from the working folder" [ ! -s "$scratch/imported" ]
  rm -f -- "$scratch/imported"
}

python3 -c 'import pip' # this import would be reported
expect "an import is seen" [ "$(cat "$scratch/imported")" = pip ]
rm "$scratch/imported"

# The `run` script of a bundle: neither modules nor libraries come from the working directory.
mkdir -p "$scratch/bundle/build/release" "$scratch/bundle/lib"
cp "$root/tools/bundle_run" "$scratch/bundle/run"
# shellcheck disable=SC2016  # expanded by the bundle's shell
expect_run 0 "$scratch/bundle/run" bash -c 'echo "path: $LD_LIBRARY_PATH"'
expect_said "$scratch/bundle/build/release:$scratch/bundle/lib"
expect_not_said "$hostile"
expect_clean bundle_run

# pip without an index: it is started and finds nothing.
expect_run 5 env PIP_NO_INDEX=1 "$root/tools/cuda_toolkit" "$scratch/kit"
expect_clean cuda_toolkit
mkdir -p "$scratch/repo/tools/bench"
cp "$root"/tools/{lib.sh,packages} "$scratch/repo/tools"
cp "$root"/tools/bench/peers* "$scratch/repo/tools/bench"
expect_run 1 env PIP_NO_INDEX=1 "$scratch/repo/tools/bench/peers_setup"
expect_clean peers_setup

# compare checks whether a Python has PyTorch.
expect_run 0 python3 -I -B -c "import sys
sys.path.insert(0, '$root/tools/bench')
import contenders
contenders.Peer('PyTorch', 'torch', sys.executable, 'cpu')"
expect_clean compare

# All other tools that pass Python a program text or a module.
expect "each python -c and python -m has -I" \
  eval '! grep -rnIE "python3?\"? (-[a-zA-Z]+ )*-[cm] " "$root/tools" --include="*" --exclude="*.md" | grep -vE "(python3?\"?|PYTHON:-python3\}\"?) -I "'
finish
