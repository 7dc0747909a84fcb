#include "net/tls_files.hpp"

#include <openssl/ssl.h>
#include <sys/stat.h>

#include <fstream>

#include "net/test_identity.hpp"

namespace net {
namespace {

using testing::Identity;
using testing::Issued;
using testing::TestFolder;
using testing::write_certificates;
using testing::write_key;
using testing::write_pkcs12;
using Source = TlsFault::Source;

/// An authority, one below it that issues, and a server's certificate from that one.
struct Chain {
    Issued root{{.common_name = "root", .may_issue = true}};
    Issued middle{{.common_name = "middle", .issuer = &root, .may_issue = true}};
    Issued server{{.common_name = "server", .names = "DNS:localhost", .issuer = &middle}};
};

void write(const std::string& path, const std::string& text) {
    std::ofstream{path} << text;
}

/// `source: why`, or what is served: the names of the certificate and those sent with it.
std::string outcome(const TlsFiles& files) {
    const auto loaded = load_tls(files);
    if (!loaded) {
        static constexpr const char* kSources[] = {"certificate", "key", "pkcs12", "password", "password_file"};
        return std::string{kSources[static_cast<int>(loaded.error().source)]} + ": " + loaded.error().why;
    }
    const auto name = [](X509* certificate) {
        char text[64] = {};
        X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, text, sizeof text);
        return std::string{text};
    };
    auto names = name(SSL_CTX_get0_certificate(loaded->context.get()));
    STACK_OF(X509)* chain = nullptr;
    SSL_CTX_ctrl(loaded->context.get(), SSL_CTRL_GET_CHAIN_CERTS, 0, static_cast<void*>(&chain));
    for (int i = 0; i < sk_X509_num(chain); ++i) names += " < " + name(sk_X509_value(chain, i));
    return names;
}

TEST(TlsFiles, ReadsPemFilesAndPutsTheChainInOrder) {
    const Chain chain;
    const TestFolder folder;
    const TlsFiles files{.certificate_file = folder / "c.pem", .key_file = folder / "k.pem"};
    write_key(files.key_file, chain.server);
    write_certificates(files.certificate_file, {&chain.server});
    EXPECT_EQ(outcome(files), "server");
    write_certificates(files.certificate_file, {&chain.server, &chain.middle});
    EXPECT_EQ(outcome(files), "server < middle");
    write_certificates(files.certificate_file, {&chain.root, &chain.middle, &chain.server});
    EXPECT_EQ(outcome(files), "server < middle") << "the root is the client's to have";

    const auto until = load_tls(files)->valid_until - std::chrono::system_clock::now();
    EXPECT_LT(until, std::chrono::minutes{61});
    EXPECT_GT(until, std::chrono::minutes{30});
}

TEST(TlsFiles, CertificateAndKeyMayShareAFile) {
    const Identity identity("DNS:localhost");
    const TestFolder folder;
    std::ofstream{folder / "both.pem"} << std::ifstream{identity.key_file()}.rdbuf()
                                       << std::ifstream{identity.certificate_file()}.rdbuf();
    EXPECT_EQ(outcome({.certificate_file = folder / "both.pem", .key_file = folder / "both.pem"}), "test");
}

TEST(TlsFiles, ReadsPkcs12) {
    const Chain chain;
    const TestFolder folder;
    TlsFiles files{.pkcs12_file = folder / "s.p12"};
    files.password = "a secret";
    write_pkcs12(files.pkcs12_file, chain.server, "a secret", {&chain.root, &chain.middle});
    EXPECT_EQ(outcome(files), "server < middle");
    files.password = "another";
    EXPECT_EQ(outcome(files), "password: it does not open " + files.pkcs12_file);
    files.password.clear();
    EXPECT_EQ(outcome(files), "password: it does not open " + files.pkcs12_file);
    write_pkcs12(files.pkcs12_file, chain.server, "");
    EXPECT_EQ(outcome(files), "server");

    files.password_file = folder / "password";
    write(files.password_file, "from a file\n");
    write_pkcs12(files.pkcs12_file, chain.server, "from a file");
    EXPECT_EQ(outcome(files), "server") << "a line end is not part of the password";
    write(files.password_file, "wrong\n");
    EXPECT_EQ(outcome(files), "password_file: it does not open " + files.pkcs12_file);
}

TEST(TlsFiles, SaysWhatIsWrongWithWhichFile) {
    const Identity one("DNS:localhost");
    const Identity two("DNS:localhost");
    const TestFolder folder;
    const auto bad = folder / "bad";
    const auto with_certificate = [&](const std::string& path) {
        return outcome({.certificate_file = path, .key_file = one.key_file()});
    };
    const auto with_key = [&](const std::string& path) {
        return outcome({.certificate_file = one.certificate_file(), .key_file = path});
    };
    EXPECT_EQ(with_certificate(bad), "certificate: cannot read " + bad + ": No such file or directory");
    EXPECT_EQ(with_certificate("/tmp"), "certificate: cannot read /tmp: it is not a file");
    write(bad, "");
    EXPECT_EQ(with_certificate(bad), "certificate: " + bad + " holds no certificate in PEM form");
    EXPECT_EQ(with_key(bad), "key: " + bad + " holds no private key in PEM form");
    EXPECT_EQ(outcome({.pkcs12_file = bad}), "pkcs12: " + bad + " is no PKCS#12 file, or is broken");
    EXPECT_EQ(with_certificate(one.key_file()), "certificate: " + one.key_file() + " holds no certificate in PEM form");
    EXPECT_EQ(with_key(two.key_file()),
              "key: the key in " + two.key_file() + " does not belong to the certificate in " + one.certificate_file());
    write_key(bad, one.issued(), "a secret");
    EXPECT_EQ(with_key(bad), "key: " + bad + " is encrypted; the key must be plain, or in a PKCS#12 file");
    write(bad, std::string(1024 * 1024 + 1, 'x'));
    EXPECT_EQ(with_key(bad), "key: cannot read " + bad + ": it is larger than 1 MiB");
    const auto pipe = folder / "pipe";
    ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
    EXPECT_EQ(with_key(pipe), "key: cannot read " + pipe + ": it is not a file");
}

// As a program leaves it that writes in place, at any moment.
TEST(TlsFiles, HalfAFileIsNeverAPair) {
    const Identity identity("DNS:localhost");
    const TestFolder folder;
    std::string whole(std::istreambuf_iterator<char>{std::ifstream{identity.certificate_file()}.rdbuf()}, {});
    ASSERT_GT(whole.size(), 100u);
    for (std::size_t size = 0; size + 6 < whole.size(); size += 7) {
        write(folder / "c.pem", whole.substr(0, size));
        EXPECT_TRUE(outcome({.certificate_file = folder / "c.pem", .key_file = identity.key_file()})
                        .starts_with("certificate: " + (folder / "c.pem")))
            << size;
    }
}

}  // namespace
}  // namespace net
