// Loads a meeting server with native participants: see `usage`. Driven by bench/media/run over standard input and
// output.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <iostream>
#include <memory>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "ceiling.hpp"
#include "payloads.hpp"
#include "worker.hpp"

namespace {

constexpr const char* kUsage =
    R"(bench_media load [--threads N] [--from ADDRESS] [--sampling N] [--codec vp9|vp8|h264] [--audio FILE] [--video FILE]
    Takes orders from standard input, one a line:
        room chime URL TOKEN TOKEN…      a room of our server; one participant for each join token
        room janus URL NUMBER SIZE       a room of Janus
        measure ROOMS SECONDS            lets so many of the rooms in (or out), waits until media flows, then prints
                                         `begin` and after the time one line of JSON with what was seen
        quit
    --from: the first of the participants' addresses (127.16.0.0). --sampling: payloads are decrypted of every N-th packet.
bench_media payloads opus|vp8|vp9|h264 FILE
    Writes the payloads that are otherwise made at start; the format is described in payloads.hpp.
bench_media ceiling SECONDS SENDER-CORE READER-CORE
    What one core can encrypt and send, in packets a second, as JSON.
)";

/// How long a room may take until everybody gets everything.
constexpr auto kPatience = std::chrono::seconds(15);
/// Key frames, first reports and the server's estimates are not what is measured.
constexpr auto kSettle = std::chrono::milliseconds(2500);
/// Handshakes come in groups, so that their timers do not go off.
constexpr std::size_t kRoomsAtOnce = 25;

struct Options {
    std::size_t threads = 1;
    bench::WorkerSettings worker{.base_address = bench::UdpPort::parse_address("127.16.0.0")};
    std::string codec = "vp9";
    std::string audio;
    std::string video;
};

Options read_options(int argc, char** argv) {
    Options options;
    for (int i = 2; i + 1 < argc; i += 2) {
        const std::string name = argv[i];
        const std::string value = argv[i + 1];
        if (name == "--threads") {
            options.threads = std::stoul(value);
        } else if (name == "--from") {
            options.worker.base_address = bench::UdpPort::parse_address(value.c_str());
        } else if (name == "--sampling") {
            options.worker.sampling = static_cast<unsigned>(std::stoul(value));
        } else if (name == "--codec") {
            options.codec = value;
        } else if (name == "--audio") {
            options.audio = value;
        } else if (name == "--video") {
            options.video = value;
        } else {
            throw std::runtime_error("no such option: " + name);
        }
    }
    if (options.threads == 0 || options.worker.sampling == 0) throw std::runtime_error("not a number above 0");
    return options;
}

class Load {
  public:
    explicit Load(const Options& options)
        : audio_(options.audio.empty() ? bench::make_audio() : bench::read_payloads(options.audio)),
          video_(options.video.empty() ? bench::make_video(options.codec, {}) : bench::read_payloads(options.video)) {
        for (std::size_t i = 0; i < options.threads; ++i) {
            bench::WorkerSettings settings = options.worker;
            settings.base_address += static_cast<std::uint32_t>(i << 18);
            workers_.push_back(std::make_unique<bench::Worker>(settings, identity_, audio_, video_));
        }
    }

    void add(std::istringstream& words) {
        bench::RoomPlan plan;
        std::string kind;
        words >> kind >> plan.url;
        plan.janus = kind == "janus";
        for (std::string token; words >> token;) plan.tokens.push_back(token);
        if (plan.janus && plan.tokens.size() == 2) plan.tokens.assign(std::stoul(plan.tokens[1]), plan.tokens[0]);
        if (plan.tokens.empty()) throw std::runtime_error("a room without participants");
        plans_.push_back(std::move(plan));
    }

    void measure(std::size_t rooms, double seconds) {
        if (rooms > plans_.size()) throw std::runtime_error("there are not so many rooms");
        const std::string trouble = let_in(rooms);
        if (!trouble.empty()) {
            std::printf("{\"rooms\":%zu,\"trouble\":\"%s\"}\n", rooms, trouble.c_str());
            std::fflush(stdout);
            return;
        }
        std::this_thread::sleep_for(kSettle);
        const auto attendants = state().attendants;
        for (auto& worker : workers_) worker->begin_window();
        const bench::Nanos began = bench::now();
        const double cpu_began = process_seconds();
        std::puts("begin");
        std::fflush(stdout);
        std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
        bench::Window window;
        for (auto& worker : workers_) window.merge(worker->end_window());
        const double passed = static_cast<double>(bench::now() - began) / static_cast<double>(bench::kSecond);
        print(rooms, attendants, window, passed, process_seconds() - cpu_began);
    }

  private:
    bench::Worker& worker_of(std::size_t room) { return *workers_[room % workers_.size()]; }

    bench::Worker::State state() {
        bench::Worker::State all;
        for (auto& worker : workers_) {
            const auto one = worker->state();
            all.attendants += one.attendants;
            all.flowing += one.flowing;
            if (all.trouble.empty()) all.trouble = one.trouble;
        }
        return all;
    }

