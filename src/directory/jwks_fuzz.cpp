// Key sets from strangers.
#include <cstdlib>

#include "directory/key_set.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    const auto set = directory::KeySet::parse(text);
    if (!set) {
        if (set.error().kind != core::ErrorKind::bad_gateway) std::abort();
        return 0;
    }
    if (set->size() > directory::KeySet::kMaxKeys) std::abort();
    for (const auto type : {directory::KeyType::rsa, directory::KeyType::p256}) {
        const auto* key = set->find({}, type, type == directory::KeyType::rsa ? "RS256" : "ES256");
        if (key != nullptr && !key->starts_with("-----BEGIN PUBLIC KEY-----\n")) std::abort();
    }
    return 0;
}
