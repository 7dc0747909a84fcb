// RTCP feedback: NACK, PLI (RFC 4585 sections 6.2.1 and 6.3.1), FIR (RFC 5104 section 4.3.1), REMB
// (draft-alvestrand-rmcat-remb-03). Transport-wide feedback has its own header.
//
// Views live as long as the buffer. Nothing here allocates. Any thread; a view belongs to whoever owns the buffer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "media/wire/rtcp.hpp"

namespace media::wire {

/// Generic NACK: a list of (packet id, bitmask of the 16 following).
class RtcpNack {
  public:
    static std::optional<RtcpNack> parse(const RtcpView& view);

    std::uint32_t sender_ssrc() const { return load_u32(body_.data()); }
    std::uint32_t media_ssrc() const { return load_u32(body_.data() + 4); }
    std::size_t entry_count() const { return (body_.size() - 8) / 4; }
    /// Calls `use(std::uint16_t sequence)` for each packet asked for, in order; at most 17 for each entry.
    template <class Use>
    void for_each_lost(Use&& use) const {
        for (std::size_t i = 0; i < entry_count(); ++i) {
            const std::uint8_t* entry = body_.data() + 8 + 4 * i;
            const std::uint16_t first = load_u16(entry);
            use(first);
            for (std::uint16_t mask = load_u16(entry + 2), next = first; mask != 0; mask = mask >> 1) {
                ++next;
                if ((mask & 1) != 0) use(next);
            }
        }
    }

  private:
    core::BytesView body_;
};

struct RtcpPli {
    std::uint32_t sender_ssrc = 0;
    std::uint32_t media_ssrc = 0;
};
std::optional<RtcpPli> parse_pli(const RtcpView& view);

struct FirEntry {
    std::uint32_t ssrc = 0;
    std::uint8_t sequence = 0;  ///< A new number is a new request; the same one a repeat.
};
class RtcpFir {
  public:
    static std::optional<RtcpFir> parse(const RtcpView& view);
    std::uint32_t sender_ssrc() const { return load_u32(body_.data()); }
    std::size_t entry_count() const { return (body_.size() - 8) / 8; }
    /// `index` < entry_count().
    FirEntry entry(std::size_t index) const {
        const std::uint8_t* p = body_.data() + 8 + 8 * index;
        return {.ssrc = load_u32(p), .sequence = p[4]};
    }

  private:
    core::BytesView body_;
};

/// Receiver estimated maximum bitrate.
class RtcpRemb {
  public:
    static std::optional<RtcpRemb> parse(const RtcpView& view);
    std::uint32_t sender_ssrc() const { return load_u32(body_.data()); }
    std::uint64_t bitrate_bps() const { return bitrate_bps_; }
    std::size_t ssrc_count() const { return (body_.size() - 16) / 4; }
    /// `index` < ssrc_count().
    std::uint32_t ssrc(std::size_t index) const { return load_u32(body_.data() + 16 + 4 * index); }

  private:
    core::BytesView body_;
    std::uint64_t bitrate_bps_ = 0;
};

}  // namespace media::wire
