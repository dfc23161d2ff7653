#include "host/parallel/rendezvous.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "host/parallel/handshake.hpp"
#include "tests/parallel/tcp_group.hpp"

namespace warpfit::test {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::HasSubstr;

// Rank 0 of three, which waits for the others only shortly.
class Rendezvous : public testing::Test {
 protected:
  std::future<std::string> start_rank0(std::chrono::milliseconds timeout = 20s) {
    auto options = tcp_options(0, 3, port_);
    options.join_timeout = timeout;
    return start_tcp_rank(options, meet_, std::move(listener_));
  }
  [[nodiscard]] TcpOptions options_of(int rank) const { return tcp_options(rank, 3, port_); }
  // What a process is told that rank 0 refuses.
  std::string refusal_of(const TcpOptions& options) {
    return error_of([&] { make_tcp_rank(options); });
  }
  // Lets the ranks meet that belong to the job.
  void expect_meeting(std::future<std::string> rank0) {
    auto rank1 = start_tcp_rank(options_of(1), meet_);
    EXPECT_EQ(start_tcp_rank(options_of(2), meet_).get(), "");
    EXPECT_EQ(rank1.get(), "");
    EXPECT_EQ(rank0.get(), "");
  }
  Socket connection() { return connect_to("127.0.0.1", port_, std::chrono::steady_clock::now() + 5s); }

