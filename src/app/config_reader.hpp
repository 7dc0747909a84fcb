// How variables become values. For the files that read the configuration; main thread.
#pragma once

#include <algorithm>
#include <charconv>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "app/config.hpp"
#include "app/environment.hpp"

namespace app {

/// Reads variables one after the other and keeps what there is to complain of.
class Reader {
  public:
    explicit Reader(const Environment& environment) : environment_(environment) {}

    /// All complaints, in the order of reading; empty: none.
    const std::string& complaints() const { return complaints_; }

    /// The value is not repeated: it may be a secret that ended up in the wrong variable.
    void complain(std::string_view name, std::string_view wanted);

    /// The variable's value, or for secrets what the file at NAME_FILE holds.
    std::optional<std::string> find(std::string_view name);

    /// Of a variable that is not ours.
    std::optional<std::string> foreign(std::string_view name) const { return environment_.find(name); }

    void text(std::string_view name, std::string& out) {
        if (auto value = find(name)) out = std::move(*value);
    }

    template <class Number>
    void number(std::string_view name, Number& out, std::int64_t least, std::int64_t most) {
        const auto value = find(name);
        if (!value) return;
        std::int64_t parsed = 0;
        const auto* const end = value->data() + value->size();
        const auto [stop, failed] = std::from_chars(value->data(), end, parsed);
        if (failed != std::errc{} || stop != end || parsed < least || parsed > most) {
            return complain(name, "a whole number from " + std::to_string(least) + " to " + std::to_string(most));
        }
        out = static_cast<Number>(parsed);
    }

    template <class Rep, class Period>
    void duration(std::string_view name, std::chrono::duration<Rep, Period>& out, std::int64_t least,
                  std::int64_t most) {
        std::int64_t count = out.count();
        number(name, count, least, most);
        out = std::chrono::duration<Rep, Period>{count};
    }

    /// `a, b,c`; empty parts are dropped.
    std::vector<std::string> list(std::string_view name) {
        std::vector<std::string> parts;
        const auto value = find(name).value_or(std::string{});
        std::string_view rest = value;
        while (!rest.empty()) {
            const auto comma = std::min(rest.find(','), rest.size());
            auto part = rest.substr(0, comma);
            rest.remove_prefix(std::min(comma + 1, rest.size()));
            while (part.starts_with(' ')) part.remove_prefix(1);
            while (part.ends_with(' ')) part.remove_suffix(1);
            if (!part.empty()) parts.emplace_back(part);
        }
        return parts;
    }

    template <class Value>
    void choice(std::string_view name, Value& out, std::initializer_list<std::pair<std::string_view, Value>> known) {
        auto value = find(name);
        if (!value) return;
        std::ranges::transform(*value, value->begin(), [](char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; });
        std::string wanted;
        for (const auto& [text, meaning] : known) {
            if (*value == text) return void(out = meaning);
            wanted.append(wanted.empty() ? "" : ", ").append(text);
        }
        complain(name, "one of " + wanted);
    }

    void boolean(std::string_view name, bool& out) {
        auto value = find(name);
        if (!value) return;
        std::ranges::transform(*value, value->begin(), [](char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; });
        for (const auto* yes : {"true", "1", "yes", "on"}) {
            if (*value == yes) return void(out = true);
        }
        for (const auto* no : {"false", "0", "no", "off"}) {
            if (*value == no) return void(out = false);
        }
        complain(name, "true or false");
    }

  private:
    const Environment& environment_;
    std::string complaints_;
    std::vector<std::string> named_;  ///< Variables that were complained of.
};

struct Place {
    std::string scheme;  ///< Empty when only a host was given.
    std::string host;    ///< Without brackets.
    std::string url;     ///< Scheme, host, port and path, without a slash at the end.
};

/// `host`, `http://host`, `https://host:port/prefix`; hosts are names, IPv4 or bracketed IPv6 addresses.
std::optional<Place> parse_place(std::string_view text);

/// A host name, an IPv4 or IPv6 address, the latter with or without brackets; without them it comes back.
std::optional<std::string> parse_host(std::string_view text);

/// The parts of the configuration that say where we are reached: listen addresses, TLS, proxies, public names.
void read_network(Reader& reader, Config& config);

/// `NODE_*` and `DRAIN_SECONDS`; after the network.
void read_node(Reader& reader, Config& config);

/// The SDK's API: its keys, its meetings' limits, who is told. After `read_platform`.
void read_chime_api(Reader& reader, Config& config);

/// `CONSENT_*`, `PREVENT_OVERLAP`, `MAX_STREAMS`.
void read_booking(Reader& reader, Config& config);

/// Waiting room and guests.
void read_lobby(Reader& reader, Config& config);

/// Whose pages may read answers, and how often anybody may ask.
void read_access(Reader& reader, Config& config);

/// `TURN_*`: the relay.
void read_turn(Reader& reader, Config& config);

/// `AUDIT_*` and `ADMIN_ACCESS`.
void read_audit(Reader& reader, Config& config);

/// Metrics, traces, the log's form.
void read_observability(Reader& reader, Config& config);

/// The parts of the configuration that speak of others: AWS, the broker, webhooks, neighbour services.
void read_platform(Reader& reader, Config& config);

/// `ENCRYPTION_KEY`, `RETENTION_*`: what is kept how, and for how long.
void read_privacy(Reader& reader, Config& config);

}  // namespace app
