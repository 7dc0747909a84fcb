#include "media/room/signal_strength.hpp"

#include <algorithm>

namespace media::room {

void SignalStrength::update(const Second& second) {
    const double loss = std::max(second.loss_up, second.loss_down);
    const bool bad = second.starved || loss > kMuchLoss;
    const bool good = !second.starved && loss < kLittleLoss;
    against_ = (poor_ ? good : bad) ? against_ + 1 : 0;
    if (against_ < (poor_ ? kGoodSeconds : kBadSeconds)) return;
    poor_ = !poor_;
    against_ = 0;
}

}  // namespace media::room
