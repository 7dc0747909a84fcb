#include "media/transport/certificate.hpp"

#include <openssl/bn.h>
#include <openssl/ec.h>

#include <algorithm>
#include <stdexcept>
#include <string>

namespace media::transport {
namespace {

void require(bool done, const char* what) {
    if (!done) throw std::runtime_error(std::string("cannot make the DTLS certificate: ") + what);
}

}  // namespace

std::optional<Fingerprint> Fingerprint::from_digest(core::BytesView digest) {
    Fingerprint result;
    if (digest.size() != result.digest.size()) return std::nullopt;
    std::ranges::copy(digest, result.digest.begin());
    return result;
}

Fingerprint Fingerprint::of(const X509& certificate) {
    Fingerprint result;
    unsigned size = 0;
    require(X509_digest(&certificate, EVP_sha256(), result.digest.data(), &size) == 1, "digest");
    return result;
}

Certificate::Certificate() : key_(EVP_EC_gen("P-256")), x509_(X509_new()) {
    require(key_ && x509_, "key");
    X509* certificate = x509_.get();
    require(X509_set_version(certificate, X509_VERSION_3) == 1, "version");

    OpensslPtr<BIGNUM, BN_free> serial(BN_new());
    require(serial && BN_rand(serial.get(), 127, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ODD) == 1, "serial");
    require(BN_to_ASN1_INTEGER(serial.get(), X509_get_serialNumber(certificate)) != nullptr, "serial");

    constexpr long kDay = 24L * 60 * 60;
    require(X509_gmtime_adj(X509_getm_notBefore(certificate), -kDay) != nullptr, "begin");
    require(X509_gmtime_adj(X509_getm_notAfter(certificate), 365 * kDay) != nullptr, "end");

    X509_NAME* name = X509_get_subject_name(certificate);
    const auto* common = reinterpret_cast<const unsigned char*>("media");
    require(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, common, -1, -1, 0) == 1, "name");
    require(X509_set_issuer_name(certificate, name) == 1, "issuer");
    require(X509_set_pubkey(certificate, key_.get()) == 1, "public key");
    require(X509_sign(certificate, key_.get(), EVP_sha256()) > 0, "signature");
    fingerprint_ = Fingerprint::of(*certificate);
}

}  // namespace media::transport
