// Heads of HTTP/1 requests, whole, torn and wrong.

#include "trainer/telemetry/http_request.h"

#include <gtest/gtest.h>

namespace casvit::trainer {
namespace {

using State = HttpRequest::State;

TEST(HttpRequest, MethodAndPath) {
  const HttpRequest request =
      parse_http_request("GET /metrics?x=1 HTTP/1.1\r\nHost: a\r\n\r\nanything");
  EXPECT_EQ(request.state, State::kComplete);
  EXPECT_EQ(request.method, "GET");
  EXPECT_EQ(request.path, "/metrics");
}

TEST(HttpRequest, OtherFormsOfTheSame) {
  for (const char* head :
       {"GET /metrics HTTP/1.0\n\n", "GET /metrics HTTP/1.1\nHost: a\n\n",
        "GET http://host:9400/metrics HTTP/1.1\r\n\r\n", "GET /metrics#there HTTP/1.1\r\n\r\n"}) {
    const HttpRequest request = parse_http_request(head);
    EXPECT_EQ(request.state, State::kComplete) << head;
    EXPECT_EQ(request.path, "/metrics") << head;
  }
  EXPECT_EQ(parse_http_request("GET http://host HTTP/1.1\r\n\r\n").path, "/");
  EXPECT_EQ(parse_http_request("GET /a://metrics HTTP/1.1\r\n\r\n").path, "/a://metrics");
}

TEST(HttpRequest, EveryPartOfARequestIsIncomplete) {
  const std::string whole = "GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n";
  for (std::size_t length = 0; length < whole.size(); ++length) {
    EXPECT_EQ(parse_http_request(whole.substr(0, length)).state, State::kIncomplete) << length;
  }
}

TEST(HttpRequest, WhatIsNoneIsMalformed) {
  for (const std::string line :
       {"", "GET", "GET /metrics", "GET  HTTP/1.1", "get /metrics HTTP/1.1", " /metrics HTTP/1.1",
        "GET /metrics HTTP/2.0", "PRI * HTTP/2.0", "GET /metrics HTTP/1.1 x", "\x16\x03\x01\x02",
        "GET ? HTTP/1.1"}) {
    EXPECT_EQ(parse_http_request(line + "\r\n\r\n").state, State::kMalformed) << line;
  }
}

TEST(HttpResponse, SaysItsLengthAndEndsTheConnection) {
  const std::string head =
      "HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n"
      "Connection: close\r\n\r\n";
  EXPECT_EQ(http_response(404, "text/plain", "body"), head + "body");
  EXPECT_EQ(http_response(404, "text/plain", "body", true), head);
}

}  // namespace
}  // namespace casvit::trainer
