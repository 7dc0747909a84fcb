#include "service/audit_mac.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include "core/bytes.hpp"
#include "core/time.hpp"

namespace service {
namespace {

using consultation::AuditEntry;
using Verdict = AuditKeys::Verdict;

constexpr std::size_t kMark = 8;
constexpr std::string_view kCheckpoint = "vc-audit-1";

/// Fields one after the other: whether there is one, its length in eight bytes (little endian), its bytes.
class Encoding {
  public:
    explicit Encoding(std::string_view purpose) { text(purpose); }

    Encoding& text(std::string_view field) {
        bytes_ += '\1';
        for (int shift = 0; shift < 64; shift += 8) bytes_ += static_cast<char>(field.size() >> shift & 0xffU);
        bytes_ += field;
        return *this;
    }
    Encoding& perhaps(const std::optional<std::string>& field) {
        if (field) return text(*field);
        bytes_ += '\0';
        return *this;
    }
    Encoding& number(std::int64_t value) { return text(std::to_string(value)); }
    std::string take() { return std::move(bytes_); }

  private:
    std::string bytes_;
};

std::string encode_link(std::string_view previous, std::int64_t position, const std::optional<std::string>& row_mac) {
    return Encoding("link").text(previous).number(position).perhaps(row_mac).take();
}

std::string encode_head(const AuditHead& head) {
    return Encoding("head").number(head.position).text(head.chain_mac).number(head.inherit_to).take();
}

std::optional<std::int64_t> number_in(std::string_view text) {
    std::int64_t value = 0;
    const auto [stop, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failed != std::errc{} || stop != text.data() + text.size()) return {};
    return value;
}

/// The next word; `line` is what comes after it.
std::string_view word(std::string_view& line) {
    const auto end = std::min(line.find(' '), line.size());
    const auto found = line.substr(0, end);
    line.remove_prefix(std::min(end + 1, line.size()));
    return found;
}

}  // namespace

std::string encode_row(std::string_view purpose, const AuditEntry& entry, const std::optional<std::string>& metadata) {
    Encoding out(purpose);
    out.text(entry.event_id);
    out.perhaps(entry.session_id.empty() ? std::nullopt : std::optional{entry.session_id});
    out.text(entry.event_type).perhaps(entry.event_description).perhaps(entry.user_id);
    out.number(entry.event_timestamp.time_since_epoch().count());
    out.perhaps(entry.role).perhaps(entry.address).perhaps(entry.request_id);
    out.text(to_text(entry.kind)).perhaps(metadata);
    return out.take();
}

AuditKeys::AuditKeys(std::string key, std::vector<std::string> old) {
    keys_.push_back(key_of(std::move(key)));
    for (auto& bytes : old) keys_.push_back(key_of(std::move(bytes)));
}

AuditKeys::Key AuditKeys::key_of(std::string bytes) {
    const auto mark = core::hmac_sha256(core::as_bytes(bytes), core::as_bytes(std::string_view{"mark"}));
    return {std::move(bytes), core::hex(mark).substr(0, kMark)};
}

std::string AuditKeys::mac_by(const Key& key, std::string_view message) {
    return key.mark + ":" + core::base64url(core::hmac_sha256(core::as_bytes(key.bytes), core::as_bytes(message)));
}

Verdict AuditKeys::check(std::string_view mac, std::string_view message) const {
    if (mac.empty()) return Verdict::missing;
    for (const auto& key : keys_) {
        if (!mac.starts_with(key.mark)) continue;
        const auto wanted = mac_by(key, message);
        return core::equal_in_constant_time(core::as_bytes(mac), core::as_bytes(wanted)) ? Verdict::right
                                                                                         : Verdict::wrong;
    }
    return Verdict::unknown_key;
}

std::string AuditKeys::row_mac(const AuditEntry& entry, const std::optional<std::string>& metadata) const {
    return mac_by(keys_.front(), encode_row("row", entry, metadata));
}

std::string AuditKeys::inherited_mac(const AuditRow& row) const {
    return mac_by(keys_.front(), encode_row("inherited row", row.entry, row.metadata));
}

std::string AuditKeys::chain_mac(std::string_view previous, std::int64_t position,
                                 const std::optional<std::string>& row_mac) const {
    return mac_by(keys_.front(), encode_link(previous, position, row_mac));
}

std::string AuditKeys::head_mac(const AuditHead& head) const {
    return mac_by(keys_.front(), encode_head(head));
}

Verdict AuditKeys::check_row(const AuditRow& row) const {
    const std::string_view mac = row.row_mac ? std::string_view{*row.row_mac} : std::string_view{};
    const auto verdict = check(mac, encode_row("row", row.entry, row.metadata));
    if (verdict != Verdict::wrong) return verdict;
    const auto inherited = check(mac, encode_row("inherited row", row.entry, row.metadata));
    return inherited == Verdict::right ? Verdict::inherited : verdict;
}

Verdict AuditKeys::check_link(std::string_view previous, const AuditRow& row) const {
    return check(row.chain_mac ? std::string_view{*row.chain_mac} : std::string_view{},
                 encode_link(previous, row.position.value_or(0), row.row_mac));
}

Verdict AuditKeys::check_head(const AuditHead& head) const {
    return check(head.mac, encode_head(head));
}

std::string AuditKeys::checkpoint_line(const Checkpoint& checkpoint) const {
    const auto said = std::string{kCheckpoint} + " " + std::to_string(checkpoint.position) + " " +
                      (checkpoint.chain_mac.empty() ? "-" : checkpoint.chain_mac) + " " +
                      core::format_rfc3339(checkpoint.time);
    return said + " " + mac_by(keys_.front(), Encoding("checkpoint").text(said).take());
}

core::Result<Checkpoint> AuditKeys::read_checkpoint(std::string_view line) const {
    const auto last = line.rfind(' ');
    const auto said = line.substr(0, std::min(last, line.size()));
    auto rest = said;
    const auto kind = word(rest);
    const auto position = number_in(word(rest));
    const auto chain_mac = word(rest);
    const auto time = core::parse_utc(rest);
    if (kind != kCheckpoint || last == std::string_view::npos || !position || !time) {
        return core::fail(core::ErrorKind::invalid, "this is not a checkpoint");
    }
    switch (check(line.substr(last + 1), Encoding("checkpoint").text(said).take())) {
        case Verdict::right:
            return Checkpoint{*position, chain_mac == "-" ? std::string{} : std::string{chain_mac}, *time};
        case Verdict::unknown_key:
            return core::fail(core::ErrorKind::invalid,
                              "the checkpoint was made under another key; name it in AUDIT_KEY_OLD");
        default:
            return core::fail(core::ErrorKind::invalid, "the checkpoint was changed");
    }
}

}  // namespace service
