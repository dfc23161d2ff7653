// The folder of a run: config.toml, metrics.jsonl, metrics.csv, model.safetensors, best.safetensors, and
// checkpoints/ with the newest three. Whenever the run is killed, it can be resumed from one of them. All
// files are accessed relative to the open folder, so the folder may be moved during the run.
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
  /// Creates and locks the folder for a new run. Everything that was created is removed again unless keep()
  /// is called. Errors: UsageError if a new run would overwrite a file in it; IoError, also if another
  /// process is training in it.
  static RunFolder create(const std::string& path);
  /// Opens the folder of a run to resume. Errors: UsageError if there is no run in it; IoError.
  static RunFolder open(const std::string& path);

  RunFolder(RunFolder&& other) noexcept = default;
  RunFolder& operator=(RunFolder&&) = delete;
  ~RunFolder();

  [[nodiscard]] const std::string& path() const { return folder_.path(); }
  [[nodiscard]] const Folder& folder() const { return folder_; }
  [[nodiscard]] FileLocation file(std::string_view name) const { return {folder_, name}; }

  /// Whether create() created it and keep() was not called yet.
  [[nodiscard]] bool is_new() const { return is_new_; }
  /// Writes config.toml, which marks the folder as that of a run; before any other file. Errors: IoError.
  void write_config(std::string_view config);
  /// Keeps the files created so far, and flushes them so that they survive a power failure. Errors: IoError.
  void keep();

  /// Writes a checkpoint, then removes the oldest ones until three are left, but never the new one. Errors:
  /// IoError; the other checkpoints are then unchanged.
  void save(const Checkpoint& checkpoint) const;

  /// The newest checkpoint that can be read. Unreadable checkpoints are renamed and reported to `skipped`.
  /// Returns nothing if there are no checkpoints. Errors: ModelError if all existing checkpoints are damaged.
  [[nodiscard]] std::optional<Checkpoint> newest(const std::function<void(std::string_view)>& skipped) const;

 private:
  // The created folders, outermost first; they are removed with this object unless clear() is called.
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

  MadeFolders made_;  // declared before folder_: they are removed after it is closed
  Folder folder_;
  bool is_new_ = false;     // the created files are removed too
  bool has_files_ = false;  // since write_config()
};

}  // namespace warpfit
