// Labels in IDX files: one integer of any type per sample, or QMNIST's eight, of which the first is the
// class.
#pragma once

#include <vector>

#include "host/backend/views.hpp"
#include "host/stream/idx_file.hpp"

namespace warpfit {

/// Errors: DataError if the file has neither (N) nor (N, 1) integers, nor (N, 8) of 32 bits.
void check_is_labels(const IdxFile& file);

/// Errors: DataError if there are not as many labels as images.
void check_counts(const IdxFile& images, const IdxFile& labels);

/// The labels of a file that check_is_labels() accepts (N). Errors: IoError; DataError naming the first label
/// that is negative or above 65535.
std::vector<Label> read_labels(const IdxFile& file);

}  // namespace warpfit
