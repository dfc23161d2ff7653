// Capture and replay. A replay runs the nodes in any order that their edges allow, so that a missing edge is
// detected.
#include "tests/emulation/graph.hpp"

#include <algorithm>

#include "tests/emulation/runtime.hpp"
#include "tests/emulation/stream.hpp"

namespace warpfit::emulation {

ExecutableGraph::ExecutableGraph(Graph graph)
    : graph_(std::move(graph)),
      followers_(graph_.nodes.size()),
      workers_(graph_.streams),
      tokens_(graph_.nodes.size() + 1) {
  for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
    for (const int before : graph_.nodes[i].after) followers_[before].push_back(static_cast<int>(i));
  }
}

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

void ExecutableGraph::begin() {
  sanitizer::release(&tokens_.back());
  progress_.emplace();
  for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
    progress_->missing.push_back(graph_.nodes[i].after.size());
    if (progress_->missing[i] == 0) progress_->ready.push_back(static_cast<int>(i));
  }
}

bool ExecutableGraph::run(int number) {
  const GraphNode& node = graph_.nodes[number];
  bool completed = false;
  workers_[node.stream].run([&] {
    sanitizer::acquire(&tokens_.back());
    for (const int before : node.after) sanitizer::acquire(&tokens_[before]);
    completed = node.run();
    if (completed) sanitizer::release(&tokens_[number]);
  });
  return completed;
}

bool ExecutableGraph::replay() {
  if (!progress_) begin();
  auto progress = std::exchange(progress_, std::nullopt);  // dropped if a node fails
  auto& [missing, ready] = *progress;
  std::vector<int> waiting;
  while (!ready.empty()) {
    const std::size_t position = choose(ready);
    const int number = ready[position];
    ready.erase(ready.begin() + static_cast<std::ptrdiff_t>(position));
    if (!run(number)) {
      waiting.push_back(number);
      continue;
    }
    ++runtime().progress;
    for (const int follower : followers_[number]) {
      if (--missing[follower] == 0) ready.push_back(follower);
    }
  }
  if (!waiting.empty()) {
    ready = waiting;
    progress_ = std::move(progress);
    return false;
  }
  for (std::size_t i = 0; i < graph_.nodes.size(); ++i) sanitizer::acquire(&tokens_[i]);
  return true;
}

Capture::Capture(Stream& origin, cudaStreamCaptureMode mode) : origin_(&origin), mode_(mode) {
  origin.capture_index = 0;
  origin.last_nodes.clear();
  streams_.push_back(&origin);
}

void Capture::add(Stream& stream, std::function<bool()> run) {
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
