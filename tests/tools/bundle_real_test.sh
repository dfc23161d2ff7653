#!/usr/bin/env bash
# Bundles a real build tree: the bundle is small enough, complete, and its gpu_check passes without a GPU.
#
#   tests/tools/bundle_real_test.sh TREE
#
# Exit code: 0 passed; 1 failed; 77 skipped because the data set is missing and WARPFIT_REQUIRE_DATA is not set.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/expect.sh"

tree=${1:?usage: bundle_real_test.sh TREE}
if [[ ! ${WARPFIT_REQUIRE_DATA:-} && ! -e $root/data/fashion-mnist/train-images-idx3-ubyte.gz ]]; then
  echo "skipped: tools/fetch_data gets the data set that this test needs"
  exit 77
fi
dir=$scratch/bundle
expect_run 0 "$root/tools/bundle" --build "$tree" "$dir"
tail -1 "$scratch/said"
size=$(du -sb -- "$dir" | cut -f1)
expect "its size is printed" [ "$(tail -1 "$scratch/said")" = "$size bytes of at most 55000000" ]
expect "at most 55 MB" [ "$size" -le 55000000 ]

cd "$dir"
libraries=$(env -u LD_LIBRARY_PATH ./run ldd build/release/warpfit build/release/cuda_tests)
missing=$(grep 'not found' <<<"$libraries" | grep -vE '^\s*lib(cu|nv)' || true)
expect "all libraries but CUDA's are found" [ -z "$missing" ]
for name in libdnnl libspdlog libfmt; do
  expect "$name is the bundle's" grep -qE "^\s*$name\S* => $dir/lib/" <<<"$libraries"
done
[[ ! -e $tree/libwarpfit_mpi.so ]] || expect_file build/release/libwarpfit_mpi.so
expect "without MPI's own libraries" eval '! find lib -name "libmpi*" | grep -q .'
expect_run 0 ./run tools/gpu_check --no-gpu
for stage in load tests nccl; do expect "$stage passed" grep -qE "^$stage +ok " "$scratch/said"; done
suites=$(./run build/release/cuda_tests --gtest_list_tests --gtest_filter='-*/cpu*' | grep -c '^[A-Z][A-Za-z/]*\.$')
expect "each of $suites suites" grep -qx "$suites of $suites suites passed" "$scratch/said"
expect "the summary says so" grep -q '"passed": true' build/gpu_check/summary.json
expect "its programs train" eval './run build/release/warpfit train --data data/sample --epochs 1 --device cpu | tail -1 | grep -qx "Done!"'

finish