    /// What went wrong; empty: everybody is in and gets everything.
    std::string let_in(std::size_t rooms) {
        while (live_ > rooms) worker_of(--live_).leave_last();
        for (auto& worker : workers_) worker->mend();
        for (;;) {
            const std::size_t next = std::min(rooms, live_ + kRoomsAtOnce);
            for (; live_ < next; ++live_) worker_of(live_).enter(plans_[live_]);
            const auto deadline = std::chrono::steady_clock::now() + kPatience;
            for (;;) {
                const auto now = state();
                if (!now.trouble.empty()) return now.trouble;
                if (now.flowing == now.attendants) break;
                if (std::chrono::steady_clock::now() > deadline) {
                    return "media flows for " + std::to_string(now.flowing) + " of " + std::to_string(now.attendants) +
                           " participants";
                }
                std::this_thread::sleep_for(std::chrono::milliseconds(20));
            }
            if (live_ == rooms) return {};
        }
    }

    static double process_seconds() {
        timespec t{};
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
        return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
    }

    static void print(std::size_t rooms, std::size_t attendants, const bench::Window& w, double passed, double cpu) {
        const auto expected = w.video_expected + w.audio_expected;
        const auto lost = w.video_lost + w.audio_lost;
        const auto n = [](std::uint64_t value) { return static_cast<unsigned long long>(value); };
        std::printf(
            "{\"rooms\":%zu,\"participants\":%zu,\"seconds\":%.3f,\"sent\":%llu,\"received\":%llu,\"sent_bytes\":%llu,"
            "\"received_bytes\":%llu,\"control_sent\":%llu,\"control_received\":%llu,",
            rooms, attendants, passed, n(w.sent), n(w.received), n(w.sent_bytes), n(w.received_bytes),
            n(w.control_sent), n(w.control_received));
        std::printf(
            "\"loss\":%.6f,\"video_expected\":%llu,\"video_lost\":%llu,\"video_repaired\":%llu,\"audio_expected\":%llu,"
            "\"audio_lost\":%llu,\"audio_least\":%.1f,\"audio_most\":%.1f,",
            expected == 0 ? 1.0 : static_cast<double>(lost) / static_cast<double>(expected), n(w.video_expected),
            n(w.video_lost), n(w.video_repaired), n(w.audio_expected), n(w.audio_lost), w.audio_least, w.audio_most);
        std::printf(
            "\"latency_p50_ms\":%.3f,\"latency_p99_ms\":%.3f,\"latency_max_ms\":%.3f,\"nacks_sent\":%llu,\"nacks_"
            "received\":%llu,"
            "\"key_frames_asked\":%llu,\"refused\":%llu,\"streams\":%llu,\"silent_streams\":%llu,\"lost_connections\":%"
            "llu,",
            w.latency.quantile_ms(0.5), w.latency.quantile_ms(0.99), w.latency.quantile_ms(1), n(w.nacks_sent),
            n(w.nacks_received), n(w.key_frames_asked), n(w.refused), n(w.streams), n(w.silent_streams),
            n(w.lost_connections));
        std::printf("\"tool_drops\":%llu,\"tool_send_failures\":%llu,\"tool_lag_p99_ms\":%.3f,\"tool_cpu\":%.3f}\n",
                    n(w.socket_drops), n(w.send_failures), w.lag.quantile_ms(0.99), cpu / passed);
        std::fflush(stdout);
    }

    bench::Identity identity_;
    bench::Payloads audio_;
    bench::Payloads video_;
    std::vector<bench::RoomPlan> plans_;
    std::size_t live_ = 0;
    std::vector<std::unique_ptr<bench::Worker>> workers_;
};

int load(const Options& options) {
    Load load(options);
    for (std::string line; std::getline(std::cin, line);) {
        std::istringstream words(line);
        std::string order;
        words >> order;
        if (order == "room") {
            load.add(words);
        } else if (order == "measure") {
            std::size_t rooms = 0;
            double seconds = 0;
            words >> rooms >> seconds;
            load.measure(rooms, seconds);
        } else if (order == "quit") {
            break;
        } else {
            throw std::runtime_error("no such order: " + order);
        }
    }
    return 0;
}

int ceiling(double seconds, int sender, int reader) {
    // A one-to-one visit's packets: 91 of video and 50 of audio a second.
    const std::vector<std::size_t> mix = {1100, 160, 1100, 160,  1100, 1100, 160,
                                          1100, 160, 1100, 1100, 160,  1100, 1100};
    const struct {
        std::string name;
        std::vector<std::size_t> sizes;
    } kinds[] = {{"1100", {1100}}, {"160", {160}}, {"mix", mix}};
    std::string text = "{";
    for (const auto& kind : kinds) {
        for (const std::string variant : {"", "_gso"}) {
            const auto result = bench::measure_ceiling({kind.sizes, variant == "_gso", seconds, sender, reader});
            text += (text.size() > 1 ? ",\"" : "\"") + kind.name + variant +
                    "\":{\"rate\":" + std::to_string(result.packets_per_second) +
                    ",\"cpu\":" + std::to_string(result.cpu_share) + "}";
        }
    }
    std::puts((text + "}").c_str());
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        const std::string mode = argc > 1 ? argv[1] : "";
        if (mode == "load") return load(read_options(argc, argv));
        if (mode == "payloads" && argc == 4) {
            const std::string codec = argv[2];
            bench::write_payloads(codec == "opus" ? bench::make_audio() : bench::make_video(codec, {}), argv[3]);
            return 0;
        }
        if (mode == "ceiling" && argc == 5) return ceiling(std::stod(argv[2]), std::stoi(argv[3]), std::stoi(argv[4]));
    } catch (const std::exception& e) {
        std::fprintf(stderr, "bench_media: %s\n", e.what());
        return 1;
    }
    std::fputs(kUsage, stderr);
    return 2;
}
