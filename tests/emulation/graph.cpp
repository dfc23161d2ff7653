// Capture and replay. A replay runs the nodes in any order that their edges allow, so that a missing edge is
// detected.
#include "tests/emulation/graph.hpp"

#include <algorithm>

#include "tests/emulation/runtime.hpp"
#include "tests/emulation/stream.hpp"

namespace warpfit::emulation {

ExecutableGraph::ExecutableGraph(Graph graph)
    : graph_(std::move(graph)), workers_(graph_.streams), tokens_(graph_.nodes.size() + 1) {}

std::size_t ExecutableGraph::choose(const std::vector<int>& ready) {
  switch (config().order) {
    case Config::Order::kForward:
      return static_cast<std::size_t>(std::min_element(ready.begin(), ready.end()) - ready.begin());
    case Config::Order::kReverse:
      return static_cast<std::size_t>(std::max_element(ready.begin(), ready.end()) - ready.begin());
    default:
      return runtime().random() % ready.size();
  }
}

void ExecutableGraph::replay() {
  const std::vector<GraphNode>& nodes = graph_.nodes;
  const char* launch = &tokens_.back();
  sanitizer::release(launch);
  std::vector<std::vector<int>> followers(nodes.size());
  std::vector<std::size_t> missing(nodes.size());
  std::vector<int> ready;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    missing[i] = nodes[i].after.size();
    if (missing[i] == 0) ready.push_back(static_cast<int>(i));
    for (const int before : nodes[i].after) followers[before].push_back(static_cast<int>(i));
  }
  while (!ready.empty()) {
    const std::size_t position = choose(ready);
    const int number = ready[position];
    ready.erase(ready.begin() + static_cast<std::ptrdiff_t>(position));
    const GraphNode& node = nodes[number];
    workers_[node.stream].run([&] {
      sanitizer::acquire(launch);
      for (const int before : node.after) sanitizer::acquire(&tokens_[before]);
      node.run();
      sanitizer::release(&tokens_[number]);
    });
    for (const int follower : followers[number]) {
      if (--missing[follower] == 0) ready.push_back(follower);
    }
  }
  for (std::size_t i = 0; i < nodes.size(); ++i) sanitizer::acquire(&tokens_[i]);
}

Capture::Capture(Stream& origin, cudaStreamCaptureMode mode) : origin_(&origin), mode_(mode) {
  origin.capture_index = 0;
  origin.last_nodes.clear();
  streams_.push_back(&origin);
}

void Capture::add(Stream& stream, std::function<void()> run) {
  graph_.nodes.push_back({std::move(run), stream.last_nodes, stream.capture_index});
  stream.last_nodes = {static_cast<int>(graph_.nodes.size()) - 1};
}

void Capture::join(Stream& stream, const std::vector<int>& nodes) {
  if (std::find(streams_.begin(), streams_.end(), &stream) == streams_.end()) {
    stream.capture_index = graph_.streams++;
    stream.last_nodes.clear();
    streams_.push_back(&stream);
  }
  for (const int node : nodes) {
    auto& last = stream.last_nodes;
    if (std::find(last.begin(), last.end(), node) == last.end()) last.push_back(node);
  }
}

bool Capture::joined() const {
  std::vector<bool> reached(graph_.nodes.size());
  std::vector<int> open = origin_->last_nodes;
  while (!open.empty()) {
    const int node = open.back();
    open.pop_back();
    if (reached[node]) continue;
    reached[node] = true;
    open.insert(open.end(), graph_.nodes[node].after.begin(), graph_.nodes[node].after.end());
  }
  return std::all_of(streams_.begin(), streams_.end(), [&reached](const Stream* stream) {
    return std::all_of(stream->last_nodes.begin(), stream->last_nodes.end(),
                       [&reached](int node) { return reached[node]; });
  });
}

void Capture::leave(Stream& stream) { std::erase(streams_, &stream); }

cudaError_t Capture::end(Stream& stream, Graph* graph) {
  if (&stream != origin_) {
    invalid_ = true;
    return cudaErrorStreamCaptureUnmatched;
  }
  if (mode_ != cudaStreamCaptureModeRelaxed && !by_this_thread()) return cudaErrorStreamCaptureWrongThread;
  ended_ = true;
  const bool complete = joined();
  for (Stream* one : streams_) {
    one->last_nodes.clear();
    if (one != origin_) one->capture.reset();
  }
  const std::shared_ptr<Capture> self = std::move(origin_->capture);
  if (invalid_) return cudaErrorStreamCaptureInvalidated;
  if (!complete) return cudaErrorStreamCaptureUnjoined;
  *graph = std::move(graph_);
  return cudaSuccess;
}

}  // namespace warpfit::emulation
