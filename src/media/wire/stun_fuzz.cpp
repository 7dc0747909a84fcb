// Any bytes as a STUN message; a message that reads must read the same through every accessor, within its bounds.
#include <cstdlib>

#include "media/wire/demux.hpp"
#include "media/wire/stun.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace media::wire;
    const core::BytesView bytes(data, size);
    classify(bytes);
    const auto message = StunMessage::parse(bytes);
    if (!message) return 0;
    message->check_integrity("password");
    message->check_fingerprint();
    if (const auto username = message->username()) {
        const auto names = split_username(*username);
        if (names && names->receiver.size() + names->sender.size() + 1 != username->size()) std::abort();
    }
    // Whoever asked gets an answer that reads back.
    std::array<std::uint8_t, kMaxStunResponse> out;
    const auto address = message->mapped_address().value_or(TransportAddress::v4(1, 2, 3, 4, 5));
    const std::size_t answer = write_binding_success(out, message->transaction_id(), address, "password");
    const auto back = StunMessage::parse(core::BytesView(out).first(answer));
    if (!back || back->mapped_address() != address || !back->check_integrity("password")) std::abort();
    return 0;
}
