// The most that one core can do: encrypt packets and hand them to the kernel, nothing else.
#pragma once

#include <cstddef>
#include <vector>

namespace bench {

struct CeilingPlan {
    std::vector<std::size_t> sizes;  ///< RTP packets of these sizes, in turn; bytes before encryption.
    bool segmentation = false;       ///< UDP GSO: several packets of one size to one receiver in one message.
    double seconds = 2;
    int sender_core = 0;
    int reader_core = 1;
};
struct Ceiling {
    double packets_per_second = 0;  ///< Of the sending thread's CPU time.
    double cpu_share = 0;           ///< Of its core that the sending thread had: below 0.95 others were on it.
};
/// Throws std::runtime_error when the kernel refuses.
Ceiling measure_ceiling(const CeilingPlan& plan);

}  // namespace bench
