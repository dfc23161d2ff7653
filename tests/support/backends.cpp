#include "tests/support/backends.hpp"

#include "host/backend/make_backend.hpp"

namespace warpfit::test {

std::vector<std::string> backend_names() { return {"cpu"}; }

std::unique_ptr<Backend> make_test_backend(const std::string& name) {
  return make_backend({.device = parse_device(name)});
}

void run_once(Backend& backend, const std::function<void()>& operations, const BatchRun& run) {
  backend.record(operations)->run(run);
}

BatchRun one_batch(std::int64_t rows, float rate) { return {{}, 0, 1, rows, rate}; }

}  // namespace warpfit::test
