# shellcheck shell=bash
# The stages of tools/gpu_check, in order, and what each one runs. To be sourced by gpu_check.
#
# A stage is a function that runs in its own process, with stdin closed and its output in a log. It can report the reason
# of a failure with `note`, and results for the end of gpu_check's output with `headline`. Exit code 77: skipped.
# shellcheck disable=SC2154  # bin, data, scratch, logs, out, no_gpu and root are set by gpu_check

# The most important stages come first. name | limit in seconds | function and arguments
#
# The limits of the required stages must add up to at most eight minutes. `+`: plus the time that earlier stages did not
# use. `?`: optional, runs only if time is left, and is not a failure if that time was too short. Names with -fused or
# -layers need that engine; variants are separate programs.
stages() {
  cat <<'TABLE'
load                   8    loads
smoke-fused            6    smoke fused
smoke-layers           6    smoke layers
golden-fused-resident  5    golden fused resident
golden-fused-stream    5    golden fused stream
golden-layers-resident 5    golden layers resident
golden-layers-stream   5    golden layers stream
compare                130+ compare 30 3 torch-graph torch-eager jax-scan
whole-command          8    whole_command
bench-fused            5    bench fused
bench-layers           5    bench layers
conv                   25+  conv 12
bench-layers-tf32      5    bench layers --precision tf32 --network 784-4096-4096-10 --batch-size 4096 --steps 50
bench-layers-bf16      5    bench layers --precision bf16 --network 784-4096-4096-10 --batch-size 4096 --steps 50
nccl                   30+  nccl
operations             30   operations
tests                  30   gpu_tests
ncu-fused              30   kernel_profile fused --set full --kernel-name regex:fused_run|tutorial --launch-skip 3 --launch-count 1
ncu-layers             30   kernel_profile layers --set basic --section WarpStateStats --launch-count 20
TABLE
  local name names
  mapfile -t names < <(cd "$root/variants" 2>/dev/null && printf '%s\n' */ | sed 's|/$||; /^\*$/d')
  for name in "${names[@]}"; do
    printf 'variant-%s %d+ variant %s\n' "$name" $((${#names[@]} > 3 ? 21 / ${#names[@]} : 7)) "$name"
  done
  cat <<'TABLE'
repeat-fused           5    repeats fused
repeat-layers          5    repeats layers
sanitize-memcheck      10   sanitize memcheck
sanitize-racecheck     49+  sanitize racecheck
sanitize-synccheck     7    sanitize synccheck
sanitize-initcheck     7    sanitize initcheck
conv-tf32              40?  conv 12 --precision tf32
recipe-cnn-94          120? recipe_cnn_94
conv-compile           100? conv 60 --compile --only 1024
torch-compile          90?  compare 85 1 torch-compile
TABLE
}
# shellcheck disable=SC2034  # used by gpu_check
runs_without_gpu='^(load|tests|nccl)$'

# Small configurations and three steps of the fused tutorial, since a sanitizer makes code 10 to 100 times slower.
# Excluded are tests of cuBLAS's and cuDNN's kernels, which take long to instrument and of which convolutions consist; a
# test whose CUDA calls fail on purpose, which memcheck would report; and one whose large matrices take racecheck minutes.
sanitized='*Fused.*cuda*:*TrainStep*own*:*Matmul*:*Softmax*cuda*:*LoadBatch*cuda*:*TransformedBatch*cuda*'
sanitized+=':*PoolPass*cuda*:*BatchNormPass*cuda*:*TransposePass*cuda*'
not_sanitized='*/cpu*:*blas*:*Dnn*:*GoesOnAfterAStepThatFailed*:*TakesMoreRowsThanAGridHas*:SecondOpinion*'

note() { printf '%s\n' "$*" | tee -a "$scratch/note" >&2; }
headline() { tee -- "$scratch/headlines/$(date +%s%N)"; } # copies stdin to stdout and to the headlines
is_broken() { grep -qx -- "$1" "$scratch/broken" 2>/dev/null; } # ENGINE

# Shows a command in the log, then runs it.
try() {
  printf '$ %s\n' "$*" >&2
  "$@"
}

# limited SECONDS COMMAND...: a time limit within a stage; with --foreground the stage's own limit ends the command as
# well
limited() { timeout --foreground --kill-after=1 "$@"; }

tool() { # NAME: prints the path of a CUDA program, which is not always on the PATH
  local candidate
  for candidate in "$(command -v "$1")" "${CUDA_HOME:-/usr/local/cuda}/bin/$1" /opt/nvidia/nsight-compute/*/"$1"; do
    [[ -x $candidate ]] && echo "$candidate" && return
  done
  note "$1 is not installed"
  return 1
}

# Without a GPU, CUDA's own libraries may be missing too.
loads() {
  local missing code=0
  try "$bin/warpfit" --version
  missing=$(ldd -r "$bin/libwarpfit_cuda.so" 2>&1 | grep -E 'not found|undefined symbol' || true)
  [[ ! $no_gpu ]] || missing=$(grep -vE '^\s*lib(cu|nv)' <<<"$missing" || true)
  [[ ! $missing ]] || { note "libwarpfit_cuda.so: $missing" && return 1; }
  try "$bin/cuda_tests" --gtest_list_tests
  if [[ $no_gpu ]]; then
    try "$bin/warpfit" train --data "$data" --device cuda || code=$?
    ((code == 6)) || { note "exit code $code, expected 6: there is no device" && return 1; }
  fi
}

smoke() { # ENGINE: one epoch
  try "$bin/warpfit" train --data "$data" --device cuda --seed 0 --epochs 1 --engine "$1" --verbose |
    tee -- "$scratch/smoke"
  grep -qx 'Done!' "$scratch/smoke" || { note "it did not print Done!" && return 1; }
}

# train ENGINE RESIDENCY FILE: ten epochs of the tutorial on the GPU; stdout goes to FILE and to the log
train() {
  local code=0
  try "${program:-$bin/warpfit}" train --data "$data" --device cuda --seed 0 --epochs 10 --engine "$1" \
    --residency "$2" >"$3" || code=$?
  cat -- "$3"
  return "$code"
}

golden() { # ENGINE RESIDENCY
  train "$1" "$2" "$scratch/golden" || return
  try python3 "$root/tools/bench/check_golden.py" "$scratch/golden" "$root/tests/goldens/tutorial_seed0.json"
}

compare() { # SECONDS_EACH ROUNDS PEER...
  local code=0 engine variants='' failed
  for engine in fused layers; do is_broken "$engine" || variants+=ours-$engine,; done
  variants+=$(IFS=, && echo "${*:3}")
  try python3 "$root/tools/bench/compare" --data "$data" --device cuda --variants "$variants" --rounds "$2" --epochs 4 \
    --timeout "$1" ${TORCH_PYTHON:+--torch-python "$TORCH_PYTHON"} --json "$out/compare.jsonl" |
    tee -- "$scratch/compared" | headline || code=$?
  failed=$(grep -E 'FAILED|DISAGREE' "$scratch/compared" | tr -s ' ' | cut -c 1-150 || true)
  case $code in
    1) note "${failed:-losses disagree or a contender failed}" ;;
    2) note "nothing could be run" ;;
  esac
  return "$code"
}

conv() { # SECONDS_EACH OPTION...: training steps of convolutional networks
  local code=0
  try python3 "$root/tools/bench/conv_steps" --data "$data" --device cuda --rounds 1 --timeout "$1" "${@:2}" \
    ${TORCH_PYTHON:+--torch-python "$TORCH_PYTHON"} --json "$out/compare.jsonl" |
    tee -- "$scratch/compared" | headline || code=$?
  case $code in
    1) note "$(grep '^FAILED' "$scratch/compared" | cut -c 1-150 || true)" ;;
    2) note "PyTorch cannot be used" ;;
  esac
  return "$code"
}

# Sums of gradients by NCCL, in one process and in two that share the GPU. Without a GPU, two processes on the CPU.
nccl() {
  local code=0
  try python3 "$root/tools/bench/nccl_ranks" --warpfit "$bin/warpfit" --data "$data" --json "$out/compare.jsonl" \
    ${no_gpu:+--no-gpu} | tee -- "$scratch/compared" | headline || code=$?
  note "$(grep '^FAILED' "$scratch/compared" | cut -c 1-150 || tail -n 1 "$scratch/compared")"
  return "$code"
}

# Trains the recipe with five seeds. The accuracy is that of the mean of the outputs for six views of each test image.
recipe_cnn_94() {
  local seed model=$scratch/cnn-94.safetensors
  rm -f -- "$scratch/recipe"
  for seed in 0 1 2 3 4; do
    rm -f -- "$model"
    try "$bin/warpfit" train --config "$root/data/recipes/cnn-94.toml" --data "$data" --device cuda --seed "$seed" \
      --save "$model" 2>&1 | tee -- "$scratch/trained" || return
    try "$bin/warpfit" eval "$model" --data "$data" --device cuda --tta flip,shift --json | tee -- "$scratch/tested" ||
      return
    awk -v seed="$seed" '
      match($0, /epoch [0-9]+: train [0-9.]+ s/) { split(substr($0, RSTART, RLENGTH), words, " "); seconds += words[4] }
      match($0, /"accuracy":[0-9.]+/) { accuracy = substr($0, RSTART + 11, RLENGTH - 11) }
      END { printf "cnn-94, seed %d: %.2f %%, %.2f s of training\n", seed, 100 * accuracy, seconds }
    ' "$scratch/trained" "$scratch/tested" | tee -a -- "$scratch/recipe" | headline
  done
  awk '{ sum += $4 } END { printf "cnn-94, mean of %d seeds: %.3f %%\n", NR, sum / NR; exit sum / NR < 94 }' \
    "$scratch/recipe" | headline || { note "the mean accuracy is below 94.0 %" && return 1; }
}

# The time from the start to the end of the process, three times.
whole_command() {
  local turn engine=auto
  ! is_broken fused || engine=layers
  for turn in 1 2 3; do
    TIMEFORMAT="ten epochs, whole command, --engine $engine, turn $turn: %R s"
    { time train "$engine" auto "$scratch/whole" >"$scratch/said" 2>&1; } 2>&1 | headline ||
      { cat -- "$scratch/said" && return 1; }
  done
}

bench() { # ENGINE OPTION...
  local code=0
  rm -f -- "$scratch/bench.json"
  try "${program:-$bin/warpfit}" bench --data "$data" --device cuda --engine "$@" --json "$scratch/bench.json" |
    tee -- "$scratch/bench.txt" || code=$?
  grep -vE '^$|^path|alone|together|copies' "$scratch/bench.txt" | headline >/dev/null || true
  [[ ! -s $scratch/bench.json ]] || sed "s|^{|{\"stage\": \"$stage\", |" "$scratch/bench.json" >>"$out/bench.jsonl"
  return "$code"
}

operations() {
  local program=$bin/tools/bench/cuda_ops_bench
  [[ -x $program ]] || { note "$program is not built: WARPFIT_BENCH=ON and cuDNN's header" && return 1; }
  try "$program"
}

# Runs one test suite in its own process, so that a crash or a hang does not affect the other suites.
suite() { # NAME EXCLUDED
  local name=${1//\//_} code=0 failed
  local log=$logs/tests/$name.log
  limited 30 "$bin/cuda_tests" --gtest_filter="$1.*-$2" 2>&1 </dev/null | keep_ends "$log" 20000 || code=$?
  failed=$(sed -nE 's/^\[  FAILED  \] ([^ ,]+).* \([0-9]+ ms\)$/\1/p' "$log" | head -n 3 | paste -sd ' ')
  if ((code == 0)) && [[ ! $no_gpu ]] && ! grep -qE '^\[  PASSED  \] [1-9]' "$log"; then
    code="no test passed" # gtest's exit code is also 0 if all tests were skipped
  fi
  case $code in
    0) echo "$1: ok" >"$scratch/suites/$name" ;;
    124 | 137) note "$1: timeout" ;;
    [1-9]*) note "$1: exit code $code${failed:+ ($failed)}" ;;
    *) note "$1: $code" ;;
  esac
  touch -- "$scratch/suites/$name"
}

gpu_tests() {
  local excluded='*/cpu*' listed suites
  ! is_broken fused || excluded+=':*Fused*'
  listed=$("$bin/cuda_tests" --gtest_list_tests --gtest_filter="-$excluded") ||
    { note "exit code $?: no list of tests" && return 1; }
  # The last suites start first: the tests of whole runs take longest.
  mapfile -t suites < <(grep -oE '^[A-Za-z0-9_/]+\.$' <<<"$listed" | tr -d . | tac)
  ((${#suites[@]} > 0)) || { note "the list of tests is empty" && return 1; }
  rm -rf -- "$scratch/suites"
  mkdir -p -- "$scratch/suites" "$logs/tests"
  trap 'report_suites; exit 1' TERM # sent when the stage exceeds its limit
  printf '%s\n' "${suites[@]}" | xargs -P 4 -I '{}' "$self" --run-suite '{}' "$excluded" || true
  report_suites
}

report_suites() {
  local name passed
  for name in "${suites[@]}"; do [[ -e $scratch/suites/${name//\//_} ]] || note "$name: not finished"; done
  passed=$(cat -- "$scratch"/suites/* | grep -c ': ok$' || true)
  echo "$passed of ${#suites[@]} suites passed" | headline
  ((passed == ${#suites[@]}))
}

# kernel_profile ENGINE OPTION...: writes a report for Nsight Compute, and its pages as text
kernel_profile() {
  local ncu report=$out/$1.ncu-rep
  ncu=$(tool ncu) || return 1
  try "$ncu" "${@:2}" --import-source yes --source-folders "$root/cuda" --clock-control none --force-overwrite \
    --export "$out/$1" "$bin/warpfit" train --data "$data" --device cuda --seed 0 --epochs 1 --engine "$1"
  [[ -s $report ]] || { note "ncu wrote no report" && return 1; }
  export_page() { "$ncu" --import "$report" --page "${@:2}" 2>&1 | head -c 4000000 >"$logs/$1" || true; }
  export_page "ncu-$1-details.txt" details
  export_page "ncu-$1-sass.csv" source --csv --print-source sass
  export_page "ncu-$1-source.csv" source --csv --print-source cuda,sass
}

variant() { # NAME: also runs if warpfit's fused engine is broken, since a variant has different kernels
  local program=$root/variants/$1/warpfit code=0
  echo "variant $1 of $(cat -- "$root/variants/$1/COMMIT")" | headline
  bench fused || { code=$? && note "bench: exit code $code"; }
  golden fused resident || { code=$? && note "golden: exit code $code"; }
  return "$code"
}

repeats() { # ENGINE
  local turn
  for turn in 1 2 3; do
    train "$1" resident "$scratch/repeat$turn" >"$scratch/said" || { cat -- "$scratch/said" && return 1; }
    cmp -- "$scratch/repeat1" "$scratch/repeat$turn" && continue
    note "run $turn printed other bytes than run 1"
    diff -- "$scratch/repeat1" "$scratch/repeat$turn" || return 1
  done
  sha256sum <"$scratch/repeat1"
}

# Runs a test program and also fails if no test passed: gtest's exit code is 0 if all tests were skipped.
gtest() { # COMMAND...
  local code=0 reader
  rm -f -- "$scratch/watched"
  mkfifo -- "$scratch/watched"
  grep -qE '^\[  PASSED  \] [1-9]' <"$scratch/watched" &
  reader=$!
  try "$@" 2>&1 | tee -p -- "$scratch/watched" || code=$?
  wait "$reader" || { ((code == 0)) && note "no test passed" && code=1; }
  return "$code"
}

# The fused tutorial runs first and in its own process: it is the most important test and takes longest. memcheck also
# checks a fused engine that failed its short run, since memcheck can find the reason.
sanitize() { # TOOL
  local sanitizer filter code=0 filters=('*FusedTutorial*' "$sanitized-$not_sanitized")
  sanitizer=$(tool compute-sanitizer) || return 1
  [[ $1 == memcheck ]] || ! is_broken fused || filters=("$sanitized-$not_sanitized:*Fused*")
  [[ ! ${WARPFIT_SANITIZE_FILTER:-} ]] || filters=("$WARPFIT_SANITIZE_FILTER")
  for filter in "${filters[@]}"; do
    WARPFIT_FUSED_STEPS=3 gtest "$sanitizer" --tool "$1" --error-exitcode 99 --print-limit 20 "$bin/cuda_tests" \
      --gtest_filter="$filter" || { code=$? && note "exit code $code with $filter"; }
  done
  return "$code"
}
