// The chunked transfer coding, RFC 9112 section 7.1: takes the body out of its chunks. Extensions and trailer fields
// are checked for their form and dropped. No sockets.
//
// Owned by a request reader.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace net {

class ChunkedDecoder {
  public:
    enum class State { need_more, done, malformed, too_large };

    /// `max_body` bounds what comes out, `max_line` a chunk's header and `max_trailer` all trailer fields together.
    explicit ChunkedDecoder(std::size_t max_body, std::size_t max_line = 256, std::size_t max_trailer = 4096)
        : max_body_(max_body), max_line_(max_line), max_trailer_(max_trailer) {}

    /// Appends to `body` and takes from `input` what it can use; the rest must be offered again with more behind it.
    State advance(std::string_view& input, std::string& body);

  private:
    enum class Part { size, data, data_end, trailer };

    bool read_size(std::string_view line);

    std::size_t max_body_;
    std::size_t max_line_;
    std::size_t max_trailer_;
    Part part_ = Part::size;
    std::uint64_t left_ = 0;  ///< Of the present chunk.
    std::size_t trailer_ = 0;
};

}  // namespace net
