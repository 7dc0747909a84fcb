#include "media/wire/stun.hpp"

#include <algorithm>

#include "media/wire/byte_io.hpp"
#include "media/wire/stun_integrity.hpp"

namespace media::wire {

namespace {

constexpr std::size_t kHeaderSize = 20;
constexpr std::size_t kMaxAttributes = 32;
constexpr std::size_t kMaxUsername = 513;  // RFC 8489 section 14.3: fewer than 509 bytes; ICE's form adds little.
constexpr std::uint32_t kMagicCookie = 0x2112'A442;
constexpr std::uint32_t kFingerprintXor = 0x5354'554E;
constexpr std::size_t kIntegritySize = 20;

namespace attribute {
constexpr std::uint16_t kUsername = 0x0006;
constexpr std::uint16_t kMessageIntegrity = 0x0008;
constexpr std::uint16_t kErrorCode = 0x0009;
constexpr std::uint16_t kUnknownAttributes = 0x000A;
constexpr std::uint16_t kRealm = 0x0014;
constexpr std::uint16_t kNonce = 0x0015;
constexpr std::uint16_t kMessageIntegritySha256 = 0x001C;
constexpr std::uint16_t kXorMappedAddress = 0x0020;
constexpr std::uint16_t kPriority = 0x0024;
constexpr std::uint16_t kUseCandidate = 0x0025;
constexpr std::uint16_t kFingerprint = 0x8028;
constexpr std::uint16_t kIceControlled = 0x8029;
constexpr std::uint16_t kIceControlling = 0x802A;
}  // namespace attribute

constexpr std::size_t padded(std::size_t size) {
    return (size + 3) & ~std::size_t{3};
}

/// The header as it counts for a check: with the length the message has up to and including the checked attribute.
std::array<std::uint8_t, kHeaderSize> header_ending_at(core::BytesView message, std::size_t end) {
    std::array<std::uint8_t, kHeaderSize> header{};
    std::copy_n(message.begin(), kHeaderSize, header.begin());
    store_u16(&header[2], static_cast<std::uint16_t>(end - kHeaderSize));
    return header;
}

detail::Sha1Digest integrity_of(core::BytesView message, std::size_t offset, std::string_view password) {
    const auto header = header_ending_at(message, offset + 4 + kIntegritySize);
    return detail::hmac_sha1(password, header, message.subspan(kHeaderSize, offset - kHeaderSize));
}

std::uint32_t fingerprint_of(core::BytesView message, std::size_t offset) {
    const auto header = header_ending_at(message, offset + 8);
    return detail::crc32(header, message.subspan(kHeaderSize, offset - kHeaderSize)) ^ kFingerprintXor;
}

/// The mask of XOR-MAPPED-ADDRESS: cookie and transaction id, which stand side by side in the header.
std::array<std::uint8_t, 16> address_mask(const StunTransactionId& transaction_id) {
    std::array<std::uint8_t, 16> mask{};
    store_u32(mask.data(), kMagicCookie);
    std::ranges::copy(transaction_id, mask.begin() + 4);
    return mask;
}

std::optional<TransportAddress> read_address(core::BytesView value, const StunTransactionId& transaction_id) {
    if (value.size() < 8) return std::nullopt;
    TransportAddress address;
    address.is_v6 = value[1] == 2;
    if (value[1] != 1 && value[1] != 2) return std::nullopt;
    const std::size_t size = address.is_v6 ? 16 : 4;
    if (value.size() != 4 + size) return std::nullopt;
    const auto mask = address_mask(transaction_id);
    address.port = static_cast<std::uint16_t>(load_u16(&value[2]) ^ (kMagicCookie >> 16));
    for (std::size_t i = 0; i < size; ++i) address.bytes[i] = value[4 + i] ^ mask[i];
    return address;
}

/// Appends attributes to a message in a caller's buffer; remembers when there was no room.
class Writer {
  public:
    Writer(std::span<std::uint8_t> out, std::uint16_t type, const StunTransactionId& transaction_id) : out_(out) {
        if (out.size() < kHeaderSize) {
            failed_ = true;
            return;
        }
        store_u16(&out[0], type);
        store_u16(&out[2], 0);
        store_u32(&out[4], kMagicCookie);
        std::ranges::copy(transaction_id, out.begin() + 8);
        size_ = kHeaderSize;
    }

