#!/usr/bin/env bash
# tools/gpu_check with a faked GPU and faked programs: each stage green, then one way each to be red; limits; no GPU.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/expect.sh"

isolate bash env awk cat cmp cp date diff dirname grep head ldd mkdir mktemp mv realpath rm sha256sum sleep stat \
  tail tee timeout tr
ln -s "$(python3 -c 'import sys; print(sys.executable)')" "$bin/python3" # what is on the PATH may only be a wrapper
repo="$scratch/my repo"
mkdir -p "$repo"/{tools/bench,tests/goldens,build/release/tools/bench,data/fashion-mnist}
cp "$root"/tools/{gpu_check,lib.sh} "$repo/tools"
cp "$root"/tools/bench/{gpu_summary,check_golden,runs}.py "$repo/tools/bench"
cp "$root/tests/goldens/tutorial_seed0.json" "$repo/tests/goldens"
echo 0123abc >"$repo/COMMIT"

gpu_check() { PATH=$bin CUDA_HOME=$scratch/none "$repo/tools/gpu_check" "$@"; }

# program PATH BODY: a faked program that records its call
program() {
  printf '#!/usr/bin/env bash\necho "%s $*" >>"%s/calls"\n%s\n' "${1##*/}" "$scratch" "$2" >"$repo/$1"
  chmod +x "$repo/$1"
}
# shellcheck disable=SC2016  # for the fakes to expand
healthy() {
  python3 - "$root/tests/goldens/tutorial_seed0.json" >"$scratch/tutorial" <<'END'
import json, sys
for epoch in json.load(open(sys.argv[1]))["epochs"]:
    print(f"Epoch {epoch['epoch']}")
    for seen, loss in epoch["train"]:
        print(f"loss: {loss:>7f}  [{seen:>5d}/60000]")
    print(f"Test Error: \n Accuracy: {epoch['test_correct'] / 100:>0.1f}%, Avg loss: {epoch['test_avg_loss']:>8f} \n")
print("Done!")
END
  fake nvidia-smi 'case "$*" in *=name*) echo "NVIDIA H100 (80GB) HBM3" ;; *driver_version*) echo 580.1 ;; *) echo "1980 MHz" ;; esac'
  fake nvcc 'echo "Cuda compilation tools, release 13.0, V13.0.88"'
  fake compute-sanitizer 'while [ "${1##*/}" != cuda_tests ]; do shift; done; exec "$@"'
  program build/release/warpfit "[ \"\$1\" = --version ] && echo warpfit 0.1 || cat '$scratch/tutorial'"
  program build/release/cuda_tests '[ "$1" = --gtest_list_tests ] && echo ReluTest. && exit
[ "$WARPFIT_REQUIRE_CUDA" = 1 ] && echo "[  PASSED  ] 12 tests." || echo "[  PASSED  ] 0 tests."'
  program build/release/tools/bench/cuda_ops_bench 'echo "ReLU 2.0 us"'
  cp "$(type -P true)" "$repo/build/release/libwarpfit_cuda.so"
  cat >"$repo/tools/bench/compare" <<END
import sys
open(sys.argv[sys.argv.index("--json") + 1], "a").write("{}\n")
print("compare", *sys.argv[1:])
END
}
out=$scratch/out
expect_row() { expect "row '$1'" grep -qE "^$1" "$scratch/said"; } # REGEX
summary() { python3 -c "import json; summary = json.load(open('$out/summary.json')); print($1)"; }

