#include "host/train/batch_share.hpp"

#include <fmt/core.h>

#include <utility>

namespace warpfit {
namespace {

// Part `part` of `count` things that are divided into `parts` parts, the first of which are larger by one.
Rows divided(std::int64_t count, std::int64_t part, std::int64_t parts) {
  const auto larger = count % parts;
  return {part * (count / parts) + std::min(part, larger), count / parts + (part < larger ? 1 : 0)};
}

}  // namespace

BatchShare::BatchShare(const Communicator& communicator, bool ordered)
    : rank_(communicator.rank()),
      ranks_(communicator.size()),
      sums_(communicator.sums_gradients()),
      ordered_(ordered) {
  if (ordered && kBlocks % ranks_ != 0)
    throw UsageError(fmt::format("--reduce ordered: {} processes, expected 1, 2, 4 or {}", ranks_, kBlocks));
}

Rows BatchShare::part(std::int64_t rows, int part) const {
  if (!ordered_) return divided(rows, rank_, ranks_);
  return divided(rows, rank_ * parts() + part, kBlocks);
}

Rows BatchShare::rows(std::int64_t rows) const {
  const auto first = part(rows, 0);
  const auto last = part(rows, parts() - 1);
  return {first.first, last.first + last.count - first.first};
}

SampleOrder BatchShare::of_pass(SampleOrder pass, std::int64_t samples, std::int64_t batch_size) const {
  if (ranks_ == 1) return pass;
  std::vector<std::uint32_t> own;
  for (std::int64_t start = 0; start < samples; start += batch_size) {
    const auto part = rows(std::min(batch_size, samples - start));
    for (std::int64_t i = start + part.first; i < start + part.first + part.count; ++i)
      own.push_back(pass.is_file_order() ? static_cast<std::uint32_t>(i) : pass.indices(i, 1).front());
  }
  return SampleOrder(std::move(own));
}

Subset evaluated_part(const Communicator& communicator, const Subset& samples, std::int64_t batch_size) {
  const auto size = samples.size();
  const auto batches =
      divided((size + batch_size - 1) / batch_size, communicator.rank(), communicator.size());
  const auto first = std::min(size, batches.first * batch_size);
  return samples.part(first, std::min(size - first, batches.count * batch_size));
}

std::int64_t evaluated_batches(const Communicator& communicator, const Subset& samples,
                               std::int64_t batch_size) {
  const auto batches = (samples.size() + batch_size - 1) / batch_size;
  return divided(batches, 0, communicator.size()).count;  // the first ranks have most
}

std::vector<double> loss_divisors(const Subset& samples, const SampleOrder& pass, std::int64_t batch_size,
                                  const std::vector<float>& class_weights) {
  std::vector<double> divisors;
  for (std::int64_t first = 0; first < samples.size(); first += batch_size) {
    const auto end = std::min(samples.size(), first + batch_size);
    double divisor = class_weights.empty() ? static_cast<double>(end - first) : 0;
    for (std::int64_t i = first; i < end && !class_weights.empty(); ++i)
      divisor += class_weights[samples.label(pass.is_file_order() ? i : pass.indices(i, 1).front())];
    divisors.push_back(divisor);
  }
  return divisors;
}

}  // namespace warpfit
