#!/usr/bin/env bash
# Tests tools/lint on a small tree: a clean tree passes, and one planted violation per rule is reported with file,
# line and rule.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/expect.sh"

clean=$scratch/clean
tree=$scratch/tree
planted=" "

# put FILE: writes stdin to a file of the clean tree
put() {
  mkdir -p "$clean/$(dirname "$1")"
  cat >"$clean/$1"
}

# The clean tree: permitted code, and code that only resembles a violation.
for file in CMakeLists.txt CMakePresets.json README.md LICENSE CHANGELOG.md .gitignore data/README.md; do
  echo text | put "$file"
done
put host/main.cpp <<<'#include "host/cli/commands.hpp"'
put host/cli/parse.cpp <<'END'
#include <CLI/CLI.hpp>

#include "host/train/trainer.hpp"
// A kernel<<<1, 1>>> or cudaMalloc(...) in a comment is no call, nor is abort().
int leave(int code) { return app.exit(code); }
END
put host/train/trainer.hpp <<<'#include "host/stream/idx_file.hpp"'
put host/stream/idx_file.hpp <<'END'
#include "host/backend/backend.hpp"
static_assert(sizeof(int) == 4);
void leave_at_once() { _exit(75); }
END
put host/report/log.cpp <<<'#include <spdlog/spdlog.h>'
put host/base/error.hpp <<<'using namespace std::chrono_literals;'
put host/files/json.cpp <<'END'
#include <nlohmann/json.hpp>

#include "host/base/error.hpp"
END
put host/backend/backend.hpp <<<'#include "host/base/error.hpp"'
put host/run/make_backend.cpp <<<'#include "host/cpu/cpu_backend.hpp"'
put host/cpu/relu.cpp <<<'#include "host/backend/backend.hpp"'
put cuda/cuda_backend.hpp <<<'#include "host/backend/backend.hpp"'
put cuda/ops/relu.cu <<'END'
#include <cuda_runtime.h>

#include "cuda/device/reduce.cuh"
__global__ void relu_kernel() { cudaGridDependencySynchronize(); }
END
put cuda/device/reduce.cuh <<<'#include "cuda/device/vector.cuh"'
put cuda/runtime/buffer.cpp <<<'void allocate() { check(cudaMalloc(&data, size)); }'
put tests/ops/relu_test.cpp <<<'#include "tests/support/compare.hpp"'
put tests/emulation/cuda_runtime.h <<<'#include <cuda_runtime_api.h>'
put tools/setup <<'END'
#!/usr/bin/env bash
echo ready
END
awk 'BEGIN { for (i = 1; i <= 300; ++i) print "// line " i }' | put host/base/exactly_300.hpp

# plant RULE FILE LINE TEXT: replaces FILE by TEXT; lint must report this rule alone, at FILE:LINE
plant() {
  rm -rf -- "$tree"
  cp -r "$clean" "$tree"
  mkdir -p "$(dirname "$tree/$2")"
  printf '%s\n' "$4" >"$tree/$2"
  planted+="$1 "
  expect_run 1 "$root/tools/lint" "$tree"
  expect_said "$2:$3: [$1] "
  expect "reports only $1" eval "! grep -vF '[$1] ' '$scratch/said'"
}

expect_run 0 "$root/tools/lint" "$clean"
expect_silent

plant cuda-header host/train/step.cpp 1 '#include <cuda_runtime.h>'
plant cuda-header host/train/step.cpp 2 $'// profile\n#include <nvtx3/nvToolsExt.h>'
plant cuda-header tests/ops/relu_test.cpp 1 '#include <cublas_v2.h>'
plant cuda-header host/cpu/relu.cpp 1 '#include <cudnn.h>'
plant cuda-call cuda/ops/relu.cu 1 'void relu_forward() { relu_kernel<<<1, 32>>>(); }'
plant cuda-call cuda/cuda_backend.hpp 1 'inline void wait() { cudaDeviceSynchronize(); }'
plant cuda-call cuda/fused/trainer.cpp 2 $'// one step\nvoid run() { cublasSgemm(handle); }'
plant cuda-call cuda/rank_sums.cpp 1 'void begin() { ncclGroupStart(); }'
plant spdlog-include host/train/step.cpp 1 '#include <spdlog/spdlog.h>'
plant spdlog-include host/report/console.cpp 1 '#include <spdlog/fmt/fmt.h>'
plant using-std host/train/step.cpp 1 'using namespace std;'
plant process-end host/train/step.cpp 1 'void stop() { std::exit(1); }'
plant process-end cuda/cuda_backend.hpp 1 'inline void stop() { abort(); }'
plant process-end host/base/error.hpp 1 'inline void check(bool ok) { assert(ok); }  // really'
plant include-from-root host/train/step.cpp 1 '#include "step.hpp"'
plant include-from-root tests/ops/relu_test.cpp 1 '#include "../support/compare.hpp"'
plant arrows host/train/step.cpp 1 '#include "host/cli/options.hpp"'
plant arrows host/stream/idx_file.hpp 1 '#include "host/train/step.hpp"'
plant arrows host/main.cpp 1 '#include "cuda/cuda_backend.hpp"'
plant arrows host/more/file.cpp 1 '// in a folder that is not listed'
plant arrows host/train/step.cpp 1 '#include "host/run/run_options.hpp"'
plant arrows host/model/network.hpp 2 $'#pragma once\n#include "host/stream/idx_file.hpp"'
plant arrows host/backend/backend.hpp 1 '#include "host/model/network.hpp"'
plant arrows host/cpu/relu.cpp 1 '#include "host/loss/mse.hpp"'
plant arrows host/files/file.hpp 1 '#include "host/stream/idx_file.hpp"'
plant toml-include host/cli/config.cpp 1 '#include <toml++/toml.h>'
plant toml-include tests/cli/config_test.cpp 1 '#include <toml++/toml.h>'
plant json-include host/files/safetensors.cpp 1 '#include <nlohmann/json.hpp>'
plant arrows host/base/error.hpp 1 '#include "host/backend/backend.hpp"'
plant arrows cuda/cuda_backend.hpp 1 '#include "host/stream/idx_file.hpp"'
plant arrows host/train/step.cpp 1 '#include "cuda/cuda_backend.hpp"'
plant device-on-nothing cuda/device/reduce.cuh 1 '#include "host/base/error.hpp"'
plant cli11-once host/cli/more.cpp 1 '#include <CLI/CLI.hpp>'
plant cli11-once host/cli/options.hpp 1 '#include <CLI/CLI.hpp>'
plant ops-twin cuda/ops/softmax.cu 1 '// softmax'
plant file-length host/train/step.cpp 301 "$(awk 'BEGIN { for (i = 1; i <= 301; ++i) print "// line " i }')"
plant file-length tools/long 301 "$(echo '#!/usr/bin/env bash' && awk 'BEGIN { for (i = 1; i <= 300; ++i) print "# line " i }')"
plant top-level notes.txt 1 'notes'
plant top-level src/main.cpp 1 '// elsewhere'
plant bash-syntax tools/setup 2 $'#!/usr/bin/env bash\nthen echo'
if "$root/tools/format" --check "$clean" 2>&1 | grep -q 'not checked'; then
  planted+="format "
  echo "skipped: the rule format, for want of its clang-format"
else
  plant format host/train/step.cpp 1 'int   twice( int x ){return 2*x;}'
fi

for rule in $("$root/tools/lint" --rules); do
  expect "a fault is planted for $rule" grep -qF " $rule " <<<"$planted"
done
finish
