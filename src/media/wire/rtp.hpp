// RTP packets: a view over a received one, changes in place, and a writer (RFC 3550 section 5.1, RFC 8285).
//
// A view lives as long as the buffer it was parsed from. Nothing here allocates. Any thread; a view belongs to whoever
// owns the buffer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <type_traits>

#include "core/bytes.hpp"
#include "media/wire/byte_io.hpp"

namespace media::wire {

inline constexpr std::size_t kRtpHeaderSize = 12;

/// How the header extension block is laid out: 0xBEDE, 0x100n, or something else that is skipped.
enum class RtpExtensionForm : std::uint8_t { none, one_byte, two_byte, unknown };

class RtpView {
  public:
    /// Null unless header, CSRCs, extension block and padding fit. Parse decrypted packets only: the padding count of
    /// an encrypted one is noise (use `peek_rtp` there).
    static std::optional<RtpView> parse(core::BytesView packet);

    bool marker() const { return (packet_[1] & 0x80) != 0; }
    std::uint8_t payload_type() const { return packet_[1] & 0x7F; }
    std::uint16_t sequence() const { return load_u16(&packet_[2]); }
    std::uint32_t timestamp() const { return load_u32(&packet_[4]); }
    std::uint32_t ssrc() const { return load_u32(&packet_[8]); }
    std::size_t csrc_count() const { return packet_[0] & 0x0F; }
    /// `index` < csrc_count().
    std::uint32_t csrc(std::size_t index) const { return load_u32(&packet_[kRtpHeaderSize + 4 * index]); }

    RtpExtensionForm extension_form() const { return form_; }
    /// The extension's bytes (may be empty in the two-byte form), or null when it is not there. Ids 1 to 14, in the
    /// two-byte form to 255.
    std::optional<core::BytesView> extension(std::uint8_t id) const;

    std::size_t header_size() const { return header_size_; }
    core::BytesView payload() const {
        return packet_.subspan(header_size_, packet_.size() - header_size_ - padding_size_);
    }
    std::size_t padding_size() const { return padding_size_; }
    /// A bandwidth probe or filler: padding and nothing else.
    bool padding_only() const { return padding_size_ != 0 && payload().empty(); }
    core::BytesView packet() const { return packet_; }

  private:
    RtpView() = default;

    core::BytesView packet_;
    std::uint32_t header_size_ = 0;
    std::uint16_t extension_offset_ = 0;  ///< First byte behind the extension block's own four-byte header.
    std::uint16_t padding_size_ = 0;
    std::uint32_t extension_size_ = 0;
    RtpExtensionForm form_ = RtpExtensionForm::none;
};

/// The fields that stay in the clear under SRTP.
struct RtpPeek {
    std::uint32_t ssrc = 0;
    std::uint16_t sequence = 0;
    std::uint8_t payload_type = 0;
};
/// Null unless there is a whole version 2 fixed header.
std::optional<RtpPeek> peek_rtp(core::BytesView packet);

/// Changes in place; the packet has been parsed (or written) before.
void set_rtp_payload_type(std::span<std::uint8_t> packet, std::uint8_t payload_type);
void set_rtp_marker(std::span<std::uint8_t> packet, bool marker);
void set_rtp_sequence(std::span<std::uint8_t> packet, std::uint16_t sequence);
void set_rtp_timestamp(std::span<std::uint8_t> packet, std::uint32_t timestamp);
void set_rtp_ssrc(std::span<std::uint8_t> packet, std::uint32_t ssrc);
/// Where extension `id` stands in the packet, to stamp a value of the same size in at the last moment (send time,
/// transport-wide number); empty when it is not there.
std::span<std::uint8_t> rtp_extension_in_place(std::span<std::uint8_t> packet, std::uint8_t id);

struct RtpHeader {
    std::uint8_t payload_type = 0;
    bool marker = false;
    std::uint16_t sequence = 0;
    std::uint32_t timestamp = 0;
    std::uint32_t ssrc = 0;
};

/// A header extension to write: id 1 to 255, at most 255 bytes. The one-byte form is used when every one fits it
/// (ids up to 14, 1 to 16 bytes), else the two-byte form.
struct RtpExtension {
    std::uint8_t id = 0;
    core::BytesView value{};
};

/// Writes a packet without CSRCs and padding. `payload` must not overlap `out`. Returns the size, or 0 when `out` is
/// too small or an extension is impossible.
std::size_t write_rtp(std::span<std::uint8_t> out, const RtpHeader& header, std::span<const RtpExtension> extensions,
                      core::BytesView payload);

/// The source's payload under a new header; the source's extensions, CSRCs and padding are left behind: a forwarded MID
/// would lead the packet to the wrong line at the receiver. Same rules as above.
inline std::size_t write_rtp_from(std::span<std::uint8_t> out, const RtpView& source, const RtpHeader& header,
                                  std::span<const RtpExtension> extensions = {}) {
    return write_rtp(out, header, extensions, source.payload());
}

/// True when `a` comes after `b`; half the number space is "after" (RFC 1982).
constexpr bool newer_sequence(std::uint16_t a, std::uint16_t b) {
    return a != b && static_cast<std::uint16_t>(a - b) < 0x8000;
}
constexpr bool newer_timestamp(std::uint32_t a, std::uint32_t b) {
    return a != b && a - b < 0x8000'0000U;
}

/// Turns wrapping numbers into ever-growing ones: each is taken as nearest to the highest seen. The first keeps its
/// value.
template <class Number>
class Unwrapper {
  public:
    /// The long number of `value`; remembers it when it is the highest so far.
    std::int64_t unwrap(Number value) {
        const std::int64_t wide = peek(value);
        if (!started_ || wide > highest_) highest_ = wide;
        started_ = true;
        return wide;
    }
    /// The same without remembering.
    std::int64_t peek(Number value) const {
        if (!started_) return value;
        using Signed = std::make_signed_t<Number>;
        return highest_ + static_cast<Signed>(static_cast<Number>(value - static_cast<Number>(highest_)));
    }
    bool started() const { return started_; }
    std::int64_t highest() const { return highest_; }

  private:
    std::int64_t highest_ = 0;
    bool started_ = false;
};
using SequenceUnwrapper = Unwrapper<std::uint16_t>;
using TimestampUnwrapper = Unwrapper<std::uint32_t>;

}  // namespace media::wire
