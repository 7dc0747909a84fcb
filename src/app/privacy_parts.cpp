#include "app/privacy_parts.hpp"

#include <string>

#include "core/bytes.hpp"

namespace app {
namespace {

service::RetentionSettings settings_of(const PrivacyConfig& config) {
    service::RetentionSettings settings;
    settings.keep = config.retention;
    settings.purge = config.purge;
    settings.holder = core::uuid4();
    return settings;
}

}  // namespace

PrivacyParts::PrivacyParts(const PrivacyConfig& config, OpenStore& store, store::sealed::KeyRing& ring,
                           const core::Clock& clock)
    : ring_(ring),
      retention_(
          settings_of(config), *store.store, *store.archive,
          [&ring](const std::string& user_id) {
              return "anon-" + core::hex(ring.keys()->mark("pseudonym", user_id)).substr(0, 32);
          },
          clock) {}

}  // namespace app
