// Our AES-GCM against libsrtp's, both ways: what browsers use is made of the same code as the latter.
#include <gtest/gtest.h>
#include <srtp2/srtp.h>

#include <algorithm>
#include <vector>

#include "core/bytes.hpp"
#include "media/transport/srtp.hpp"
#include "media/transport/test_client.hpp"

namespace media::transport {
namespace {

using test::rtcp;
using test::rtp;

class Library {
  public:
    Library(SrtpKey key, srtp_ssrc_type_t direction) {
        // The library may be started only once in a process; our other profile does it.
        const SrtpSession starts_it(SrtpProfile::aes128_cm_sha1_80, key, key);
        srtp_policy_t policy{};
        policy.ssrc.type = direction;
        policy.key = key.bytes.data();
        policy.window_size = 1024;
        EXPECT_EQ(srtp_crypto_policy_set_from_profile_for_rtp(&policy.rtp, srtp_profile_aead_aes_128_gcm),
                  srtp_err_status_ok);
        EXPECT_EQ(srtp_crypto_policy_set_from_profile_for_rtcp(&policy.rtcp, srtp_profile_aead_aes_128_gcm),
                  srtp_err_status_ok);
        EXPECT_EQ(srtp_create(&context_, &policy), srtp_err_status_ok);
    }
    ~Library() { srtp_dealloc(context_); }
    Library(const Library&) = delete;
    Library& operator=(const Library&) = delete;

    template <class Call>
    core::Bytes run(Call call, core::Bytes packet) {
        int size = static_cast<int>(packet.size());
        packet.resize(packet.size() + 64);
        EXPECT_EQ(call(context_, packet.data(), &size), srtp_err_status_ok);
        packet.resize(static_cast<std::size_t>(size));
        return packet;
    }

  private:
    srtp_t context_ = nullptr;
};

class SrtpInteroperation : public testing::Test {
  protected:
    static SrtpKeys keys() {
        core::Bytes material(keying_material_size(SrtpProfile::aead_aes_128_gcm));
        for (std::size_t i = 0; i < material.size(); ++i) material[i] = static_cast<std::uint8_t>(i * 11 + 3);
        return split_keying_material(SrtpProfile::aead_aes_128_gcm, material);
    }
    static core::Bytes with_room(core::Bytes packet) {
        packet.resize(packet.size() + SrtpSession::kMaxOverhead);
        return packet;
    }
    /// With two contributing sources and a two-byte header extension.
    static core::Bytes with_everything(std::uint32_t ssrc, std::uint16_t sequence) {
        core::Bytes packet = rtp(ssrc, sequence, 40);
        packet[0] = 0x80 | 0x10 | 2;
        const core::Bytes more = {0, 0, 0, 1, 0, 0, 0, 2, 0x10, 0x00, 0x00, 0x01, 5, 2, 7, 9};
        packet.insert(packet.begin() + 12, more.begin(), more.end());
        return packet;
    }

    SrtpKeys keys_ = keys();
    SrtpSession ours_{SrtpProfile::aead_aes_128_gcm, keys_.client, keys_.server};
    Library in_{keys_.server, ssrc_any_inbound};
    Library out_{keys_.client, ssrc_any_outbound};
};

TEST_F(SrtpInteroperation, TheLibraryUnderstandsUs) {
    for (std::uint32_t n = 30000; n < 30000 + 2 * 65536; n += 97) {
        const auto sequence = static_cast<std::uint16_t>(n);
        for (const core::Bytes& plain : {rtp(7, sequence, 100), with_everything(8, sequence)}) {
            core::Bytes buffer = with_room(plain);
            const auto packet = ours_.protect_rtp(buffer, plain.size());
            ASSERT_TRUE(packet) << n;
            ASSERT_EQ(in_.run(srtp_unprotect, {packet->begin(), packet->end()}), plain) << n;
        }
    }
    for (int i = 0; i < 20; ++i) {
        const core::Bytes plain = rtcp(i % 2 == 0 ? 7 : 8);
        core::Bytes buffer = with_room(plain);
        const auto packet = ours_.protect_rtcp(buffer, plain.size());
        ASSERT_TRUE(packet);
        ASSERT_EQ(in_.run(srtp_unprotect_rtcp, {packet->begin(), packet->end()}), plain);
    }
}

TEST_F(SrtpInteroperation, WeUnderstandTheLibrary) {
    for (std::uint32_t n = 30000; n < 30000 + 2 * 65536; n += 97) {
        const auto sequence = static_cast<std::uint16_t>(n);
        for (const core::Bytes& plain : {rtp(7, sequence, 100), with_everything(8, sequence)}) {
            core::Bytes packet = out_.run(srtp_protect, plain);
            const auto opened = ours_.unprotect_rtp(packet);
            ASSERT_TRUE(opened) << n;
            ASSERT_TRUE(std::ranges::equal(*opened, plain)) << n;
        }
    }
    for (int i = 0; i < 20; ++i) {
        const core::Bytes plain = rtcp(i % 2 == 0 ? 7 : 8);
        core::Bytes packet = out_.run(srtp_protect_rtcp, plain);
        const auto opened = ours_.unprotect_rtcp(packet);
        ASSERT_TRUE(opened);
        ASSERT_TRUE(std::ranges::equal(*opened, plain));
    }
}

}  // namespace
}  // namespace media::transport