    /// The place for a value of that size, already padded with zeros; empty when there is no room.
    std::span<std::uint8_t> attribute(std::uint16_t type, std::size_t value_size) {
        const std::size_t whole = 4 + padded(value_size);
        if (failed_ || out_.size() - size_ < whole) {
            failed_ = true;
            return {};
        }
        const auto place = out_.subspan(size_, whole);
        std::ranges::fill(place, std::uint8_t{0});
        store_u16(&place[0], type);
        store_u16(&place[2], static_cast<std::uint16_t>(value_size));
        size_ += whole;
        store_u16(&out_[2], static_cast<std::uint16_t>(size_ - kHeaderSize));
        return place.subspan(4, value_size);
    }

    void bytes(std::uint16_t type, core::BytesView value) {
        const auto place = attribute(type, value.size());
        if (!failed_) std::ranges::copy(value, place.begin());
    }
    void u32(std::uint16_t type, std::uint32_t value) {
        if (const auto place = attribute(type, 4); !place.empty()) store_u32(place.data(), value);
    }
    void u64(std::uint16_t type, std::uint64_t value) {
        if (const auto place = attribute(type, 8); !place.empty()) store_u64(place.data(), value);
    }

    void integrity(std::string_view password) {
        const std::size_t offset = size_;
        const auto place = attribute(attribute::kMessageIntegrity, kIntegritySize);
        if (!place.empty()) std::ranges::copy(integrity_of(out_.first(size_), offset, password), place.begin());
    }

    /// Adds FINGERPRINT and gives the size of the message; 0 when something did not fit.
    std::size_t finish() {
        const std::size_t offset = size_;
        const auto place = attribute(attribute::kFingerprint, 4);
        if (failed_) return 0;
        store_u32(place.data(), fingerprint_of(out_.first(size_), offset));
        return size_;
    }

