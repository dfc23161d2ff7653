// A TCP socket that is closed by its owner's destructor. Calls wait with poll(), so that another thread can
// end them with shut_down().
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <utility>

namespace warpfit {

using Deadline = std::chrono::steady_clock::time_point;

class Socket {
 public:
  Socket() = default;
  /// Takes ownership of the file descriptor, which must not block.
  explicit Socket(int descriptor) : descriptor_(descriptor) {}
  Socket(Socket&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  Socket& operator=(Socket&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  ~Socket();

  [[nodiscard]] int descriptor() const { return descriptor_; }
  [[nodiscard]] bool is_open() const { return descriptor_ >= 0; }
  /// The port on this machine.
  [[nodiscard]] int port() const;

  /// Sends or receives everything. Returns false if the peer has closed the connection, it has failed, or the
  /// deadline has passed. `more`: more data follows at once.
  [[nodiscard]] bool send(std::span<const std::byte> data, std::optional<Deadline> deadline = {},
                          bool more = false);
  [[nodiscard]] bool receive(std::span<std::byte> data, std::optional<Deadline> deadline = {});
  /// Sends `data` and at the same time receives as many bytes into the same memory. The peer must not reply
  /// to a byte before it has received it.
  [[nodiscard]] bool exchange(std::span<std::byte> data);
  /// Sends or receives what is possible without waiting. Returns the number of bytes; 0 if the call would
  /// have to wait; -1 if the connection is closed or has failed.
  std::ptrdiff_t try_send(std::span<const std::byte> data, bool more = false) noexcept;
  std::ptrdiff_t try_receive(std::span<std::byte> data) noexcept;
  /// Ends the connection for both sides, and the calls of other threads that wait for it.
  void shut_down() noexcept;

 private:
  [[nodiscard]] bool wait(short events, std::optional<Deadline> deadline) const;

  int descriptor_ = -1;
};

/// A socket that listens on this address of this machine only. Port 0: any free port.
/// Errors: CommunicationError if the address is unknown, belongs to another machine or is in use.
Socket listen_on(const std::string& address, int port);

/// The next connection, or a closed socket if none is waiting.
Socket accept_from(const Socket& listener);

/// Connects to a listening socket, and tries again until the deadline while nothing listens there.
/// Errors: CommunicationError at the deadline, with the last reason.
Socket connect_to(const std::string& address, int port, Deadline deadline);

}  // namespace warpfit
