#include "host/cpu/rank_moments.hpp"

#include <algorithm>

namespace warpfit::cpu {
namespace {

std::size_t slot_size(std::size_t channels) { return 1 + 2 * channels; }

// Chan, Golub and LeVeque: Algorithms for computing the sample variance (1983), equation 2.1.
void add_moments(ConstVector slot, BatchNormMoments& total) {
  const auto channels = total.means.size();
  const double count = slot[0];
  if (count == 0) return;  // the rank has no rows
  const double all = total.count + count;
  for (std::size_t channel = 0; channel < channels; ++channel) {
    const double distance = slot[1 + channel] - total.means[channel];
    total.means[channel] += distance * count / all;
    total.squares[channel] += slot[1 + channels + channel] + distance * distance * total.count * count / all;
  }
  total.count = all;
}

}  // namespace

RankMoments::RankMoments(Backend& backend, const BatchNormOperation& operation)
    : backend_(backend),
      slots_(slot_size(static_cast<std::size_t>(operation.channels)) *
             static_cast<std::size_t>(backend.communicator().size())),
      sums_(2 * static_cast<std::size_t>(operation.channels)) {}

std::uint64_t RankMoments::bytes(const BatchNormOperation& operation, int ranks) {
  const auto channels = static_cast<std::size_t>(operation.channels);
  return sizeof(float) * (slot_size(channels) * static_cast<std::size_t>(ranks) + 2 * channels);
}

// Each rank writes its moments to its slot and 0 to all others: the sum gathers them without rounding.
BatchNormMoments RankMoments::combine(const BatchNormMoments& own) {
  const auto channels = own.means.size(), size = slot_size(channels);
  std::ranges::fill(slots_, 0.0F);
  const auto slot = [&](std::size_t rank) { return Vector(slots_).subspan(rank * size, size); };
  const auto mine = slot(static_cast<std::size_t>(backend_.communicator().rank()));
  const auto to_float = [](double value) { return static_cast<float>(value); };
  mine[0] = to_float(own.count);
  std::ranges::transform(own.means, mine.begin() + 1, to_float);
  std::ranges::transform(own.squares, mine.end() - static_cast<std::ptrdiff_t>(channels), to_float);
  backend_.wait(backend_.sum_over_ranks(slots_, SumOrder::kFastest, {}));
  BatchNormMoments total{0, std::vector<double>(channels), std::vector<double>(channels)};
  for (std::size_t rank = 0; rank * size < slots_.size(); ++rank) add_moments(slot(rank), total);
  return total;
}

void RankMoments::sum(Vector a, Vector b) {
  const auto half = static_cast<std::ptrdiff_t>(sums_.size() / 2);
  std::ranges::copy(a, sums_.begin());
  std::ranges::copy(b, sums_.begin() + half);
  backend_.wait(backend_.sum_over_ranks(sums_, SumOrder::kFastest, {}));
  std::copy_n(sums_.begin(), half, a.begin());
  std::copy_n(sums_.begin() + half, half, b.begin());
}

}  // namespace warpfit::cpu
