#include "trainer/telemetry/metrics_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <system_error>
#include <utility>

namespace casvit::trainer {
namespace {

using Clock = HttpConnection::Clock;

/// How long nobody is let in where the process is out of file descriptors.
constexpr int kOutOfDescriptorsMilliseconds = 200;

int checked(int result, const char* call) {
  if (result < 0) throw std::system_error(errno, std::generic_category(), call);
  return result;
}

struct Address {
  sockaddr_storage storage{};
  socklen_t length = 0;
  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
};

Address parse(const std::string& text, std::uint16_t port) {
  Address address;
  sockaddr_in four{};
  sockaddr_in6 six{};
  if (::inet_pton(AF_INET, text.c_str(), &four.sin_addr) == 1) {
    four.sin_family = AF_INET;
    four.sin_port = htons(port);
    std::memcpy(&address.storage, &four, sizeof four);
    address.length = sizeof four;
  } else if (::inet_pton(AF_INET6, text.c_str(), &six.sin6_addr) == 1) {
    six.sin6_family = AF_INET6;
    six.sin6_port = htons(port);
    std::memcpy(&address.storage, &six, sizeof six);
    address.length = sizeof six;
  } else {
    throw std::system_error(EINVAL, std::generic_category(), "no address: " + text);
  }
  return address;
}

FileDescriptor listen_at(const std::string& text, std::uint16_t port) {
  Address address = parse(text, port);
  FileDescriptor listener(
      checked(::socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0),
              "socket"));
  // A run that is started again need not wait until the system has forgotten its clients of before.
  const int yes = 1;
  checked(::setsockopt(listener.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes), "setsockopt");
  checked(::bind(listener.get(), address.get(), address.length), "bind");
  checked(::listen(listener.get(), SOMAXCONN), "listen");
  return listener;
}

std::uint16_t port_of(const FileDescriptor& listener) {
  sockaddr_storage storage{};
  socklen_t length = sizeof storage;
  checked(::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&storage), &length),
          "getsockname");
  sockaddr_in four{};
  sockaddr_in6 six{};
  if (storage.ss_family == AF_INET) {
    std::memcpy(&four, &storage, sizeof four);
    return ntohs(four.sin_port);
  }
  std::memcpy(&six, &storage, sizeof six);
  return ntohs(six.sin6_port);
}

/// Signals are for the threads that know what to do with them.
class SignalsHeldBack {
 public:
  SignalsHeldBack() {
    sigset_t all;
    sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsHeldBack() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsHeldBack(const SignalsHeldBack&) = delete;
  SignalsHeldBack& operator=(const SignalsHeldBack&) = delete;

 private:
  sigset_t before_{};
};

}  // namespace

MetricsServer::MetricsServer(const std::string& address, std::uint16_t port,
                             std::function<std::string()> page)
    : page_(std::move(page)),
      wake_(checked(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd")),
      listener_(listen_at(address, port)),
      port_(port_of(listener_)) {
  connections_.reserve(kMostConnections);
  const SignalsHeldBack signals;
  thread_ = std::thread([this] { serve(); });
}

MetricsServer::~MetricsServer() {
  // An eventfd takes eight bytes unless it was written to nearly 2^64 times.
  const std::uint64_t one = 1;
  while (::write(wake_.get(), &one, sizeof one) < 0 && errno == EINTR) {
  }
  thread_.join();
}

void MetricsServer::serve() {
  bool lets_in = true;
  std::vector<pollfd> polled;
  while (true) {
    polled.assign({{wake_.get(), POLLIN, 0}, {lets_in ? listener_.get() : -1, POLLIN, 0}});
    for (const HttpConnection& connection : connections_) {
      polled.push_back({connection.socket(), connection.events(), 0});
    }
    const int wait = milliseconds_to_wait();
    const int limit = lets_in ? wait : kOutOfDescriptorsMilliseconds;
    const int ready = ::poll(polled.data(), polled.size(), limit);
    if (polled[0].revents != 0) return;
    const auto now = Clock::now();
    for (std::size_t i = connections_.size(); i-- > 0;) {
      const bool touched = ready > 0 && polled[i + 2].revents != 0;
      const bool lasts = !touched || connections_[i].proceed(page_);
      if (!lasts || connections_[i].deadline() <= now) {
        connections_.erase(connections_.begin() + static_cast<std::ptrdiff_t>(i));
      }
    }
    lets_in = accept_clients();
  }
}

/// -1: for as long as nothing happens.
int MetricsServer::milliseconds_to_wait() const {
  if (connections_.empty()) return -1;
  const auto first = std::ranges::min_element(connections_, {}, &HttpConnection::deadline);
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(first->deadline() - Clock::now());
  return static_cast<int>(std::max<std::int64_t>(0, left.count()));
}

bool MetricsServer::accept_clients() {
  // As many as there are places, then those that are here have their turn.
  for (std::size_t i = 0; i < kMostConnections; ++i) {
    FileDescriptor client(
        ::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (client.get() < 0) {
      return errno != EMFILE && errno != ENFILE && errno != ENOBUFS && errno != ENOMEM;
    }
    if (connections_.size() == kMostConnections) connections_.erase(connections_.begin());
    connections_.emplace_back(std::move(client));
    if (!connections_.back().proceed(page_)) connections_.pop_back();
  }
  return true;
}

}  // namespace casvit::trainer
