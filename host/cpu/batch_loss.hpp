// Code shared by the losses: rows are computed in parallel, then added in order in double, so that the mean
// does not depend on the number of threads.
#pragma once

#include <algorithm>
#include <atomic>

#include "host/backend/backend.hpp"
#include "host/backend/batch_metrics.hpp"
#include "host/cpu/simd.hpp"
#include "host/cpu/thread_pool.hpp"

namespace warpfit::cpu {

/// Adds a batch of N rows to `metrics`; its loss is the sum of the rows' losses divided by `count`. `row`
/// returns a RowResult for (outputs, label, gradient); the gradient is null if none is needed. `row_losses`:
/// scratch memory for at least N values.
template <class Row>
void add_rows(ThreadPool& pool, ConstMatrix outputs, ConstLabels labels, Matrix gradients, double count,
              Vector row_losses, Metrics& metrics, const Row& row) {
  std::atomic<std::int64_t> correct = 0;
  constexpr std::int64_t kMinOutputs = 2048;  // minimum per thread; each output takes one or two exponentials
  pool.split(outputs.rows, std::max<std::int64_t>(1, kMinOutputs / outputs.cols),
             [&](std::int64_t begin, std::int64_t end) {
               std::int64_t own_correct = 0;
               vectorized([&] {
                 for (std::int64_t n = begin; n < end; ++n) {
                   const std::int64_t first = n * outputs.cols;
                   float* gradient = gradients.empty() ? nullptr : gradients.data + first;
                   const RowResult result = row(outputs.data + first, std::int64_t{labels[n]}, gradient);
                   row_losses[n] = result.loss;
                   own_correct += result.correct;
                 }
               });
               correct += own_correct;
             });
  double sum = 0;
  for (std::int64_t n = 0; n < outputs.rows; ++n) sum += row_losses[n];
  warpfit::add_batch(metrics, sum, correct, count);
}

}  // namespace warpfit::cpu
