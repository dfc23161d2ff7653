#!/usr/bin/env bash
# Tests tools/cuda_toolkit with a fake pip: layout, no repeated work, incomplete installations, exit codes.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/expect.sh"

isolate bash env awk cat chmod cp cut dirname flock grep ln ls mkdir mv realpath rm sha256sum touch
mkdir -p "$scratch/repo/tools"
cp "$root"/tools/{cuda_toolkit,lib.sh,packages} "$scratch/repo/tools"
list=$scratch/repo/tools/cuda_toolkit.txt
printf '# head\n\n# the compiler\nnvidia-compiler==13.0 \\\n    --hash=sha256:aa\n\n# cuDNN\nnvidia-cudnn-cu13==9.1 \\\n    --hash=sha256:bb\n' \
  >"$list"

# The real list: each wheel is pinned and has two hashes; there is no index URL.
real=$root/tools/cuda_toolkit.txt
expect "pins each wheel" [ "$(grep -c '^nvidia-.*==[0-9.]* \\$' "$real")" = "$(grep -c ^nvidia- "$real")" ]
expect "two hashes a wheel" \
  [ "$(grep -cE '^    --hash=sha256:[0-9a-f]{64}( \\)?$' "$real")" = $((2 * $(grep -c ^nvidia- "$real"))) ]
expect "names no index" eval '! grep -qiE "://|--(extra-)?index|--find-links" "$real"'

# A python3 whose pip creates the tree that NVIDIA's wheels unpack to.
# shellcheck disable=SC2016  # expanded by the fake
healthy='[ "$1 $2 $3" = "-I -m pip" ] || exit 1
while [ $# -gt 0 ]; do
  case $1 in --dest) wheels=$2 ;; --target) site=$2 ;; --requirement) wanted=$2 ;; esac
  shift
done
if [ "$wheels" ]; then
  grep -o "^nvidia[^ ]*" "$wanted" >"$wheels/$(grep -o "^nvidia[^=]*" "$wanted").whl"
elif [ "$site" ]; then
  cu13=$site/nvidia/cu13 cudnn=$site/nvidia/cudnn
  mkdir -p "$cu13"/{bin,include,lib,nvvm/bin} "$cudnn"/{include,lib} "$site/nvidia_compiler-13.0.dist-info"
  printf "#!/usr/bin/env bash\necho nvcc 13.0\n" >"$cu13/bin/nvcc"
  chmod 744 "$cu13/bin/nvcc"
  touch "$cu13/include/cuda.h" "$cudnn/include/cudnn.h" "$cu13"/lib/{libcublas.so.13,libcudart_static.a,libx.so,libx.so.2}
  touch "$cudnn/lib/libcudnn.so.9"
fi'
fake python3 "$healthy"
fake uname 'case $1 in -s) echo Linux ;; -m) echo x86_64 ;; esac'
fake id 'echo 1000'
kit="$scratch/my kit"
install() { PATH=$bin "$scratch/repo/tools/cuda_toolkit" "$@"; }
expect_nothing() { expect "$kit is not there" [ ! -e "$kit" ]; }

# A complete installation.
expect "prints the path of nvcc and nothing else" [ "$(install "$kit" 2>/dev/null)" = "$kit/bin/nvcc" ]
expect "its own nvcc runs, for everyone" [ "$(stat -c %a "$kit/bin/nvcc")" = 755 ]
for file in include/cuda.h include/cudnn.h lib64/libcudart_static.a lib/libcublas.so.13 lib/libcudnn.so.9 \
  licenses/nvidia_compiler-13.0.dist-info; do
  expect_file "$kit/$file"
done
expect "libX.so for libX.so.N" [ "$(readlink "$kit/lib/libcublas.so") $(readlink "$kit/lib/libcudnn.so")" = \
  "libcublas.so.13 libcudnn.so.9" ]
