// Feedback of any kind into an estimate that sends now and then. Checked: the rate stays between its bounds, and so do
// probes.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <vector>

#include "media/congestion/send_side_estimate.hpp"
#include "media/wire/rtcp.hpp"
#include "media/wire/rtcp_writer.hpp"

namespace {

using namespace media::congestion;
using namespace std::chrono_literals;
namespace wire = media::wire;

void check(bool holds, const char* what) {
    if (holds) return;
    std::fprintf(stderr, "broken: %s\n", what);
    std::abort();
}

class Driver {
  public:
    explicit Driver(std::span<const std::uint8_t> input) : rest_(input) {}

    void run() {
        for (int steps = 0; !rest_.empty() && steps < 3000; ++steps) {
            step();
            check(estimate_.bps() >= bounds_.floor && estimate_.bps() <= bounds_.cap, "the rate left its bounds");
            check(estimate_.loss() >= 0 && estimate_.loss() <= 1, "a share of losses");
        }
    }

  private:
    std::uint8_t byte() {
        if (rest_.empty()) return 0;
        const std::uint8_t value = rest_.front();
        rest_ = rest_.subspan(1);
        return value;
    }
    std::uint16_t word() { return static_cast<std::uint16_t>(byte() << 8 | byte()); }

    void step() {
        switch (byte() % 6) {
            case 0:
                now_ += std::chrono::microseconds(word());
                break;
            case 1:
                now_ += std::chrono::milliseconds(word());
                tick();
                break;
            case 2:
                for (int i = byte() % 32; i >= 0; --i) estimate_.on_sent(word() % 1600, now_);
                break;
            case 3:
                raw();
                break;
            case 4:
                estimate_.on_repeated(word());
                break;
            default:
                answer();
                break;
        }
    }
    void tick() {
        const std::size_t due = estimate_.tick(std::uint64_t{word()} * 1000, now_);
        check(due <= 100'000, "a probe without bounds");
        for (std::size_t sent = 0; sent < due; sent += 300) estimate_.on_sent(300, now_);
    }
    void take(std::span<const std::uint8_t> compound) {
        wire::RtcpReader reader(compound);
        while (const auto view = reader.next()) {
            const auto feedback = wire::TransportFeedback::parse(*view);
            if (feedback) estimate_.on_feedback(*feedback, std::chrono::milliseconds(byte()), now_);
        }
    }
    void raw() {
        const std::size_t size = std::min<std::size_t>(byte(), rest_.size());
        take(rest_.first(size));
        rest_ = rest_.subspan(size);
    }
    /// Well-formed, about numbers near those that were sent.
    void answer() {
        std::vector<wire::PacketArrival> arrivals;
        std::int64_t number = std::int64_t{1'000'000} * 65536 + word();
        const std::int64_t begin = number;
        std::int64_t at = std::int64_t{word()} * 64'000;
        for (int i = byte() % 64; i >= 0; --i) {
            number += 1 + (byte() % 8 == 0 ? byte() : 0);
            at += std::int64_t{static_cast<std::int8_t>(byte())} * 250;
            arrivals.push_back({number, std::max<std::int64_t>(at, 0)});
        }
        std::uint8_t buffer[1200];
        wire::RtcpWriter writer(buffer);
        if (writer.transport_feedback(1, 2, 0, begin, arrivals) != 0) take(writer.written());
    }

    std::span<const std::uint8_t> rest_;
    RateBounds bounds_;
    SendSideEstimate estimate_{bounds_};
    Time now_{1h};
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size > 16384) return 0;
    Driver(std::span(data, size)).run();
    return 0;
}
