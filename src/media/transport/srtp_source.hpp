// Packet numbers of one SSRC under SRTP: the 48-bit index behind a 16-bit sequence number (RFC 3711 section 3.3.1), and
// which indices were seen (section 3.3.2). Plain values.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <vector>

namespace media::transport {

template <std::uint64_t kWindow>
class SrtpSource {
    static_assert(kWindow % 64 == 0);

  public:
    explicit SrtpSource(std::uint32_t ssrc) : ssrc_(ssrc) {}
    std::uint32_t ssrc() const { return ssrc_; }

    /// The index that is meant by a sequence number; null: from before the first wrap, too old to say.
    std::optional<std::uint64_t> estimate(std::uint16_t sequence) const {
        constexpr std::uint64_t kHalf = 0x8000;
        // Nothing came yet, or nothing can have wrapped: ahead, however far.
        if (highest_ < kHalf) return sequence;
        const auto last = static_cast<std::uint16_t>(highest_);
        const auto ahead = static_cast<std::uint16_t>(sequence - last);
        if (ahead < kHalf) return highest_ + ahead;
        const std::uint64_t behind = 0x10000U - ahead;
        return behind <= highest_ ? std::optional(highest_ - behind) : std::nullopt;
    }

    bool too_old(std::uint64_t index) const { return index < highest_ && highest_ - index >= kWindow; }
    bool seen(std::uint64_t index) const { return index <= highest_ && (word(index) & bit(index)) != 0; }
    /// Remembers an index that is not too old.
    void take(std::uint64_t index) {
        if (index > highest_) {
            const std::uint64_t skipped = std::min(index - highest_, kWindow);
            for (std::uint64_t i = 1; i <= skipped; ++i) word(highest_ + i) &= ~bit(highest_ + i);
            highest_ = index;
        }
        word(index) |= bit(index);
    }
    /// The same without remembering each: for who sends.
    void advance(std::uint64_t index) { highest_ = std::max(highest_, index); }

  private:
    static std::uint64_t bit(std::uint64_t index) { return std::uint64_t{1} << (index % 64); }
    std::uint64_t& word(std::uint64_t index) { return seen_[index % kWindow / 64]; }
    const std::uint64_t& word(std::uint64_t index) const { return seen_[index % kWindow / 64]; }

    std::uint32_t ssrc_;
    std::uint64_t highest_ = 0;
    std::array<std::uint64_t, kWindow / 64> seen_{};
};

/// The sources of one direction, found by SSRC.
template <class Source>
class SrtpSources {
  public:
    /// Null: not known.
    Source* find(std::uint32_t ssrc) {
        if (latest_ < sources_.size() && sources_[latest_].ssrc() == ssrc) return &sources_[latest_];
        const auto place = std::ranges::lower_bound(sources_, ssrc, {}, &Source::ssrc);
        if (place == sources_.end() || place->ssrc() != ssrc) return nullptr;
        latest_ = static_cast<std::size_t>(place - sources_.begin());
        return &*place;
    }
    Source& add(const Source& source) {
        const auto place = std::ranges::lower_bound(sources_, source.ssrc(), {}, &Source::ssrc);
        return *sources_.insert(place, source);
    }
    std::size_t size() const { return sources_.size(); }

  private:
    std::vector<Source> sources_;  ///< Sorted.
    std::size_t latest_ = 0;       ///< Where the last one was found: packets of a source come in a row.
};

}  // namespace media::transport
