// Turns the bytes of one HTTP/1.1 connection into requests, one after the other, and refuses what breaks RFC 9112 or a
// limit. No sockets, no clock. Boost.Beast parses the header; the rules it leaves open are decided here, and so is the
// body: Beast's chunk parser takes trailers for header fields and asserts on a last chunk that arrives in pieces.
//
// Owned by a connection; its event loop's thread only.
#pragma once

#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/fields.hpp>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "net/chunked.hpp"
#include "net/http.hpp"

namespace net {

class RequestReader {
  public:
    struct Limits {
        std::size_t header = 16 * 1024;  ///< Request line and fields together.
        std::size_t body = 64 * 1024;
        std::size_t fields = 100;
    };
    enum class State { need_more, ready, refused };
    /// Why the connection cannot go on: its answer, after which it must be closed.
    struct Refusal {
        unsigned status = 400;
        std::string_view detail;  ///< A literal.
    };

    explicit RequestReader(Limits limits);
    RequestReader(const RequestReader&) = delete;
    RequestReader& operator=(const RequestReader&) = delete;

    /// Room for more bytes, never empty while `need_more`; tell with `commit` how many were put there.
    std::span<char> prepare();
    void commit(std::size_t bytes) { end_ += bytes; }

    /// Works on what has arrived. Once `ready` or `refused` it stays so until `next`.
    State advance();
    /// Forgets the present request and begins with the bytes behind it.
    void next();

    /// Nothing of a request has arrived yet.
    bool idle() const { return !parser_->got_some(); }
    bool header_done() const { return message_.header_done; }
    /// True once: the client waits for `100 Continue` before it sends the body.
    bool take_wants_continue();
    /// Bytes that have arrived behind the present request.
    std::size_t leftover() const { return end_ - begin_; }

    const Refusal& refusal() const { return refusal_; }
    /// Valid while `ready`. HEAD is given as GET. `remote_address` and `request_id` are the connection's to fill in.
    Request& request() { return request_; }
    bool is_head() const { return is_head_; }
    bool is_http10() const { return message_.version < 11; }
    bool keep_alive() const { return parser_->keep_alive(); }
    bool is_websocket_upgrade() const;

  private:
    /// What the parser fills in; kept from request to request to keep its memory.
    struct Message {
        std::string method;
        std::string target;
        boost::beast::http::fields fields;
        std::string body;
        int version = 11;
        std::size_t field_count = 0;
        std::size_t hosts = 0;
        std::size_t lengths = 0;
        std::size_t codings = 0;
        bool expects_continue = false;
        bool header_done = false;
        Refusal refusal{0, {}};  ///< Set when a rule of ours was broken.
    };

    class Parser final : public boost::beast::http::basic_parser<true> {
      public:
        Parser(Message& message, const Limits& limits);

      private:
        using Text = boost::beast::string_view;
        using Code = boost::beast::error_code;
        void on_request_impl(boost::beast::http::verb, Text method, Text target, int version, Code&) override;
        void on_response_impl(int, Text, int, Code&) override {}
        void on_field_impl(boost::beast::http::field field, Text name, Text value, Code& error) override;
        void on_header_impl(Code& error) override;
        // The parser skips the body.
        void on_body_init_impl(const boost::optional<std::uint64_t>&, Code&) override {}
        std::size_t on_body_impl(Text, Code&) override { return 0; }
        void on_chunk_header_impl(std::uint64_t, Text, Code&) override {}
        std::size_t on_chunk_body_impl(std::uint64_t, Text, Code&) override { return 0; }
        void on_finish_impl(Code&) override {}

        void refuse(unsigned status, std::string_view detail, Code& error);

        Message& message_;
        const Limits& limits_;
    };

    State refuse(unsigned status, std::string_view detail);
    State refuse_for(const boost::beast::error_code& error);
    State too_long();
    State advance_header();
    State advance_body();
    State finish();

    const Limits limits_;
    std::vector<char> buffer_;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
    std::size_t header_bytes_ = 0;  ///< Of the present request, as far as parsed.
    Message message_;
    std::optional<Parser> parser_;  ///< Made anew for each request: Beast's cannot be reset.
    ChunkedDecoder chunked_;
    std::size_t length_ = 0;  ///< Content-Length.
    State state_ = State::need_more;
    bool is_head_ = false;
    Request request_;
    Refusal refusal_;
};

}  // namespace net
