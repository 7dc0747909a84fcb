#include "media/transport/ice_lite.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace media::transport {
namespace {

std::string random_text(std::size_t size) {
    constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    // Bytes beyond the last whole multiple would favour the first letters.
    constexpr unsigned kFair = 256 / kLetters.size() * kLetters.size();
    std::string text;
    std::array<std::uint8_t, 32> bytes{};
    while (text.size() < size) {
        core::random_bytes(bytes);
        for (const std::uint8_t byte : bytes) {
            if (byte < kFair && text.size() < size) text += kLetters[byte % kLetters.size()];
        }
    }
    return text;
}

}  // namespace

IceCredentials IceCredentials::make() {
    return {random_text(8), random_text(24)};
}

IceLite::IceLite(IceCredentials local, IceCredentials remote)
    : local_(std::move(local)), username_(local_.ufrag + ':' + remote.ufrag) {
    paths_.reserve(kMaxPaths);
}

IceLite::Outcome IceLite::handle(core::BytesView datagram, const Path& from, Instant now,
                                 std::span<std::uint8_t> room) {
    Outcome outcome;
    const auto message = wire::StunMessage::parse(datagram);
    if (!message || !message->check_fingerprint()) {
        ++counters_.malformed;
        return outcome;
    }
    if (!message->is_binding_request()) {
        ++counters_.other_message;
        return outcome;
    }
    if (message->username() != username_) {
        ++counters_.wrong_user;
        return outcome;
    }
    if (!message->check_integrity(local_.password)) {
        ++counters_.unauthentic;
        return outcome;
    }
    const auto refuse = [&](std::uint16_t code) {
        ++counters_.refused;
        outcome.answer = room.first(wire::write_binding_error(room, message->transaction_id(), code, local_.password,
                                                              message->unknown_required_attribute()));
        return outcome;
    };
    if (message->unknown_required_attribute()) return refuse(wire::stun_error::kUnknownAttribute);
    // A lite agent never controls (RFC 8445 section 6.1.1), so whoever talks to it must.
    if (message->ice_controlled()) return refuse(wire::stun_error::kRoleConflict);

    ++counters_.answered;
    last_seen_ = now;
    remember(from, now, outcome);
    if (message->use_candidate() && selected_ != from) {
        selected_ = from;
        outcome.selected = true;
    }
    outcome.answer = room.first(
        wire::write_binding_success(room, message->transaction_id(), from.address.unmapped(), local_.password));
    return outcome;
}

void IceLite::remember(const Path& path, Instant now, Outcome& outcome) {
    if (const auto known = std::ranges::find(paths_, path, &Known::path); known != paths_.end()) {
        known->seen = now;
        return;
    }
    if (paths_.size() == kMaxPaths) {
        const auto oldest = std::ranges::min_element(
            paths_, {}, [&](const Known& known) { return std::pair(selected_ == known.path, known.seen); });
        outcome.removed = oldest->path;
        paths_.erase(oldest);
    }
    paths_.push_back({path, now});
    outcome.added = path;
}

bool IceLite::forget(const Path& path) {
    if (selected_ == path) selected_.reset();
    return std::erase_if(paths_, [&](const Known& known) { return known.path == path; }) > 0;
}

std::optional<Path> IceLite::expire(Instant now) {
    const auto lapsed = std::ranges::find_if(paths_, [&](const Known& known) { return now - known.seen >= kConsent; });
    if (lapsed == paths_.end()) return std::nullopt;
    const Path path = lapsed->path;
    forget(path);
    return path;
}

std::optional<Instant> IceLite::next_expiry() const {
    if (paths_.empty()) return std::nullopt;
    return std::ranges::min(paths_, {}, &Known::seen).seen + kConsent;
}

bool IceLite::knows(const Path& path) const {
    return std::ranges::find(paths_, path, &Known::path) != paths_.end();
}

}  // namespace media::transport