# Everything is well.
healthy
expect_run 0 gpu_check --out "$out"
mapfile -t names < <(gpu_check --list | awk '{ print $1 }')
for name in "${names[@]}"; do expect_row "$name +ok"; done
expect "one row a stage" [ "$(grep -cE '^[a-z-]+ +ok ' "$scratch/said")" = ${#names[@]} ]
expect "a summary with its facts" [ "$(summary '[summary[k] for k in ("device", "driver", "toolkit", "commit", "passed")]')" = \
  "['NVIDIA H100 (80GB) HBM3', '580.1', 'V13.0.88', '0123abc', True]" ]
expect "and with each stage" [ "$(summary 'len(summary["stages"])')" = ${#names[@]} ]
expect "few files, in one folder" [ "$(find "$out" -type f | wc -l) $(find "$out" -mindepth 1 -type d | wc -l)" = "6 0" ]
expect "four comparisons" [ "$(wc -l <"$out/compare.jsonl")" = 4 ]
for variant in eager compile graph dataloader; do
  expect "compares with $variant" grep -q "compare .*--device cuda --variants ours-fused,ours-layers,torch-$variant " "$out/bench.log"
done
for tool in memcheck racecheck initcheck synccheck; do
  expect "runs $tool" eval "calls | grep -q '^compute-sanitizer --tool $tool --error-exitcode .*cuda_tests --gtest_filter='"
done
train="warpfit train .*--device cuda --seed 0 --epochs 10 --engine"
for engine in fused layers; do
  expect "$engine: a trace and 5 repeats" [ "$(calls | grep -c "$train $engine --residency resident")" = 6 ]
  expect "$engine: a trace of streamed data" [ "$(calls | grep -c "$train $engine --residency stream")" = 1 ]
done
expect "the whole command, three times" [ "$(grep -c '^ten epochs, whole command, turn [123]: [0-9.]* s$' "$out/bench.log")" = 3 ]
expect "a step's phases, and those of wide layers" [ "$(calls | grep -c "warpfit bench --data .* --device cuda")" = 3 ]
expect "GPU tests may not be skipped" grep -q 'PASSED  . 12' "$out/tests.log"
expect "the GPU is only asked" eval "! calls | grep ^nvidia-smi | grep -v -- '--query-gpu='"

# The default folder: the device and the date, never an old one.
today=$(date -u +%Y-%m-%d)
expect_run 0 gpu_check --only tests
expect_run 0 gpu_check --only tests
for folder in "gpu-h100-80gb-hbm3-$today" "gpu-h100-80gb-hbm3-$today-2"; do
  expect_file "$repo/tools/bench/results/$folder/summary.json"
done

# A choice of stages, whole families too.
forget_calls
expect_run 0 gpu_check --out "$out" --only tests,golden-fused,repeat-layers
expect "just these" [ "$(grep -cE ' (ok|FAILED|skipped) ' "$scratch/said")" = 4 ]
expect "no other's log is left" [ ! -e "$out/bench.log" ]

# red FAMILIES STAGES: of these families, these stages (a regex) fail, the others go on, the exit code is 1
red() {
  expect_run 1 gpu_check --out "$out" --only "$1"
  for name in "${names[@]}"; do
    [[ $name =~ ^(${1//,/|}) ]] || continue
    if [[ $name =~ ^($2)$ ]]; then expect_row "$name +FAILED"; else expect_row "$name +ok"; fi
  done
  expect "the summary knows" [ "$(summary 'summary["passed"]')" = False ]
  healthy
}
program build/release/cuda_tests 'case "$*" in *list_tests) echo A. ;; "") exit 1 ;; *) echo "[  PASSED  ] 1 test." ;; esac'
red load,tests tests
program build/release/cuda_tests 'echo "[  PASSED  ] 0 tests."'
red load,tests,sanitize 'tests|sanitize-.*'
# shellcheck disable=SC2016
fake compute-sanitizer '[ "$2" != racecheck ] || exit 99; echo "[  PASSED  ] 1 test."'
red sanitize sanitize-racecheck
no_fake compute-sanitizer
red tests,sanitize 'sanitize-.*'
sed -i '0,/^loss: 2/s//loss: 3/' "$scratch/tutorial"
cp "$scratch/tutorial" "$scratch/wrong"
program build/release/warpfit "case \"\$*\" in --version) echo 1 ;; *stream) cat '$scratch/wrong' ;; *) cat '$scratch/right' ;; esac"
sed '0,/^loss: 3/s//loss: 2/' "$scratch/wrong" >"$scratch/right"
red golden 'golden-.*-stream'
program build/release/warpfit "[ \"\$1\" = --version ] || { cat '$scratch/tutorial'; echo \$RANDOM\$RANDOM; }"
red load,golden,repeat '(golden|repeat)-.*'
program build/release/warpfit '[ "$1" = --version ] || exit 6'
red load,golden,repeat '(golden|repeat)-.*'
echo 'import sys; sys.exit("torch-graph" in sys.argv[sys.argv.index("--variants") + 1])' >"$repo/tools/bench/compare"
red bench bench-torch-graph
rm "$repo/build/release/tools/bench/cuda_ops_bench"
red bench bench-operations

# Limits: of a stage, of the whole; a process that was started goes with its stage.
sed -i 's/^repeat-layers  *[0-9]*/repeat-layers 1/' "$repo/tools/gpu_check"
program build/release/warpfit '[ "$1" = --version ] || sleep 77'
expect_run 1 gpu_check --out "$out" --only repeat-layers,tests
expect_row 'repeat-layers +timeout'
expect_row 'tests +ok'
expect "nothing is left running" eval '! grep -lsz "^77$" /proc/[0-9]*/cmdline | grep -q .'
healthy
sed -i 's/^deadline=.*/deadline=0/' "$repo/tools/gpu_check"
expect_run 1 gpu_check --out "$out" --only tests
expect_row 'tests +no time'
cp "$root/tools/gpu_check" "$repo/tools"

# A log without end is cut.
program build/release/cuda_tests '[ "$1" = --gtest_list_tests ] && exit; head -c 9000000 /dev/zero | tr "\0" x; echo; echo "[  PASSED  ] 1 test."'
expect_run 0 gpu_check --out "$out" --only tests
expect "the log keeps its ends" eval '[ "$(stat -c %s "$out/tests.log")" -lt 5000000 ] && tail -3 "$out/tests.log" | grep -q PASSED'
healthy

# In a bundle: by its own `run`, once.
mkdir -p "$scratch/bundle"
cp -r "$repo"/. "$scratch/bundle"
# shellcheck disable=SC2016
printf '#!/usr/bin/env bash\necho run >>"%s/calls"\nexport WARPFIT_BUNDLE=%s\nexec "$@"\n' "$scratch" "$scratch/bundle" \
  >"$scratch/bundle/run"
chmod +x "$scratch/bundle/run"
for start in "$repo/tools/gpu_check --bundle $scratch/bundle" "$scratch/bundle/tools/gpu_check"; do
  forget_calls
  rm -rf -- "$out"
  expect_run 0 env PATH="$bin" bash -c "'${start%% --*}' ${start#"${start%% --*}"} --out '$out' --only tests"
  expect "by its own run, once" [ "$(calls | grep -c '^run$')" = 1 ]
  expect_file "$out/summary.json"
done

# Without a GPU.
fake nvidia-smi 'echo "No devices were found"; exit 6'
expect_run 6 gpu_check --out "$out"
expect_said "there is no GPU here"
no_fake nvidia-smi
expect_run 6 gpu_check --out "$out"
program build/release/warpfit '[ "$1" = --version ] && echo warpfit 0.1 || exit 6'
expect_run 0 gpu_check --no-gpu
expect_said "nothing on a GPU is checked"
expect_row 'load +ok'
expect_row 'tests +ok'
expect_row 'golden-fused-stream +skipped .*needs a GPU'
expect_file "$repo/build/gpu_check/summary.json"
program build/release/warpfit ':'
expect_run 1 gpu_check --no-gpu
expect_row 'load +FAILED'

rm "$repo/build/release/libwarpfit_cuda.so"
expect_run 1 gpu_check --no-gpu
expect_said "libwarpfit_cuda.so is not there"
expect_run 2 gpu_check --only golden,speed
expect_said "there is no stage 'speed'"
expect_run 2 gpu_check --minutes soon
expect_run 2 gpu_check --only
expect_run 2 gpu_check --fast
expect_run 0 gpu_check --help
expect_said "tools/gpu_check [--only NAME,...]"

finish
