// Whatever lies in a column that should hold a sealed text, and whatever is given as master keys.
#include <cstdlib>
#include <string_view>

#include "store/sealed/master_keys.hpp"
#include "store/sealed/sealed_values.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace store::sealed;
    static const DataKeys keys({{1, core::Aes256Gcm(core::Bytes(core::Aes256Gcm::kKey, 1))}});
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto opened = keys.open(kNotes, "row", text);
    // Only what is no sealed text is taken as it stands.
    if (opened && key_number_of(text).has_value()) std::abort();
    if (opened && *opened != text) std::abort();
    (void)sealed_part(text);
    (void)parse_master_keys(text);
    if (keys.open(kNotes, "row", keys.seal(kNotes, "row", text)).value() != text) std::abort();
    return 0;
}
