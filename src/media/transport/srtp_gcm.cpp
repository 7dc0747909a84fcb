// AEAD_AES_128_GCM (RFC 7714) on OpenSSL, keys derived after RFC 3711 section 4.3.
//
// Not on libsrtp: Debian's is built on NSS, which takes locks and allocates for each packet and gets slower with the
// number of associations (with a thousand of them some thirty times slower than this).
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <stdexcept>

#include "media/transport/certificate.hpp"
#include "media/transport/srtp_direction.hpp"
#include "media/transport/srtp_source.hpp"
#include "media/wire/byte_io.hpp"

namespace media::transport {

namespace {

using Context = OpensslPtr<EVP_CIPHER_CTX, EVP_CIPHER_CTX_free>;
using Bytes = std::span<std::uint8_t>;
using View = std::span<const std::uint8_t>;

constexpr std::size_t kKey = 16;
constexpr std::size_t kSalt = 12;
constexpr std::size_t kTag = 16;
constexpr std::size_t kFixedHeader = 12;
/// Clear in front of SRTCP: the first header and the sender's SSRC. Behind it: flag and index.
constexpr std::size_t kControlHead = 8;
constexpr std::size_t kControlIndex = 4;
constexpr std::uint32_t kEncrypted = 0x8000'0000;

/// Labels of RFC 3711 section 4.3.1; that of the salt is two above that of the key.
constexpr std::uint8_t kRtpLabel = 0;
constexpr std::uint8_t kRtcpLabel = 3;

/// `out.size()` bytes of the key stream for a label (RFC 3711 section 4.3.3; RFC 7714 section 11 pads the salt).
void derive(const SrtpKey& master, std::uint8_t label, Bytes out) {
    std::array<std::uint8_t, 16> iv{};
    std::copy_n(master.bytes.begin() + kKey, kSalt, iv.begin());
    iv[7] ^= label;
    std::ranges::fill(out, std::uint8_t{0});
    const Context context(EVP_CIPHER_CTX_new());
    int size = 0;
    if (!context ||
        EVP_EncryptInit_ex(context.get(), EVP_aes_128_ctr(), nullptr, master.bytes.data(), iv.data()) != 1 ||
        EVP_EncryptUpdate(context.get(), out.data(), &size, out.data(), static_cast<int>(out.size())) != 1) {
        throw std::runtime_error("OpenSSL does not derive SRTP keys");
    }
}

/// The cipher of one kind of packets in one direction.
class Cipher {
  public:
    using Nonce = std::array<std::uint8_t, 12>;

    Cipher(const SrtpKey& master, std::uint8_t label, SrtpDirection::Use use) : context_(EVP_CIPHER_CTX_new()) {
        SrtpKey session;  // Wiped when it goes.
        derive(master, label, Bytes(session.bytes).first(kKey));
        derive(master, label + 2, salt_);
        if (!context_ || EVP_CipherInit_ex(context_.get(), EVP_aes_128_gcm(), nullptr, session.bytes.data(), nullptr,
                                           use == SrtpDirection::Use::protect ? 1 : 0) != 1) {
            throw std::runtime_error("OpenSSL has no AES-GCM");
        }
    }

    /// RFC 7714 sections 8.1 and 9.1: two zero bytes, SSRC, 48 bits of index, all under the salt.
    Nonce nonce(std::uint32_t ssrc, std::uint64_t index) const {
        Nonce out{};
        wire::store_u32(&out[2], ssrc);
        wire::store_u32(&out[6], static_cast<std::uint32_t>(index >> 16));
        wire::store_u16(&out[10], static_cast<std::uint16_t>(index));
        for (std::size_t i = 0; i < out.size(); ++i) out[i] ^= salt_[i];
        return out;
    }

    /// Encrypts `text` in place and writes its tag behind it. Authenticates `head`, then `more`.
    bool seal(const Nonce& nonce, View head, View more, Bytes text) {
        EVP_CIPHER_CTX* const c = context_.get();
        int size = 0;
        std::uint8_t* const tag = text.data() + text.size();
        return begin(nonce, head, more) &&
               EVP_EncryptUpdate(c, text.data(), &size, text.data(), static_cast<int>(text.size())) == 1 &&
               EVP_EncryptFinal_ex(c, tag, &size) == 1 && EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, kTag, tag) == 1;
    }
    /// The tag stands behind `text`.
    bool open(const Nonce& nonce, View head, View more, Bytes text) {
        EVP_CIPHER_CTX* const c = context_.get();
        int size = 0;
        std::uint8_t* const tag = text.data() + text.size();
        return begin(nonce, head, more) &&
               EVP_DecryptUpdate(c, text.data(), &size, text.data(), static_cast<int>(text.size())) == 1 &&
               EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG, kTag, tag) == 1 && EVP_DecryptFinal_ex(c, tag, &size) == 1;
    }

  private:
    bool begin(const Nonce& nonce, View head, View more) {
        EVP_CIPHER_CTX* const c = context_.get();
        int size = 0;
        return EVP_CipherInit_ex(c, nullptr, nullptr, nullptr, nonce.data(), -1) == 1 &&
               EVP_CipherUpdate(c, nullptr, &size, head.data(), static_cast<int>(head.size())) == 1 &&
               (more.empty() || EVP_CipherUpdate(c, nullptr, &size, more.data(), static_cast<int>(more.size())) == 1);
    }

    Context context_;
    std::array<std::uint8_t, kSalt> salt_{};
};

