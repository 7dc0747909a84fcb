#include <string>

#include "app/config_reader.hpp"
#include "store/sealed/master_keys.hpp"

namespace app {
namespace {

constexpr int kLongestRetention = 36500;

}  // namespace

void read_privacy(Reader& reader, Config& config) {
    auto& privacy = config.privacy;
    reader.text("ENCRYPTION_KEY", privacy.encryption_keys);
    if (!privacy.encryption_keys.empty() && !store::sealed::parse_master_keys(privacy.encryption_keys)) {
        reader.complain("ENCRYPTION_KEY",
                        "name:key, several with commas between, no name twice; a key is what `openssl rand -base64 32` "
                        "prints");
    }
    reader.duration("RETENTION_DAYS", privacy.retention, 0, kLongestRetention);
    reader.choice("RETENTION_MODE", privacy.purge, {{"anonymise", false}, {"purge", true}});
}

}  // namespace app
