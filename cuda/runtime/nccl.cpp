#include "cuda/runtime/nccl.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <exception>
#include <span>
#include <system_error>
#include <utility>

#include "cuda/runtime/nccl_library.hpp"
#include "host/base/error.hpp"

namespace warpfit {
namespace {

std::string version_text(int code) {  // 22809 is 2.28.9
  return fmt::format("{}.{}.{}", code / 10000, code / 100 % 100, code % 100);
}

NcclLibrary load() {
  const auto library = load_nccl_library();
  int version = 0;
  if (library.get_version(&version) != ncclSuccess || version < NCCL_VERSION_CODE) {
    throw DeviceError(fmt::format("loading NCCL: found NCCL {}; NCCL {} or later is needed",
                                  version_text(version), version_text(NCCL_VERSION_CODE)));
  }
  return library;
}

// If one rank cannot load NCCL, all ranks fail: the others would wait for it when they connect.
std::unique_ptr<const NcclLibrary> load_on_all(Communicator& communicator) {
  std::unique_ptr<const NcclLibrary> library;
  std::string problem;
  try {
    library = std::make_unique<const NcclLibrary>(load());
  } catch (const DeviceError& error) {
    problem = error.what();
  }
  for (const auto& one : communicator.gather(problem)) {
    if (one.empty()) continue;
    throw DeviceError(one + (communicator.is_alone()
                                 ? "; --parallel nccl needs NCCL, training in one process does not"
                                 : "; training on several GPUs needs NCCL, --device cpu does not"));
  }
  return library;
}

}  // namespace

std::string nccl_version() try {
  int version = 0;
  return load_nccl_library().get_version(&version) == ncclSuccess ? version_text(version) : "";
} catch (const DeviceError&) {  // the library does not exist
  return "";
}

Nccl::Nccl(Communicator& communicator)
    : library_(load_on_all(communicator)),
      rank_(communicator.rank()),
      size_(communicator.size()),
      exceptions_(std::uncaught_exceptions()) {
  ncclUniqueId id{};
  if (rank_ == 0) check(library_->get_unique_id(&id), "starting NCCL");
  communicator.broadcast(std::as_writable_bytes(std::span(&id, 1)), 0);
  check(library_->comm_init_rank(&communicator_, size_, id, rank_), "connecting the GPUs of all processes");
}

Nccl::~Nccl() {
  if (aborting_.joinable()) aborting_.join();
  if (communicator_ != nullptr) library_->comm_destroy(communicator_);
}

// ncclCommAbort first ends the work, then waits until no graph contains work of the communicator. The
// caller's graphs may still exist.
void Nccl::abandon() noexcept {
  if (communicator_ == nullptr) return;
  const auto abandon = [this, communicator = std::exchange(communicator_, nullptr)] {
    library_->comm_abort(communicator);
  };
  try {
    aborting_ = std::thread(abandon);
  } catch (const std::system_error&) {
    abandon();
  }
}

bool Nccl::is_unwinding() const noexcept { return std::uncaught_exceptions() > exceptions_; }

std::string Nccl::version() const {
  int version = 0;
  check(library_->get_version(&version), "asking NCCL for its version");
  return "NCCL " + version_text(version);
}

void Nccl::check(int status, const std::string& doing) const {
  if (status == ncclSuccess) return;
  auto text =
      fmt::format("{}: {} (NCCL)", doing, library_->get_error_string(static_cast<ncclResult_t>(status)));
  const char* details = library_->get_last_error(communicator_);
  if (details != nullptr && *details != '\0') text += fmt::format(": {}", details);
  std::ranges::replace(text, '\n', ' ');
  // NCCL 2.30 and later: "Multiple Ranks are using the same GPU/Partition."
  const bool shares_gpu =
      text.find("Duplicate GPU") != std::string::npos || text.find("using the same GPU") != std::string::npos;
  text += shares_gpu
              ? "; use --device cuda:N, one GPU for each process, or NCCL_MULTI_RANK_GPU_ENABLE=1 with NCCL "
                "2.30 or later"
              : "; NCCL_DEBUG=INFO prints the cause";
  throw DeviceError(text);
}

void Nccl::sum(Vector values, cudaStream_t stream) {
  check(library_->all_reduce(values.data(), values.data(), values.size(), ncclFloat32, ncclSum, communicator_,
                             stream),
        "adding gradients over GPUs");
}

// In a group both transfers run at once; one after the other, each rank would wait for the other to receive.
void Nccl::exchange(int other, ConstVector own, Vector others, cudaStream_t stream) {
  const char* doing = "exchanging gradients between GPUs";
  check(library_->group_start(), doing);
  const auto sent = library_->send(own.data(), own.size(), ncclFloat32, other, communicator_, stream);
  const auto received =
      library_->recv(others.data(), others.size(), ncclFloat32, other, communicator_, stream);
  const auto ended = library_->group_end();  // also after an error
  check(sent, doing);
  check(received, doing);
  check(ended, doing);
}

void Nccl::check_connection() const {
  auto error = ncclSuccess;
  check(library_->comm_get_async_error(communicator_, &error), "asking NCCL for errors");
  check(error, "communicating with other GPUs");
}

}  // namespace warpfit
