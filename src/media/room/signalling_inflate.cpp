#include "media/room/signalling_inflate.hpp"

#include <zlib.h>

#include <array>

namespace media::room {

namespace {

constexpr int kRawWindow = -15;  // Negative: no zlib header.

const Bytef* bytes(std::string_view text) {
    return reinterpret_cast<const Bytef*>(text.data());
}

class Inflater {
  public:
    Inflater() : ready_(inflateInit2(&stream_, kRawWindow) == Z_OK) {}
    ~Inflater() {
        if (ready_) inflateEnd(&stream_);
    }
    Inflater(const Inflater&) = delete;
    Inflater& operator=(const Inflater&) = delete;

    std::optional<std::string> run(std::string_view compressed, std::string_view dictionary) {
        if (!ready_) return std::nullopt;
        if (!dictionary.empty() &&
            inflateSetDictionary(&stream_, bytes(dictionary), static_cast<uInt>(dictionary.size())) != Z_OK) {
            return std::nullopt;
        }
        stream_.next_in = const_cast<Bytef*>(bytes(compressed));  // Old interface; it is only read.
        stream_.avail_in = static_cast<uInt>(compressed.size());
        std::string text;
        std::array<char, 16 * 1024> room;
        for (;;) {
            stream_.next_out = reinterpret_cast<Bytef*>(room.data());
            stream_.avail_out = room.size();
            const int result = inflate(&stream_, Z_NO_FLUSH);
            text.append(room.data(), room.size() - stream_.avail_out);
            if (text.size() > kMaxOffer) return std::nullopt;
            if (result == Z_STREAM_END) return text;
            if (result != Z_OK) return std::nullopt;  // Z_BUF_ERROR among them: it was cut off.
        }
    }

  private:
    z_stream stream_{};
    bool ready_;
};

}  // namespace

std::optional<std::string> inflate_offer(std::string_view compressed, std::string_view previous) {
    if (compressed.empty() || compressed.size() > kMaxOffer) return std::nullopt;
    if (auto text = Inflater().run(compressed, {})) return text;
    if (previous.empty()) return std::nullopt;
    return Inflater().run(compressed, previous.substr(0, kOfferDictionary));
}

}  // namespace media::room
