#include "app/command_line.hpp"

#include <charconv>
#include <optional>
#include <utility>

namespace app {
namespace {

constexpr std::string_view kHelp = R"(Usage: video-consultation [serve] [options]
       video-consultation token --role ROLE --user ID [--hours 24] [options]
       video-consultation reconcile [--month 2026-11] [options]

  serve      Runs the service (also without a command).
  token      Prints a bearer token, signed with the configured secret. For trying things out.
  reconcile  Checks the recorded attendee-minutes of a month against the stays they come from, and against what AWS
             Chime told. Exit code 1 when a record is wrong.

Options
  --host ADDRESS      Listen there (HOST, 0.0.0.0).
  --port PORT         HTTP port (PORT, 8086).
  --media-port PORT   UDP and TCP port of audio and video (MEDIA_PORT, 8087).
  --data FOLDER       Where SQLite file and generated secret are kept (DATA_DIR, ./data).
  --help, --version

Everything else is set by environment variables or a file `.env` in the working folder:
  DATABASE_URL                    postgresql://user:password@host:port/database; without it SQLite is used
  DATABASE_WAIT_SECONDS           how long to wait for PostgreSQL at start (30)
  JWT_SECRET_KEY, JWT_ALGORITHM   secret of the auth service; HS256, HS384, HS512, RS256 or ES256 (HS256)
  JWT_JWKS_FILE, JWT_JWKS_URL     its public keys, for RS256 and ES256
  JWT_EXPIRATION_MINUTES          life of a renewed token (60)
  REFRESH_GRACE_MINUTES           an expired token is renewed for so long, during a visit (30)
  API_URL                         base of the links in events (http://localhost:PORT)
  PUBLIC_HOST, PUBLIC_MEDIA_PORT  host or URL, and media port, told to clients (as they came; MEDIA_PORT)
  DEFAULT_TIME_ZONE               zone of times that name none (UTC)
  ABANDONED_AFTER_MINUTES         both gone for so long ends a visit (15)
  NO_SHOW_GRACE_MINUTES           after the planned end a visit that never began is a no-show (15)
  JOIN_TIMEOUT_SECONDS            joined but never connected counts as gone (120)
  GONE_AFTER_SECONDS              a lost connection counts as gone (20)

Meetings
  MEETING_PROVIDER                auto, chime or embedded (auto: Chime where there are credentials)
  AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_PROFILE, ...  as for AWS's own tools
  AWS_REGION                      control region, and media region of visits that name none (us-east-1)
  MEDIA_REGIONS                   those that a booking may ask for (all)
  AWS_FREE_TIER_ATTENDEE_MINUTES  Chime's minutes a month (1000)
  CHIME_BUDGET_POLICY             fallback, refuse or warn when they are used up (fallback)
  CHIME_TIMEOUT_MS                how long one call to AWS may take (3000)
  CHIME_EVENTS_SECRET             key of AWS's notifications at /api/video/chime/events
  CHIME_RECONCILE_SECONDS         how often open meetings are looked up at AWS (60)
  AWS_ENDPOINT_URL_CHIME_SDK_MEETINGS  another place for the Chime API
  TURN_URIS, TURN_SECRET, TURN_SECRET_FILE  relays for our own meetings (turn:host:port?transport=udp, with commas
                                  between), and the secret they share with us
  TURN_LIFE_HOURS                 life of the credentials for one connection (12)

Platform
  RABBITMQ_HOST, _PORT, _USER, _PASSWORD, _VHOST, RABBITMQ_EXCHANGE  the broker; none set: events stay in the outbox
  WEBHOOK_URLS, WEBHOOK_SECRET    who gets the events over HTTP (URLs with commas between)
  OUTBOX_RETENTION_DAYS           how long told events are kept (7)
  PROFILE_SERVICE_URL             names of people and clinics in answers
  APPOINTMENTS_SERVICE_URL, VERIFY_APPOINTMENTS  look appointments up at booking (false)

  APP_NAME, VERSION               shown by the service
  THREADS, MAX_CONNECTIONS        event loops (one a core), open connections (4096)
  LOG_LEVEL, DEBUG                debug, info, warning or error (info); DEBUG=true tells clients about crashes
)";

struct Option {
    std::string_view name;
    std::string_view variable;  ///< Empty: an option of one command.
};
constexpr Option kOptions[] = {{"--host", "HOST"},     {"--port", "PORT"}, {"--media-port", "MEDIA_PORT"},
                               {"--data", "DATA_DIR"}, {"--role", ""},     {"--user", ""},
                               {"--hours", ""},        {"--month", ""}};

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

std::string_view help_text() {
    return kHelp;
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
        if (argument == "--help" || argument == "-h" || argument == "--version") {
            line.action = argument == "--version" ? CommandLine::Action::version : CommandLine::Action::help;
            return line;
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
