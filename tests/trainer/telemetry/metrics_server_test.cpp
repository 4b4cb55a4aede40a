// The server answers one page, and whatever clients do it neither waits for them nor grows.

#include "trainer/telemetry/metrics_server.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <new>
#include <optional>
#include <system_error>
#include <thread>
#include <vector>

namespace casvit::trainer {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;
using Clock = std::chrono::steady_clock;

constexpr const char* kGet = "GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n";
constexpr std::chrono::seconds kPatience{20};

/// A client on this machine, IPv4.
class Client {
 public:
  explicit Client(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    ::inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
    connected_ =
        ::connect(socket_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }
  bool connected() const { return connected_; }

  bool send(const std::string& bytes) {
    return ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
           static_cast<ssize_t>(bytes.size());
  }
  /// Everything up to the end of the connection; nothing where that does not come.
  std::optional<std::string> receive_all() {
    std::string received;
    const auto deadline = Clock::now() + kPatience;
    std::array<char, 4096> chunk{};
    while (Clock::now() < deadline) {
      pollfd polled{socket_.get(), POLLIN, 0};
      if (::poll(&polled, 1, 1000) == 0) continue;
      const ssize_t got = ::recv(socket_.get(), chunk.data(), chunk.size(), 0);
      if (got <= 0) return received;
      received.append(chunk.data(), static_cast<std::size_t>(got));
    }
    return std::nullopt;
  }

 private:
  FileDescriptor socket_;
  bool connected_ = false;
};

std::string ask(std::uint16_t port, const std::string& request) {
  Client client(port);
  EXPECT_TRUE(client.connected());
  EXPECT_TRUE(client.send(request));
  return client.receive_all().value_or("(nothing)");
}

std::size_t open_descriptors() {
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    count += entry.path().empty() ? 0 : 1;
  }
  return count;
}

class MetricsServerTest : public ::testing::Test {
 protected:
  MetricsServer server_{"127.0.0.1", 0, [] { return std::string("a 1\n"); }};
};

TEST_F(MetricsServerTest, AnswersGetAndHead) {
  const std::string head =
      "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"
      "Content-Length: 4\r\nConnection: close\r\n\r\n";
  EXPECT_EQ(ask(server_.port(), kGet), head + "a 1\n");
  EXPECT_EQ(ask(server_.port(), "HEAD /metrics HTTP/1.1\r\n\r\n"), head);
}

TEST_F(MetricsServerTest, RefusesEverythingElse) {
  EXPECT_THAT(ask(server_.port(), "GET / HTTP/1.1\r\n\r\n"), StartsWith("HTTP/1.1 404 "));
  EXPECT_THAT(ask(server_.port(), "GET /metrics/ HTTP/1.1\r\n\r\n"), StartsWith("HTTP/1.1 404 "));
  for (const std::string method : {"POST", "PUT", "DELETE", "OPTIONS"}) {
    const std::string answer =
        ask(server_.port(), method + " /metrics HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc");
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 405 ")) << method;
    EXPECT_THAT(answer, HasSubstr("Allow: GET, HEAD\r\n")) << method;
  }
  EXPECT_THAT(ask(server_.port(), "no request\r\n\r\n"), StartsWith("HTTP/1.1 400 "));
}

TEST_F(MetricsServerTest, RequestsAreBounded) {
  const std::string start = "GET /metrics HTTP/1.1\r\nCookie: ";
  const std::string end = "\r\n\r\n";
  const auto of_size = [&](std::size_t size) {
    return start + std::string(size - start.size() - end.size(), 'x') + end;
  };
  EXPECT_THAT(ask(server_.port(), of_size(4096)), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(ask(server_.port(), of_size(4097)), StartsWith("HTTP/1.1 431 "));
  // One that is still being sent when it is refused: the answer arrives all the same.
  EXPECT_THAT(ask(server_.port(), start + std::string(100000, 'x')), StartsWith("HTTP/1.1 431 "));
}

TEST_F(MetricsServerTest, TakesARequestByteByByte) {
  Client client(server_.port());
  for (const char byte : std::string(kGet)) {
    ASSERT_TRUE(client.send(std::string(1, byte)));
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  EXPECT_THAT(client.receive_all().value_or(""), StartsWith("HTTP/1.1 200 "));
}

TEST_F(MetricsServerTest, ManyIdleClientsKeepNobodyOut) {
  const std::size_t before = open_descriptors();
  std::vector<std::unique_ptr<Client>> idle;
  for (int i = 0; i < 100; ++i) {
    idle.push_back(std::make_unique<Client>(server_.port()));
    ASSERT_TRUE(idle.back()->connected());
    ASSERT_TRUE(i % 2 == 0 || idle.back()->send("GET /met"));
  }
  const auto start = Clock::now();
  EXPECT_THAT(ask(server_.port(), kGet), StartsWith("HTTP/1.1 200 "));
  EXPECT_LT(Clock::now() - start, std::chrono::seconds(4));  // nobody was waited out
  EXPECT_LE(open_descriptors(), before + idle.size() + MetricsServer::kMostConnections);
  // The oldest have lost their places.
  EXPECT_TRUE(idle.front()->receive_all().has_value());
}

TEST_F(MetricsServerTest, CutsOffWhoIsSlow) {
  Client client(server_.port());
  ASSERT_TRUE(client.send("GET /metrics HTTP/1.1\r\n"));
  const auto start = Clock::now();
  EXPECT_EQ(client.receive_all(), "");
  const std::chrono::duration<double> passed = Clock::now() - start;
  EXPECT_GT(passed.count(), 4.5);
  EXPECT_LT(passed.count(), 15);
}

TEST(MetricsServer, ClosesAtOnceWhateverIsUnderWay) {
  std::vector<std::unique_ptr<Client>> idle;
  std::uint16_t port = 0;
  Clock::time_point start;
  {
    const MetricsServer server("127.0.0.1", 0, [] { return std::string(); });
    port = server.port();
    for (int i = 0; i < 5; ++i) idle.push_back(std::make_unique<Client>(port));
    start = Clock::now();
  }
  EXPECT_LT(Clock::now() - start, std::chrono::seconds(4));
  EXPECT_FALSE(Client(port).connected());
  // The same port is free for the next, though clients of before are not gone.
  const MetricsServer next("127.0.0.1", port, [] { return std::string(); });
  EXPECT_THAT(ask(port, kGet), StartsWith("HTTP/1.1 200 "));
}

TEST(MetricsServer, ALargePageArrivesWhole) {
  const std::string page(3 << 20, 'x');
  const MetricsServer server("127.0.0.1", 0, [&] { return std::string(page); });
  const std::string answer = ask(server.port(), kGet);
  EXPECT_THAT(answer, HasSubstr("Content-Length: 3145728\r\n"));
  EXPECT_TRUE(answer.ends_with("\r\n\r\n" + page));
}

TEST(MetricsServer, APageThatCannotBeMadeIsTheScrapersToTell) {
  const MetricsServer server("127.0.0.1", 0, []() -> std::string { throw std::bad_alloc(); });
  EXPECT_THAT(ask(server.port(), kGet), StartsWith("HTTP/1.1 500 "));
  EXPECT_THAT(ask(server.port(), "HEAD /metrics HTTP/1.1\r\n\r\n"), StartsWith("HTTP/1.1 500 "));
}

TEST(MetricsServer, APortThatIsTakenIsRefused) {
  const MetricsServer first("127.0.0.1", 0, [] { return std::string(); });
  try {
    const MetricsServer second("127.0.0.1", first.port(), [] { return std::string(); });
    FAIL() << "two listen at one port";
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code().value(), EADDRINUSE);
  }
  EXPECT_THROW(MetricsServer("localhost", 0, [] { return std::string(); }), std::system_error);
}

TEST(MetricsServer, ListensAtIpv6) {
  try {
    const MetricsServer server("::1", 0, [] { return std::string(); });
    EXPECT_GT(server.port(), 0);
  } catch (const std::system_error& error) {
    ASSERT_EQ(error.code().value(), EADDRNOTAVAIL);
    GTEST_SKIP() << "no IPv6 here";
  }
}

TEST(MetricsServer, LeavesSignalsToOthers) {
  static volatile std::sig_atomic_t handled_by_us = 0;
  static pthread_t mine;
  mine = pthread_self();
  const MetricsServer server("127.0.0.1", 0, [] { return std::string(); });
  const auto before = std::signal(
      SIGUSR2, [](int) { handled_by_us = pthread_equal(pthread_self(), mine) != 0 ? 1 : 2; });
  for (int i = 0; i < 20; ++i) {
    handled_by_us = 0;
    ::kill(::getpid(), SIGUSR2);
    while (handled_by_us == 0) std::this_thread::yield();
    EXPECT_EQ(handled_by_us, 1);
  }
  std::signal(SIGUSR2, before);
}

}  // namespace
}  // namespace casvit::trainer
