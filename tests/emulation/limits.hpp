// Limits of the emulated device, which are those of an H100.
#pragma once

namespace warpfit::emulation {

inline constexpr int kSharedPerBlock = 48 * 1024;
inline constexpr int kSharedPerBlockRaised = 227 * 1024;  ///< after cudaFuncSetAttribute
inline constexpr int kSharedPerMultiprocessor = 228 * 1024;
inline constexpr int kThreadsPerBlock = 1024;
inline constexpr int kThreadsPerMultiprocessor = 2048;
inline constexpr int kBlocksPerMultiprocessor = 32;
inline constexpr int kGreatestPriority = -5;

}  // namespace warpfit::emulation
