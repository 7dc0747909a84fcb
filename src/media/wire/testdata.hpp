// For this room's tests: what browsers really sent, from the files in testdata/.
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "core/bytes.hpp"
#include "media/wire/byte_io.hpp"

namespace media::wire::testdata {

inline constexpr std::string_view kOffers[] = {
    "chromium-first",     "chromium-camera",       "chromium-two-remote", "chromium-stopped", "chromium-recycled",
    "chromium-simulcast", "chromium-share-layers", "chromium-video-only", "firefox-first",    "firefox-camera",
};

inline std::string file(const std::string& name) {
    std::ifstream in(std::string(SOURCE_ROOT "/media/wire/testdata/") + name, std::ios::binary);
    EXPECT_TRUE(in.good()) << name;
    return {std::istreambuf_iterator<char>(in), {}};
}

inline std::string offer(std::string_view name) {
    return file(std::string(name) + ".sdp");
}

/// The bytes of a hexadecimal text; spaces and line ends do not count.
inline core::Bytes from_hex(std::string_view text) {
    core::Bytes bytes;
    int high = -1;
    for (const char c : text) {
        const auto digit = std::string_view("0123456789abcdef").find(c);
        if (digit == std::string_view::npos) continue;
        if (high < 0) {
            high = static_cast<int>(digit);
        } else {
            bytes.push_back(static_cast<std::uint8_t>(high * 16 + static_cast<int>(digit)));
            high = -1;
        }
    }
    return bytes;
}

/// One packet or message a line.
inline std::vector<core::Bytes> hex_lines(const std::string& name) {
    std::vector<core::Bytes> packets;
    std::istringstream in(file(name));
    for (std::string line; std::getline(in, line);) packets.push_back(from_hex(line));
    EXPECT_FALSE(packets.empty());
    return packets;
}

/// Records of: milliseconds (4 bytes), size (2 bytes), packet.
inline std::vector<core::Bytes> packet_records(const std::string& name) {
    const std::string text = file(name);
    const auto bytes = core::as_bytes(text);
    std::vector<core::Bytes> packets;
    for (std::size_t at = 0; at + 6 <= bytes.size();) {
        const std::size_t size = load_u16(&bytes[at + 4]);
        const auto packet = bytes.subspan(at + 6, size);
        packets.emplace_back(packet.begin(), packet.end());
        at += 6 + size;
    }
    EXPECT_FALSE(packets.empty());
    return packets;
}

/// A copy of exactly that many bytes, so that a sanitizer sees every read beyond.
inline core::Bytes first(core::BytesView bytes, std::size_t size) {
    return {bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size)};
}

}  // namespace media::wire::testdata
