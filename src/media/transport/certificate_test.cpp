#include "media/transport/certificate.hpp"

#include <gtest/gtest.h>
#include <openssl/ec.h>

namespace media::transport {
namespace {

TEST(Certificate, IsSelfSignedWithP256) {
    const Certificate certificate;
    EXPECT_EQ(X509_verify(certificate.x509(), certificate.key()), 1);
    std::array<char, 32> group{};
    std::size_t size = 0;
    ASSERT_EQ(EVP_PKEY_get_group_name(certificate.key(), group.data(), group.size(), &size), 1);
    EXPECT_STREQ(group.data(), "prime256v1");
    EXPECT_EQ(X509_cmp_current_time(X509_get0_notBefore(certificate.x509())), -1);
    EXPECT_EQ(X509_cmp_current_time(X509_get0_notAfter(certificate.x509())), 1);
}

TEST(Certificate, FingerprintIsTheHashOfItsDerForm) {
    const Certificate certificate;
    unsigned char* der = nullptr;
    const int size = i2d_X509(certificate.x509(), &der);
    ASSERT_GT(size, 0);
    EXPECT_EQ(certificate.fingerprint().digest, core::sha256({der, static_cast<std::size_t>(size)}));
    OPENSSL_free(der);
}

TEST(Certificate, NoTwoAreAlike) {
    EXPECT_NE(Certificate().fingerprint(), Certificate().fingerprint());
}

TEST(Fingerprint, ComesFromThirtyTwoBytesOnly) {
    core::Bytes digest(32, 0xAB);
    ASSERT_TRUE(Fingerprint::from_digest(digest));
    EXPECT_EQ(Fingerprint::from_digest(digest)->digest[31], 0xAB);
    digest.resize(31);
    EXPECT_FALSE(Fingerprint::from_digest(digest));
    digest.resize(33);
    EXPECT_FALSE(Fingerprint::from_digest(digest));
    EXPECT_FALSE(Fingerprint::from_digest({}));
}

}  // namespace
}  // namespace media::transport
