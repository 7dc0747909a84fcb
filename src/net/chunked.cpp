#include "net/chunked.hpp"

#include <algorithm>
#include <charconv>

namespace net {
namespace {

// Eight digits hold more than any body may; more of them, leading zeros included, serve no honest sender.
constexpr std::size_t kMaxDigits = 8;

bool is_line_text(std::string_view text) {
    return std::ranges::all_of(text, [](unsigned char c) { return c == '\t' || (c >= 0x20 && c != 0x7f); });
}

}  // namespace

bool ChunkedDecoder::read_size(std::string_view line) {
    const auto digits = std::min(line.find_first_not_of("0123456789abcdefABCDEF"), line.size());
    if (digits == 0 || digits > kMaxDigits) return false;
    std::from_chars(line.begin(), line.begin() + digits, left_, 16);
    line.remove_prefix(digits);
    line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
    return line.empty() || (line.front() == ';' && is_line_text(line));
}

ChunkedDecoder::State ChunkedDecoder::advance(std::string_view& input, std::string& body) {
    for (;;) {
        switch (part_) {
            case Part::size: {
                const auto end = input.substr(0, max_line_).find("\r\n");
                if (end == std::string_view::npos)
                    return input.size() < max_line_ ? State::need_more : State::malformed;
                if (!read_size(input.substr(0, end))) return State::malformed;
                if (left_ > max_body_ - body.size()) return State::too_large;
                input.remove_prefix(end + 2);
                part_ = left_ == 0 ? Part::trailer : Part::data;
                break;
            }
            case Part::data: {
                const auto count = std::min<std::size_t>(left_, input.size());
                body.append(input.substr(0, count));
                input.remove_prefix(count);
                left_ -= count;
                if (left_ > 0) return State::need_more;
                part_ = Part::data_end;
                break;
            }
            case Part::data_end:
                if (!std::string_view{"\r\n"}.starts_with(input.substr(0, 2))) return State::malformed;
                if (input.size() < 2) return State::need_more;
                input.remove_prefix(2);
                part_ = Part::size;
                break;
            case Part::trailer: {
                const auto end = input.find("\r\n");
                if (trailer_ + std::min(end, input.size()) > max_trailer_) return State::malformed;
                if (end == std::string_view::npos) return State::need_more;
                const auto line = input.substr(0, end);
                input.remove_prefix(end + 2);
                if (line.empty()) return State::done;
                const auto colon = line.find(':');
                if (colon == 0 || colon == std::string_view::npos || !is_line_text(line)) return State::malformed;
                trailer_ += line.size() + 2;
                break;
            }
        }
    }
}

}  // namespace net
