#pragma once

#include <string>
#include <string_view>

namespace casvit::trainer {

/// What a client asks for, as far as a page of figures needs to know.
struct HttpRequest {
  enum class State { kIncomplete, kComplete, kMalformed };
  State state = State::kIncomplete;
  std::string method;
  std::string path;  ///< without query, scheme and host
};

/// Reads the head of an HTTP/1 request (RFC 9112); its fields and body are passed over.
/// @param bytes everything received so far
HttpRequest parse_http_request(std::string_view bytes);

/// The whole answer of a server that ends the connection with it. @param body left out for HEAD,
/// though its length is told. @param fields further ones, each with its line end
std::string http_response(int status, std::string_view content_type, std::string_view body,
                          bool head_only = false, std::string_view fields = "");

}  // namespace casvit::trainer
