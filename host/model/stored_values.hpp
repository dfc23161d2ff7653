// The values of a network's tensors, in files and in memory.
#pragma once

#include <span>
#include <string>

#include "host/backend/operation.hpp"
#include "host/files/safetensors_file.hpp"
#include "host/model/network_plan.hpp"

namespace warpfit {

/// Whether the stored tensor can be read as the planned one: it has the same shape and any floating-point
/// type; for a counter, type I64.
bool fits(const StoredTensor& stored, const PlannedTensor& planned);

/// "linear.weight (512, 784) of floating-point numbers"; likewise for a counter.
std::string description(const PlannedTensor& planned, const std::string& name);

/// Reads a tensor for which fits() is true. Errors: IoError; ModelError if a counter is negative or above
/// 2^30.
void read_values(const SafetensorsFile& file, const StoredTensor& stored, const PlannedTensor& planned,
                 std::span<float> values);

/// The number stored in a counter's memory.
std::int64_t counter_value(float memory);

}  // namespace warpfit
