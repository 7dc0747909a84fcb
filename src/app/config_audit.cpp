#include <algorithm>
#include <string>

#include "app/config_reader.hpp"

namespace app {
namespace {

/// As long as the hash it goes into: a shorter key is weaker than the MAC.
constexpr std::size_t kShortestKey = 32;
constexpr std::size_t kLongestKey = 4096;
constexpr std::size_t kMostOldKeys = 16;
constexpr std::string_view kDerived = "derived";

bool is_key(const std::string& text) {
    return text.size() >= kShortestKey && text.size() <= kLongestKey;
}

}  // namespace

void read_audit(Reader& reader, Config& config) {
    auto& audit = config.audit;
    audit.key = reader.find("AUDIT_KEY");
    if (audit.key && !is_key(*audit.key)) {
        reader.complain("AUDIT_KEY", "a secret of at least 32 characters, such as `openssl rand -base64 32` prints");
    }
    audit.old_keys = reader.list("AUDIT_KEY_OLD");
    const bool sane = audit.old_keys.size() <= kMostOldKeys && std::ranges::all_of(audit.old_keys, [](const auto& key) {
                          return key == kDerived || is_key(key);
                      });
    if (!sane) {
        reader.complain("AUDIT_KEY_OLD",
                        "former values of AUDIT_KEY with commas between, or derived for the time when there was none");
    }
    using service::AdminAccess;
    reader.choice("ADMIN_ACCESS", audit.admin_access,
                  {{"open", AdminAccess::open}, {"break-glass", AdminAccess::break_glass}});
}

}  // namespace app
