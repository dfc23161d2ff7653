// The values of a network's tensors, in files and in memory.
#pragma once

#include <span>
#include <string>

#include "host/files/safetensors_file.hpp"
#include "host/model/network_plan.hpp"

namespace warpfit {

/// Whether the stored tensor can be read as the planned one: floating-point numbers of any type and of its
/// shape; of a counter an I64.
bool fits(const StoredTensor& stored, const PlannedTensor& planned);

/// "linear.weight (512, 784) of floating-point numbers", or likewise of a counter.
std::string description(const PlannedTensor& planned, const std::string& name);

/// Reads a tensor that fits. Errors: IoError; ModelError if a counter is negative or above 2^30.
void read_values(const SafetensorsFile& file, const StoredTensor& stored, const PlannedTensor& planned,
                 std::span<float> values);

/// The number that a counter's memory holds.
std::int64_t counter_value(float memory);

}  // namespace warpfit
