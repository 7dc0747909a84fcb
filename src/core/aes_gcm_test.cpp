#include "core/aes_gcm.hpp"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <vector>

namespace core {
namespace {

Bytes key_of(std::uint8_t first) {
    Bytes key(Aes256Gcm::kKey);
    for (auto& byte : key) byte = first++;
    return key;
}

TEST(AesGcm, OpensWhatItSealed) {
    const Aes256Gcm key(key_of(1));
    for (const auto& text : std::vector<std::string>{"", "x", "Kopfschmerz 頭痛", "sixteen bytes !!"}) {
        EXPECT_EQ(key.open(key.seal(as_bytes(text), "here"), "here"), text);
    }
    const std::string long_text(100'000, 'n');
    EXPECT_EQ(key.open(key.seal(as_bytes(long_text), ""), ""), long_text);
}

// Test case 16 of "The Galois/Counter Mode of Operation" (McGrew, Viega), appendix B, with its tag.
TEST(AesGcm, AgreesWithThePublishedVector) {
    const auto bytes = [](std::string_view hex) {
        Bytes out;
        for (std::size_t i = 0; i < hex.size(); i += 2) {
            out.push_back(static_cast<std::uint8_t>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
        }
        return out;
    };
    const Aes256Gcm key(bytes("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308"));
    const auto sealed = bytes(
        "cafebabefacedbaddecaf888"
        "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a"
        "0"
        "abcc9f662"
        "76fc6ece0f4e1768cddf8853bb2d551b");
    const auto context = bytes("feedfacedeadbeeffeedfacedeadbeefabaddad2");
    const auto text = key.open(sealed, as_text(context));
    ASSERT_TRUE(text);
    EXPECT_EQ(
        hex(as_bytes(*text)),
        "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0"
        "de657ba637b39");
}

TEST(AesGcm, RefusesWhatIsChangedCutOffOrOfElsewhere) {
    const Aes256Gcm key(key_of(1));
    const auto sealed = key.seal(as_bytes("secret"), "here");
    for (std::size_t i = 0; i < sealed.size(); ++i) {
        auto changed = sealed;
        changed[i] ^= 1;
        EXPECT_FALSE(key.open(changed, "here")) << i;
        EXPECT_FALSE(key.open(BytesView(sealed).first(i), "here")) << i;
    }
    EXPECT_FALSE(key.open(sealed, "there"));
    EXPECT_FALSE(Aes256Gcm(key_of(2)).open(sealed, "here"));
}

TEST(AesGcm, TheSameTextNeverLooksTheSame) {
    const Aes256Gcm key(key_of(1));
    EXPECT_NE(key.seal(as_bytes("secret"), "here"), key.seal(as_bytes("secret"), "here"));
}

TEST(AesGcm, MarksDependOnKeyPurposeAndText) {
    const Aes256Gcm key(key_of(1));
    EXPECT_EQ(key.mark("a", "b"), Aes256Gcm(key_of(1)).mark("a", "b"));
    EXPECT_NE(key.mark("a", "b"), key.mark("a", "c"));
    EXPECT_NE(key.mark("a", "b"), key.mark("c", "b"));
    EXPECT_NE(key.mark("a", "b"), Aes256Gcm(key_of(2)).mark("a", "b"));
}

TEST(AesGcm, TakesKeysOf32BytesOnly) {
    EXPECT_THROW(Aes256Gcm(Bytes(16)), std::invalid_argument);
    EXPECT_THROW(Aes256Gcm(Bytes(33)), std::invalid_argument);
}

}  // namespace
}  // namespace core
