#include "net/sigv4.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <map>

#include "core/bytes.hpp"

namespace net {
namespace {

constexpr std::string_view kUnreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~";
constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";

void append_encoded(std::string& out, std::string_view text, std::string_view also_plain) {
    constexpr std::string_view kHex = "0123456789ABCDEF";
    for (const char c : text) {
        if (kUnreserved.contains(c) || also_plain.contains(c)) {
            out += c;
            continue;
        }
        const auto byte = static_cast<unsigned char>(c);
        out += '%';
        out += kHex[byte >> 4];
        out += kHex[byte & 15];
    }
}

/// RFC 3986 section 5.2.4, and without repeated slashes, as AWS counts them.
std::string without_dot_segments(std::string_view path) {
    std::vector<std::string_view> kept;
    for (auto rest = path; !rest.empty();) {
        const auto slash = rest.find('/');
        const auto segment = rest.substr(0, slash);
        rest.remove_prefix(slash == std::string_view::npos ? rest.size() : slash + 1);
        if (segment == "..") {
            if (!kept.empty()) kept.pop_back();
        } else if (!segment.empty() && segment != ".") {
            kept.push_back(segment);
        }
    }
    std::string out;
    for (const auto segment : kept) out.append("/").append(segment);
    if (out.empty() || path.ends_with('/')) out += '/';
    return out;
}

/// The path as signed: what stands in the URL, encoded once more.
std::string canonical_path(std::string_view path) {
    std::string out;
    append_encoded(out, without_dot_segments(path), "/");
    return out;
}

std::string lower(std::string_view text) {
    std::string out{text};
    std::ranges::transform(out, out.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c; });
    return out;
}

/// Without white space at the ends, and single spaces within.
std::string trimmed(std::string_view value) {
    constexpr std::string_view kWhite = " \t\r\n\f\v";
    std::string out;
    for (std::size_t at = 0; (at = value.find_first_not_of(kWhite, at)) != std::string_view::npos;) {
        const auto end = std::min(value.find_first_of(kWhite, at), value.size());
        if (!out.empty()) out += ' ';
        out += value.substr(at, end - at);
        at = end;
    }
    return out;
}

using SignedHeaders = std::map<std::string, std::string>;

SignedHeaders signed_headers(const Pairs& headers) {
    SignedHeaders out;
    for (const auto& [name, value] : headers) {
        auto key = lower(name);
        if (key == "user-agent" || key == "expect" || key == "x-amzn-trace-id") continue;
        const auto [place, is_new] = out.try_emplace(std::move(key), trimmed(value));
        if (!is_new) place->second += "," + trimmed(value);
    }
    return out;
}

core::Sha256 keyed(core::BytesView key, std::string_view text) {
    return core::hmac_sha256(key, core::as_bytes(text));
}

std::string hash(std::string_view text) {
    return core::hex(core::sha256(core::as_bytes(text)));
}

core::Sha256 signing_key(std::string_view secret_access_key, std::string_view date, std::string_view region,
                         std::string_view service) {
    const auto of_date = keyed(core::as_bytes("AWS4" + std::string{secret_access_key}), date);
    const auto of_region = keyed(of_date, region);
    const auto of_service = keyed(of_region, service);
    return keyed(of_service, "aws4_request");
}

/// What a signature is made of.
struct Signable {
    std::string_view method, path, query;  ///< The query in its canonical form already.
    SignedHeaders headers;
    std::string_view payload_hash;
    std::string_view time, date, region, service;
};

std::string names_of(const SignedHeaders& headers) {
    std::string names;
    for (const auto& [name, value] : headers) names.append(names.empty() ? "" : ";").append(name);
    return names;
}

std::string scope_of(const Signable& signable) {
    return std::string{signable.date}
        .append("/")
        .append(signable.region)
        .append("/")
        .append(signable.service)
        .append("/aws4_request");
}

std::string signature_of(const Signable& signable, std::string_view secret_access_key) {
    std::string canonical{signable.method};
    canonical.append("\n").append(canonical_path(signable.path)).append("\n").append(signable.query).append("\n");
    for (const auto& [name, value] : signable.headers) canonical.append(name).append(":").append(value).append("\n");
    canonical.append("\n").append(names_of(signable.headers)).append("\n").append(signable.payload_hash);
    std::string to_sign{kAlgorithm};
    to_sign.append("\n").append(signable.time).append("\n").append(scope_of(signable));
    to_sign.append("\n").append(hash(canonical));
    const auto key = signing_key(secret_access_key, signable.date, signable.region, signable.service);
    return core::hex(keyed(key, to_sign));
}

int digit_of(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

/// Broken escapes stay as they are.
std::string percent_decoded(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const int high = text[i] == '%' && i + 2 < text.size() ? digit_of(text[i + 1]) : -1;
        const int low = high >= 0 ? digit_of(text[i + 2]) : -1;
        if (low >= 0) {
            out += static_cast<char>(high << 4 | low);
            i += 2;
        } else {
            out += text[i];
        }
    }
    return out;
}

bool all_of(std::string_view text, std::string_view allowed) {
    return text.find_first_not_of(allowed) == std::string_view::npos;
}

constexpr std::string_view kDigits = "0123456789";
constexpr std::string_view kLowerHex = "0123456789abcdef";
constexpr std::string_view kNameCharacters = "abcdefghijklmnopqrstuvwxyz0123456789-";
constexpr std::string_view kKeyCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
constexpr std::string_view kHeaderCharacters = "abcdefghijklmnopqrstuvwxyz0123456789-_.";

/// What is in front of `mark`, which goes as well; all of it when there is no mark.
std::string_view cut(std::string_view& rest, char mark) {
    const auto end = std::min(rest.find(mark), rest.size());
    const auto part = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    return part;
}

bool read_credential(std::string_view text, SigV4Authorization& out) {
    out.access_key_id = cut(text, '/');
    out.date = cut(text, '/');
    out.region = cut(text, '/');
    out.service = cut(text, '/');
    return !out.access_key_id.empty() && out.access_key_id.size() <= 128 && all_of(out.access_key_id, kKeyCharacters) &&
           out.date.size() == 8 && all_of(out.date, kDigits) && !out.region.empty() && out.region.size() <= 64 &&
           all_of(out.region, kNameCharacters) && !out.service.empty() && all_of(out.service, kNameCharacters) &&
           text == "aws4_request";
}

bool read_signed_headers(std::string_view text, std::vector<std::string_view>& out) {
    constexpr std::size_t kMost = 64;
    while (!text.empty()) {
        const auto name = cut(text, ';');
        if (name.empty() || !all_of(name, kHeaderCharacters) || out.size() == kMost) return false;
        if (!out.empty() && out.back() >= name) return false;
        out.push_back(name);
    }
    return !out.empty();
}

std::string_view without_spaces(std::string_view text) {
    while (text.starts_with(' ')) text.remove_prefix(1);
    while (text.ends_with(' ')) text.remove_suffix(1);
    return text;
}

}  // namespace

