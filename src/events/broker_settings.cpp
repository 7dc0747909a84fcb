#include "events/broker_settings.hpp"

#include <charconv>

namespace events {

std::string virtual_host(std::string_view written) {
    if (written.starts_with('/')) written.remove_prefix(1);
    if (written.empty()) return "/";
    std::string name;
    for (std::size_t i = 0; i < written.size(); ++i) {
        unsigned char byte = 0;
        const char* const digits = written.data() + i + 1;
        if (written[i] == '%' && i + 2 < written.size() &&
            std::from_chars(digits, digits + 2, byte, 16).ptr == digits + 2) {
            name += static_cast<char>(byte);
            i += 2;
        } else {
            name += written[i];
        }
    }
    return name;
}

}  // namespace events