/// Fixed header, contributing sources and extension; 0: they reach beyond the end.
std::size_t header_size(View packet) {
    std::size_t size = kFixedHeader + 4 * (packet[0] & 0x0FU);
    if ((packet[0] & 0x10U) != 0) {
        if (size + 4 > packet.size()) return 0;
        size += 4 + 4 * std::size_t{wire::load_u16(&packet[size + 2])};
    }
    return size <= packet.size() ? size : 0;
}

class GcmDirection final : public SrtpDirection {
  public:
    GcmDirection(const SrtpKey& key, Use use) : media_(key, kRtpLabel, use), control_(key, kRtcpLabel, use) {}

    Packet protect_rtp(Bytes buffer, std::size_t size) override {
        const std::size_t head = header_size(buffer.first(size));
        if (head == 0) return refuse(counters.malformed);
        const std::uint32_t ssrc = wire::load_u32(&buffer[8]);
        Source* source = media_sources_.find(ssrc);
        if (source == nullptr) {
            if (media_sources_.size() >= SrtpSession::kMaxSources) return refuse(counters.too_many_sources);
            source = &media_sources_.add(Source(ssrc));
        }
        const auto index = source->estimate(wire::load_u16(&buffer[2]));
        if (!index || source->too_old(*index)) return refuse(counters.replayed);
        if (!media_.seal(media_.nonce(ssrc, *index), buffer.first(head), {}, buffer.subspan(head, size - head))) {
            return refuse(counters.other);
        }
        source->advance(*index);
        return buffer.first(size + kTag);
    }

    Packet protect_rtcp(Bytes buffer, std::size_t size) override {
        // One count for all of our SSRCs: it grows for each of them, which is all that a receiver asks for.
        const std::uint32_t index = ++control_index_ & ~kEncrypted;
        std::array<std::uint8_t, kControlIndex> last{};
        wire::store_u32(last.data(), index | kEncrypted);
        const auto nonce = control_.nonce(wire::load_u32(&buffer[4]), index);
        if (!control_.seal(nonce, buffer.first(kControlHead), last,
                           buffer.subspan(kControlHead, size - kControlHead))) {
            return refuse(counters.other);
        }
        std::ranges::copy(last, buffer.begin() + static_cast<std::ptrdiff_t>(size + kTag));
        return buffer.first(size + kTag + kControlIndex);
    }

    Packet unprotect_rtp(Bytes packet) override {
        const std::size_t head = header_size(packet);
        if (head == 0 || head + kTag > packet.size()) return refuse(counters.malformed);
        const std::size_t end = packet.size() - kTag;
        const std::uint16_t sequence = wire::load_u16(&packet[2]);
        return open(
                   media_sources_, wire::load_u32(&packet[8]),
                   [&](const Source& source) { return source.estimate(sequence); },
                   [&](const Cipher::Nonce& nonce) {
                       return media_.open(nonce, packet.first(head), {}, packet.subspan(head, end - head));
                   },
                   media_)
                   ? Packet(packet.first(end))
                   : std::nullopt;
    }

    Packet unprotect_rtcp(Bytes packet) override {
        if (packet.size() < kControlHead + kTag + kControlIndex) return refuse(counters.malformed);
        const std::size_t end = packet.size() - kTag - kControlIndex;
        const View last = packet.last(kControlIndex);
        const std::uint32_t word = wire::load_u32(last.data());
        // Unencrypted reports are allowed by the RFC and sent by nobody.
        if ((word & kEncrypted) == 0) return refuse(counters.malformed);
        return open(
                   control_sources_, wire::load_u32(&packet[4]),
                   [&](const Source&) { return std::optional<std::uint64_t>(word & ~kEncrypted); },
                   [&](const Cipher::Nonce& nonce) {
                       return control_.open(nonce, packet.first(kControlHead), last,
                                            packet.subspan(kControlHead, end - kControlHead));
                   },
                   control_)
                   ? Packet(packet.first(end))
                   : std::nullopt;
    }

  private:
    using Source = SrtpSource<SrtpSession::kWindow>;

    static Packet refuse(std::uint64_t& reason) {
        ++reason;
        return std::nullopt;
    }

    /// A source gets its place only once a packet of it was authentic.
    template <class Estimate, class Open>
    bool open(SrtpSources<Source>& sources, std::uint32_t ssrc, Estimate&& estimate, Open&& decrypt,
              const Cipher& cipher) {
        Source* known = sources.find(ssrc);
        if (known == nullptr && sources.size() >= SrtpSession::kMaxSources) {
            ++counters.too_many_sources;
            return false;
        }
        Source fresh(ssrc);
        Source& source = known != nullptr ? *known : fresh;
        const auto index = estimate(source);
        if (!index || source.too_old(*index) || source.seen(*index)) {
            ++counters.replayed;
            return false;
        }
        if (!decrypt(cipher.nonce(ssrc, *index))) {
            ++counters.unauthentic;
            return false;
        }
        source.take(*index);
        if (known == nullptr) sources.add(fresh);
        return true;
    }

    Cipher media_;
    Cipher control_;
    SrtpSources<Source> media_sources_;
    SrtpSources<Source> control_sources_;
    std::uint32_t control_index_ = 0;
};

}  // namespace

std::unique_ptr<SrtpDirection> make_gcm_direction(const SrtpKey& key, SrtpDirection::Use use) {
    return std::make_unique<GcmDirection>(key, use);
}

}  // namespace media::transport
