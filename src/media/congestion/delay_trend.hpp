// Whether the queue on the way grows: the variation of one-way delay between groups of packets, smoothed, and the slope
// of its line over the last groups against a threshold that adapts itself.
//
// Groups, signal and threshold after Carlucci, De Cicco, Holmer, Mascolo, "Analysis and Design of the Google Congestion
// Control for WebRTC", MMSys 2016, sections 4.1 to 4.3, and draft-ietf-rmcat-gcc-02 sections 5.2 to 5.4. In place of
// their Kalman filter stands the least-squares slope that browsers use today: it needs no noise model.
//
// Owned by one estimate; the meeting's thread only. Allocates nothing.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace media::congestion {

enum class LinkUse : std::uint8_t { normal, over, under };

class DelayTrend {
  public:
    /// One packet that arrived, in the order of sending. Times in microseconds, each on its own clock.
    void on_packet(std::int64_t sent_us, std::int64_t arrival_us);

    LinkUse use() const { return use_; }
    /// The slope, scaled as the threshold is: milliseconds.
    double trend() const { return trend_; }
    double threshold() const { return threshold_; }

  private:
    struct Group {
        std::int64_t first_sent = 0;
        std::int64_t last_sent = 0;
        std::int64_t first_arrival = 0;
        std::int64_t last_arrival = 0;
    };
    struct Point {
        double at = 0;     ///< Arrival in ms since the first group.
        double delay = 0;  ///< Smoothed, in ms.
    };
    static constexpr std::size_t kPoints = 20;

    bool belongs(std::int64_t sent_us, std::int64_t arrival_us) const;
    void on_variation(double sent_ms, double arrival_ms, std::int64_t arrival_us);
    double slope() const;
    void judge(double sent_ms, double arrived_ms);
    void restart();

    Group current_;
    Group previous_;
    bool has_current_ = false;
    bool has_previous_ = false;
    int reordered_ = 0;

    std::int64_t first_arrival_us_ = 0;
    int variations_ = 0;
    double delay_ = 0;
    double smoothed_ = 0;
    std::array<Point, kPoints> points_{};
    std::size_t count_ = 0;
    std::size_t next_ = 0;

    double trend_ = 0;
    double previous_trend_ = 0;
    double threshold_ = 12.5;
    double judged_ms_ = 0;
    double over_for_ms_ = -1;
    int over_count_ = 0;
    LinkUse use_ = LinkUse::normal;
};

}  // namespace media::congestion
