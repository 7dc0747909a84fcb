#include "media/server/send_batch.hpp"

#include <netinet/in.h>
#include <netinet/udp.h>

#include <cerrno>
#include <cstring>

namespace media::server {

namespace {

constexpr std::size_t kControl = 128;
/// The kernel's bounds for one message: so many segments, and a length that fits into an IP packet.
constexpr std::size_t kMostSegments = 64;
constexpr std::size_t kMostBytes = 65'000;
/// Where the open message of a destination is found again. A power of two above kDatagrams.
constexpr std::size_t kPlaces = 128;
constexpr std::uint8_t kNone = 0xff;

bool is_from(const LocalAddress& a, const LocalAddress& b) {
    return a.known == b.known && (!a.known || a.bytes == b.bytes);
}

}  // namespace

/// Datagrams of one length for one destination; the last one may be shorter.
struct SendBatch::Message {
    wire::TransportAddress to;
    LocalAddress from;
    std::size_t segment = 0;
    std::size_t bytes = 0;
    std::uint8_t first = kNone;
    std::uint8_t last = kNone;
    std::uint8_t count = 0;
    bool closed = false;
};

struct SendBatch::Room {
    std::array<std::array<std::uint8_t, kMaxDatagram>, kDatagrams> bytes;
    std::array<std::uint16_t, kDatagrams> sizes;
    std::array<std::uint8_t, kDatagrams> next;
    std::array<Message, kDatagrams> messages;
    std::array<std::uint8_t, kPlaces> places;
    std::array<sockaddr_storage, kDatagrams> names;
    std::array<std::array<std::uint8_t, kControl>, kDatagrams> controls;
    std::array<iovec, kDatagrams> vectors;
    std::array<mmsghdr, kDatagrams> headers;
};

SendBatch::SendBatch(bool v6_socket, bool segmentation)
    : room_(std::make_unique<Room>()), v6_(v6_socket), segmentation_(segmentation) {
    room_->places.fill(kNone);
}

SendBatch::~SendBatch() = default;

SendBatch::Message* SendBatch::new_message(const wire::TransportAddress& to, const LocalAddress& from,
                                           std::size_t size) {
    const std::size_t at = messages_;
    const socklen_t length = write_sockaddr(to, v6_, room_->names[at]);
    if (length == 0) return nullptr;
    room_->headers[at].msg_hdr.msg_namelen = length;
    ++messages_;
    room_->messages[at] = Message{.to = to, .from = from, .segment = size};
    return &room_->messages[at];
}

SendBatch::Message* SendBatch::open_message(const wire::TransportAddress& to, const LocalAddress& from,
                                            std::size_t size) {
    if (!segmentation_) return new_message(to, from, size);
    std::size_t place = std::hash<wire::TransportAddress>{}(to) % kPlaces;
    while (room_->places[place] != kNone && room_->messages[room_->places[place]].to != to) {
        place = (place + 1) % kPlaces;
    }
    if (room_->places[place] != kNone) {
        Message& open = room_->messages[room_->places[place]];
        if (!open.closed && size <= open.segment && open.count < kMostSegments && open.bytes + size <= kMostBytes &&
            is_from(open.from, from)) {
            return &open;
        }
    }
    Message* made = new_message(to, from, size);
    if (made != nullptr) room_->places[place] = static_cast<std::uint8_t>(made - room_->messages.data());
    return made;
}

bool SendBatch::add(core::BytesView bytes, const wire::TransportAddress& to, const LocalAddress& from) {
    if (bytes.empty() || bytes.size() > kMaxDatagram || full()) return false;
    Message* message = open_message(to, from, bytes.size());
    if (message == nullptr) return false;
    const auto at = static_cast<std::uint8_t>(datagrams_++);
    std::memcpy(room_->bytes[at].data(), bytes.data(), bytes.size());
    room_->sizes[at] = static_cast<std::uint16_t>(bytes.size());
    room_->next[at] = kNone;
    if (message->first == kNone) {
        message->first = at;
    } else {
        room_->next[message->last] = at;
    }
    message->last = at;
    message->bytes += bytes.size();
    message->closed = bytes.size() < message->segment;
    ++message->count;
    return true;
}

/// The kernel's view of all messages.
void SendBatch::prepare() {
    std::size_t vector = 0;
    for (std::size_t i = 0; i < messages_; ++i) {
        const Message& message = room_->messages[i];
        msghdr& header = room_->headers[i].msg_hdr;
        header.msg_name = &room_->names[i];
        header.msg_iov = &room_->vectors[vector];
        header.msg_iovlen = message.count;
        header.msg_flags = 0;
        for (std::uint8_t at = message.first; at != kNone; at = room_->next[at]) {
            room_->vectors[vector++] = {room_->bytes[at].data(), room_->sizes[at]};
        }
        auto& control = room_->controls[i];
        std::size_t used = write_source(message.from, v6_, control);
        if (message.count > 1) {
            used += write_segment_size(static_cast<std::uint16_t>(message.segment), std::span(control).subspan(used));
        }
        header.msg_control = used == 0 ? nullptr : control.data();
        header.msg_controllen = used;
    }
}

SendBatch::Outcome SendBatch::send_singly(int fd, std::size_t message) {
    Outcome outcome;
    msghdr header = room_->headers[message].msg_hdr;
    const LocalAddress& from = room_->messages[message].from;
    header.msg_controllen = write_source(from, v6_, room_->controls[message]);
    if (header.msg_controllen == 0) header.msg_control = nullptr;
    header.msg_iovlen = 1;
    for (std::size_t i = 0; i < room_->messages[message].count; ++i, ++header.msg_iov) {
        ++(sendmsg(fd, &header, MSG_DONTWAIT) >= 0 ? outcome.sent : outcome.not_sent);
    }
    return outcome;
}

SendBatch::Outcome SendBatch::send(int fd) {
    Outcome outcome;
    outcome.messages = messages_;
    prepare();
    std::size_t begin = 0;
    while (begin < messages_) {
        const int count =
            sendmmsg(fd, room_->headers.data() + begin, static_cast<unsigned>(messages_ - begin), MSG_DONTWAIT);
        if (count > 0) {
            for (const std::size_t end = begin + static_cast<std::size_t>(count); begin < end; ++begin) {
                outcome.sent += room_->messages[begin].count;
            }
            continue;
        }
        const int error = errno;
        if (error == EAGAIN || error == EWOULDBLOCK || error == ENOBUFS) {
            for (; begin < messages_; ++begin) outcome.not_sent += room_->messages[begin].count;
            break;
        }
        // The first message is what failed: its destination cannot be reached, or the way there knows no segmentation
        // (or only of what fits into its MTU). The others may go.
        if (room_->messages[begin].count > 1) {
            if (error == EIO || error == EOPNOTSUPP) segmentation_ = false;
            const Outcome single = send_singly(fd, begin);
            outcome.sent += single.sent;
            outcome.not_sent += single.not_sent;
        } else {
            ++outcome.not_sent;
        }
        ++begin;
    }
    datagrams_ = 0;
    messages_ = 0;
    room_->places.fill(kNone);
    return outcome;
}

}  // namespace media::server
