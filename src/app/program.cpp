#include "app/program.hpp"

#include <malloc.h>
#include <algorithm>
#include <atomic>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <mutex>
#include <string>
#include <thread>

#include "app/audit_command.hpp"
#include "app/command_line.hpp"
#include "app/config.hpp"
#include "app/data_folder.hpp"
#include "app/health_probe.hpp"
#include "app/keys.hpp"
#include "app/reconcile.hpp"
#include "app/service_process.hpp"
#include "app/settings.hpp"
#include "app/supervisor.hpp"

namespace app {
namespace {

using namespace std::chrono_literals;

constexpr int kUsage = 2;
/// What is left of SHUTDOWN_TIMEOUT for the stop itself, however long meetings were waited for.
constexpr std::chrono::seconds kStopTime{5};

int complain(const core::Error& error) {
    // Drivers speak in several lines; the operator gets one.
    std::string line;
    for (const char c : error.detail) {
        const bool blank = c == '\n' || c == '\r' || c == '\t' || c == ' ';
        if (!blank || (!line.empty() && line.back() != ' ')) line += blank ? ' ' : c;
    }
    std::fprintf(stderr, "video-consultation: %s\n", line.c_str());
    return error.kind == core::ErrorKind::invalid ? kUsage : EXIT_FAILURE;
}

void print(std::string_view text) {
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fflush(stdout);
}

/// Command line first, then the environment, then the file.
core::Result<Environment> gather(const CommandLine& line) {
    constexpr const char* kFile = ".env";
    Environment environment;
    environment.layer(line.settings);
    const auto own = process_environment();
    environment.layer(own);
    const auto file = read_env_file(kFile);
    if (!file) return std::unexpected(file.error());
    environment.layer(*file);
    if (auto known = check_names(*file, kFile, own); !known) return std::unexpected(known.error());
    return environment;
}

core::Result<Config> configure(const Environment& environment) {
    auto config = read_config(environment);
    if (config) {
        core::log::set_level(config->log_level);
        core::log::set_format(config->observability.log_format);
    }
    return config;
}

int check_config(const Environment& environment) {
    const auto config = read_config(environment);
    if (config) {
        print("The configuration is good.\n");
        return EXIT_SUCCESS;
    }
    std::fprintf(stderr, "%s\n", config.error().detail.c_str());
    return kUsage;
}

int mint(const Config& config, const CommandLine& line) {
    if (directory::has_public_keys(config.jwt_algorithm)) {
        return complain({core::ErrorKind::invalid,
                         "token: with JWT_ALGORITHM=RS256 or ES256 only the auth service can make tokens",
                         {}});
    }
    if (!config.jwt_secret) {
        if (auto opened = open_data_folder(config.data_dir); !opened) return complain(opened.error());
    }
    const auto secret = token_secret(config);
    if (!secret) return complain(secret.error());
    const core::SystemClock clock;
    const directory::JwtVerifier tokens({.secret = *secret, .algorithm = config.jwt_algorithm}, clock);
    const auto token = tokens.mint({.user_id = line.user, .role = line.role}, line.life);
    if (!tokens.verify(token)) {
        return complain({core::ErrorKind::invalid, "--user and --role: at most 100 characters each, valid UTF-8", {}});
    }
    std::fprintf(stderr, "For trial only: whoever has this token is %s %s for %lld hours.\n", line.role.c_str(),
                 line.user.c_str(), static_cast<long long>(line.life.count()));
    print(token + "\n");
    return EXIT_SUCCESS;
}

int check_meter(const Config& config, const CommandLine& line) {
    const auto report = reconcile(config, line.month);
    if (!report) return complain(report.error());
    print(report->text);
    return report->right ? EXIT_SUCCESS : EXIT_FAILURE;
}

int check_audit(const Config& config, const CommandLine& line) {
    const bool verify = line.action == CommandLine::Action::audit_verify;
    const auto report = verify ? verify_audit_trail(config, line.since) : audit_checkpoint(config);
    if (!report) return complain(report.error());
    print(report->text);
    return report->right ? EXIT_SUCCESS : EXIT_FAILURE;
}

int keys(const Config& config, const CommandLine& line) {
    const auto report = manage_keys(config, line.verb);
    if (!report) return complain(report.error());
    print(report->text);
    return report->right ? EXIT_SUCCESS : EXIT_FAILURE;
}

int check_health(const Config& config) {
    const auto answer = probe_health(config);
    return answer ? EXIT_SUCCESS : complain(answer.error());
}

/// Ends the process when the time is up, whatever still holds it up. Nothing acknowledged is lost by that.
class LastResort {
  public:
    explicit LastResort(std::chrono::steady_clock::time_point when)
        : thread_([this, when] {
              std::unique_lock lock(mutex_);
              if (changed_.wait_until(lock, when, [this] { return done_; })) return;
              core::log::error("the stop took longer than SHUTDOWN_TIMEOUT, the process ends here");
              std::_Exit(EXIT_FAILURE);
          }) {}
    ~LastResort() {
        {
            const std::scoped_lock lock(mutex_);
            done_ = true;
        }
        changed_.notify_all();
        thread_.join();
    }
    LastResort(const LastResort&) = delete;
    LastResort& operator=(const LastResort&) = delete;