std::string basic_time(core::Time time) {
    const auto day = std::chrono::floor<std::chrono::days>(time);
    const std::chrono::year_month_day date{day};
    const std::chrono::hh_mm_ss clock{std::chrono::floor<std::chrono::seconds>(time - day)};
    std::array<char, 40> text;
    const auto size = std::snprintf(text.data(), text.size(), "%04d%02u%02uT%02d%02d%02dZ", int(date.year()),
                                    unsigned(date.month()), unsigned(date.day()), int(clock.hours().count()),
                                    int(clock.minutes().count()), int(clock.seconds().count()));
    return {text.data(), static_cast<std::size_t>(size)};
}

std::optional<core::Time> parse_basic_time(std::string_view text) {
    if (text.size() != 16 || text[8] != 'T' || text[15] != 'Z' || !all_of(text.substr(0, 8), kDigits) ||
        !all_of(text.substr(9, 6), kDigits)) {
        return {};
    }
    const auto number = [text](std::size_t at, std::size_t size) {
        int value = 0;
        for (const char c : text.substr(at, size)) value = value * 10 + (c - '0');
        return value;
    };
    const std::chrono::year_month_day date{std::chrono::year{number(0, 4)},
                                           std::chrono::month{static_cast<unsigned>(number(4, 2))},
                                           std::chrono::day{static_cast<unsigned>(number(6, 2))}};
    if (!date.ok() || number(9, 2) > 23 || number(11, 2) > 59 || number(13, 2) > 59) return {};
    return core::Time{std::chrono::sys_days{date}} + std::chrono::hours{number(9, 2)} +
           std::chrono::minutes{number(11, 2)} + std::chrono::seconds{number(13, 2)};
}

