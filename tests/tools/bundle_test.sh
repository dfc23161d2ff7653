#!/usr/bin/env bash
# Tests tools/bundle and tools/bundle_run with a fake build and fake libraries: what is built, packed, refused, and
# found on the other machine.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/expect.sh"

isolate bash env awk cat chmod cp cut dirname du find grep head ls mkdir mktemp mv paste realpath rm sed sort stat tar xz
repo="$scratch/my repo"
own=$repo/build/bundle-build
mkdir -p "$repo"/{cuda/fused,tools/bench/results,data/{fashion-mnist,recipes,sample},tests/goldens} "$scratch/system"
cp "$root"/tools/{bundle,bundle_run,lib.sh,gpu_check,gpu_stages.sh,profile} "$repo/tools"
touch "$repo/CMakeLists.txt" "$repo/cuda/fused/fused_run.cu" "$repo/tools/bench/compare" "$repo/tools/bench/results/old.jsonl" \
  "$repo/tests/goldens/a.json" "$repo/data/sample/s.gz" "$repo/data/recipes/r.toml" "$repo/data/fashion-mnist/t10k-images-idx3-ubyte"
printf '#!/usr/bin/env bash\n' >"$repo/tools/fetch_data"
chmod +x "$repo/tools/fetch_data"
echo data >"$repo/data/fashion-mnist/t10k-images-idx3-ubyte.gz"
for name in libdnnl.so.2 libfmt.so.9 libstdc++.so.6 libgomp.so.1; do echo "$name" >"$scratch/system/$name"; done

