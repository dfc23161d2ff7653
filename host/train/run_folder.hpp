// The folder of a run: config.toml, metrics.jsonl, metrics.csv, model.safetensors, best.safetensors, and
// checkpoints/ with the newest few. Whatever moment the run is killed at, one of these can be resumed from.
// All files are reached through the open folder: if it is moved, the run goes with it.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "host/files/folder.hpp"
#include "host/train/checkpoint.hpp"

namespace warpfit {

constexpr std::string_view kConfigFile = "config.toml";
constexpr std::string_view kModelFile = "model.safetensors";
constexpr std::string_view kBestFile = "best.safetensors";

class RunFolder {
 public:
  /// Makes the folder for a new run, and locks it. Unless keep() is reached, all that was made goes again.
  /// Errors: UsageError if a new run would overwrite something in it; IoError, also if another process is
  /// training in it.
  static RunFolder create(const std::string& path);
  /// The folder of a run to be resumed. Errors: UsageError if there is no run in it; IoError.
  static RunFolder open(const std::string& path);

  RunFolder(RunFolder&& other) noexcept = default;
  RunFolder& operator=(RunFolder&&) = delete;
  ~RunFolder();

  [[nodiscard]] const std::string& path() const { return folder_.path(); }
  [[nodiscard]] const Folder& folder() const { return folder_; }
  [[nodiscard]] FileLocation file(std::string_view name) const { return {folder_, name}; }

  /// Whether create() made it and keep() was not reached.
  [[nodiscard]] bool is_new() const { return is_new_; }
  /// Writes config.toml, which makes it the folder of a run. Errors: IoError.
  void write_config(std::string_view config) const;
  /// Keeps what was made so far: the run begins, and not even a power cut takes it away. Errors: IoError.
  void keep();

  /// Writes a checkpoint, then removes the oldest of more than three, but never this one. Errors: IoError;
  /// the others are then as they were.
  void save(const Checkpoint& checkpoint) const;

  /// The newest checkpoint that can be read; `skipped` is told of those that cannot, which are renamed.
  /// Nothing if there is none at all. Errors: ModelError if there are some, but all are damaged.
  [[nodiscard]] std::optional<Checkpoint> newest(const std::function<void(std::string_view)>& skipped) const;

 private:
  // Folders that were made, the outermost first; they go with it unless clear() is called.
  class MadeFolders {
   public:
    MadeFolders() = default;
    MadeFolders(MadeFolders&& other) noexcept : paths_(std::exchange(other.paths_, {})) {}
    MadeFolders& operator=(MadeFolders&&) = delete;
    ~MadeFolders();
    void make_with_parents(const std::string& path);
    void add(std::string path) { paths_.push_back(std::move(path)); }
    std::vector<std::string> clear() { return std::exchange(paths_, {}); }

   private:
    std::vector<std::string> paths_;
  };

  RunFolder(MadeFolders made, Folder folder) : made_(std::move(made)), folder_(std::move(folder)) {}

  MadeFolders made_;  // before folder_: they are removed when it is closed
  Folder folder_;
  bool is_new_ = false;  // files that were made go too
};

}  // namespace warpfit
