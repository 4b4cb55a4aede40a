#include "trainer/telemetry/http_request.h"

#include <algorithm>

namespace casvit::trainer {
namespace {

std::string_view reason_of(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 400:
      return "Bad Request";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 431:
      return "Request Header Fields Too Large";
    default:
      return "Internal Server Error";
  }
}

/// Letters alone: every method that there is.
bool is_method(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= 'A' && c <= 'Z'; });
}

/// "/metrics" of "/metrics?x=1" and of "http://host/metrics".
std::string_view path_of(std::string_view target) {
  target = target.substr(0, target.find_first_of("?#"));
  const std::size_t scheme = target.find("://");
  if (scheme == std::string_view::npos || target.starts_with('/')) return target;
  const std::size_t path = target.find('/', scheme + 3);
  return path == std::string_view::npos ? "/" : target.substr(path);
}

}  // namespace

HttpRequest parse_http_request(std::string_view bytes) {
  HttpRequest request;
  // Lines may end with a line feed alone (RFC 9112, 2.2).
  if (bytes.find("\n\r\n") == std::string_view::npos &&
      bytes.find("\n\n") == std::string_view::npos) {
    return request;
  }
  std::string_view line = bytes.substr(0, bytes.find('\n'));
  if (line.ends_with('\r')) line.remove_suffix(1);
  const std::size_t first = line.find(' ');
  const std::size_t second = first == std::string_view::npos ? first : line.find(' ', first + 1);
  request.state = HttpRequest::State::kMalformed;
  if (second == std::string_view::npos) return request;
  const std::string_view method = line.substr(0, first);
  const std::string_view path = path_of(line.substr(first + 1, second - first - 1));
  const std::string_view version = line.substr(second + 1);
  if (!is_method(method) || path.empty() || !version.starts_with("HTTP/1.") ||
      version.size() != 8) {
    return request;
  }
  request.state = HttpRequest::State::kComplete;
  request.method = method;
  request.path = path;
  return request;
}

std::string http_response(int status, std::string_view content_type, std::string_view body,
                          bool head_only, std::string_view fields) {
  std::string out = "HTTP/1.1 " + std::to_string(status) + " ";
  out += reason_of(status);
  out += "\r\nContent-Type: ";
  out += content_type;
  out += "\r\nContent-Length: " + std::to_string(body.size()) + "\r\nConnection: close\r\n";
  out += fields;
  out += "\r\n";
  if (!head_only) out += body;
  return out;
}

}  // namespace casvit::trainer
