// Warp operations: when they are complete, whether the lanes agree, and each lane's result.
#include "tests/emulation/warp.hpp"

#include <algorithm>
#include <cstring>

#include "tests/emulation/block.hpp"
#include "tests/emulation/grid.hpp"
#include "tests/emulation/sanitizer.hpp"

namespace warpfit::emulation {
namespace {

/// The result for a lane that reads no valid lane: undefined on a GPU, here a NaN or -1 to be noticed.
constexpr std::uint64_t kUndefined = ~std::uint64_t{0};

int source_lane(const WarpRequest& request, int lane) {
  const int first = lane & ~(request.width - 1);  // first lane of the segment
  const int position = lane - first;
  switch (request.kind) {
    case WarpKind::kShuffle:
      return first + (request.operand & (request.width - 1));
    case WarpKind::kShuffleUp:
      return position >= request.operand ? lane - request.operand : lane;
    case WarpKind::kShuffleDown:
      return position + request.operand < request.width ? lane + request.operand : lane;
    case WarpKind::kShuffleXor:
      return (lane ^ request.operand) < first + request.width ? lane ^ request.operand : lane;
    default:
      return lane;
  }
}

bool is_shuffle(WarpKind kind) { return kind <= WarpKind::kShuffleXor; }

std::uint32_t combine(WarpKind kind, std::uint32_t a, std::uint32_t b) {
  const auto signed_a = static_cast<std::int32_t>(a);
  const auto signed_b = static_cast<std::int32_t>(b);
  switch (kind) {
    case WarpKind::kReduceAdd:
      return a + b;
    case WarpKind::kReduceMin:
      return std::min(a, b);
    case WarpKind::kReduceMax:
      return std::max(a, b);
    case WarpKind::kReduceMinSigned:
      return static_cast<std::uint32_t>(std::min(signed_a, signed_b));
    case WarpKind::kReduceMaxSigned:
      return static_cast<std::uint32_t>(std::max(signed_a, signed_b));
    case WarpKind::kReduceAnd:
      return a & b;
    case WarpKind::kReduceOr:
      return a | b;
    default:
      return a ^ b;
  }
}

/// Computes the results of one operation in which the lanes of `lanes` participate.
void compute(WarpKind kind, const std::uint64_t (&in)[32], std::uint32_t lanes, Thread* threads) {
  std::uint32_t ballot = 0;
  std::uint32_t total = 0;
  bool first = true;
  for (int lane = 0; lane < 32; ++lane) {
    if (!(lanes >> lane & 1u)) continue;
    if (in[lane] != 0) ballot |= 1u << lane;
    total = first ? static_cast<std::uint32_t>(in[lane])
                  : combine(kind, total, static_cast<std::uint32_t>(in[lane]));
    first = false;
  }
  for (int lane = 0; lane < 32; ++lane) {
    if (!(lanes >> lane & 1u)) continue;
    WarpRequest& request = *threads[lane].warp;
    if (is_shuffle(kind)) {
      const int source = source_lane(request, lane);
      request.value = source >= 0 && source < 32 && (lanes >> source & 1u) ? in[source] : kUndefined;
    } else if (kind == WarpKind::kBallot) {
      request.value = ballot;
    } else if (kind == WarpKind::kAny) {
      request.value = ballot != 0;
    } else if (kind == WarpKind::kAll) {
      request.value = ballot == lanes;
    } else if (kind == WarpKind::kMatchAny) {
      std::uint32_t same = 0;
      for (int other = 0; other < 32; ++other) {
        if ((lanes >> other & 1u) && in[other] == in[lane]) same |= 1u << other;
      }
      request.value = same;
    } else if (kind != WarpKind::kSync) {
      request.value = total;
    }
  }
}

}  // namespace

void Warp::begin(Thread* threads, int count) {
  threads_ = threads;
  count_ = count;
  live_ = count == 32 ? ~0u : (1u << count) - 1;
  waiting_ = 0;
  syncs_.clear();
}

void Warp::arrive(int lane, WarpRequest& request) {
  if (!(request.mask >> lane & 1u)) {
    fail("a lane is not in its own mask %08x at %s", request.mask, describe(request.location).c_str());
  }
  if (request.width < 1 || request.width > 32 || (request.width & (request.width - 1)) != 0) {
    fail("a shuffle's width is %d at %s: it must be a power of two up to 32", request.width,
         describe(request.location).c_str());
  }
}

const void* Warp::sync_token(const WarpRequest& request) {
  if (request.kind != WarpKind::kSync || !sanitizer::thread()) return nullptr;
  const sanitizer::Ignore ignore;
  Sync& sync = syncs_[request.mask];
  return sync.tokens[sync.phase & 1u];
}

void Warp::perform_completed(int lane, bool exited) {
  const std::uint32_t bit = 1u << lane;
  if (!exited) {
    waiting_ |= bit;
    if (complete(threads_[lane].warp->mask)) perform(lane);
    return;
  }
  live_ &= ~bit;
  for (int other = 0; other < count_ && waiting_ != 0; ++other) {
    if ((waiting_ >> other & 1u) && complete(threads_[other].warp->mask)) perform(other);
  }
}

void Warp::perform(int lane) {
  const WarpRequest& request = *threads_[lane].warp;
  const std::uint32_t lanes = request.mask & live_;
  const WarpKind kind = request.kind;
  std::uint64_t in[32] = {};
  for (int other = 0; other < count_; ++other) {
    if (!(lanes >> other & 1u)) continue;
    expect_same(lane, other);
    in[other] = threads_[other].warp->value;
  }
  if (kind == WarpKind::kSync && sanitizer::thread()) ++syncs_[request.mask].phase;
  compute(kind, in, lanes, threads_);
  for (int other = 0; other < count_; ++other) {
    if (lanes >> other & 1u) threads_[other].state = Thread::State::kReady;
  }
  waiting_ &= ~lanes;
}

void Warp::expect_same(int lane, int other) const {
  const WarpRequest& a = *threads_[lane].warp;
  const WarpRequest& b = *threads_[other].warp;
  if (a.kind == b.kind && a.mask == b.mask && a.width == b.width && a.location == b.location) {
    return;
  }
  const Block& block = *running().block;
  fail("the warp's operations do not match: %s at %s with mask %08x, %s at %s with mask %08x",
       block.name(threads_[lane]).c_str(), describe(a.location).c_str(), a.mask,
       block.name(threads_[other]).c_str(), describe(b.location).c_str(), b.mask);
}

}  // namespace warpfit::emulation
