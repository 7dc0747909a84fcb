// Measures the REST API of a running service: bench_load PORT SECRET SECONDS CONNECTIONS [join]. Seeds 10,000 sessions
// of 100 doctors first, then prints one line for each operation: name, rate, p50 and p99 in milliseconds, errors. With
// `join` only joins are measured, of the seeded sessions.
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "core/bytes.hpp"
#include "core/time.hpp"
#include "load_client.hpp"

namespace {

using bench::request;

constexpr int kSeeded = 10'000;
constexpr int kDoctors = 100;

class Tokens {
  public:
    explicit Tokens(std::string secret) : secret_(std::move(secret)) {}
    std::string mint(const std::string& role, const std::string& user) const {
        const auto now = std::time(nullptr);
        const auto head = core::base64url(core::as_bytes(R"({"alg":"HS256","typ":"JWT"})"));
        const auto claims = R"({"user_id":")" + user + R"(","role":")" + role + R"(","iat":)" + std::to_string(now) +
                            R"(,"exp":)" + std::to_string(now + 86400) + "}";
        const auto text = head + "." + core::base64url(core::as_bytes(claims));
        return text + "." + core::base64url(core::hmac_sha256(core::as_bytes(secret_), core::as_bytes(text)));
    }

  private:
    std::string secret_;
};

struct World {
    explicit World(const std::string& secret) : tokens(secret) {
        for (int i = 0; i < kDoctors; ++i) {
            doctors.push_back(tokens.mint("DOCTOR", "d" + std::to_string(i)));
            patients.push_back(tokens.mint("PATIENT", "p" + std::to_string(i)));
        }
    }
    Tokens tokens;
    std::vector<std::string> doctors, patients;
    struct Booked {
        std::string id;
        int pair;
    };
    std::vector<Booked> sessions;
    std::deque<Booked> fresh;  ///< Booked, not yet joined.
    std::minstd_rand random{42};
    int counter = 0;

    std::string create(int pair) {
        const auto start = core::SystemClock{}.now() + std::chrono::minutes{counter++ % 100'000};
        return request("POST", "/api/video/sessions", patients[static_cast<std::size_t>(pair)],
                       R"({"booking_type":"DIRECT_DOCTOR","doctor_id":"d)" + std::to_string(pair) +
                           R"(","patient_id":"p)" + std::to_string(pair) +
                           R"(","clinic_id":4,"scheduled_start_time":")" + core::format_rfc3339(start) +
                           R"(","consultation_duration_minutes":30,"chief_complaint":"Follow-up consultation"})");
    }
};

std::string session_id_in(std::string_view body) {
    const auto at = body.find(R"("session_id":")");
    return at == std::string_view::npos ? std::string{} : std::string{body.substr(at + 14, 36)};
}

/// A request made anew each time, and the status it must have.
struct Repeat : bench::Script {
    std::function<std::string()> make;
    unsigned expected = 200;
    std::function<void(std::string_view)> seen;
    std::string next() override { return make(); }
    bool answered(unsigned status, std::string_view body) override {
        if (status == expected && seen) seen(body);
        return status == expected;
    }
};

struct Create : bench::Script {
    World& world;
    int left;
    bool keep;
    int pair = 0;
    Create(World& w, int count, bool keep_ids) : world(w), left(count), keep(keep_ids) {}
    std::string next() override {
        if (left-- <= 0) return {};
        pair = world.counter % kDoctors;
        return world.create(pair);
    }
    bool answered(unsigned status, std::string_view body) override {
        if (status != 201) return false;
        if (keep) world.fresh.push_back({session_id_in(body), pair});
        return true;
    }
};

