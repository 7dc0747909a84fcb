// Lines of checkpoints as anybody may have written them: read or refused, and what is read is what was signed.
#include <cstdint>
#include <cstdlib>

#include "core/bytes.hpp"
#include "service/audit_mac.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const service::AuditKeys keys("a key for nothing but this test!");
    const auto line = core::as_text({data, size});
    const auto read = keys.read_checkpoint(line);
    // Only our own lines are signed.
    if (read && keys.checkpoint_line(*read) != line) std::abort();
    return 0;
}