  private:
    std::span<std::uint8_t> out_;
    std::size_t size_ = 0;
    bool failed_ = false;
};

/// RFC 8489 section 5: the class bits stand between the method bits.
constexpr std::uint16_t message_type(StunClass message_class, std::uint16_t method) {
    const auto bits = static_cast<std::uint16_t>(message_class);
    return static_cast<std::uint16_t>((method & 0x000F) | (method & 0x0070) << 1 | (method & 0x0F80) << 2 |
                                      (bits & 1) << 4 | (bits & 2) << 7);
}

std::string_view phrase(std::uint16_t code) {
    switch (code) {
        case stun_error::kBadRequest:
            return "Bad Request";
        case stun_error::kUnauthenticated:
            return "Unauthenticated";
        case stun_error::kUnknownAttribute:
            return "Unknown Attribute";
        case stun_error::kRoleConflict:
            return "Role Conflict";
        default:
            return "Error";
    }
}

}  // namespace

std::optional<StunMessage> StunMessage::parse(core::BytesView datagram) {
    if (datagram.size() < kHeaderSize || datagram[0] > 0x3F || load_u32(&datagram[4]) != kMagicCookie)
        return std::nullopt;
    const std::size_t length = load_u16(&datagram[2]);
    if (length % 4 != 0 || datagram.size() != kHeaderSize + length) return std::nullopt;

    StunMessage message;
    message.datagram_ = datagram;
    const std::uint16_t type = load_u16(datagram.data());
    message.class_ = static_cast<StunClass>((type >> 4 & 1) | (type >> 7 & 2));
    message.method_ = static_cast<std::uint16_t>((type & 0x000F) | (type >> 1 & 0x0070) | (type >> 2 & 0x0F80));
    std::copy_n(datagram.begin() + 8, message.transaction_id_.size(), message.transaction_id_.begin());

    std::size_t offset = kHeaderSize;
    for (std::size_t count = 0; offset < datagram.size(); ++count) {
        // The whole length is a multiple of four and every attribute is padded, so a header always fits.
        const std::size_t size = load_u16(&datagram[offset + 2]);
        if (count == kMaxAttributes || padded(size) > datagram.size() - offset - 4) return std::nullopt;
        if (!message.read_attribute(load_u16(&datagram[offset]), offset, datagram.subspan(offset + 4, size)))
            return std::nullopt;
        offset += 4 + padded(size);
    }
    return message;
}

bool StunMessage::read_attribute(std::uint16_t type, std::size_t offset, core::BytesView value) {
    if (fingerprint_offset_ != 0) return false;  // FINGERPRINT must be the last one (RFC 8489 section 14.7).
    if (type == attribute::kFingerprint) {
        if (value.size() != 4) return false;
        fingerprint_offset_ = offset;
        return true;
    }
    if (integrity_offset_ != 0) return true;
    switch (type) {
        case attribute::kUsername:
            if (value.size() > kMaxUsername) return false;
            if (!username_) username_ = core::as_text(value);
            return true;
        case attribute::kMessageIntegrity:
            integrity_offset_ = offset;
            return value.size() == kIntegritySize;
        case attribute::kErrorCode:
            if (value.size() < 4 || (value[2] & 7) < 3 || (value[2] & 7) > 6 || value[3] > 99) return false;
            if (!error_code_) error_code_ = static_cast<std::uint16_t>((value[2] & 7) * 100 + value[3]);
            return true;
        case attribute::kXorMappedAddress:
            if (!mapped_address_) mapped_address_ = read_address(value, transaction_id_);
            return mapped_address_.has_value();
        case attribute::kPriority:
            if (value.size() != 4) return false;
            if (!priority_) priority_ = load_u32(value.data());
            return true;
        case attribute::kUseCandidate:
            use_candidate_ = true;
            return value.empty();
        case attribute::kIceControlled:
            if (value.size() != 8) return false;
            if (!controlled_) controlled_ = load_u64(value.data());
            return true;
        case attribute::kIceControlling:
            if (value.size() != 8) return false;
            if (!controlling_) controlling_ = load_u64(value.data());
            return true;
        case attribute::kUnknownAttributes:
        case attribute::kRealm:
        case attribute::kNonce:
        case attribute::kMessageIntegritySha256:
            return true;
        default:
            if (type < 0x8000 && !unknown_required_) unknown_required_ = type;
            return true;
    }
}

bool StunMessage::check_integrity(std::string_view password) const {
    if (integrity_offset_ == 0) return false;
    const auto expected = integrity_of(datagram_, integrity_offset_, password);
    return core::equal_in_constant_time(expected, datagram_.subspan(integrity_offset_ + 4, kIntegritySize));
}

bool StunMessage::check_fingerprint() const {
    return fingerprint_offset_ != 0 &&
           load_u32(&datagram_[fingerprint_offset_ + 4]) == fingerprint_of(datagram_, fingerprint_offset_);
}

std::optional<StunUsername> split_username(std::string_view username) {
    const auto colon = username.find(':');
    if (colon == std::string_view::npos) return std::nullopt;
    return StunUsername{.receiver = username.substr(0, colon), .sender = username.substr(colon + 1)};
}

std::size_t write_binding_success(std::span<std::uint8_t> out, const StunTransactionId& transaction_id,
                                  const TransportAddress& mapped, std::string_view password) {
    Writer writer(out, message_type(StunClass::success, kStunBinding), transaction_id);
    const auto ip = mapped.ip();
    const auto place = writer.attribute(attribute::kXorMappedAddress, 4 + ip.size());
    if (place.empty()) return 0;
    const auto mask = address_mask(transaction_id);
    place[1] = mapped.is_v6 ? 2 : 1;
    store_u16(&place[2], static_cast<std::uint16_t>(mapped.port ^ (kMagicCookie >> 16)));
    for (std::size_t i = 0; i < ip.size(); ++i) place[4 + i] = ip[i] ^ mask[i];
    writer.integrity(password);
    return writer.finish();
}

std::size_t write_binding_error(std::span<std::uint8_t> out, const StunTransactionId& transaction_id,
                                std::uint16_t code, std::string_view password,
                                std::optional<std::uint16_t> unknown_attribute) {
    Writer writer(out, message_type(StunClass::error, kStunBinding), transaction_id);
    const auto reason = phrase(code);
    const auto place = writer.attribute(attribute::kErrorCode, 4 + reason.size());
    if (place.empty()) return 0;
    place[2] = static_cast<std::uint8_t>(code / 100);
    place[3] = static_cast<std::uint8_t>(code % 100);
    std::ranges::copy(core::as_bytes(reason), place.begin() + 4);
    if (unknown_attribute) {
        std::array<std::uint8_t, 2> list{};
        store_u16(list.data(), *unknown_attribute);
        writer.bytes(attribute::kUnknownAttributes, list);
    }
    if (!password.empty()) writer.integrity(password);
    return writer.finish();
}

std::size_t write_binding_request(std::span<std::uint8_t> out, const BindingRequest& request) {
    if (request.username.size() > kMaxUsername) return 0;
    Writer writer(out, message_type(StunClass::request, kStunBinding), request.transaction_id);
    writer.bytes(attribute::kUsername, core::as_bytes(request.username));
    if (request.controlling) writer.u64(attribute::kIceControlling, *request.controlling);
    if (request.controlled) writer.u64(attribute::kIceControlled, *request.controlled);
    if (request.use_candidate) writer.bytes(attribute::kUseCandidate, {});
    writer.u32(attribute::kPriority, request.priority);
    writer.integrity(request.password);
    return writer.finish();
}

}  // namespace media::wire
