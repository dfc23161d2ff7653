// Graphs: work recorded by stream capture, and its replay.
#pragma once

#include <cuda_runtime_api.h>

#include <functional>
#include <memory>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "tests/emulation/fiber.hpp"

namespace warpfit::emulation {

struct Marker;
class Stream;

struct GraphNode {
  std::function<bool()> run;  ///< see Operation; called on each launch of the graph
  std::vector<int> after;     ///< predecessors, which have smaller indices
  int stream;                 ///< index of the recording stream; nodes of the same stream run in order
};

/// A captured graph; an executable graph is created from it unchanged.
struct Graph {
  std::vector<GraphNode> nodes;
  int streams = 1;  ///< recording streams
};

/// An executable graph. Its launches run one after another, even in different streams.
class ExecutableGraph {
 public:
  explicit ExecutableGraph(Graph graph);
  /// Runs every node once; nodes that are ready run in the configured order. Returns false if nodes wait for
  /// other devices: the next call goes on.
  bool replay();
  std::shared_ptr<Marker> last_launch;

 private:
  void begin();
  /// Runs a node and returns whether it is complete.
  bool run(int number);
  std::size_t choose(const std::vector<int>& ready);

  /// A launch that has begun.
  struct Progress {
    std::vector<std::size_t> missing;  ///< for each node: predecessors that have not run
    std::vector<int> ready;
  };
  std::optional<Progress> progress_;
  Graph graph_;
  std::vector<std::vector<int>> followers_;  ///< of each node
  std::vector<Worker> workers_;
  std::vector<char> tokens_;  ///< one per node, for ThreadSanitizer
};

/// A capture in progress, shared by the streams that participate in it.
class Capture {
 public:
  Capture(Stream& origin, cudaStreamCaptureMode mode);

  /// Records an operation of `stream`, which participates.
  void add(Stream& stream, std::function<bool()> run);
  /// `stream` participates from now on, after `nodes` (of this capture).
  void join(Stream& stream, const std::vector<int>& nodes);
  /// Ends the capture: stores the recorded graph, or returns CUDA's error. No stream participates any more.
  cudaError_t end(Stream& stream, Graph* graph);
  void leave(Stream& stream);

  void invalidate() { invalid_ = true; }
  bool invalid() const { return invalid_; }
  bool ended() const { return ended_; }
  cudaStreamCaptureMode mode() const { return mode_; }
  bool by_this_thread() const { return thread_ == std::this_thread::get_id(); }

 private:
  bool joined() const;

  Stream* origin_;
  cudaStreamCaptureMode mode_;
  std::thread::id thread_ = std::this_thread::get_id();
  bool invalid_ = false;
  bool ended_ = false;
  Graph graph_;
  std::vector<Stream*> streams_;
};

}  // namespace warpfit::emulation
