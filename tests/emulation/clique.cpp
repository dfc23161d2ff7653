// How the work of the ranks of an NCCL communicator meets.
#include "tests/emulation/clique.hpp"

#include <algorithm>

#include "tests/emulation/runtime.hpp"

namespace warpfit::emulation {

void Clique::connect(int rank, int size, int device) {
  if (members_.empty()) members_.resize(static_cast<std::size_t>(size));
  if (this->size() != size) fail("ncclCommInitRank: %d ranks here, %d in another call", size, this->size());
  auto& member = members_[static_cast<std::size_t>(rank)];
  if (member.state != State::kAbsent) fail("ncclCommInitRank: rank %d is connected twice", rank);
  member.device = device;
  member.state = State::kConnected;
  ++runtime().progress;
}

bool Clique::complete() const {
  return std::none_of(members_.begin(), members_.end(),
                      [](const Member& member) { return member.state == State::kAbsent; });
}

std::optional<std::pair<int, int>> Clique::duplicate() const {
  std::map<int, int> ranks;  // by device
  for (int rank = 0; rank < size(); ++rank) {
    const auto& member = members_[static_cast<std::size_t>(rank)];
    if (member.state == State::kAbsent) continue;
    const auto [other, is_new] = ranks.emplace(member.device, rank);
    if (!is_new) return std::pair(other->second, rank);
  }
  return std::nullopt;
}

bool Clique::is_lost(int rank, int other, const char* function) {
  if (state(other) == State::kDestroyed) {
    fail("%s: rank %d waits for rank %d, which has destroyed its communicator without it", function, rank,
         other);
  }
  if (state(other) != State::kAborted) return false;
  members_[static_cast<std::size_t>(rank)].lost = true;
  return true;
}

std::int64_t Clique::begin_sum(int rank, std::vector<float> values) {
  const auto number = members_[static_cast<std::size_t>(rank)].sums++;
  auto& sum = sums_[number];
  sum.values.resize(members_.size());
  for (int other = 0; other < size(); ++other) {
    const auto& others = sum.values[static_cast<std::size_t>(other)];
    if (sum.begun > 0 && !others.empty() && others.size() != values.size()) {
      fail("ncclAllReduce: rank %d passes %zu values as its sum number %d, rank %d %zu", rank, values.size(),
           static_cast<int>(number), other, others.size());
    }
  }
  sum.values[static_cast<std::size_t>(rank)] = std::move(values);
  ++sum.begun;
  ++runtime().progress;
  return number;
}

bool Clique::can_sum(int rank, std::int64_t number) {
  if (sums_.at(number).begun == size()) return true;
  for (int other = 0; other < size(); ++other) {
    if (members_[static_cast<std::size_t>(other)].sums <= number && is_lost(rank, other, "ncclAllReduce"))
      return true;
  }
  return false;
}

// The rank from which the addition starts changes along the values, as in a ring, and differs from a tree.
std::vector<float> Clique::sum(std::int64_t number) {
  auto& sum = sums_.at(number);
  std::vector<float> result(sum.values.front().size());
  const auto ranks = sum.values.size();
  for (std::size_t i = 0; i < result.size(); ++i) {
    for (std::size_t k = 0; k < ranks; ++k) result[i] += sum.values[(i + k) % ranks][i];
  }
  if (++sum.read == size()) sums_.erase(number);
  return result;
}

std::int64_t Clique::begin_send(int from, int to, std::vector<float> values) {
  auto& channel = channels_[{from, to}];
  channel.values[channel.sent] = std::move(values);
  check_sizes(from, to, channel.sent);
  ++runtime().progress;
  return channel.sent++;
}

std::int64_t Clique::begin_receive(int from, int to, std::size_t size) {
  auto& channel = channels_[{from, to}];
  channel.sizes[channel.received] = size;
  check_sizes(from, to, channel.received);
  ++runtime().progress;
  return channel.received++;
}

void Clique::check_sizes(int from, int to, std::int64_t number) const {
  const auto& channel = channels_.at({from, to});
  const auto sent = channel.values.find(number);
  const auto expected = channel.sizes.find(number);
  if (sent == channel.values.end() || expected == channel.sizes.end()) return;
  if (sent->second.size() != expected->second) {
    fail("ncclSend: rank %d sends %zu values to rank %d, which receives %zu", from, sent->second.size(), to,
         expected->second);
  }
}

bool Clique::can_transfer(int rank, int from, int to, std::int64_t number) {
  const auto& channel = channels_.at({from, to});
  if (channel.sent > number && channel.received > number) return true;
  return is_lost(rank, rank == from ? to : from, rank == from ? "ncclSend" : "ncclRecv");
}

std::vector<float> Clique::receive(int from, int to, std::int64_t number) {
  auto& channel = channels_.at({from, to});
  auto values = std::move(channel.values.at(number));
  channel.values.erase(number);
  channel.sizes.erase(number);
  return values;
}

}  // namespace warpfit::emulation
