// Graphs: work recorded by a capture, and its replay.
#pragma once

#include <cuda_runtime_api.h>

#include <functional>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "tests/emulation/fiber.hpp"

namespace warpfit::emulation {

struct Marker;
class Stream;

struct GraphNode {
  std::function<void()> run;  ///< as often as the graph is launched
  std::vector<int> after;     ///< nodes of smaller number
  int lane;                   ///< of the stream that recorded it: the nodes of a lane are in order anyway
};

/// A captured graph; what an executable graph is made from, unchanged.
struct Graph {
  std::vector<GraphNode> nodes;
  int lanes = 1;
};

/// A graph that can be launched. Launches of it follow each other, in whatever streams.
class ExecutableGraph {
 public:
  explicit ExecutableGraph(Graph graph);
  /// Runs every node once, in the configured order among those that are ready.
  void replay();
  std::shared_ptr<Marker> last_launch;

 private:
  std::size_t choose(const std::vector<int>& ready);

  Graph graph_;
  std::vector<Worker> lanes_;
  std::vector<char> tokens_;  ///< of each node, for the thread sanitizer
};

/// A capture in progress, shared by the streams that take part.
class Capture {
 public:
  Capture(Stream& origin, cudaStreamCaptureMode mode);

  /// Adds what `stream`, which takes part, is asked to do.
  void add(Stream& stream, std::function<void()> run);
  /// `stream` takes part from now on, after `nodes` (of this capture).
  void join(Stream& stream, const std::vector<int>& nodes);
  /// Ends it: what was recorded, or the error that CUDA gives. No stream takes part any more.
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
