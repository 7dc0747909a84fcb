// The one audio stream a listener gets: 50 packets a second, always, with numbers that go on whoever is heard.
//
// Time is cut into slots of 20 ms. Slot k has sequence number s + k and timestamp t + 960 k, so neither ever jumps. A
// speaker's packet goes out the moment it arrives: the first one takes the next slot, later ones keep their distance to
// it. What happens to slots nobody fills:
//  - a packet lost on its way to us leaves its slot open, so that the listener's jitter buffer conceals it, or restores
//    it from Opus' in-band FEC in the packet behind; silence would sound worse. At most a third of the slots may stay
//    open, and `kMaxOpen` in a row: below half of 50 packets a second a listener is told that its own connection is
//    poor. How long the slots were overdue does not count, only how far ahead of real time the packet behind them is:
//    a path that gets faster while it loses packets leaves more slots open than time passed;
//  - when nothing comes for `kPatience`, or there is nobody to hear, every slot gets a silence packet when it is due.
// Jitter of the speaker below `kPatience` is passed on as it is, for the listener's jitter buffer to absorb. The due
// times follow the speaker's clock slowly (0.5 %), so its drift neither piles up nor looks like an outage.
//
// Owned by one listener; the meeting's thread only. Allocates nothing.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "media/room/media_settings.hpp"

namespace media::room {

class AudioSlots {
  public:
    static constexpr auto kSlot = std::chrono::milliseconds(20);
    static constexpr std::uint32_t kSamples = 960;
    /// A speaker who pauses longer is given up until the next packet.
    static constexpr auto kPatience = std::chrono::milliseconds(200);
    /// So far ahead of real time a burst may run.
    static constexpr auto kMaxLead = std::chrono::milliseconds(200);
    /// So many slots in a row may stay open.
    static constexpr std::uint32_t kMaxOpen = 20;
    /// So late a packet may still be put into its open slot.
    static constexpr std::int64_t kLateSlots = 32;

    struct Stamp {
        std::uint16_t sequence = 0;
        std::uint32_t timestamp = 0;
    };
    enum class Place : std::uint8_t {
        send,
        late,      ///< Its slot has been used or is forgotten.
        too_fast,  ///< Too far ahead of real time.
    };
    struct Placed {
        Place place = Place::late;
        Stamp stamp;
        std::uint32_t opened = 0;  ///< Slots left open by it.
    };

    AudioSlots(std::uint16_t first_sequence, std::uint32_t first_timestamp)
        : first_sequence_(first_sequence), first_timestamp_(first_timestamp) {}

    /// The first slot is due now. Also after an interruption: the numbers go on.
    void start(Time now);
    void stop() { running_ = false; }
    bool running() const { return running_; }

    /// A packet of the speaker; `position` is its timestamp in slots, unwrapped (not its sequence number: padding uses
    /// numbers up without any time passing). Only while running.
    Placed place(std::int64_t position, Time now);

    /// True when a copy of the packet at this position would be of use: it belongs to the speaker who is heard, has not
    /// come itself, and its slot is open or still to come.
    bool misses(std::int64_t position) const;

    /// The speaker is another one or none from now on: the next packet takes the next slot.
    void release() { locked_ = false; }

    // A listener of a mix gets one packet a beat: first call `overdue` until null and send silence, then `beat`. The
    // slots follow the beats, whatever followed a speaker before.

    /// The next slot whose time had passed before this beat came near, as `silence`.
    std::optional<Stamp> overdue(Time beat, std::uint64_t& opened);
    /// The slot of this beat; null when a burst of the speaker before has filled it already.
    std::optional<Stamp> beat(Time beat);

    /// The next slot that has to be filled with silence now; call until null. `opened` grows by the overdue slots that
    /// were left open instead.
    std::optional<Stamp> silence(Time now, std::uint64_t& opened);

    /// For sender reports: the timestamp that belongs to `now`.
    std::uint32_t timestamp_at(Time now) const;

  private:
    Stamp stamp(std::int64_t slot) const {
        return {static_cast<std::uint16_t>(first_sequence_ + static_cast<std::uint64_t>(slot)),
                static_cast<std::uint32_t>(first_timestamp_ + static_cast<std::uint64_t>(slot) * kSamples)};
    }
    /// The position takes the next slot. What was left open before is lost: it belongs to another speaker, connection
    /// or distance, and a straggler of this one would be heard in the wrong place.
    void lock(std::int64_t position);
    void open_slot();
    void use_slot();

    std::uint16_t first_sequence_;
    std::uint32_t first_timestamp_;
    bool running_ = false;
    bool locked_ = false;
    std::int64_t next_ = 0;        ///< The first slot not yet used or left open.
    std::int64_t offset_ = 0;      ///< Slot − speaker's position, while locked.
    Time due_{};                   ///< Of slot `next_`.
    std::uint64_t used_ = 0;       ///< Bit i: slot `next_ − 1 − i` was used or is lost.
    std::uint32_t allowance_ = 0;  ///< Half slots that may be left open.
};

}  // namespace media::room