# cmake [BROKEN]: configuring writes the cache; building writes programs that print their source folder, their
# configuration, and the environment that `run` sets. Building fails in the tree BROKEN.
cmake() {
  fake cmake "broken='${1:-none}'
if [ \"\$1\" = -S ]; then
  mkdir -p \"\$4\"
  printf 'CMAKE_HOME_DIRECTORY:INTERNAL=%s\n' \"\$2\" >\"\$4/CMakeCache.txt\"
  for option in \"\${@:5}\"; do case \$option in -D*=*) option=\${option#-D}; echo \"\${option%%=*}:STRING=\${option#*=}\"; esac; done >>\"\$4/CMakeCache.txt\"
elif [ \"\$4\" = help ]; then
  printf '%s: phony\n' all warpfit cuda_tests cuda_ops_bench warpfit_mpi
else
  [[ \"\$2\" != *\$broken* ]] || exit 1
  from=\$(sed -n 's/^CMAKE_HOME_DIRECTORY:INTERNAL=//p' \"\$2/CMakeCache.txt\")
  with=\$(grep -o 'PHASES.*' \"\$2/CMakeCache.txt\" || true)
  mkdir -p \"\$2/tools/bench\"
  for target in \"\${@:4}\" warpfit_tests; do
    case \$target in warpfit_cuda | warpfit_mpi) target=lib\$target.so ;; cuda_ops_bench) target=tools/bench/\$target ;; esac
    printf '#!/usr/bin/env bash\n# %s\necho \"%s \$* in \$WARPFIT_SOURCE_DIR with \$LD_LIBRARY_PATH\"\n' \"\$from \$with\" \"\${target##*/}\" >\"\$2/\$target\"
    chmod +x \"\$2/\$target\"
  done
fi"
}
libraries='	linux-vdso.so.1 (0x1)
	libc.so.6 => /lib/libc.so.6 (0x1)
	libm.so.6 => /lib/libm.so.6 (0x1)
	libdnnl.so.2 => @/libdnnl.so.2 (0x1)
	libfmt.so.9 => @/libfmt.so.9 (0x1)
	libstdc++.so.6 => @/libstdc++.so.6 (0x1)
	libgomp.so.1 => @/libgomp.so.1 (0x1)
	libcublas.so.13 => not found
	libcudnn.so.9 => /kit/libcudnn.so.9 (0x1)
	libnvrtc.so.13 => /kit/libnvrtc.so.13 (0x1)
	libwarpfit_cuda.so => /build/libwarpfit_cuda.so (0x1)'
libraries=${libraries//@/$scratch/system}
here_ldd() { fake ldd "cat <<'END'
$libraries
END
[[ \"\$*\" != *libwarpfit_mpi.so* ]] || printf '\tlibmpi.so.40 => /mpi/libmpi.so.40 (0x1)\n'"; }
here_ldd
cmake
fake strip
# The commits are named abc0, abc1 and so on; the worktree of a commit has a file that contains the commit's name.
# shellcheck disable=SC2016  # expanded by the fake
fake git 'case "$*" in
  *"rev-parse HEAD") echo 0123abc ;; *status*) echo " M a" ;;
  *rev-parse*nothing*) exit 1 ;; *rev-parse*) commit=${*: -1}; echo "${commit%^*}" ;;
  *"worktree add"*) mkdir -p "${*: -2:1}" && echo "${*: -1}" >"${*: -2:1}/commit" ;; esac'
# shellcheck disable=SC2120  # expect_run passes arguments
bundle() { PATH=$bin "$repo/tools/bundle" "$@"; }
dir=$repo/build/bundle
unpack() { # unpacks programs.tar.xz of DIR into $scratch/unpacked
  rm -rf -- "$scratch/unpacked"
  mkdir "$scratch/unpacked"
  tar -C "$scratch/unpacked" -xJf "$dir/programs.tar.xz"
}

# A build of its own: only the needed programs, with line information, for one architecture.
bundle >"$scratch/output" 2>"$scratch/said"
expect "prints the folder" grep -qx "$dir" "$scratch/output"
size=$(du -sb -- "$dir" | cut -f1)
expect "prints the size last" [ "$(tail -1 "$scratch/output")" = "$size bytes of at most 55000000" ]
expect "configures once" [ "$(calls | grep -c '^cmake -S')" = 1 ]
for option in WARPFIT_CUDA_ARCHITECTURES=90-real CMAKE_CUDA_FLAGS=-lineinfo WARPFIT_TESTS=ON WARPFIT_BENCH=ON; do
  expect "with $option" grep -q -- "^cmake -S $repo -B $own .*-D$option" "$scratch/calls"
done
expect "builds just these" [ "$(calls | grep -- '--target warpfit')" = \
  "cmake --build $own --target warpfit warpfit_cuda cuda_tests cuda_ops_bench warpfit_mpi" ]
expect_said "without the variant phases: CMakeLists.txt has no option"
for file in run cuda/fused/fused_run.cu tools/bench/compare tools/{gpu_check,gpu_stages.sh,profile,lib.sh} tests/goldens/a.json \
  data/sample/s.gz data/recipes/r.toml data/fashion-mnist/t10k-images-idx3-ubyte.gz programs.tar.xz; do
  expect_file "$dir/$file"
done
unpack
for file in build/release/{warpfit,cuda_tests,libwarpfit_{cuda,mpi}.so,tools/bench/cuda_ops_bench} lib/{libdnnl.so.2,libfmt.so.9} \
  lib/common/{libstdc++.so.6,libgomp.so.1}; do
  expect_file "$scratch/unpacked/$file"
done
expect "just these libraries and programs" [ "$(find "$scratch/unpacked" -type f | wc -l)" = 9 ]
expect "the programs are stripped together, libraries one by one" [ "$(calls | grep -c ^strip)" = 5 ]
expect "says what it was made of" [ "$(cat "$dir/COMMIT")" = "0123abc and changes" ]
for file in tools/bench/results data/fashion-mnist/t10k-images-idx3-ubyte build; do expect_no_file "$dir/$file"; done
expect_no_file "$dir.part"
forget_calls
touch "$dir/old"
expect_run 0 bundle --arch "80-real;90-real"
expect "for other architectures" grep -q -- '-DWARPFIT_CUDA_ARCHITECTURES=80-real;90-real' "$scratch/calls"
expect_no_file "$dir/old"

# An existing build tree: brought up to date, never configured, without a second build.
forget_calls
expect_run 0 bundle --build "$own" "$scratch/other bundle"
expect "configures nothing" eval '! calls | grep -q "^cmake -S"'
expect "one build" [ "$(calls | grep -c -- '--target warpfit')" = 1 ]
expect_file "$scratch/other bundle/programs.tar.xz"
mkdir "$scratch/foreign"
echo "CMAKE_HOME_DIRECTORY:INTERNAL=$scratch" >"$scratch/foreign/CMakeCache.txt"
for tree in "$scratch/foreign" "$scratch/none"; do
  expect_run 2 bundle --build "$tree"
  expect_said "this is no build tree of $repo"
done
expect_run 2 bundle --build "$own" --arch 90-real

# Variants: the program and library of each commit, built once in a worktree; the phases variant is built from this
# checkout.
echo 'option(WARPFIT_FUSED_PHASES)' >"$repo/CMakeLists.txt"
forget_calls
expect_run 0 bundle --variant old=abc1 --variant older=abc2
unpack
for variant in old:abc1 older:abc2; do
  commit=${variant#*:} variant=$scratch/unpacked/variants/${variant%:*}
  expect "$commit: its commit" [ "$(cat "$variant/COMMIT")" = "$commit" ]
  for file in warpfit libwarpfit_cuda.so; do
    expect "$commit: $file is that commit's" grep -q "^# $own/variants/$commit-90-real.source" "$variant/$file"
  done
done
expect "phases" grep -q "^# $repo PHASES:STRING=ON" "$scratch/unpacked/variants/phases/libwarpfit_cuda.so"
expect "the programs themselves have none" grep -qx "# $repo " "$scratch/unpacked/build/release/warpfit"
expect "no worktree is left" [ "$(calls | grep -c 'worktree remove --force')" = 2 ]
expect "nor built in" [ "$(find "$own/variants" -mindepth 1 -maxdepth 1 | wc -l)" = 2 ]
forget_calls
expect_run 0 bundle --variant again=abc1
expect "kept ones are not built again" eval '! calls | grep -q "worktree add"'
unpack
expect_file "$scratch/unpacked/variants/again/warpfit"
forget_calls
expect_run 0 bundle --build "$own"
expect "no phases, and no second build" [ "$(calls | grep -c -- '--target warpfit')" = 1 ]
expect_run 0 bundle --build "$own" --variant phases
unpack
expect_file "$scratch/unpacked/variants/phases/warpfit"
forget_calls
expect_run 0 bundle --build "$own" --variant wide:WARPFIT_PARTS=512
expect "built with its option" grep -q -- "^cmake -S $repo -B $own/options/wide .*-DWARPFIT_PARTS=512" "$scratch/calls"
unpack
expect_file "$scratch/unpacked/variants/wide/libwarpfit_cuda.so"
expect "says with which" [ "$(cat "$scratch/unpacked/variants/wide/COMMIT")" = "0123abc and changes, WARPFIT_PARTS=512" ]
expect_run 2 bundle --variant old=nothing
expect_said "there is no such commit"
for wrong in old 'a/b=abc1' '=abc1' 'old=' 'old:=1' 'old:ON' ':ON=1'; do expect_run 2 bundle --variant "$wrong"; done
cmake abc3
forget_calls
expect_run 1 bundle --variant broken=abc3
expect_said "could not be built"
expect "its worktree is removed too" [ "$(calls | grep -c 'worktree remove --force')" = 1 ]
expect_no_file "$own/variants/abc3-90-real"
expect_no_file "$dir.part"
expect_file "$dir/COMMIT"
cmake

# run: unpacks once and sets the environment; CUDA's folders come after the bundle's; Python never imports from the
# working folder.
there="$scratch/other machine"
mkdir -p "$scratch/cuda/lib64" "$scratch/python"/{cu13,nccl,other}/lib
touch "$scratch/cuda/lib64/libcublas.so.13" "$scratch/python/cu13/lib/libcudnn.so.9" "$scratch/python/nccl/lib/libnccl.so.2"
# shellcheck disable=SC2016
python_there='[ "$1" = -I ] || exit 1; case "$*" in *tarfile*) tar -C "${*: -1}" -xJ ;; *) echo '"'$scratch/python'"' ;; esac'
fake python3 "$python_there"
arrive() { # the output of ldd on the other machine
  rm -rf -- "$there"
  cp -r "$dir" "$there"
  fake ldd "$1"
}
run_there() { (cd "$scratch" && PATH=$bin CUDA_HOME=$scratch/cuda "$there/run" "$@"); }
ours="$there/build/release:$there/lib:$scratch/python/cu13/lib:$scratch/python/nccl/lib:$scratch/cuda/lib64"
arrive 'echo "	libcublas.so.13 => not found"'
expect_run 0 run_there "$there/build/release/warpfit" train "a b"
expect_said "warpfit train a b in $there with $ours"
expect "unpacked" cmp -s "$scratch/system/libdnnl.so.2" "$there/lib/libdnnl.so.2"
expect "and nothing else is left" [ -z "$(find "$there" -maxdepth 1 -name '*.xz' -o -maxdepth 1 -name 'unpacked*')" ]
expect_run 0 run_there "$there/build/release/warpfit"
expect_run 0 run_there build/release/warpfit train
expect_said "warpfit train in $there with $ours"
for round in 1 2 3; do
  arrive :
  for turn in 1 2 3 4; do run_there "$there/build/release/cuda_tests" "$turn" & done >"$scratch/said" 2>&1
  wait
  expect "several at once, round $round" [ "$(grep -c "^cuda_tests [1-4] in $there with $ours" "$scratch/said")" = 4 ]
  expect "unpacked once, in one piece" [ "$(find "$there" -name 'libdnnl.so.2' | wc -l)" = 1 ]
done
mv "$bin/xz" "$scratch/xz"
arrive :
# shellcheck disable=SC2016
fake python3 "PATH=\$PATH:$scratch; $python_there"
expect_run 0 run_there "$there/build/release/warpfit" --help
expect_said "warpfit --help in $there with $ours"
mv "$scratch/xz" "$bin/xz"
for answer in 'echo "libstdc++.so.6: version GLIBCXX_3.4.30 not found"' 'echo "	libgomp.so.1 => not found"' 'exit 1'; do
  arrive "$answer"
  expect_run 0 run_there "$there/build/release/warpfit"
  expect_said "with $there/lib/common:$ours"
done
fake python3 'exit 1'
arrive :
expect_run 0 run_there "$there/build/release/warpfit"
expect_said "with $there/build/release:$there/lib:$scratch/cuda/lib64"
expect_run 3 run_there bash -c 'exit 3'
here_ldd

# A bundle that is too large, a missing library, a build that fails: nothing new is left, an older folder stays.
head -c 56000000 /dev/urandom >"$repo/data/fashion-mnist/large.gz"
expect_run 1 bundle
expect_said "data/fashion-mnist/large.gz"
expect_no_file "$dir.part"
expect_file "$dir/COMMIT"
rm "$repo/data/fashion-mnist/large.gz"
fake ldd 'echo "	libspdlog.so.1 => not found"'
expect_run 1 bundle
expect_said "libspdlog.so.1, which a program"
cmake bundle-build
expect_run 1 bundle
expect_said "$own could not be built"
mv "$bin/xz" "$scratch/xz"
expect_run 1 bundle
expect_said "install xz-utils"
mv "$scratch/xz" "$bin/xz"

mkdir "$scratch/mine"
touch "$scratch/mine/precious"
expect_run 2 bundle "$scratch/mine"
expect_file "$scratch/mine/precious"
expect_run 2 bundle one two
expect_run 2 bundle --all
expect_run 2 bundle --arch
expect_run 0 bundle --help
expect_said "tools/bundle [--arch ARCH | --build TREE]"

finish
