#include "host/parallel/end_notices.hpp"

#include <fmt/core.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <chrono>
#include <utility>

namespace warpfit {

EndNotices::EndNotices(std::span<Peer> peers, int rank,
                       std::function<void(const std::string&, ExitCode)> on_ended)
    : peers_(peers),
      rank_(rank),
      on_ended_(std::move(on_ended)),
      stop_(eventfd(0, EFD_CLOEXEC)),
      inboxes_(peers.size()),
      thread_([this] { watch(); }) {}

EndNotices::~EndNotices() {
  eventfd_write(stop_, 1);
  thread_.join();
  close(stop_);
  if (reason_.empty() && !is_ending_ && std::uncaught_exceptions() <= exceptions_) {
    send({.kind = Kind::kGoodbye, .rank = rank_}, rank_);
  }
}

void EndNotices::end_others(ExitCode code) noexcept {
  const std::lock_guard lock(mutex_);
  is_ending_ = true;
  send({.kind = Kind::kEnded, .rank = rank_, .code = code}, rank_);
}

std::string EndNotices::why_failed(int rank) {
  constexpr auto kLongest = std::chrono::seconds(1);
  std::unique_lock lock(mutex_);
  const Inbox& inbox = inboxes_[static_cast<std::size_t>(rank)];
  changed_.wait_for(lock, kLongest, [&] { return !reason_.empty() || inbox.has_left; });
  if (!reason_.empty()) return reason_;
  if (inbox.has_left) return fmt::format("rank {} has ended before this one", rank);
  return fmt::format("the connection to rank {} has failed", rank);
}

void EndNotices::watch() {
  for (;;) {
    std::vector<pollfd> events{{stop_, POLLIN, 0}};
    std::vector<int> ranks{-1};
    for (std::size_t rank = 0; rank < peers_.size(); ++rank) {
      if (!peers_[rank].control.is_open() || inboxes_[rank].has_left) continue;
      events.push_back({peers_[rank].control.descriptor(), POLLIN, 0});
      ranks.push_back(static_cast<int>(rank));
    }
    poll(events.data(), events.size(), -1);
    if (events[0].revents != 0) return;
    for (std::size_t i = 1; i < events.size(); ++i) {
      Notice notice;
      if (events[i].revents == 0 || !read(ranks[i], notice)) continue;
      if (notice.kind == Kind::kEnded) return end(notice);
      const std::lock_guard lock(mutex_);
      inboxes_[static_cast<std::size_t>(ranks[i])].has_left = true;
      changed_.notify_all();
    }
  }
}

// True if a notice is complete; the end of the connection is one, too.
bool EndNotices::read(int rank, Notice& notice) {
  Inbox& inbox = inboxes_[static_cast<std::size_t>(rank)];
  const auto bytes = std::as_writable_bytes(std::span(&inbox.notice, 1)).subspan(inbox.bytes);
  const auto count = peers_[static_cast<std::size_t>(rank)].control.try_receive(bytes);
  if (count < 0) {
    notice = {.kind = Kind::kEnded, .rank = rank, .code = ExitCode::kRankLost};
    return true;
  }
  inbox.bytes += static_cast<std::size_t>(count);
  if (inbox.bytes < sizeof notice) return false;
  inbox.bytes = 0;
  notice = inbox.notice;
  return true;
}

void EndNotices::end(const Notice& notice) {
  const auto message =
      notice.code == ExitCode::kRankLost
          ? fmt::format("rank {} has ended unexpectedly", notice.rank)
          : fmt::format("rank {} has ended with exit code {}", notice.rank, static_cast<int>(notice.code));
  bool is_ending = false;
  {
    const std::lock_guard lock(mutex_);
    reason_ = message;
    is_ending = is_ending_;
    if (rank_ == 0) send(notice, notice.rank);  // the others are connected to rank 0 only
    for (Peer& peer : peers_) peer.data.shut_down();
    changed_.notify_all();
  }
  // A rank that has ended the others does not want to be ended by the end of these.
  if (on_ended_ && !is_ending) on_ended_(message, notice.code);
}

// Notices are short: they fit into the socket's buffer.
void EndNotices::send(const Notice& notice, int except) noexcept {
  for (std::size_t rank = 0; rank < peers_.size(); ++rank) {
    Socket& control = peers_[rank].control;
    if (static_cast<int>(rank) != except && control.is_open()) {
      control.try_send(std::as_bytes(std::span(&notice, 1)));
    }
  }
}

}  // namespace warpfit
