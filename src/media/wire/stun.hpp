// STUN binding messages as ICE uses them (RFC 8489 sections 5, 6, 14; RFC 8445 sections 7.1 and 16.1).
//
// A StunMessage is a view: it lives as long as the datagram it was parsed from. Nothing here allocates.
// Any thread; a view belongs to whoever owns the datagram.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "core/bytes.hpp"
#include "media/wire/address.hpp"

namespace media::wire {

enum class StunClass : std::uint8_t { request, indication, success, error };

using StunTransactionId = std::array<std::uint8_t, 12>;

inline constexpr std::uint16_t kStunBinding = 0x001;

/// Enough room for every message the writers below produce.
inline constexpr std::size_t kMaxStunResponse = 160;

namespace stun_error {
inline constexpr std::uint16_t kBadRequest = 400;
inline constexpr std::uint16_t kUnauthenticated = 401;
inline constexpr std::uint16_t kUnknownAttribute = 420;
inline constexpr std::uint16_t kRoleConflict = 487;
}  // namespace stun_error

class StunMessage {
  public:
    /// Null unless the datagram is exactly one well-formed STUN message with the magic cookie. Attributes behind
    /// MESSAGE-INTEGRITY are ignored, except FINGERPRINT (RFC 8489 section 14.5); of a repeated one the first counts.
    static std::optional<StunMessage> parse(core::BytesView datagram);

    StunClass message_class() const { return class_; }
    std::uint16_t method() const { return method_; }
    const StunTransactionId& transaction_id() const { return transaction_id_; }
    bool is_binding_request() const { return class_ == StunClass::request && method_ == kStunBinding; }
    bool is_binding_success() const { return class_ == StunClass::success && method_ == kStunBinding; }

    /// `local-ufrag:remote-ufrag` in ICE; see `split_username`.
    std::optional<std::string_view> username() const { return username_; }
    std::optional<std::uint32_t> priority() const { return priority_; }
    bool use_candidate() const { return use_candidate_; }
    std::optional<std::uint64_t> ice_controlling() const { return controlling_; }
    std::optional<std::uint64_t> ice_controlled() const { return controlled_; }
    /// From XOR-MAPPED-ADDRESS, else null.
    std::optional<TransportAddress> mapped_address() const { return mapped_address_; }
    std::optional<std::uint16_t> error_code() const { return error_code_; }
    /// A comprehension-required attribute nobody here knows: answer a request with 420 (RFC 8489 section 6.3.1).
    std::optional<std::uint16_t> unknown_required_attribute() const { return unknown_required_; }

    bool has_integrity() const { return integrity_offset_ != 0; }
    /// True when MESSAGE-INTEGRITY is there and is the HMAC-SHA1 under this password (short-term credential).
    bool check_integrity(std::string_view password) const;
    bool has_fingerprint() const { return fingerprint_offset_ != 0; }
    /// True when FINGERPRINT is there, last and right.
    bool check_fingerprint() const;

  private:
    StunMessage() = default;
    bool read_attribute(std::uint16_t type, std::size_t offset, core::BytesView value);

    core::BytesView datagram_;
    StunTransactionId transaction_id_{};
    StunClass class_ = StunClass::request;
    std::uint16_t method_ = 0;
    bool use_candidate_ = false;
    std::optional<std::string_view> username_;
    std::optional<std::uint32_t> priority_;
    std::optional<std::uint64_t> controlling_;
    std::optional<std::uint64_t> controlled_;
    std::optional<TransportAddress> mapped_address_;
    std::optional<std::uint16_t> error_code_;
    std::optional<std::uint16_t> unknown_required_;
    std::size_t integrity_offset_ = 0;  ///< Of the attribute header; 0: none (the header is 20 bytes long).
    std::size_t fingerprint_offset_ = 0;
};

/// The two halves of an ICE USERNAME at its first colon; null without a colon. The receiver's own ufrag comes first.
struct StunUsername {
    std::string_view receiver{};
    std::string_view sender{};
};
std::optional<StunUsername> split_username(std::string_view username);

/// The writers return the size of the message, or 0 when `out` is too small (nothing useful is in it then).

/// XOR-MAPPED-ADDRESS, MESSAGE-INTEGRITY under `password`, FINGERPRINT.
std::size_t write_binding_success(std::span<std::uint8_t> out, const StunTransactionId& transaction_id,
                                  const TransportAddress& mapped, std::string_view password);

/// ERROR-CODE (400, 401, 420, 487 with their usual phrases), MESSAGE-INTEGRITY unless `password` is empty (400 and 401
/// are sent to peers whose password is not established), FINGERPRINT. `unknown_attribute` goes with 420.
std::size_t write_binding_error(std::span<std::uint8_t> out, const StunTransactionId& transaction_id,
                                std::uint16_t code, std::string_view password,
                                std::optional<std::uint16_t> unknown_attribute = std::nullopt);

/// A check as a full ICE agent sends it (clients in tests are the users).
struct BindingRequest {
    StunTransactionId transaction_id{};
    std::string_view username{};  ///< At most 513 bytes.
    std::string_view password{};
    std::uint32_t priority = 0;
    bool use_candidate = false;
    std::optional<std::uint64_t> controlling{};  ///< Tie breaker.
    std::optional<std::uint64_t> controlled{};   ///< Tie breaker.
};
std::size_t write_binding_request(std::span<std::uint8_t> out, const BindingRequest& request);

}  // namespace media::wire
