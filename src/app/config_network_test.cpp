#include <gtest/gtest.h>

#include "app/config_test_reader.hpp"
#include "app/network_parts.hpp"
#include "net/test_identity.hpp"

namespace app {
namespace {

using Strings = std::vector<std::string>;

using test::complaint;
using test::read;

TEST(ConfigNetwork, SeveralAddressesListen) {
    EXPECT_EQ(read({{"HOST", "192.0.2.1, [2001:db8::1],192.0.2.1,video.example.org"}})->hosts,
              (Strings{"192.0.2.1", "2001:db8::1", "video.example.org"}));
    EXPECT_EQ(read({{"HOST", "::"}})->hosts, (Strings{"::", "0.0.0.0"})) << "both families, as dual-stack sockets did";
    EXPECT_EQ(read({{"HOST", "::,127.0.0.1"}})->hosts, (Strings{"::", "127.0.0.1"}));
    for (const auto* bad : {",", "a b", "192.0.2.256", "http://h", "h:80", "192.0.2.0/24", "::1%lo", "[h]"}) {
        EXPECT_TRUE(complaint({{"HOST", bad}}).starts_with("HOST: expected addresses or host names, such as ")) << bad;
        EXPECT_TRUE(complaint({{"MEDIA_HOST", bad}}).starts_with("MEDIA_HOST: expected addresses or ")) << bad;
    }
}

TEST(ConfigNetwork, MediaFollowsTheApiUnlessThatIsOnlyLocal) {
    EXPECT_EQ(read({{"HOST", "192.0.2.1,127.0.0.1"}})->media_hosts, (Strings{"192.0.2.1", "127.0.0.1"}));
    EXPECT_EQ(read({{"HOST", "192.0.2.1"}, {"MEDIA_HOST", "192.0.2.2"}})->media_hosts, Strings{"192.0.2.2"});
    EXPECT_EQ(read({{"MEDIA_HOST", "192.0.2.2"}})->hosts, Strings{});
    EXPECT_EQ(read({{"HOST", "127.0.0.1,::1"}})->media_hosts, Strings{});
    EXPECT_EQ(read({{"HOST", "localhost"}})->media_hosts, Strings{});
    EXPECT_EQ(read({{"HOST", "127.0.0.1"}, {"MEDIA_HOST", "127.0.0.1"}})->media_hosts, Strings{"127.0.0.1"});
}

TEST(ConfigNetwork, AHostAloneIsReachedOnOurPort) {
    const auto url = [](const std::string& host) {
        const auto config = read({{"PUBLIC_HOST", host}, {"PORT", "9000"}});
        return config ? config->public_url + " " + config->public_hosts.front() : config.error().detail;
    };
    EXPECT_EQ(url("video.example.org"), "http://video.example.org:9000 video.example.org");
    EXPECT_EQ(url("203.0.113.5"), "http://203.0.113.5:9000 203.0.113.5");
    EXPECT_EQ(url("[2001:db8::1]"), "http://[2001:db8::1]:9000 2001:db8::1");
    EXPECT_EQ(url("2001:db8::1"), "http://[2001:db8::1]:9000 2001:db8::1");
    EXPECT_EQ(url("https://[2001:db8::1]:1/"), "https://[2001:db8::1]:1 2001:db8::1");
    EXPECT_EQ(url("https://h"), "https://h h");
}

TEST(ConfigNetwork, TheFirstOfSeveralPublicHostsNamesTheUrl) {
    const auto config = read({{"PUBLIC_HOST", "https://video.example.org, 203.0.113.5,2001:db8::5,other.example.org"}});
    ASSERT_TRUE(config) << config.error().detail;
    EXPECT_EQ(config->public_url, "https://video.example.org");
    EXPECT_EQ(config->public_hosts, (Strings{"video.example.org", "203.0.113.5", "2001:db8::5", "other.example.org"}));
    const auto media = media_addresses(*config);
    ASSERT_TRUE(media) << media.error().detail;
    EXPECT_EQ(media->announced, (Strings{"203.0.113.5", "2001:db8::5"})) << "names are not looked up besides";
    for (const auto* bad : {"h,https://other", "h,a b", ",", "h, 192.0.2.300"}) {
        EXPECT_TRUE(complaint({{"PUBLIC_HOST", bad}}).starts_with("PUBLIC_HOST: expected a host or URL such as "))
            << bad;
    }
}

TEST(ConfigNetwork, NamesAreLookedUpWhereThereIsNoAddress) {
    const auto local = media_addresses(*read({{"PUBLIC_HOST", "localhost"}, {"MEDIA_HOST", "localhost"}}));
    ASSERT_TRUE(local) << local.error().detail;
    EXPECT_NE(std::ranges::find(local->announced, "127.0.0.1"), local->announced.end());
    EXPECT_EQ(local->listen, local->announced);
    const auto none = media_addresses(*read({{"PUBLIC_HOST", "nobody.invalid"}}));
    ASSERT_FALSE(none);
    EXPECT_TRUE(
        none.error().detail.starts_with("PUBLIC_HOST: nobody.invalid has no address that this machine can find"))
        << none.error().detail;
}

TEST(ConfigNetwork, ACertificateMakesEveryUrlHttps) {
    const auto config =
        read({{"TLS_CERT_FILE", "c"}, {"TLS_KEY_FILE", "k"}, {"PORT", "9000"}, {"PUBLIC_HOST", "video.example.org"}});
    ASSERT_TRUE(config) << config.error().detail;
    EXPECT_EQ(config->tls->certificate_file, "c");
    EXPECT_EQ(config->tls->key_file, "k");
    EXPECT_EQ(config->api_url, "https://localhost:9000");
    EXPECT_EQ(config->public_url, "https://video.example.org:9000");
    EXPECT_EQ(listening_at(*config), "https://*:9000");

    const auto pkcs12 = read({{"TLS_PKCS12_FILE", "p"}, {"TLS_PKCS12_PASSWORD", "s"}, {"HOST", "::1,127.0.0.1"}});
    ASSERT_TRUE(pkcs12) << pkcs12.error().detail;
    EXPECT_EQ(pkcs12->tls->pkcs12_file, "p");
    EXPECT_EQ(pkcs12->tls->password, "s");
    EXPECT_EQ(listening_at(*pkcs12), "https://[::1]:8086 https://127.0.0.1:8086");
    EXPECT_EQ(read({{"TLS_PKCS12_FILE", "p"}, {"TLS_PKCS12_PASSWORD_FILE", "f"}})->tls->password_file, "f");
}

TEST(ConfigNetwork, HalfACertificateIsNone) {
    EXPECT_TRUE(complaint({{"TLS_CERT_FILE", "c"}}).starts_with("TLS_KEY_FILE: expected "));
    EXPECT_TRUE(complaint({{"TLS_KEY_FILE", "k"}}).starts_with("TLS_CERT_FILE: expected "));
    EXPECT_TRUE(complaint({{"TLS_CERT_FILE", "c"}, {"TLS_KEY_FILE", "k"}, {"TLS_PKCS12_FILE", "p"}})
                    .starts_with("TLS_PKCS12_FILE: expected "));
    EXPECT_TRUE(complaint({{"TLS_PKCS12_PASSWORD", "hunter2"}}).starts_with("TLS_PKCS12_FILE: expected "));
    const auto both =
        complaint({{"TLS_PKCS12_FILE", "p"}, {"TLS_PKCS12_PASSWORD", "hunter2"}, {"TLS_PKCS12_PASSWORD_FILE", "f"}});
    EXPECT_TRUE(both.starts_with("TLS_PKCS12_PASSWORD_FILE: expected "));
    EXPECT_EQ(both.find("hunter2"), std::string::npos);
}

TEST(ConfigNetwork, ACertificateThatCannotBeUsedNamesItsVariable) {
    const net::testing::Identity identity("DNS:localhost");
    const net::testing::Identity other("DNS:localhost");
    const net::testing::TestFolder folder;
    net::testing::write_pkcs12(folder / "store.p12", identity.issued(), "right");
    const auto line = [](const net::TlsFiles& files) {
        const auto opened = open_tls(files);
        return opened ? "opened" : opened.error().detail;
    };
    EXPECT_EQ(line({.certificate_file = "/nowhere/c.pem", .key_file = identity.key_file()}),
              "TLS_CERT_FILE: cannot read /nowhere/c.pem: No such file or directory");
    EXPECT_EQ(line({.certificate_file = identity.certificate_file(), .key_file = "/nowhere/k.pem"}),
              "TLS_KEY_FILE: cannot read /nowhere/k.pem: No such file or directory");
    EXPECT_EQ(line({.certificate_file = identity.certificate_file(), .key_file = other.key_file()}),
              "TLS_KEY_FILE: the key in " + other.key_file() + " does not belong to the certificate in " +
                  identity.certificate_file());
    EXPECT_EQ(line({.pkcs12_file = folder / "store.p12", .password = "wrong"}),
              "TLS_PKCS12_PASSWORD: it does not open " + (folder / "store.p12"));
    EXPECT_TRUE(line({.pkcs12_file = identity.key_file()}).starts_with("TLS_PKCS12_FILE: "));
    EXPECT_TRUE(line({.pkcs12_file = folder / "store.p12", .password_file = "/nowhere/p"})
                    .starts_with("TLS_PKCS12_PASSWORD_FILE: cannot read /nowhere/p"));
    EXPECT_EQ(line({.pkcs12_file = folder / "store.p12", .password = "right"}), "opened");
}

TEST(ConfigNetwork, ProxiesAreAddressesAndRanges) {
    const auto config = read({{"TRUSTED_PROXIES", "10.0.0.0/8, 192.0.2.7,fd00::/8,"}});
    ASSERT_TRUE(config) << config.error().detail;
    for (const auto* address : {"10.1.2.3", "192.0.2.7", "fd12::1"}) {
        EXPECT_TRUE(config->trusted_proxies.contains(*net::parse_address(address))) << address;
    }
    EXPECT_FALSE(config->trusted_proxies.contains(*net::parse_address("192.0.2.8")));
    for (const auto* bad : {"proxy.example.org", "10.0.0.0/40", "10.0.0.1;10.0.0.2"}) {
        EXPECT_TRUE(
            complaint({{"TRUSTED_PROXIES", bad}}).starts_with("TRUSTED_PROXIES: expected addresses or ranges such as "))
            << bad;
    }
}

}  // namespace
}  // namespace app