std::string percent_encoded(std::string_view text) {
    std::string out;
    append_encoded(out, text, {});
    return out;
}

std::string canonical_query(const Pairs& query) {
    Pairs encoded;
    encoded.reserve(query.size());
    for (const auto& [name, value] : query) encoded.emplace_back(percent_encoded(name), percent_encoded(value));
    std::ranges::sort(encoded);
    std::string out;
    for (const auto& [name, value] : encoded) {
        if (!out.empty()) out += '&';
        out.append(name).append("=").append(value);
    }
    return out;
}

Pairs signature_headers(const SignableRequest& request, const AwsKeys& keys, std::string_view region,
                        std::string_view service, core::Time now) {
    const auto time = basic_time(now);
    const auto date = time.substr(0, 8);
    Pairs added{{"X-Amz-Date", time}};
    if (!keys.session_token.empty()) added.emplace_back("X-Amz-Security-Token", keys.session_token);

    auto all = request.headers;
    all.emplace_back("Host", request.host);
    all.insert(all.end(), added.begin(), added.end());
    const auto payload_hash = hash(request.body);
    const Signable signable{request.method,         request.path, request.query,
                            signed_headers(all),    payload_hash, time,
                            std::string_view{date}, region,       service};
    added.emplace_back("Authorization", std::string{kAlgorithm} + " Credential=" + keys.access_key_id + "/" +
                                            scope_of(signable) + ", SignedHeaders=" + names_of(signable.headers) +
                                            ", Signature=" + signature_of(signable, keys.secret_access_key));
    return added;
}

std::string canonical_query_of(std::string_view query) {
    Pairs pairs;
    while (!query.empty()) {
        auto value = cut(query, '&');
        const auto name = cut(value, '=');
        if (name.empty() && value.empty()) continue;
        pairs.emplace_back(percent_decoded(name), percent_decoded(value));
    }
    return canonical_query(pairs);
}

std::optional<SigV4Authorization> parse_authorization(std::string_view header, std::string_view& why) {
    SigV4Authorization out;
    if (!header.starts_with(kAlgorithm) || header.substr(kAlgorithm.size(), 1) != " ") {
        why = "Authorization header requires the algorithm AWS4-HMAC-SHA256.";
        return {};
    }
    auto rest = header.substr(kAlgorithm.size());
    std::string_view credential, names;
    while (!rest.empty()) {
        auto value = cut(rest, ',');
        const auto name = without_spaces(cut(value, '='));
        auto* const place = name == "Credential"      ? &credential
                            : name == "SignedHeaders" ? &names
                            : name == "Signature"     ? &out.signature
                                                      : nullptr;
        if (place == nullptr || !place->empty()) {
            why = "Authorization header has a part that is unknown or stands there twice.";
            return {};
        }
        *place = without_spaces(value);
    }
    why = !read_credential(credential, out)
              ? std::string_view{"Authorization header requires a well-formed 'Credential' parameter."}
          : !read_signed_headers(names, out.signed_headers)
              ? std::string_view{"Authorization header requires a sorted 'SignedHeaders' parameter."}
          : out.signature.size() != 64 || !all_of(out.signature, kLowerHex)
              ? std::string_view{"Authorization header requires a well-formed 'Signature' parameter."}
              : std::string_view{};
    if (!why.empty()) return {};
    return out;
}

std::string expected_signature(const ReceivedSignable& request, const SigV4Authorization& claimed,
                               std::string_view secret_access_key) {
    const auto query = canonical_query_of(request.query);
    SignedHeaders headers;
    for (const auto& [name, value] : request.headers) {
        const auto [place, is_new] = headers.try_emplace(name, trimmed(value));
        if (!is_new) place->second += "," + trimmed(value);
    }
    return signature_of({request.method, request.path, query, std::move(headers), request.payload_hash, request.time,
                         claimed.date, claimed.region, claimed.service},
                        secret_access_key);
}

}  // namespace net
