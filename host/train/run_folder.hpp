// The folder of a run: config.toml, metrics.jsonl, metrics.csv, model.safetensors, best.safetensors, and
// checkpoints/ with the newest few. Whatever moment it is killed at, one of these can be resumed from.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host/train/checkpoint.hpp"

namespace warpfit {

class RunFolder {
 public:
  /// Makes the folder for a new run with this configuration. Errors: UsageError where it holds a run already;
  /// IoError, also where another process is at it.
  static RunFolder create(const std::string& path, std::string_view config);
  /// That of a run to be resumed. Errors: UsageError where there is no run in it; IoError.
  static RunFolder open(const std::string& path);

  RunFolder(RunFolder&& other) noexcept;
  RunFolder& operator=(RunFolder&&) = delete;
  ~RunFolder();

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string file(std::string_view name) const;

  /// Writes a checkpoint, then removes the oldest but for three. Errors: IoError; the others are then as they
  /// were.
  void save(const Checkpoint& checkpoint) const;

  /// The newest checkpoint that can be read; `skipped` is told of those that cannot, which are set aside.
  /// Nothing where there is none at all. Errors: ModelError where there are some, but all are damaged.
  [[nodiscard]] std::optional<Checkpoint> newest(const std::function<void(std::string_view)>& skipped) const;

 private:
  RunFolder(std::string path, int lock) : path_(std::move(path)), lock_(lock) {}
  [[nodiscard]] std::vector<std::string> checkpoints() const;

  std::string path_;
  int lock_;  // descriptor of the folder, locked
};

}  // namespace warpfit