expect "a libX.so that is there stays" [ ! -L "$kit/lib/libx.so" ]
expect "no part of it is left" [ ! -e "$kit.part" ]
expect "hashes are required" [ "$(calls | grep -E ' (download|install) ' | grep -c -- --require-hashes)" = 3 ]
expect "nothing but wheels, none that the list does not name" \
  [ "$(calls | grep -E ' (download|install) ' | grep -- --no-deps | grep -c -- '--only-binary :all:')" = 3 ]

# A second call returns immediately, without pip. After a change of the list the toolkit is installed again.
forget_calls
expect_run 0 install "$kit"
expect_said "$kit/bin/nvcc"
expect "nothing is called" [ -z "$(calls)" ]
touch "$kit/of_the_old_one"
echo '# another version' >>"$list"
expect_run 0 install "$kit"
expect_no_file "$kit/of_the_old_one"
expect_file "$kit/include/cudnn.h"
rm -r "$kit"

# The default folder.
expect_run 0 install
expect_file "$scratch/repo/build/cuda-toolkit/bin/nvcc"

# The network fails after the first wheel: exit code 5, and nothing looks like a complete installation; the next call
# continues.
broken='case "$*" in *" download "*) [ ! -e "'"$kit"'.part/wheels/nvidia-compiler.whl" ] || { echo "no network" >&2; exit 1; } ;; esac'
fake python3 "$broken
$healthy"
expect_run 5 install "$kit"
expect_said "no network"
expect_said "pip could not fetch nvidia-cudnn-cu13==9.1"
expect_nothing
expect_file "$kit.part/wheels/nvidia-compiler.whl"
fake python3 "$healthy"
expect_run 0 install "$kit"
rm -r "$kit"

# Unpacking fails, nvcc cannot run on this machine, or the process is killed: never an incomplete toolkit.
fake python3 'case "$*" in *" install "*) exit 1 ;; esac
'"$healthy"
expect_run 5 install "$kit"
expect_said "could not unpack"
expect_nothing
fake python3 "${healthy/echo nvcc 13.0/exit 1}"
expect_run 1 install "$kit"
expect_said "does not run on this machine"
expect_nothing
fake python3 'case "$*" in *" install "*) kill -9 $PPID ;; esac
'"$healthy"
expect_run 137 install "$kit"
expect_nothing
fake python3 "$healthy"
expect_run 0 install "$kit"
expect_file "$kit/lib/libcudnn.so"
rm -r "$kit"

# Two calls at once: the second one exits.
mkdir -p "$kit.part"
exec 8<"$kit.part"
flock 8
expect_run 1 install "$kit"
expect_said "another tools/cuda_toolkit"
exec 8<&-

# A folder with other contents is left unchanged.
mkdir -p "$kit"
touch "$kit/precious"
expect_run 2 install "$kit"
expect_said "$kit: there is something else in it"
expect_file "$kit/precious"
rm -r "$kit"

# Without pip: pip of a virtual environment, otherwise Debian's package if it can be installed, otherwise a message
# with its name.
venv='case "$*" in "-I -m venv --clear "*) mkdir -p "$5/bin"; printf "%s\n" "$VENV" >"$5/bin/python3"; chmod +x "$5/bin/python3"; exit ;; esac
exit 1'
fake python3 "$venv"
export VENV="#!/usr/bin/env bash
$healthy"
expect_run 0 install "$kit"
expect_file "$kit/bin/nvcc"
rm -r "$kit"
fake python3 'exit 1'
expect_run 1 install "$kit"
expect_said "apt-get install python3-pip"
expect_nothing
fake id 'echo 0'
fake apt-get "case \"\$*\" in *install*python3-pip) cp '$scratch/healthy' '$bin/python3' ;; esac"
fake python3 "$healthy"
mv "$bin/python3" "$scratch/healthy"
fake python3 'exit 1'
expect_run 0 install "$kit"
expect_file "$kit/bin/nvcc"
rm -r "$kit"

fake uname 'case $1 in -s) echo Darwin ;; -m) echo arm64 ;; esac'
expect_run 1 install "$kit"
expect_said "not for Darwin on arm64"
expect_run 2 install one two
expect_run 2 install --force
expect_run 0 install --help
expect_said "tools/cuda_toolkit [DIR]"

finish