/// Book, patient in, doctor in, end.
struct Visit : bench::Script {
    World& world;
    int step = 0;
    int pair = 0;
    std::string id;
    explicit Visit(World& w) : world(w) {}
    std::string next() override {
        const auto path = "/api/video/sessions/" + id;
        const auto who = static_cast<std::size_t>(pair);
        switch (step) {
            case 0:
                pair = world.counter % kDoctors;
                return world.create(pair);
            case 1:
                return request("POST", path + "/join", world.patients[who], R"({"device_type":"web"})");
            case 2:
                return request("POST", path + "/join", world.doctors[who], "{}");
            default:
                return request("POST", path + "/end", world.doctors[who], R"({"session_notes":"Recovering well."})");
        }
    }
    bool answered(unsigned status, std::string_view body) override {
        const bool good = status == (step == 0 ? 201u : 200u);
        if (step == 0) id = session_id_in(body);
        step = good ? (step + 1) % 4 : 0;
        return good;
    }
    bool completes() const override { return step == 0; }
};

void print(const char* name, const bench::Report& report) {
    std::printf("%-8s %9.0f /s   p50 %7.3f ms   p99 %7.3f ms   errors %llu %s\n", name, report.rate(), report.p50_ms,
                report.p99_ms, static_cast<unsigned long long>(report.errors),
                report.first_error.substr(0, 200).c_str());
    std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
    const bool joins_only = argc == 6 && std::string_view{argv[5]} == "join";
    if (argc != 5 && !joins_only) {
        std::fprintf(stderr, "bench_load PORT SECRET SECONDS CONNECTIONS [join]\n");
        return 2;
    }
    const auto port = static_cast<std::uint16_t>(std::atoi(argv[1]));
    const std::chrono::seconds span{std::atoi(argv[3])};
    const int connections = std::atoi(argv[4]);
    World world{argv[2]};

    const auto measure = [&](const char* name, auto make_script, std::chrono::milliseconds limit) {
        std::vector<std::unique_ptr<bench::Script>> scripts;
        std::vector<bench::Script*> views;
        for (int i = 0; i < connections; ++i) {
            scripts.push_back(make_script());
            views.push_back(scripts.back().get());
        }
        const auto report = bench::run(port, views, limit);
        if (name) print(name, report);
        return report;
    };
    const auto repeat = [](std::function<std::string()> make) {
        return [make] {
            auto script = std::make_unique<Repeat>();
            script->make = make;
            return script;
        };
    };
    const auto create = [&](int count, bool keep) {
        return
            [&world, count, keep, connections] { return std::make_unique<Create>(world, count / connections, keep); };
    };

    const auto measure_joins = [&] {
        measure(
            "join",
            [&] {
                auto script = std::make_unique<Repeat>();
                script->make = [&]() -> std::string {
                    if (world.fresh.empty()) return {};
                    const auto s = world.fresh.front();
                    world.fresh.pop_front();
                    return request("POST", "/api/video/sessions/" + s.id + "/join",
                                   world.patients[static_cast<std::size_t>(s.pair)],
                                   R"({"device_type":"web","browser_info":"Chrome 120"})");
                };
                return script;
            },
            span);
    };

    measure(nullptr, create(kSeeded, true), std::chrono::minutes{5});
    if (joins_only) {
        measure_joins();
        return 0;
    }
    world.sessions.assign(world.fresh.begin(), world.fresh.end());
    world.fresh.clear();
    if (world.sessions.empty()) {
        std::fprintf(stderr, "the service booked nothing\n");
        return 1;
    }
    const auto any = [&]() -> const World::Booked& { return world.sessions[world.random() % world.sessions.size()]; };

    measure("health", repeat([] { return request("GET", "/health", {}); }), span);
    measure("get", repeat([&] {
                const auto& s = any();
                return request("GET", "/api/video/sessions/" + s.id, world.doctors[static_cast<std::size_t>(s.pair)]);
            }),
            span);
    measure("list", repeat([&] {
                const auto doctor = world.random() % kDoctors;
                return request("GET", "/api/video/sessions/doctor/d" + std::to_string(doctor) + "?page_size=20",
                               world.doctors[doctor]);
            }),
            span);
    measure("create", create(1'000'000'000, true), span);
    measure_joins();
    measure("visit", [&] { return std::make_unique<Visit>(world); }, span);
    return 0;
}
