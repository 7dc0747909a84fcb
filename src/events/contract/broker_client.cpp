#include "events/contract/broker_client.hpp"

#include <amqp_tcp_socket.h>

#include <chrono>
#include <stdexcept>
#include <thread>

namespace events::contract {
namespace {

constexpr amqp_channel_t kChannel = 1;
constexpr std::chrono::seconds kPatience{30};

amqp_bytes_t view(const std::string& text) {
    return {text.size(), const_cast<char*>(text.data())};
}
std::string text(amqp_bytes_t bytes) {
    return {static_cast<const char*>(bytes.bytes), bytes.len};
}

std::string as_text(const amqp_field_value_t& value) {
    switch (value.kind) {
        case AMQP_FIELD_KIND_UTF8:
            return text(value.value.bytes);
        case AMQP_FIELD_KIND_I64:
            return std::to_string(value.value.i64);
        default:
            return "?";
    }
}

Received read(const amqp_basic_get_ok_t& got, const amqp_message_t& message) {
    Received received;
    received.body = text(message.body);
    received.exchange = text(got.exchange);
    received.routing_key = text(got.routing_key);
    const auto& properties = message.properties;
    const auto field = [&](amqp_flags_t flag, amqp_bytes_t bytes) {
        return (properties._flags & flag) != 0 ? text(bytes) : std::string{};
    };
    received.content_type = field(AMQP_BASIC_CONTENT_TYPE_FLAG, properties.content_type);
    received.content_encoding = field(AMQP_BASIC_CONTENT_ENCODING_FLAG, properties.content_encoding);
    received.message_id = field(AMQP_BASIC_MESSAGE_ID_FLAG, properties.message_id);
    received.type = field(AMQP_BASIC_TYPE_FLAG, properties.type);
    received.app_id = field(AMQP_BASIC_APP_ID_FLAG, properties.app_id);
    received.timestamp = (properties._flags & AMQP_BASIC_TIMESTAMP_FLAG) != 0 ? properties.timestamp : 0;
    received.delivery_mode = (properties._flags & AMQP_BASIC_DELIVERY_MODE_FLAG) != 0 ? properties.delivery_mode : 0;
    if ((properties._flags & AMQP_BASIC_HEADERS_FLAG) != 0) {
        for (int i = 0; i < properties.headers.num_entries; ++i) {
            const auto& entry = properties.headers.entries[i];
            received.headers[text(entry.key)] = as_text(entry.value);
        }
    }
    return received;
}

}  // namespace

BrokerClient::BrokerClient(const BrokerSettings& settings) : state_(amqp_new_connection()) {
    auto* const socket = amqp_tcp_socket_new(state_);
    if (amqp_socket_open(socket, settings.host.c_str(), settings.port) != AMQP_STATUS_OK ||
        amqp_login(state_, "/", 0, 131072, 0, AMQP_SASL_METHOD_PLAIN, settings.user.c_str(), settings.password.c_str())
                .reply_type != AMQP_RESPONSE_NORMAL) {
        amqp_destroy_connection(state_);
        throw std::runtime_error("no connection to the broker");
    }
    amqp_channel_open(state_, kChannel);
    amqp_confirm_select(state_, kChannel);
}

BrokerClient::~BrokerClient() {
    amqp_connection_close(state_, AMQP_REPLY_SUCCESS);
    amqp_destroy_connection(state_);
}

void BrokerClient::demand(const char* what) const {
    if (amqp_get_rpc_reply(state_).reply_type != AMQP_RESPONSE_NORMAL) throw std::runtime_error(what);
}

bool BrokerClient::declare_topic(const std::string& exchange) {
    return amqp_exchange_declare(state_, kChannel, view(exchange), amqp_cstring_bytes("topic"), 0, 1, 0, 0,
                                 amqp_empty_table) != nullptr;
}

bool BrokerClient::declare_queue(const std::string& queue) {
    return amqp_queue_declare(state_, kChannel, view(queue), 0, 1, 0, 0, amqp_empty_table) != nullptr;
}

void BrokerClient::declare_tiny_queue(const std::string& queue) {
    amqp_table_entry_t entries[2];
    entries[0].key = amqp_cstring_bytes("x-max-length");
    entries[0].value.kind = AMQP_FIELD_KIND_I32;
    entries[0].value.value.i32 = 1;
    entries[1].key = amqp_cstring_bytes("x-overflow");
    entries[1].value.kind = AMQP_FIELD_KIND_UTF8;
    entries[1].value.value.bytes = amqp_cstring_bytes("reject-publish");
    amqp_queue_declare(state_, kChannel, view(queue), 0, 1, 0, 0, {2, entries});
    demand("declare");
}

void BrokerClient::bind(const std::string& queue, const std::string& exchange, const std::string& key) {
    amqp_queue_bind(state_, kChannel, view(queue), view(exchange), view(key), amqp_empty_table);
    demand("bind");
}

void BrokerClient::remove_queue(const std::string& queue) {
    amqp_queue_delete(state_, kChannel, view(queue), 0, 0);
    demand("remove");
}

void BrokerClient::remove_exchange(const std::string& exchange) {
    amqp_exchange_delete(state_, kChannel, view(exchange), 0);
    demand("remove");
}

void BrokerClient::declare_exchange_of_type(const std::string& exchange, const std::string& type) {
    amqp_exchange_declare(state_, kChannel, view(exchange), view(type), 0, 1, 0, 0, amqp_empty_table);
    demand("declare");
}

void BrokerClient::purge(const std::string& queue) {
    amqp_queue_purge(state_, kChannel, view(queue));
    demand("purge");
}

void BrokerClient::send(const std::string& exchange, const std::string& key, const Sent& message) {
    std::vector<amqp_table_entry_t> headers;
    for (const auto& [name, value] : message.headers) {
        auto& entry = headers.emplace_back();
        entry.key = view(name);
        entry.value.kind = AMQP_FIELD_KIND_UTF8;
        entry.value.value.bytes = view(value);
    }
    amqp_basic_properties_t properties{};
    properties._flags = AMQP_BASIC_CONTENT_TYPE_FLAG | AMQP_BASIC_CONTENT_ENCODING_FLAG |
                        AMQP_BASIC_DELIVERY_MODE_FLAG | AMQP_BASIC_HEADERS_FLAG;
    properties.content_type = view(message.content_type);
    properties.content_encoding = amqp_cstring_bytes("UTF-8");
    properties.delivery_mode = 2;
    properties.headers = {static_cast<int>(headers.size()), headers.data()};
    if (amqp_basic_publish(state_, kChannel, view(exchange), view(key), 0, 0, &properties, view(message.body)) !=
        AMQP_STATUS_OK) {
        throw std::runtime_error("send");
    }
    amqp_frame_t frame;
    if (amqp_simple_wait_frame(state_, &frame) != AMQP_STATUS_OK || frame.frame_type != AMQP_FRAME_METHOD ||
        frame.payload.method.id != AMQP_BASIC_ACK_METHOD) {
        throw std::runtime_error("not confirmed");
    }
    amqp_maybe_release_buffers(state_);
}

std::uint32_t BrokerClient::depth(const std::string& queue) {
    const auto* declared = amqp_queue_declare(state_, kChannel, view(queue), 1, 1, 0, 0, amqp_empty_table);
    if (declared == nullptr) throw std::runtime_error("no queue " + queue);
    const auto count = declared->message_count;
    amqp_maybe_release_buffers(state_);
    return count;
}

std::optional<Received> BrokerClient::take(const std::string& queue) {
    const auto reply = amqp_basic_get(state_, kChannel, view(queue), 1);
    demand("get");
    if (reply.reply.id == AMQP_BASIC_GET_EMPTY_METHOD) {
        amqp_maybe_release_buffers(state_);
        return std::nullopt;
    }
    amqp_message_t message;
    if (amqp_read_message(state_, kChannel, &message, 0).reply_type != AMQP_RESPONSE_NORMAL) {
        throw std::runtime_error("read");
    }
    auto received = read(*static_cast<const amqp_basic_get_ok_t*>(reply.reply.decoded), message);
    amqp_destroy_message(&message);
    amqp_maybe_release_buffers(state_);
    return received;
}

std::vector<Received> BrokerClient::take_all(const std::string& queue) {
    std::vector<Received> all;
    while (auto next = take(queue)) all.push_back(std::move(*next));
    return all;
}

std::vector<Received> BrokerClient::take(const std::string& queue, std::size_t count) {
    std::vector<Received> all;
    const auto limit = std::chrono::steady_clock::now() + kPatience;
    while (all.size() < count && std::chrono::steady_clock::now() < limit) {
        if (auto next = take(queue)) {
            all.push_back(std::move(*next));
        } else {
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
        }
    }
    return all;
}

}  // namespace events::contract
