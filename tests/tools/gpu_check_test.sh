#!/usr/bin/env bash
# Tests tools/gpu_check with a fake GPU and fake programs: a successful run, one failure of each kind, no GPU, a
# bundle.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/gpu_check_fakes.sh"

# Everything succeeds.
healthy
mkdir -p "$scratch"/working/nvidia/{cudnn,nccl}
touch "$scratch"/working/nvidia/{cudnn,nccl}/__init__.py
cd "$scratch/working"
export NVIDIA_TF32_OVERRIDE=1 CUBLAS_EMULATE_SINGLE_PRECISION=1 CUBLAS_EMULATION_STRATEGY=eager CUBLAS_WORKSPACE_CONFIG=:0:0
run 0
cd "$scratch"
mapfile -t names < <(gpu_check --list | awk '{ print $1 }')
expect_state ok "${names[@]}"
expect "one row a stage" [ "$(rows | wc -l)" = ${#names[@]} ]
expect "a summary with its facts" [ "$(summary '[summary[k] for k in ("device", "driver", "toolkit", "commit", "persistence_mode", "clocks_sm_mem_max")]')" = \
  "['NVIDIA H100 (80GB) HBM3', '580.1', 'V13.0.88', '0123abc', 'Disabled', '1980 MHz, 2619 MHz, 1980 MHz, 2619 MHz']" ]
results=(bench.jsonl clocks.csv compare.jsonl fused.ncu-rep layers.ncu-rep logs.tar.gz summary.json)
expect "these files, in one folder" [ "$(cd "$out" && find . -mindepth 1 | sort | paste -sd ' ')" = "$(printf './%s ' "${results[@]}" | sed 's/ $//')" ]
expect "one comparison" [ "$(calls | grep -c "^compare .*--variants ours-fused,ours-layers,torch-graph,torch-eager,jax-scan --rounds 3 .*--timeout 30 ")" = 1 ]
expect "and torch-compile at the end" eval 'calls | tail -1 | grep -q "ours-fused,ours-layers,torch-compile --rounds 1 "'
expect "tables at the end of the output" [ "$(grep -cE '^(table of ours|step 20.0|ten epochs, whole command, --engine auto, turn [123]: [0-9.]* s)' "$scratch/table")" = 10 ]
expect "convolutions in fp32, then in TF32, then compiled" [ "$(calls | sed -nE 's/^conv_steps .*--device cuda --rounds 1 (.*) --json .*/\1/p' | paste -sd ';')" = \
  "--timeout 12;--timeout 12 --precision tf32;--timeout 60 --compile --only 1024" ]
expect "NCCL once" [ "$(calls | grep -c "^nccl_ranks --warpfit $repo/build/release/warpfit --data $repo/data/fashion-mnist --json $out/compare.jsonl$")" = 1 ]
expect_row 'nccl +ok .*NCCL 2.30.7; one process: 100 us a step'
expect "its table" [ "$(grep -c '^| training | a step' "$scratch/table")" = 1 ]
expect "their tables too" [ "$(grep -c '^| a training step' "$scratch/table")" = 3 ]
for seed in 0 1 2 3 4; do
  expect "the recipe with seed $seed" [ "$(calls | grep -c "release/warpfit train --config $repo/data/recipes/cnn-94.toml .*--device cuda --seed $seed --save ")" = 1 ]
  expect "its accuracy and time" grep -qx "cnn-94, seed $seed: 94.33 %, 0.50 s of training" "$scratch/table"
done
expect "with several views" [ "$(calls | grep -c 'release/warpfit eval .*--device cuda --tta flip,shift --json$')" = 5 ]
expect "the mean accuracy" grep -qx "cnn-94, mean of 5 seeds: 94.330 %" "$scratch/table"
for tool in memcheck racecheck synccheck initcheck; do
  for filter in '.FusedTutorial.$' '.Fused.*:.*-.*:.blas'; do
    expect "runs $tool" grep -q "^compute-sanitizer --tool $tool --error-exitcode .*cuda_tests --gtest_filter=$filter" "$scratch/calls"
  done
done
expect "and the kernels of networks of images" grep -q 'gtest_filter=.*TransformedBatch.cuda.*PoolPass.cuda.*BatchNormPass.*TransposePass' "$scratch/calls"
expect "in three steps" grep -qx WARPFIT_FUSED_STEPS=3 "$scratch/environment"
train="build/release/warpfit train .*--device cuda --seed 0 --epochs"
for engine in fused layers; do
  expect "$engine: short run" [ "$(calls | grep -c "$train 1 --engine $engine --verbose")" = 1 ]
  expect "$engine: a trace and 3 repeats" [ "$(calls | grep -c "$train 10 --engine $engine --residency resident")" = 4 ]
  expect "$engine: a trace of streamed data" [ "$(calls | grep -c "$train 10 --engine $engine --residency stream")" = 1 ]
  expect "$engine: profile" eval "calls | grep -q '^ncu .*--clock-control none .*--source-folders.* --epochs 1 --engine $engine' ||
    calls | grep -q '^ncu .*--source-folders.*--clock-control none .* --epochs 1 --engine $engine'"
  expect_log "ncu-$engine-details.txt" "page details"
done
expect "the fused kernel alone" eval 'calls | grep -q "^ncu --set full --kernel-name regex:fused_run|tutorial --launch-skip 3 --launch-count 1 "'
expect "the variant's own program" [ "$(calls | grep -cE '^variants/fast/warpfit (bench|train) .*--engine fused')" = 2 ]
expect_log variant-fast.log "agrees with tutorial_seed0.json"
expect "each figure names its stage" [ "$(grep -c '^{"stage": "[a-z0-9-]*", "steps":300}$' "$out/bench.jsonl")" = 5 ]
expect "a process a suite, without the CPU's cases" [ "$(calls | grep -cE 'cuda_tests --gtest_filter=(ReluTest|Backends/Matmul|Networks/Fused|Philox)\.\*-\*/cpu\*$')" = 4 ]
expect_log tests/Backends_Matmul.log 'PASSED  . 12'
expect "a log of clocks" grep -q '^clocks.sm' "$out/clocks.csv"
expect "the GPU is only asked" eval "! calls | grep ^nvidia-smi | grep -v -- '--query-gpu='"
expect "no variable that changes the precision" eval '! in_environment "^(NVIDIA_TF32_OVERRIDE|CUBLAS|CUBLASLT)"'
expect "nothing from the working folder" eval '! in_environment "^LD_LIBRARY_PATH=.*working"'
expect "nothing is left running" eval '! left_running'
unset NVIDIA_TF32_OVERRIDE "${!CUBLAS_@}"

# cuDNN and NCCL of PyTorch's Python.
# shellcheck disable=SC2016
fake torch_python 'case "$*" in "-I -c "*nvidia.cudnn*) echo /pip/cudnn ;; "-I -c "*nvidia.nccl*) echo /pip/nccl ;; *) exit 1 ;; esac'
TORCH_PYTHON=torch_python run 0 --only smoke-layers
expect "PyTorch's libraries" in_environment '^LD_LIBRARY_PATH=(.*:)?/pip/cudnn/lib:/pip/nccl/lib$'
no_fake torch_python

# The required stages fit into eight minutes, regardless of the number of variants.
required() { gpu_check --list | awk '$2 !~ /[?]/ { sum += $2 } END { print sum + 0 }'; }
expect "at most 480 s (found $(required))" [ "$(required)" -le 480 ]
for count in 3 5 9; do
  for ((i = 0; i < count; i++)); do mkdir -p "$repo/variants/v$i"; done
  expect "with $count variants: at most 480 s (found $(required))" [ "$(required)" -le 480 ]
done
expect "all stages are there" [ "$(required)" -gt 400 ]
rm -rf "$repo"/variants/v?

# The default folder is named after the device and the date and is always new. Selection of stages and of whole
# families.
today=$(date -u +%Y-%m-%d)
expect_run 0 gpu_check --only operations
expect_run 0 gpu_check --only operations
for folder in "gpu-h100-80gb-hbm3-$today" "gpu-h100-80gb-hbm3-$today-2"; do
  expect_file "$repo/tools/bench/results/$folder/summary.json"
done
run 0 --only tests,golden-fused,repeat-layers
expect "just these" [ "$(rows | wc -l)" = 4 ]
expect_no_file "$out/compare.jsonl"

# red FAMILIES STAGES [NOTE]: of these families, these stages (a regex) fail, and the others pass
red() {
  run 1 --only "$1"
  for name in "${names[@]}"; do
    [[ $name =~ ^(${1//,/|})(-|$) ]] || continue
    if [[ $name =~ ^($2)$ ]]; then expect_row "$name +FAILED .*${3:-}"; else expect_state ok "$name"; fi
  done
  healthy
}
healthy
warpfit '*"bench"*"--engine layers"*' 'kill -SEGV $$' # a crash
red bench,golden-layers 'bench-layers.*' 'exit code 139'
compare 1 # a contender failed
red compare,golden-layers compare 'torch-graph FAILED: it broke'
expect "its table is printed all the same" grep -q '^table of ours-fused' "$scratch/table"
conv_steps 1
red conv,golden-layers 'conv.*' 'FAILED: PyTorch, LeNet-5: it broke'
expect "its table is printed all the same" grep -q '^| a training step' "$scratch/table"
conv_steps 2
red conv 'conv.*' 'PyTorch cannot be used'
nccl_ranks 1 'FAILED: one process, through NCCL: it broke'
red nccl,golden-layers nccl 'FAILED: one process, through NCCL: it broke'
nccl_ranks 77 'skipped: no NCCL'
run 0 --only nccl,golden-fused
expect_row 'nccl +skipped .*skipped: no NCCL'
healthy
warpfit 'eval*' "echo '{\"accuracy\":0.9399}'"
red recipe,golden-layers recipe-cnn-94 'the mean accuracy is below 94.0 %'
expect "which is printed" grep -qx "cnn-94, mean of 5 seeds: 93.990 %" "$scratch/table"
warpfit 'eval*' "echo '{\"accuracy\":0.9400}'"
run 0 --only recipe
warpfit '*"cnn-94.toml"*"--seed 3"*' 'exit 6'
red recipe recipe-cnn-94 'exit code 6'
expect "the accuracies before the failure" [ "$(grep -c '^cnn-94, seed [012]: 94.33 %' "$scratch/table")" = 3 ]
compare 2
red compare,golden-layers compare 'nothing could be run'
sed -i '0,/^loss: 2/s//loss: 3/' "$scratch/tutorial"
cp "$scratch/tutorial" "$scratch/wrong"
sed -i '0,/^loss: 3/s//loss: 2/' "$scratch/tutorial"
warpfit '*stream' "cat '$scratch/wrong'"
red golden-fused golden-fused-stream
warpfit 'train*' "cat '$scratch/tutorial'; echo \$RANDOM\$RANDOM"
red repeat 'repeat-.*' 'other bytes'
rm "$repo/build/release/tools/bench/cuda_ops_bench"
red operations,tests operations 'is not built'
no_fake ncu
no_fake compute-sanitizer
red ncu,sanitize '(ncu|sanitize)-.*' 'is not installed'
fake ncu
red ncu 'ncu-.*' 'wrote no report'
# shellcheck disable=SC2016
fake compute-sanitizer '[ "$2" != racecheck ] || exit 99; echo "[  PASSED  ] 1 test."'
red sanitize-memcheck,sanitize-racecheck sanitize-racecheck 'exit code 99'
cuda_tests '*' 'echo "[  PASSED  ] 0 tests."'
red sanitize-memcheck,tests 'sanitize-memcheck|tests'

# In a bundle, gpu_check runs itself through the bundle's `run`, once.
mkdir -p "$scratch/bundle"
cp -r "$repo"/. "$scratch/bundle"
# shellcheck disable=SC2016
printf '#!/usr/bin/env bash\necho run >>"%s/calls"\nexport WARPFIT_BUNDLE=%s\nexec "$@"\n' "$scratch" "$scratch/bundle" \
  >"$scratch/bundle/run"
chmod +x "$scratch/bundle/run"
for start in "$repo/tools/gpu_check --bundle $scratch/bundle" "$scratch/bundle/tools/gpu_check"; do
  forget_calls
  rm -rf -- "$out"
  expect_run 0 env PATH="$bin" bash -c "'${start%% --*}' ${start#"${start%% --*}"} --out '$out' --only operations"
  expect "by its own run, once" [ "$(calls | grep -c '^run$')" = 1 ]
  expect_file "$out/summary.json"
done

# Without a GPU; CUDA's libraries may be missing too.
fake nvidia-smi 'echo "No devices were found"; exit 6'
expect_run 6 gpu_check --out "$out"
expect_said "there is no GPU here"
no_fake nvidia-smi
expect_run 6 gpu_check --out "$out"
warpfit 'train*' 'exit 6'
rm "$bin/ldd"
fake ldd 'printf "\tlibcublas.so.13 => not found\n"'
expect_run 0 gpu_check --no-gpu
expect_said "nothing on a GPU is checked"
out=$repo/build/gpu_check
cp "$scratch/said" "$scratch/table"
expect_state ok load tests nccl
expect "two processes on the CPU" [ "$(calls | grep -c '^nccl_ranks .* --no-gpu$')" = 1 ]
expect_row 'golden-fused-stream +skipped .*needs a GPU'
expect "and says that it passed" [ "$(summary 'summary["passed"]')" = True ]
fake ldd 'printf "\tlibfmt.so.9 => not found\n"'
expect_run 1 gpu_check --no-gpu
expect_said "libwarpfit_cuda.so: "
fake ldd
warpfit 'train*' :
expect_run 1 gpu_check --no-gpu
expect_said "expected 6"

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
