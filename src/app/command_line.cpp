#include "app/command_line.hpp"

#include <charconv>
#include <optional>
#include <utility>

#include "app/settings.hpp"

namespace app {
namespace {

constexpr std::string_view kHelp = R"(Usage: video-consultation [serve] [options]
       video-consultation token --role ROLE --user ID [--hours 24] [options]
       video-consultation reconcile [--month 2026-11] [options]
       video-consultation audit verify [--since FILE] [options]
       video-consultation audit checkpoint [options]
       video-consultation keys list|rotate|reseal [options]
       video-consultation health [options]

  serve      Runs the service (also without a command).
  token      Prints a bearer token, signed with the configured secret. For trying things out.
  reconcile  Checks the recorded attendee-minutes of a month against the stays they come from, and against what AWS
             Chime told. Exit code 1 when a record is wrong.
  audit      verify: walks the audit trail and says where it is not what was written, also while the service runs; with
             --since it must contain the checkpoints of that file. Exit code 1 when something is wrong.
             checkpoint: prints where the trail stands, one line, to be kept elsewhere.
  keys       list: the keys that stored texts are sealed under. rotate: makes a new one, which running processes take
             up. reseal: takes older texts over to it, also while the service runs; may be interrupted and repeated.
  health     Asks the service of this machine whether it is ready. Exit code 1 when it is not.

Options
  --host ADDRESS      Listen there (HOST, 0.0.0.0).
  --port PORT         HTTP port (PORT, 8086).
  --media-port PORT   UDP and TCP port of audio and video (MEDIA_PORT, 8087).
  --data FOLDER       Where SQLite file and generated secret are kept (DATA_DIR, ./data).
  --check-config      Reads the configuration, says what is wrong with it, and exits: 0 if nothing is.
  --print-config      Prints it, secrets masked.
  --help, --version

Everything else is set by environment variables or a file `.env` in the working folder. Those marked [_FILE] may also
name a file that holds the value: JWT_SECRET_KEY_FILE=/run/secrets/jwt. Defaults are in brackets.
)";

struct Option {
    std::string_view name;
    std::string_view variable;  ///< Empty: an option of one command.
};
constexpr Option kOptions[] = {{"--host", "HOST"},     {"--port", "PORT"}, {"--media-port", "MEDIA_PORT"},
                               {"--data", "DATA_DIR"}, {"--role", ""},     {"--user", ""},
                               {"--hours", ""},        {"--month", ""},    {"--since", ""}};

std::unexpected<core::Error> wrong(std::string detail) {
    return core::fail(core::ErrorKind::invalid, std::move(detail) + " (see --help)");
}

core::Result<> apply(CommandLine& line, const Option& option, std::string value) {
    if (value.empty()) return wrong(std::string{option.name} + ": expected a value");
    if (!option.variable.empty()) {
        line.settings.insert_or_assign(std::string{option.variable}, std::move(value));
        return {};
    }
    if (option.name == "--month") {
        if (line.action != CommandLine::Action::reconcile) return wrong("--month belongs to `reconcile`");
        line.month = std::move(value);
        return {};
    }
    if (option.name == "--since") {
        if (line.action != CommandLine::Action::audit_verify) return wrong("--since belongs to `audit verify`");
        line.since = std::move(value);
        return {};
    }
    if (line.action != CommandLine::Action::token) return wrong(std::string{option.name} + " belongs to `token`");
    if (option.name == "--role") {
        line.role = std::move(value);
    } else if (option.name == "--user") {
        line.user = std::move(value);
    } else {
        int hours = 0;
        const auto [stop, failed] = std::from_chars(value.data(), value.data() + value.size(), hours);
        if (failed != std::errc{} || stop != value.data() + value.size() || hours < 1 || hours > 24 * 366) {
            return wrong("--hours: expected a whole number from 1 to 8784");
        }
        line.life = std::chrono::hours{hours};
    }
    return {};
}

}  // namespace

std::string help_text() {
    return std::string{kHelp} + describe_settings();
}

core::Result<CommandLine> parse_command_line(std::span<const char* const> arguments) {
    CommandLine line;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        const std::string_view argument{arguments[i]};
        if (i == 0 && argument == "serve") continue;
        if (i == 0 && argument == "token") {
            line.action = CommandLine::Action::token;
            continue;
        }
        if (i == 0 && argument == "reconcile") {
            line.action = CommandLine::Action::reconcile;
            continue;
        }
        if (i == 0 && argument == "audit") {
            const std::string_view what{i + 1 < arguments.size() ? arguments[++i] : ""};
            if (what != "verify" && what != "checkpoint") return wrong("audit: expected verify or checkpoint");
            line.action = what == "verify" ? CommandLine::Action::audit_verify : CommandLine::Action::audit_checkpoint;
            continue;
        }
        if (i == 0 && argument == "keys") {
            line.verb = i + 1 < arguments.size() ? arguments[++i] : "";
            if (line.verb != "list" && line.verb != "rotate" && line.verb != "reseal") {
                return wrong("keys: expected list, rotate or reseal");
            }
            line.action = CommandLine::Action::keys;
            continue;
        }
        if (i == 0 && argument == "health") {
            line.action = CommandLine::Action::health;
            continue;
        }
        if (argument == "--help" || argument == "-h" || argument == "--version") {
            line.action = argument == "--version" ? CommandLine::Action::version : CommandLine::Action::help;
            return line;
        }
        if (argument == "--check-config" || argument == "--print-config") {
            line.action =
                argument == "--check-config" ? CommandLine::Action::check_config : CommandLine::Action::print_config;
            continue;
        }
        const auto sign = argument.find('=');
        const auto name = argument.substr(0, sign);
        const Option* option = nullptr;
        for (const auto& known : kOptions) {
            if (known.name == name) option = &known;
        }
        if (!option) return wrong("unknown argument " + std::string{name});
        std::string value;
        if (sign != std::string_view::npos) {
            value = argument.substr(sign + 1);
        } else if (i + 1 < arguments.size()) {
            value = arguments[++i];
        }
        if (auto applied = apply(line, *option, std::move(value)); !applied) return std::unexpected(applied.error());
    }
    if (line.action == CommandLine::Action::token && (line.role.empty() || line.user.empty())) {
        return wrong("token needs --role and --user");
    }
    return line;
}

}  // namespace app
