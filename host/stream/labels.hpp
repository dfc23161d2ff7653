// Labels in IDX files: one integer of any type per sample, or QMNIST's eight, of which the first one is the
// class.
#pragma once

#include <vector>

#include "host/backend/views.hpp"
#include "host/stream/idx_file.hpp"

namespace warpfit {

/// Errors: DataError if the file has neither (N) or (N, 1) integers nor (N, 8) 32-bit integers.
void check_is_labels(const IdxFile& file);

/// Errors: DataError if the numbers of labels and images differ.
void check_counts(const IdxFile& images, const IdxFile& labels);

/// Reads the labels (N) of a file that check_is_labels() accepts. Errors: IoError; DataError naming the first
/// label that is negative or above 65535.
std::vector<Label> read_labels(const IdxFile& file);

}  // namespace warpfit
