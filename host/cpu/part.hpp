// A view of a part of a matrix.
#pragma once

#include <cstdint>

#include "host/backend/views.hpp"

namespace warpfit::cpu {

/// `rows` rows of `cols` values each, from a row-major matrix with rows of `stride`.
template <class T>
struct Part {
  T* data;
  std::int64_t rows, cols, stride;

  /// Converts to a read-only view.
  operator Part<const T>() const {
    return {data, rows, cols, stride};
  }  // NOLINT(google-explicit-constructor)
};

}  // namespace warpfit::cpu
