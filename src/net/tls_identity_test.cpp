#include "net/tls_identity.hpp"

#include <openssl/ssl.h>

#include "net/test_identity.hpp"

namespace net {
namespace {

using testing::Identity;
using testing::Issued;
using testing::write_certificates;
using testing::write_key;

/// Looks only when it is told to.
constexpr std::chrono::hours kNever{10};

struct Watched {
    Identity identity{"DNS:localhost"};
    std::shared_ptr<TlsIdentity> tls =
        *TlsIdentity::open({.certificate_file = identity.certificate_file(), .key_file = identity.key_file()}, kNever);

    bool shows(const Issued& issued) const {
        return X509_cmp(SSL_CTX_get0_certificate(tls->context().get()), issued.certificate()) == 0;
    }
};

std::size_t count(const std::string& text, const std::string& what) {
    std::size_t found = 0;
    for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++found;
    return found;
}

TEST(TlsIdentity, FilesThatDoNotChangeAreNotReadAgain) {
    const Watched watched;
    const auto before = watched.tls->context();
    watched.tls->look();
    EXPECT_EQ(watched.tls->context(), before);
}

TEST(TlsIdentity, AHalfReplacedPairIsToldOnceAndChangesNothing) {
    const Watched watched;
    const auto before = watched.tls->context();
    const Issued next({.common_name = "next"});
    ::testing::internal::CaptureStderr();
    write_certificates(watched.identity.certificate_file(), {&next});
    for (int i = 0; i < 3; ++i) watched.tls->look();
    const auto told = ::testing::internal::GetCapturedStderr();
    EXPECT_EQ(count(told, "the old one goes on"), 1u) << told;
    EXPECT_EQ(count(told, "does not belong to the certificate"), 1u) << told;
    EXPECT_EQ(watched.tls->context(), before);

    write_key(watched.identity.key_file(), next);
    watched.tls->look();
    EXPECT_TRUE(watched.shows(next));
    EXPECT_NE(watched.tls->context(), before);
}

TEST(TlsIdentity, VanishedAndBrokenFilesChangeNothing) {
    const Watched watched;
    std::filesystem::remove(watched.identity.key_file());
    watched.tls->look();
    EXPECT_TRUE(watched.shows(watched.identity.issued()));
    testing::file_for_writing(watched.identity.certificate_file());  // Emptied.
    watched.tls->look();
    EXPECT_TRUE(watched.shows(watched.identity.issued()));
    const Issued next({.common_name = "next"});
    write_key(watched.identity.key_file(), next);
    write_certificates(watched.identity.certificate_file(), {&next});
    watched.tls->look();
    EXPECT_TRUE(watched.shows(next));
}

// A file that was written twice within one tick of its time stamp looks as before; it is read again all the same.
TEST(TlsIdentity, TroubleIsLookedAtAgainWithoutAChange) {
    const Watched watched;
    const Issued next({.common_name = "next"});
    write_certificates(watched.identity.certificate_file(), {&next});
    watched.tls->look();
    const auto key = watched.identity.key_file();
    const auto written = std::filesystem::last_write_time(key);
    {
        // In place, and of the same size: P-256 keys are.
        const auto size = std::filesystem::file_size(key);
        write_key(key, next);
        ASSERT_EQ(std::filesystem::file_size(key), size);
        std::filesystem::last_write_time(key, written);
    }
    watched.tls->look();
    EXPECT_TRUE(watched.shows(next));
}

TEST(TlsIdentity, FollowsAPasswordThatChangesWithItsFile) {
    const testing::TestFolder folder;
    const TlsFiles files{.pkcs12_file = folder / "s.p12", .password_file = folder / "password"};
    const Issued first({.common_name = "first"});
    const Issued second({.common_name = "second"});
    const auto write = [&](const Issued& issued, const std::string& password) {
        testing::write_pkcs12(files.pkcs12_file, issued, password);
        std::fputs((password + "\n").c_str(), testing::file_for_writing(files.password_file).get());
    };
    write(first, "one");
    const auto tls = TlsIdentity::open(files, kNever);
    ASSERT_TRUE(tls.has_value()) << tls.error().why;
    write(second, "two");
    (*tls)->look();
    EXPECT_EQ(X509_cmp(SSL_CTX_get0_certificate((*tls)->context().get()), second.certificate()), 0);
}

TEST(TlsIdentity, AnExpiredCertificateIsServedAndTold) {
    const testing::TestFolder folder;
    const Issued old({.common_name = "old", .valid_for = -60});
    testing::write_pkcs12(folder / "s.p12", old, "p");
    ::testing::internal::CaptureStderr();
    const auto tls = TlsIdentity::open({.pkcs12_file = folder / "s.p12", .password = "p"}, kNever);
    EXPECT_EQ(count(::testing::internal::GetCapturedStderr(), "the TLS certificate has expired"), 1u);
    EXPECT_TRUE(tls.has_value());
}

}  // namespace
}  // namespace net
