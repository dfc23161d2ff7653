#include "tests/parallel/collective_checks.hpp"

#include <fmt/core.h>

#include <cmath>
#include <cstring>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/support/sanitizers.hpp"

namespace warpfit::test {
namespace {

void require(bool is_true, const std::string& what) {
  if (!is_true) throw std::runtime_error(what);
}

std::string bits_of(const std::vector<float>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)};
}

// The values of a rank: of very different sizes, so that the order of additions shows, or small integers.
std::vector<float> values_of(int rank, std::size_t count, bool integers) {
  std::minstd_rand random(static_cast<unsigned>(rank) * 7919 + static_cast<unsigned>(count));
  std::vector<float> values(count);
  for (float& value : values) {
    value = static_cast<float>(random() % 2001) - 1000;
    if (!integers) value = std::ldexp(value / 3, static_cast<int>(random() % 24));
  }
  return values;
}

// Adds neighboring ranks, then neighboring sums, until one is left.
std::vector<float> expected_sum(int ranks, std::size_t count, bool integers) {
  std::vector<std::vector<float>> sums;
  for (int rank = 0; rank < ranks; ++rank) sums.push_back(values_of(rank, count, integers));
  while (sums.size() > 1) {
    std::vector<std::vector<float>> next;
    for (std::size_t i = 0; i < sums.size(); i += 2) {
      next.push_back(sums[i]);
      for (std::size_t k = 0; k < count && i + 1 < sums.size(); ++k) next.back()[k] += sums[i + 1][k];
    }
    sums = next;
  }
  return sums[0];
}

void check_sum(Communicator& ranks, std::size_t count, SumOrder order, bool integers) {
  auto values = values_of(ranks.rank(), count, integers);
  ranks.sum(values, order);
  const auto what =
      fmt::format("{} sum of {} {} over {} ranks", order == SumOrder::kTree ? "tree" : "fastest", count,
                  integers ? "integers" : "floats", ranks.size());
  if (order == SumOrder::kTree || integers) {
    require(bits_of(values) == bits_of(expected_sum(ranks.size(), count, integers)), what);
  }
  for (const auto& bits : ranks.gather(bits_of(values))) {
    require(bits == bits_of(values), what + " differs between the ranks");
  }
}

void check_broadcast(Communicator& ranks, std::size_t size, int root) {
  std::vector<std::byte> expected(size), data(size);
  for (std::size_t i = 0; i < size; ++i) expected[i] = static_cast<std::byte>(i * 31 + i / 1000 + 5);
  if (ranks.rank() == root) data = expected;
  ranks.broadcast(data, root);
  require(data == expected, fmt::format("broadcast of {} bytes from rank {}", size, root));
}

void check_gather(Communicator& ranks, int round) {
  const auto message = [round](int rank) {
    return rank == round
               ? ""
               : std::string(static_cast<std::size_t>(1 + rank * 997), static_cast<char>('a' + rank));
  };
  const auto messages = ranks.gather(message(ranks.rank()));
  require(static_cast<int>(messages.size()) == ranks.size(), "gather: number of messages");
  for (int rank = 0; rank < ranks.size(); ++rank) {
    require(messages[static_cast<std::size_t>(rank)] == message(rank), fmt::format("gather: rank {}", rank));
  }
}

}  // namespace

void check_collectives(Communicator& ranks) {
  constexpr std::size_t kMany = kThreadSanitizer ? 1'003 : 100'003;
  for (const std::size_t count : {std::size_t{0}, std::size_t{1}, std::size_t{7}, kMany}) {
    for (const bool integers : {false, true}) {
      check_sum(ranks, count, SumOrder::kTree, integers);
      check_sum(ranks, count, SumOrder::kFastest, integers);
    }
  }
  for (int root = 0; root < ranks.size(); ++root) {
    for (const std::size_t size : {0U, 1U, 700'001U}) check_broadcast(ranks, size, root);
  }
  for (int round = -1; round < ranks.size(); ++round) check_gather(ranks, round);
}

}  // namespace warpfit::test
