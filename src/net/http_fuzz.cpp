// What any client may send, in pieces whose sizes the input decides as well.
#include <algorithm>
#include <cstdlib>

#include "net/http_reader.hpp"
#include "net/http_writer.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 1) return 0;
    const std::size_t step = data[0] + 1u;
    const char* at = reinterpret_cast<const char*>(data) + 1;
    const char* const end = at + size - 1;
    const net::RequestReader::Limits limits{.header = 512, .body = 256, .fields = 8};
    net::RequestReader reader(limits);
    for (;;) {
        const auto state = reader.advance();
        if (state == net::RequestReader::State::refused) {
            if (reader.refusal().status < 400 || reader.refusal().detail.empty()) std::abort();
            return 0;
        }
        if (state == net::RequestReader::State::ready) {
            const auto& request = reader.request();
            if (request.method.empty() || request.target.empty() || request.body.size() > limits.body) std::abort();
            if (request.target.size() > limits.header) std::abort();
            reader.is_websocket_upgrade();
            std::string head;
            net::Response response;
            response.headers = {{"Location", std::string{request.target}}};
            net::append_head(head, response,
                             {.request_id = "id", .keep_alive = reader.keep_alive(), .http10 = reader.is_http10()});
            if (head.find("\r\n\r\n") != head.size() - 4) std::abort();
            reader.next();
            continue;
        }
        reader.take_wants_continue();
        if (at == end) return 0;
        const auto room = reader.prepare();
        if (room.empty() || room.size() > 64 * 1024) std::abort();
        const auto count = std::min({room.size(), static_cast<std::size_t>(end - at), step});
        std::copy_n(at, count, room.begin());
        reader.commit(count);
        at += count;
    }
}
