#include "host/parallel/socket.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <thread>

#include "host/base/error.hpp"

namespace warpfit {
namespace {

using Clock = std::chrono::steady_clock;
using Addresses = std::unique_ptr<addrinfo, decltype(&freeaddrinfo)>;

// The addresses of a host, or none with a reason.
Addresses resolve(const std::string& address, int port, int flags, std::string& reason) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int error = getaddrinfo(address.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (error != 0) {
    reason = gai_strerror(error);
    found = nullptr;
  }
  return {found, &freeaddrinfo};
}

Socket open_socket(const addrinfo& address) {
  return Socket(socket(address.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
}

void set_option(const Socket& of, int level, int name, int value) {
  setsockopt(of.descriptor(), level, name, &value, sizeof value);
}

// Sends at once, and notices within 25 seconds on an idle connection that the other machine no longer
// answers. Not TCP_USER_TIMEOUT, which would also end connections to a process that is busy for longer.
void set_options(const Socket& connection) {
  set_option(connection, IPPROTO_TCP, TCP_NODELAY, 1);
  set_option(connection, SOL_SOCKET, SO_KEEPALIVE, 1);
  set_option(connection, IPPROTO_TCP, TCP_KEEPIDLE, 10);
  set_option(connection, IPPROTO_TCP, TCP_KEEPINTVL, 5);
  set_option(connection, IPPROTO_TCP, TCP_KEEPCNT, 3);
}

bool would_block() { return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR; }

int milliseconds_until(Deadline deadline) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
  return static_cast<int>(std::clamp<long>(left, 0, 60'000));
}

// While nothing listens on a local port, a connection to it can meet itself: the kernel may choose the same
// number for its own end.
bool is_connected_to_itself(const Socket& connection) {
  sockaddr_storage own{}, peer{};
  socklen_t own_size = sizeof own, peer_size = sizeof peer;
  return getsockname(connection.descriptor(), reinterpret_cast<sockaddr*>(&own), &own_size) == 0 &&
         getpeername(connection.descriptor(), reinterpret_cast<sockaddr*>(&peer), &peer_size) == 0 &&
         own_size == peer_size && std::memcmp(&own, &peer, own_size) == 0;
}

// Connects to one address; otherwise a closed socket, with the reason in errno.
Socket try_connect(const addrinfo& address, Deadline deadline) {
  Socket connection = open_socket(address);
  if (!connection.is_open()) return {};
  if (connect(connection.descriptor(), address.ai_addr, address.ai_addrlen) != 0) {
    if (errno != EINPROGRESS) return {};
    pollfd connected{connection.descriptor(), POLLOUT, 0};
    int error = ETIMEDOUT;
    socklen_t size = sizeof error;
    if (poll(&connected, 1, milliseconds_until(deadline)) > 0) {
      getsockopt(connection.descriptor(), SOL_SOCKET, SO_ERROR, &error, &size);
    }
    errno = error;
    if (error != 0) return {};
  }
  errno = ECONNREFUSED;
  if (is_connected_to_itself(connection)) return {};
  set_options(connection);
  return connection;
}

}  // namespace

Socket::~Socket() {
  if (descriptor_ >= 0) close(descriptor_);
}

int Socket::port() const {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  getsockname(descriptor_, reinterpret_cast<sockaddr*>(&address), &size);
  const auto port = address.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6&>(address).sin6_port
                                                  : reinterpret_cast<sockaddr_in&>(address).sin_port;
  return ntohs(port);
}

std::ptrdiff_t Socket::try_send(std::span<const std::byte> data, bool more) noexcept {
  const auto count =
      ::send(descriptor_, data.data(), data.size(), MSG_NOSIGNAL | MSG_DONTWAIT | (more ? MSG_MORE : 0));
  if (count >= 0) return count;
  return would_block() ? 0 : -1;
}

std::ptrdiff_t Socket::try_receive(std::span<std::byte> data) noexcept {
  const auto count = recv(descriptor_, data.data(), data.size(), MSG_DONTWAIT);
  if (count > 0 || data.empty()) return count;
  return count < 0 && would_block() ? 0 : -1;
}

bool Socket::wait(short events, std::optional<Deadline> deadline) const {
  pollfd ready{descriptor_, events, 0};
  const int count = poll(&ready, 1, deadline ? milliseconds_until(*deadline) : -1);
  return count >= 0 ? count > 0 || (deadline && Clock::now() < *deadline) : errno == EINTR;
}

bool Socket::send(std::span<const std::byte> data, std::optional<Deadline> deadline, bool more) {
  while (!data.empty()) {
    const auto count = try_send(data, more);
    if (count < 0 || (count == 0 && !wait(POLLOUT, deadline))) return false;
    data = data.subspan(static_cast<std::size_t>(count));
  }
  return true;
}

bool Socket::receive(std::span<std::byte> data, std::optional<Deadline> deadline) {
  while (!data.empty()) {
    const auto count = try_receive(data);
    if (count < 0 || (count == 0 && !wait(POLLIN, deadline))) return false;
    data = data.subspan(static_cast<std::size_t>(count));
  }
  return true;
}

bool Socket::exchange(std::span<std::byte> data) {
  std::size_t sent = 0, received = 0;
  while (received < data.size()) {
    const auto out = sent < data.size() ? try_send(data.subspan(sent)) : 0;
    const auto in = received < sent ? try_receive(data.subspan(received, sent - received)) : 0;
    if (out < 0 || in < 0) return false;
    sent += static_cast<std::size_t>(out);
    received += static_cast<std::size_t>(in);
    const auto events = static_cast<short>(sent < data.size() ? POLLIN | POLLOUT : POLLIN);
    if (out == 0 && in == 0 && !wait(events, {})) return false;
  }
  return true;
}

void Socket::shut_down() noexcept {
  if (is_open()) shutdown(descriptor_, SHUT_RDWR);
}

Socket listen_on(const std::string& address, int port) {
  std::string reason;
  const auto addresses = resolve(address, port, AI_PASSIVE, reason);
  for (const addrinfo* each = addresses.get(); each != nullptr; each = each->ai_next) {
    Socket listener = open_socket(*each);
    set_option(listener, SOL_SOCKET, SO_REUSEADDR, 1);  // a connection that ended lately keeps its port
    constexpr int kWaiting = 1024;
    if (listener.is_open() && bind(listener.descriptor(), each->ai_addr, each->ai_addrlen) == 0 &&
        listen(listener.descriptor(), kWaiting) == 0) {
      return listener;
    }
    reason = std::strerror(errno);
    if (errno == EADDRINUSE) reason += "; another job or program uses it: set MASTER_PORT to another port";
    if (errno == EADDRNOTAVAIL) reason += "; MASTER_ADDR must be an address of the machine of rank 0";
  }
  throw CommunicationError(fmt::format("rank 0 cannot listen on {}:{}: {}", address, port, reason));
}

Socket accept_from(const Socket& listener) {
  Socket connection(accept4(listener.descriptor(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (connection.is_open()) set_options(connection);
  return connection;
}

Socket connect_to(const std::string& address, int port, Deadline deadline) {
  auto pause = std::chrono::milliseconds(20);
  for (;;) {
    std::string reason;
    const auto addresses = resolve(address, port, 0, reason);
    for (const addrinfo* each = addresses.get(); each != nullptr; each = each->ai_next) {
      if (Socket connection = try_connect(*each, deadline); connection.is_open()) return connection;
      reason = std::strerror(errno);
    }
    if (Clock::now() + pause >= deadline) {
      throw CommunicationError(fmt::format("cannot connect to rank 0 at {}:{}: {}", address, port, reason));
    }
    std::this_thread::sleep_for(pause);
    pause = std::min(pause * 2, std::chrono::milliseconds(500));
  }
}

}  // namespace warpfit
