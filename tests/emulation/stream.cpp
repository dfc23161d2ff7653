// Runs queued work: in order within each stream, and across streams as their markers require.
#include "tests/emulation/stream.hpp"

#include <utility>

#include "tests/emulation/runtime.hpp"

namespace warpfit::emulation {
namespace {

/// Makes device memory accessible only to code that runs as the device, if the configuration asks for it.
class DeviceAccess {
 public:
  DeviceAccess() {
    if (config().trap_host_access) runtime().memory.open(true);
  }
  ~DeviceAccess() {
    if (config().trap_host_access) runtime().memory.open(false);
  }
  DeviceAccess(const DeviceAccess&) = delete;
  DeviceAccess& operator=(const DeviceAccess&) = delete;
};

}  // namespace

void Stream::push(Operation operation) {
  auto queued = std::make_unique<Queued>();
  queued->operation = std::move(operation);
  sanitizer::release(&queued->token);
  queue_.push_back(std::move(queued));
}

std::shared_ptr<Marker> Stream::mark() {
  auto marker = std::make_shared<Marker>();
  marker->stream = this;
  push({nullptr, {}, marker});
  return marker;
}

void Stream::finish() {
  while (!queue_.empty()) poll();
}

// This stream may be destroyed as soon as the marker is done.
void Stream::finish(const std::shared_ptr<Marker>& marker) {
  while (!marker->done) poll();
}

void Stream::advance() {
  while (step()) continue;
}

void Stream::poll() {
  const auto before = runtime().progress;
  if (step()) return;
  for (const auto& other : runtime().all_streams()) {
    if (other->device() != device_) other->step();
  }
  if (runtime().progress == before) wait_for_hosts();
}

bool Stream::step() {
  if (queue_.empty()) return false;
  std::unique_ptr<Queued> queued = std::move(queue_.front());
  queue_.pop_front();
  if (!run(*queued)) {
    queue_.push_front(std::move(queued));
    return false;
  }
  ++runtime().progress;
  return true;
}

bool Stream::run(Queued& queued) {
  Operation& operation = queued.operation;
  for (const auto& marker : operation.after) {
    while (!marker->done) {
      if (!marker->stream->step()) return false;
    }
  }
  bool completed = true;
  worker_.run([&] {
    sanitizer::acquire(&queued.token);
    for (const auto& marker : operation.after) sanitizer::acquire(marker.get());
    if (operation.run &&
        runtime().sticky_error == cudaSuccess) {  // a device with a sticky error runs nothing more
      const DeviceAccess access;
      completed = operation.run();
    }
    if (!completed) return;
    sanitizer::release(&token_);
    if (operation.completes) sanitizer::release(operation.completes.get());
  });
  if (completed && operation.completes) {
    operation.completes->done = true;
    operation.completes->time = std::chrono::steady_clock::now();
  }
  return completed;
}

}  // namespace warpfit::emulation