  private:
    std::mutex mutex_;
    std::condition_variable changed_;
    bool done_ = false;
    std::thread thread_;
};

/// Until the meetings are over, the time is up, or a second signal comes.
void drain(ServiceProcess& process, std::chrono::seconds limit, boost::asio::io_context& context,
           boost::asio::signal_set& signals) {
    if (limit.count() == 0) return;
    std::atomic<bool> hurry{false};
    signals.async_wait([&hurry](const boost::system::error_code& error, int) {
        if (!error) hurry = true;
    });
    context.restart();
    std::thread impatience([&context] { context.run(); });
    process.drain(limit, hurry);
    signals.cancel();
    impatience.join();
}

int serve(const Config& config) {
    std::signal(SIGPIPE, SIG_IGN);
    // What one thread has given back, another may use: under a memory limit, eight arenas a core are as good as a leak.
    mallopt(M_ARENA_MAX, static_cast<int>(config.threads) + 1);
    // Taken over before anything starts: a signal during a slow start is not lost either, it ends the start.
    boost::asio::io_context context;
    boost::asio::signal_set signals(context, SIGINT, SIGTERM);
    signals.async_wait([](const boost::system::error_code& error, int) {
        // Nobody waits for the start any more; nothing has been acknowledged yet.
        if (!error) std::_Exit(EXIT_FAILURE);
    });
    std::thread watch([&context] { context.run(); });
    auto started = ServiceProcess::start(config);
    core::Result<std::string> demo;
    if (started && config.is_trial()) demo = (*started)->demo();
    signals.cancel();
    watch.join();
    if (!started) return complain(started.error());
    if (!demo) core::log::warning("no demo consultation", {{"error", demo.error().detail}});
    if (demo && !demo->empty()) print(*demo);
    tell_supervisor("READY=1");

    context.restart();
    signals.async_wait([](const boost::system::error_code&, int) {});
    context.run();
    core::log::info("service stops");
    tell_supervisor("STOPPING=1");
    const auto out_by = std::chrono::steady_clock::now() + config.shutdown_timeout;
    const LastResort last_resort(out_by);
    drain(**started, std::min(config.node.drain, std::max(config.shutdown_timeout - kStopTime, 0s)), context, signals);
    signals.async_wait([](const boost::system::error_code& error, int) {
        if (!error) std::_Exit(EXIT_FAILURE);
    });
    context.restart();
    std::thread impatience([&context] { context.run(); });
    (*started)->stop(out_by);
    started->reset();
    signals.cancel();
    impatience.join();
    core::log::info("service stopped");
    return EXIT_SUCCESS;
}

}  // namespace

int run_program(std::span<const char* const> arguments) {
    try {
        const auto line = parse_command_line(arguments);
        if (!line) return complain(line.error());
        if (line->action == CommandLine::Action::help) {
            print(help_text());
            return EXIT_SUCCESS;
        }
        if (line->action == CommandLine::Action::version) {
            print("video-consultation " VIDEO_CONSULTATION_VERSION "\n");
            return EXIT_SUCCESS;
        }
        const auto environment = gather(*line);
        if (!environment) return complain(environment.error());
        if (line->action == CommandLine::Action::check_config) return check_config(*environment);
        if (line->action == CommandLine::Action::print_config) {
            print(print_settings(*environment));
            return EXIT_SUCCESS;
        }
        const auto config = configure(*environment);
        if (!config) return complain(config.error());
        switch (line->action) {
            case CommandLine::Action::token:
                return mint(*config, *line);
            case CommandLine::Action::reconcile:
                return check_meter(*config, *line);
            case CommandLine::Action::audit_verify:
            case CommandLine::Action::audit_checkpoint:
                return check_audit(*config, *line);
            case CommandLine::Action::keys:
                return keys(*config, *line);
            case CommandLine::Action::health:
                return check_health(*config);
            default:
                return serve(*config);
        }
    } catch (const std::exception& error) {
        return complain({core::ErrorKind::internal, std::string{"cannot go on: "} + error.what(), {}});
    }
}

}  // namespace app
