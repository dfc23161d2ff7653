// Runs calls of NCCL, and informs the sanitizers of their memory accesses.
#include "tests/emulation/nccl_work.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "tests/emulation/runtime.hpp"
#include "tests/emulation/sanitizer.hpp"

namespace warpfit::emulation {
namespace {

void expect_in_memory(const NcclCall& call, const void* start) {
  const Memory& memory = runtime().memory;
  if (call.size == 0 || start == nullptr) return;
  if (memory.kind(start) != MemoryKind::kDevice || !memory.holds(start, call.size * sizeof(float)))
    fail("%s: %zu values from %s", call.function(), call.size, memory.describe(start).c_str());
}

std::vector<float> read(const NcclCall& call) {
  sanitizer::reads(call.from, call.size * sizeof(float));
  const sanitizer::Ignore ignore;
  std::vector<float> values(call.size);
  if (call.size > 0) std::memcpy(values.data(), call.from, call.size * sizeof(float));
  return values;
}

struct Group {
  std::vector<NcclCall> calls;
  bool begun = false;

  /// Returns false while it waits for other ranks.
  bool run() {
    const NcclRank& rank = *calls.front().rank;
    if (rank.clique->state(rank.rank) == Clique::State::kAborted) return true;
    if (!begun) {
      for (NcclCall& call : calls) call.begin();
    }
    begun = true;
    if (!std::all_of(calls.begin(), calls.end(), [](const NcclCall& call) { return call.ready(); }))
      return false;
    for (const NcclCall& call : calls) call.end();
    begun = false;
    return true;
  }
};

}  // namespace

const char* NcclCall::function() const {
  return kind == Kind::kSum ? "ncclAllReduce" : kind == Kind::kSend ? "ncclSend" : "ncclRecv";
}

void NcclCall::check() const {
  expect_in_memory(*this, from);
  expect_in_memory(*this, to);
}

void NcclCall::begin() {
  check();
  std::vector<float> values;
  if (from != nullptr) values = read(*this);
  const sanitizer::Ignore ignore;
  Clique& clique = *rank->clique;
  number = kind == Kind::kSum    ? clique.begin_sum(rank->rank, std::move(values))
           : kind == Kind::kSend ? clique.begin_send(rank->rank, peer, std::move(values))
                                 : clique.begin_receive(peer, rank->rank, size);
}

bool NcclCall::ready() const {
  const sanitizer::Ignore ignore;
  Clique& clique = *rank->clique;
  if (kind == Kind::kSum) return clique.can_sum(rank->rank, number);
  const bool sends = kind == Kind::kSend;
  return clique.can_transfer(rank->rank, sends ? rank->rank : peer, sends ? peer : rank->rank, number);
}

void NcclCall::end() const {
  check();
  if (kind == Kind::kSend) return;
  sanitizer::writes(to, size * sizeof(float));
  const sanitizer::Ignore ignore;
  Clique& clique = *rank->clique;
  if (clique.lost(rank->rank)) return;
  const auto values = kind == Kind::kSum ? clique.sum(number) : clique.receive(peer, rank->rank, number);
  if (size > 0) std::memcpy(to, values.data(), size * sizeof(float));
  ++(kind == Kind::kSum ? runtime().statistics.rank_sums : runtime().statistics.rank_messages);
}

cudaError_t submit_group(std::vector<NcclCall> calls) {
  if (calls.empty()) return cudaSuccess;
  const auto rank = calls.front().rank;
  const auto stream = find_stream(calls.front().stream);
  for (const NcclCall& call : calls) {
    if (call.rank != rank || find_stream(call.stream) != stream)
      fail("ncclGroupEnd: the emulation supports groups of one communicator on one stream only");
  }
  if (!stream) return cudaErrorInvalidResourceHandle;
  if (stream->device() != rank->device) {
    fail("%s: the stream belongs to device %d, the communicator to device %d", calls.front().function(),
         stream->device(), rank->device);
  }
  const bool captured = stream->capture != nullptr;
  if (!captured) ++rank->queued;
  const auto group = std::make_shared<Group>(Group{std::move(calls)});
  return submit_until(*stream, [group, rank, captured, graph = captured ? rank->graphs : nullptr] {
    if (!group->run()) return false;
    if (!captured) --rank->queued;
    return true;
  });
}

}  // namespace warpfit::emulation