  Socket listener_ = listen_on("127.0.0.1", 0);
  int port_ = listener_.port();
  std::function<void(Communicator&)> meet_ = [](Communicator& ranks) {
    EXPECT_EQ(ranks.gather("here").size(), 3U);
  };
};

TEST_F(Rendezvous, RefusesAProcessOfAnotherJob) {
  auto rank0 = start_rank0();
  auto other = options_of(1);
  other.token = "job 8";
  EXPECT_THAT(refusal_of(other),
              AllOf(HasSubstr("cannot join rank 0 at 127.0.0.1:"), HasSubstr("another job")));
  expect_meeting(std::move(rank0));
}

TEST_F(Rendezvous, RefusesAnotherVersion) {
  auto rank0 = start_rank0();
  auto other = options_of(1);
  other.version = "1.2.4";
  EXPECT_THAT(refusal_of(other), HasSubstr("the process is warpfit 1.2.4, but rank 0 is warpfit 1.2.3"));
  expect_meeting(std::move(rank0));
}

TEST_F(Rendezvous, RefusesAnotherNumberOfRanks) {
  auto rank0 = start_rank0();
  auto other = options_of(1);
  other.size = 4;
  EXPECT_THAT(refusal_of(other), HasSubstr("the process expects 4 ranks, but rank 0 expects 3"));
  expect_meeting(std::move(rank0));
}

TEST_F(Rendezvous, RefusesARankThatDoesNotExist) {
  auto rank0 = start_rank0();
  for (const int rank : {3, -1}) {
    EXPECT_THAT(refusal_of(options_of(rank)), HasSubstr("are from 1 to 2"));
  }
  expect_meeting(std::move(rank0));
}

TEST_F(Rendezvous, RefusesASecondProcessOfARank) {
  auto rank0 = start_rank0();
  auto rank1 = start_tcp_rank(options_of(1), meet_);
  auto second = start_tcp_rank(options_of(1), meet_);
  while (rank1.wait_for(10ms) != std::future_status::ready &&
         second.wait_for(0ms) != std::future_status::ready) {
  }
  const bool is_first = second.wait_for(0ms) != std::future_status::ready;  // whichever came first stays
  EXPECT_THAT((is_first ? rank1 : second).get(), HasSubstr("another process has joined as rank 1"));
  EXPECT_EQ(start_tcp_rank(options_of(2), meet_).get(), "");
  EXPECT_EQ((is_first ? second : rank1).get(), "");
  EXPECT_EQ(rank0.get(), "");
}

TEST_F(Rendezvous, RefusesAnotherProtocol) {
  auto rank0 = start_rank0();
  auto hello = encode({.rank = 1, .size = 3, .version = "", .token = ""});
  hello[8] = std::byte{2};  // the protocol follows the eight bytes of the magic
  auto other = connection();
  ASSERT_TRUE(other.send(hello));
  ReplyHeader header;
  ASSERT_TRUE(other.receive(std::as_writable_bytes(std::span(&header, 1))));
  std::string text(reply_length(header).value_or(0), '\0');
  ASSERT_TRUE(other.receive(std::as_writable_bytes(std::span(text))));
  EXPECT_EQ(text, "the process is another version of warpfit");
  expect_meeting(std::move(rank0));
}

TEST_F(Rendezvous, IgnoresSilentAndForeignPrograms) {
  auto rank0 = start_rank0();
  auto silent = connection(), half = connection(), foreign = connection(), large = connection();
  const auto hello = encode({.rank = 1, .size = 3, .version = "", .token = ""});
  ASSERT_TRUE(half.send(std::span(hello).first(20)));
  ASSERT_TRUE(foreign.send(std::as_bytes(std::span("GET / HTTP/1.1\r\n\r\n"))));
  ASSERT_TRUE(large.send(std::vector<std::byte>(100'000, std::byte{'w'})));
  { auto gone = connection(); }
  const auto start = std::chrono::steady_clock::now();
  expect_meeting(std::move(rank0));
  EXPECT_LT(std::chrono::steady_clock::now() - start, 5s);  // before the time limit of a hello
}

TEST_F(Rendezvous, ClosesTheConnectionsOfSilentPrograms) {
  auto options = options_of(0);
  options.hello_timeout = 50ms;
  auto rank0 = start_tcp_rank(options, meet_, std::move(listener_));
  auto silent = connection();
  std::byte byte{};
  EXPECT_FALSE(silent.receive(std::span(&byte, 1)));
  expect_meeting(std::move(rank0));
}

TEST_F(Rendezvous, SaysWhichRanksAreMissing) {
  auto rank0 = start_rank0(300ms);
  const auto told = refusal_of(options_of(1));
  const auto problem = rank0.get();
  EXPECT_THAT(problem, AllOf(HasSubstr("1 of 3 ranks have not joined rank 0 at 127.0.0.1:"),
                             HasSubstr("within 0.3 s (missing: 2)")));
  EXPECT_THAT(told, HasSubstr(problem));
}

TEST_F(Rendezvous, SaysWhomItHasRefused) {
  auto rank0 = start_rank0(300ms);
  auto other = options_of(2);
  other.version = "0.9";
  EXPECT_NE(refusal_of(other), "");
  EXPECT_THAT(rank0.get(), HasSubstr("(missing: 1, 2). Last refusal: the process is warpfit 0.9"));
}

TEST_F(Rendezvous, LetsAProcessThatHasLeftJoinAgain) {
  auto rank0 = start_rank0();
  auto first = options_of(1);
  first.join_timeout = 100ms;  // gives up before rank 2 comes
  first.hello_timeout = 0ms;
  EXPECT_THAT(refusal_of(first), HasSubstr("does not answer"));
  expect_meeting(std::move(rank0));
}

TEST_F(Rendezvous, WaitsUntilRank0Listens) {
  listener_ = Socket();
  auto rank1 = start_tcp_rank(options_of(1), meet_);
  auto rank2 = start_tcp_rank(options_of(2), meet_);
  std::this_thread::sleep_for(100ms);
  EXPECT_EQ(start_tcp_rank(options_of(0), meet_).get(), "");
  EXPECT_EQ(rank1.get(), "");
  EXPECT_EQ(rank2.get(), "");
}

TEST_F(Rendezvous, GivesUpWhereNothingListens) {
  listener_ = Socket();
  auto options = options_of(1);
  options.join_timeout = 100ms;
  EXPECT_THAT(refusal_of(options),
              AllOf(HasSubstr("cannot connect to rank 0 at 127.0.0.1:"), HasSubstr("Connection refused")));
}

TEST_F(Rendezvous, RecognizesAnotherProgram) {
  auto rank1 = start_tcp_rank(options_of(1), meet_);
  auto server = accept_from(listener_);
  while (!server.is_open()) server = accept_from(listener_);
  ASSERT_TRUE(server.send(std::as_bytes(std::span("SSH-2.0-OpenSSH\r\n"))));
  EXPECT_THAT(rank1.get(), HasSubstr("belongs to another program"));
}

TEST_F(Rendezvous, SaysThatThePortIsInUse) {
  EXPECT_THAT(refusal_of(options_of(0)),
              AllOf(HasSubstr("rank 0 cannot listen on 127.0.0.1:" + std::to_string(port_)),
                    HasSubstr("Address already in use"), HasSubstr("MASTER_PORT")));
}

TEST_F(Rendezvous, ListensOnItsAddressOnly) {
  const auto soon = std::chrono::steady_clock::now() + 50ms;
  EXPECT_THROW(connect_to("127.0.0.2", port_, soon), CommunicationError);
  EXPECT_NO_THROW(connection());
}

TEST_F(Rendezvous, NeedsAnAddressOfThisMachine) {
  EXPECT_THAT(error_of([] { listen_on("192.0.2.1", 0); }), HasSubstr("MASTER_ADDR must be an address"));
  EXPECT_THAT(error_of([] { listen_on("no-such-host.invalid", 0); }), HasSubstr("no-such-host.invalid"));
}

// If a machine or its network fails, nothing arrives, not even the end of the connection. On the control
// connection, which is idle, TCP then sends probes.
TEST_F(Rendezvous, NoticesWithin30SecondsThatAMachineIsGone) {
  const auto connected = connection();
  auto accepted = accept_from(listener_);
  while (!accepted.is_open()) accepted = accept_from(listener_);
  for (const Socket* socket : {&connected, static_cast<const Socket*>(&accepted)}) {
    const auto option = [&](int level, int name) {
      int value = -1;
      socklen_t size = sizeof value;
      EXPECT_EQ(getsockopt(socket->descriptor(), level, name, &value, &size), 0);
      return value;
    };
    EXPECT_EQ(option(SOL_SOCKET, SO_KEEPALIVE), 1);
    const int silent = option(IPPROTO_TCP, TCP_KEEPIDLE);
    EXPECT_LT(silent + option(IPPROTO_TCP, TCP_KEEPCNT) * option(IPPROTO_TCP, TCP_KEEPINTVL), 30);
  }
}

TEST(Handshake, TakesAHelloInAnyPieces) {
  using enum ReceivedHello::State;
  const auto bytes = encode(
      {.channel = Channel::kControl, .rank = 4, .size = 9, .process = 77, .version = "1.2", .token = "t"});
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_EQ(decode_hello(std::span(bytes).first(size)).state, kIncomplete) << size;
  }
  const auto [state, hello] = decode_hello(bytes);
  EXPECT_EQ(state, kComplete);
  EXPECT_EQ(hello.channel, Channel::kControl);
  EXPECT_EQ(hello.rank, 4);
  EXPECT_EQ(hello.size, 9);
  EXPECT_EQ(hello.process, 77U);
  EXPECT_EQ(hello.version, "1.2");
  EXPECT_EQ(hello.token, "t");
}

TEST(Handshake, LimitsTheSizeOfAHello) {
  using enum ReceivedHello::State;
  const auto fits = encode({.version = std::string(256, 'v'), .token = std::string(256, 't')});
  EXPECT_EQ(decode_hello(fits).state, kComplete);
  for (const auto& hello : {Hello{.version = std::string(257, 'v'), .token = ""},
                            Hello{.version = "", .token = std::string(1 << 20, 't')}}) {
    const auto bytes = encode(hello);
    EXPECT_EQ(decode_hello(std::span(bytes).first(40)).state, kForeign);
  }
  auto more = fits;
  more.push_back(std::byte{0});
  EXPECT_EQ(decode_hello(more).state, kForeign);
  EXPECT_FALSE(reply_length({1, 0}).has_value());
}

}  // namespace
}  // namespace warpfit::test
