// For tests: a bottleneck with a queue, and senders whose traffic follows their estimate through it. Simulated time,
// fixed seeds; nothing of a sender's insides is known here. Not thread-safe; one test.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <random>
#include <utility>
#include <vector>

#include "media/congestion/send_side_estimate.hpp"
#include "media/wire/rtcp.hpp"
#include "media/wire/rtcp_writer.hpp"
#include "media/wire/rtp.hpp"
#include "media/wire/transport_feedback.hpp"

namespace media::congestion::testing {

using namespace std::chrono_literals;
using Us = std::chrono::microseconds;

/// One direction: first in, first out at a rate; what does not fit the queue is lost, and some at random.
class Bottleneck {
  public:
    struct Settings {
        double bps = 1e6;
        Us delay = 25ms;  ///< Without queue.
        Us longest_queue = 300ms;
        double random_loss = 0;
        Us jitter = 0ms;  ///< Uniform, order kept.
    };
    explicit Bottleneck(Settings first, std::uint32_t seed = 1) : settings(first), random_(seed) {}

    /// When it arrives; null: lost.
    std::optional<Time> send(std::size_t bytes, Time now) {
        free_at_ = std::max(free_at_, now);
        const Us wait = std::chrono::duration_cast<Us>(free_at_ - now);
        most_queue = std::max(most_queue, wait);
        if (away) return std::nullopt;
        if (wait > settings.longest_queue) return std::nullopt;
        free_at_ += Us(static_cast<std::int64_t>(static_cast<double>(bytes) * 8e6 / settings.bps));
        std::uniform_real_distribution<double> dice(0, 1);
        if (settings.random_loss > 0 && dice(random_) < settings.random_loss) return std::nullopt;
        Time arrival = free_at_ + settings.delay;
        if (settings.jitter > 0us) {
            arrival += Us(static_cast<std::int64_t>(dice(random_) * static_cast<double>(settings.jitter.count())));
        }
        arrival = std::max(arrival, last_arrival_);
        last_arrival_ = arrival;
        return arrival;
    }
    Us queue(Time now) const { return std::chrono::duration_cast<Us>(std::max(free_at_, now) - now); }

    Settings settings;
    bool away = false;  ///< Nothing gets through.
    Us most_queue{};    ///< Longest wait since it was last set to zero.

  private:
    Time free_at_{};
    Time last_arrival_{};
    std::mt19937 random_;
};

/// A call: audio all the time, video at the estimate or at what the camera gives, feedback every 70 ms.
class Flow {
  public:
    struct Settings {
        std::uint64_t camera_bps = 2'000'000;
        std::uint64_t wanted_bps = 0;  ///< For probing.
        Us feedback_interval = 70ms;
    };
    Flow(Bottleneck& path, Settings flow_settings) : settings(flow_settings), path_(path) {}

    void step(Time now) {
        while (!answers_.empty() && answers_.front().first <= now) {
            take_answer(answers_.front().second, now);
            answers_.pop_front();
        }
        for (std::size_t due = estimate.tick(settings.wanted_bps, now); due > 150;) {
            const std::size_t size = 255 + 64;
            send(size, now);
            probe_bytes += size;
            due -= std::min(due, size);
        }
        if (now >= next_audio_) {
            next_audio_ = now + 20ms;
            send(140, now);
        }
        const double target = std::min<double>(static_cast<double>(settings.camera_bps),
                                               std::max(0.0, static_cast<double>(estimate.bps()) - 56'000));
        owed_ = std::min(owed_ + target * 0.005 / 8, 8000.0);
        while (!silent && owed_ >= 1100) {
            owed_ -= 1100;
            send(1150, now);
        }
        if (now >= next_feedback_) {
            next_feedback_ = now + settings.feedback_interval;
            feed_back(now);
        }
    }

    SendSideEstimate estimate;
    Settings settings;
    bool silent = false;      ///< No video.
    bool unanswered = false;  ///< The receiver's feedback does not come through.
    std::uint64_t sent_packets = 0;
    std::uint64_t lost_packets = 0;
    std::uint64_t arrived_bytes = 0;
    std::uint64_t probe_bytes = 0;

  private:
    struct Arrival {
        std::int64_t number;
        Time at;
    };
    void send(std::size_t bytes, Time now) {
        const std::int64_t number = unwrapper_.unwrap(estimate.on_sent(bytes, now));
        ++sent_packets;
        if (const auto at = path_.send(bytes, now)) {
            arrivals_.push_back({number, *at});
            arrived_bytes += bytes;
        } else {
            ++lost_packets;
        }
    }
    void feed_back(Time now) {
        std::vector<wire::PacketArrival> arrived;
        while (!arrivals_.empty() && arrivals_.front().at <= now) {
            // Its clock has nothing to do with the sender's.
            const auto us = std::chrono::duration_cast<Us>(arrivals_.front().at.time_since_epoch()).count();
            arrived.push_back({arrivals_.front().number, us + 77'777'777});
            arrivals_.pop_front();
        }
        std::span<const wire::PacketArrival> rest(arrived);
        while (!rest.empty() && !unanswered) {
            std::vector<std::uint8_t> buffer(1200);
            wire::RtcpWriter writer(buffer);
            const std::size_t taken = writer.transport_feedback(1, 2, count_++, begin_, rest);
            if (taken == 0) break;
            begin_ = rest[taken - 1].sequence + 1;
            rest = rest.subspan(taken);
            buffer.resize(writer.size());
            answers_.emplace_back(now + path_.settings.delay, std::move(buffer));
        }
    }
    void take_answer(const std::vector<std::uint8_t>& packet, Time now) {
        wire::RtcpReader reader(packet);
        const auto feedback = wire::TransportFeedback::parse(*reader.next());
        estimate.on_feedback(*feedback, 2 * path_.settings.delay, now);
    }

    Bottleneck& path_;
    wire::SequenceUnwrapper unwrapper_;
    std::deque<Arrival> arrivals_;
    std::deque<std::pair<Time, std::vector<std::uint8_t>>> answers_;
    std::int64_t begin_ = 0;
    std::uint8_t count_ = 0;
    Time next_audio_{};
    Time next_feedback_{};
    double owed_ = 0;
};

/// Lets time pass in steps of a tick.
inline void pass(Time& now, std::chrono::milliseconds time, const std::function<void(Time)>& step) {
    for (const Time end = now + time; now < end;) {
        now += 5ms;
        step(now);
    }
}

}  // namespace media::congestion::testing
