// Files and answers that hold AWS keys. The first byte says which: the credentials file, the config file, or JSON.
#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "meetings/chime/credential_documents.hpp"

namespace {

using meetings::chime::AwsKeys;

/// Whatever is found fits into a header and an Authorization line.
void demand_clean(const AwsKeys& keys) {
    const auto visible = [](const std::string& text) {
        return std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7f'; });
    };
    if (keys.access_key_id.empty() || keys.secret_access_key.empty()) std::abort();
    if (!visible(keys.access_key_id) || !visible(keys.session_token)) std::abort();
    if (keys.access_key_id.find('/') != std::string::npos) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::string_view text{reinterpret_cast<const char*>(data) + 1, size - 1};
    if (data[0] % 3 == 2) {
        if (const auto keys = meetings::chime::keys_in_json(text)) demand_clean(*keys);
        return 0;
    }
    for (const auto* profile : {"default", "a"}) {
        const auto keys = data[0] % 3 == 0 ? meetings::chime::keys_in_credentials_file(text, profile)
                                           : meetings::chime::keys_in_config_file(text, profile);
        if (keys && *keys) demand_clean(**keys);
    }
    return 0;
}
