// Big-endian reads and writes at a known place. The caller has checked the bounds. Any thread.
#pragma once

#include <cstdint>

namespace media::wire {

constexpr std::uint16_t load_u16(const std::uint8_t* p) {
    return static_cast<std::uint16_t>(p[0] << 8 | p[1]);
}
constexpr std::uint32_t load_u24(const std::uint8_t* p) {
    return std::uint32_t{p[0]} << 16 | std::uint32_t{p[1]} << 8 | p[2];
}
constexpr std::uint32_t load_u32(const std::uint8_t* p) {
    return std::uint32_t{p[0]} << 24 | load_u24(p + 1);
}
constexpr std::uint64_t load_u64(const std::uint8_t* p) {
    return std::uint64_t{load_u32(p)} << 32 | load_u32(p + 4);
}

constexpr void store_u16(std::uint8_t* p, std::uint16_t value) {
    p[0] = static_cast<std::uint8_t>(value >> 8);
    p[1] = static_cast<std::uint8_t>(value);
}
constexpr void store_u24(std::uint8_t* p, std::uint32_t value) {
    p[0] = static_cast<std::uint8_t>(value >> 16);
    store_u16(p + 1, static_cast<std::uint16_t>(value));
}
constexpr void store_u32(std::uint8_t* p, std::uint32_t value) {
    p[0] = static_cast<std::uint8_t>(value >> 24);
    store_u24(p + 1, value);
}
constexpr void store_u64(std::uint8_t* p, std::uint64_t value) {
    store_u32(p, static_cast<std::uint32_t>(value >> 32));
    store_u32(p + 4, static_cast<std::uint32_t>(value));
}

}  // namespace media::wire
