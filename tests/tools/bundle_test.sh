#!/usr/bin/env bash
# tools/bundle and tools/bundle_run with faked programs and libraries: what is packed, what is refused, what is found there.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/expect.sh"

isolate bash env awk cat cp cut dirname du find grep gzip head ls mkdir mv paste realpath rm sort stat
repo="$scratch/my repo"
build=$repo/build/release
mkdir -p "$build/tools/bench/CMakeFiles" "$repo"/{tools/bench/results,data/fashion-mnist,data/sample,tests/goldens} "$scratch/system"
cp "$root"/tools/{bundle,bundle_run,lib.sh,gpu_check,profile} "$repo/tools"
touch "$repo/README.md" "$repo/tools/bench/compare" "$repo/tools/bench/results/old.jsonl" "$repo/tests/goldens/a.json" \
  "$repo/data/sample/s.gz" "$repo/data/fashion-mnist/t10k-images-idx3-ubyte"
printf '#!/usr/bin/env bash\n' >"$repo/tools/fetch_data"
chmod +x "$repo/tools/fetch_data"
echo data >"$repo/data/fashion-mnist/t10k-images-idx3-ubyte.gz"

program() { # PATH: prints its name and the environment that `run` gives it
  printf '#!/usr/bin/env bash\necho "%s $* in $WARPFIT_SOURCE_DIR with $LD_LIBRARY_PATH"\n' "${1##*/}" >"$build/$1"
  chmod +x "$build/$1"
}
for name in warpfit cuda_tests tools/bench/fma_peak; do program "$name"; done
echo library >"$build/libwarpfit_cuda.so"
for name in libdnnl.so.2 libfmt.so.9 libstdc++.so.6 libgomp.so.1; do echo "$name" >"$scratch/system/$name"; done
# shellcheck disable=SC2016  # for the fake to expand
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
fake ldd "cat <<'END'
$libraries
END"
fake strip
fake git 'case "$*" in *rev-parse*) echo 0123abc ;; *status*) echo " M a" ;; esac'
# shellcheck disable=SC2120  # expect_run passes them
bundle() { PATH=$bin "$repo/tools/bundle" "$@"; }
dir=$repo/build/bundle

expect "prints the folder" [ "$(bundle 2>/dev/null)" = "$dir" ]
for file in run README.md build/release/{warpfit,cuda_tests,libwarpfit_cuda.so,tools/bench/fma_peak} tools/bench/compare \
  tools/{gpu_check,profile,lib.sh} tests/goldens/a.json data/sample/s.gz data/fashion-mnist/t10k-images-idx3-ubyte.gz \
  lib/libdnnl.so.2 lib/libfmt.so.9 lib/common/libstdc++.so.6 lib/common/libgomp.so.1; do
  expect_file "$dir/$file"
done
expect "just these libraries" [ "$(find "$dir/lib" -type f | wc -l)" = 4 ]
expect "each stripped" [ "$(calls | grep -c ^strip)" = 4 ]
expect "says what it was made of" [ "$(cat "$dir/COMMIT")" = "0123abc and changes" ]
for file in tools/bench/results build/release/tools/bench/CMakeFiles data/fashion-mnist/t10k-images-idx3-ubyte; do
  expect_no_file "$dir/$file"
done
expect_no_file "$dir.part"

# A large library travels compressed; a second call replaces the folder.
head -c 5000000 /dev/zero >"$scratch/system/libdnnl.so.2"
touch "$dir/old"
expect_run 0 bundle
expect_no_file "$dir/old"
expect_no_file "$dir/lib/libdnnl.so.2"
expect "compressed" [ "$(stat -c %s "$dir/lib/libdnnl.so.2.gz")" -lt 10000 ]

# run: unpacks, sets the environment; CUDA's folders after ours.
there="$scratch/other machine"
mkdir -p "$scratch/cuda/lib64" "$scratch/python/cu13/lib" "$scratch/python/other/lib"
touch "$scratch/cuda/lib64/libcublas.so.13" "$scratch/python/cu13/lib/libcudnn.so.9"
fake python3 "echo '$scratch/python'"
arrive() { # LDD's answer there
  rm -rf -- "$there"
  cp -r "$dir" "$there"
  fake ldd "$1"
}
run_there() { (cd "$scratch" && PATH=$bin CUDA_HOME=$scratch/cuda "$there/run" "$@"); }
ours="$there/build/release:$there/lib:$scratch/python/cu13/lib:$scratch/cuda/lib64"
arrive 'echo "	libcublas.so.13 => not found"'
expect_run 0 run_there "$there/build/release/warpfit" train "a b"
expect_said "warpfit train a b in $there with $ours"
expect "unpacked" cmp -s "$scratch/system/libdnnl.so.2" "$there/lib/libdnnl.so.2"
expect_no_file "$there/lib/libdnnl.so.2.gz"
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

# Too large; a library that is missing; a program that is not built: nothing is left, an older folder stays.
head -c 61000000 /dev/urandom >"$repo/data/fashion-mnist/large.gz"
fake ldd "cat <<'END'
$libraries
END"
expect_run 1 bundle
expect_said "data/fashion-mnist/large.gz"
expect_no_file "$dir.part"
expect_file "$dir/COMMIT"
rm "$repo/data/fashion-mnist/large.gz"
fake ldd 'echo "	libspdlog.so.1 => not found"'
expect_run 1 bundle
expect_said "libspdlog.so.1, which a program"
for name in warpfit libwarpfit_cuda.so cuda_tests; do
  mv "$build/$name" "$scratch/away"
  expect_run 1 bundle
  expect_said "$name is not built"
  mv "$scratch/away" "$build/$name"
done

mkdir "$scratch/mine"
touch "$scratch/mine/precious"
expect_run 2 bundle "$scratch/mine"
expect_file "$scratch/mine/precious"
expect_run 2 bundle one two
expect_run 2 bundle --all
expect_run 0 bundle --help
expect_said "tools/bundle [DIR]"

finish
