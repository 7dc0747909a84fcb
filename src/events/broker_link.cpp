#include "events/broker_link.hpp"

#include <amqp_tcp_socket.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <new>
#include <utility>

#include "events/amqp_values.hpp"
#include "events/broker_inbox.hpp"
#include "events/dial.hpp"

namespace events {
namespace {

using std::chrono::milliseconds;

constexpr amqp_channel_t kChannel = 1;
constexpr int kFrameMax = 131'072;
constexpr std::uint8_t kPersistent = 2;

constexpr auto kBroken = "the connection to the broker broke";
constexpr auto kSilent = "the broker does not answer";

timeval as_timeval(milliseconds duration) {
    return {static_cast<time_t>(duration.count() / 1000), static_cast<suseconds_t>(duration.count() % 1000 * 1000)};
}

std::string describe(int status) {
    switch (status) {
        case AMQP_STATUS_TIMEOUT:
        case AMQP_STATUS_HEARTBEAT_TIMEOUT:
            return kSilent;
        case AMQP_STATUS_INCOMPATIBLE_AMQP_VERSION:
        case AMQP_STATUS_BAD_AMQP_DATA:
        case AMQP_STATUS_WRONG_METHOD:
            return "what answers there is no AMQP broker";
        case AMQP_STATUS_BROKER_UNSUPPORTED_SASL_METHOD:
            return "the broker takes no user name and password";
        default:
            return kBroken;
    }
}

/// The broker's code for why it closes the channel or the connection; 0 when it did not say.
int reason_code(const amqp_rpc_reply_t& reply) {
    if (reply.reply_type != AMQP_RESPONSE_SERVER_EXCEPTION) return 0;
    switch (reply.reply.id) {
        case AMQP_CONNECTION_CLOSE_METHOD:
            return static_cast<const amqp_connection_close_t*>(reply.reply.decoded)->reply_code;
        case AMQP_CHANNEL_CLOSE_METHOD:
            return static_cast<const amqp_channel_close_t*>(reply.reply.decoded)->reply_code;
        default:
            return 0;
    }
}

/// Why `what` could not be had.
std::string describe(const amqp_rpc_reply_t& reply, std::string_view what) {
    switch (reason_code(reply)) {
        case 0:
            return reply.reply_type == AMQP_RESPONSE_LIBRARY_EXCEPTION ? describe(reply.library_error) : kBroken;
        case AMQP_ACCESS_REFUSED:
            return "the broker's user may not use " + std::string(what);
        case AMQP_PRECONDITION_FAILED:
            return "the broker has " + std::string(what) + " with other properties";
        default:
            return "the broker refuses " + std::string(what);
    }
}

std::string describe_login(const amqp_rpc_reply_t& reply) {
    switch (reason_code(reply)) {
        case 0:
            return describe(reply, "");
        case AMQP_ACCESS_REFUSED:
            return "the broker refuses the user or the password";
        case AMQP_NOT_ALLOWED:
            return "the broker has no such virtual host, or not for this user";
        default:
            return "the broker refuses the login";
    }
}

}  // namespace

struct BrokerLink::Connection {
    Connection() : state(amqp_new_connection()) {
        if (state == nullptr || amqp_tcp_socket_new(state) == nullptr) {
            amqp_destroy_connection(state);
            throw std::bad_alloc();
        }
    }
    ~Connection() { amqp_destroy_connection(state); }
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    bool succeeded() const { return reply().reply_type == AMQP_RESPONSE_NORMAL; }
    amqp_rpc_reply_t reply() const { return amqp_get_rpc_reply(state); }

    amqp_connection_state_t state;
    BrokerInbox inbox;
    std::uint64_t next_tag = 1;
};

BrokerLink::BrokerLink(BrokerSettings settings, std::string name, std::shared_ptr<Waker> waker)
    : settings_(std::move(settings)), name_(std::move(name)), waker_(std::move(waker)) {}

BrokerLink::~BrokerLink() {
    let_go();
}

core::Result<void> BrokerLink::open_for_publishing() {
    if (auto connected = connect(); !connected) return connected;
    return declare_exchanges();
}

core::Result<void> BrokerLink::open_for_requests() {
    if (auto connected = connect(); !connected) return connected;
    if (auto declared = declare_exchanges(); !declared) return declared;
    if (auto declared = declare_queues(); !declared) return declared;
    return start_requests();
}

bool BrokerLink::is_open() const {
    return connection_ != nullptr;
}

bool BrokerLink::blocked() const {
    return connection_ != nullptr && connection_->inbox.blocked();
}

core::Result<void> BrokerLink::connect() {
    let_go();
    settled_.clear();
    const auto socket =
        dial(settings_.host, settings_.port, settings_.dial_timeout, *waker_, [this] { return ended(); });
    if (!socket) return std::unexpected(socket.error());
    connection_ = std::make_unique<Connection>();
    amqp_tcp_socket_set_sockfd(amqp_get_socket(connection_->state), *socket);
    if (auto held = hold(*socket); !held) return held;
    return log_in();
}

core::Result<void> BrokerLink::log_in() {
    const auto state = connection_->state;
    const auto patience = as_timeval(settings_.reply_timeout);
    amqp_set_handshake_timeout(state, &patience);
    amqp_set_rpc_timeout(state, &patience);

    std::vector<amqp_table_entry_t> abilities = {flag_entry("publisher_confirms", true), flag_entry("basic.nack", true),
                                                 flag_entry("consumer_cancel_notify", true),
                                                 flag_entry("connection.blocked", true)};
    auto ability_table = table_of(abilities);
    std::vector<amqp_table_entry_t> about = {text_entry("connection_name", name_), text_entry("product", kAppId),
                                             table_entry("capabilities", ability_table)};
    const auto about_table = table_of(about);
    const auto reply = amqp_login_with_properties(
        state, virtual_host(settings_.vhost).c_str(), 0, kFrameMax, static_cast<int>(settings_.heartbeat.count()),
        &about_table, AMQP_SASL_METHOD_PLAIN, settings_.user.c_str(), settings_.password.c_str());
    if (reply.reply_type != AMQP_RESPONSE_NORMAL) return lose(describe_login(reply));

    amqp_channel_open(state, kChannel);
    if (!connection_->succeeded()) return lose(describe(connection_->reply(), "a channel"));
    amqp_confirm_select(state, kChannel);
    if (!connection_->succeeded()) return lose(describe(connection_->reply(), "confirmations"));
    return {};
}

core::Result<void> BrokerLink::declare_exchanges() {
    for (const std::string_view name : {std::string_view(settings_.exchange), kUserEventsExchange}) {
        amqp_exchange_declare(connection_->state, kChannel, amqp_text(name), amqp_text("topic"), 0, 1, 0, 0,
                              amqp_empty_table);
        if (!connection_->succeeded()) {
            return lose(describe(connection_->reply(), "the exchange " + std::string(name)));
        }
    }
    return {};
}

core::Result<void> BrokerLink::declare_queues() {
    const auto state = connection_->state;
    for (const auto name : {kRequestsQueue, kParkedQueue}) {
        amqp_queue_declare(state, kChannel, amqp_text(name), 0, 1, 0, 0, amqp_empty_table);
        if (!connection_->succeeded()) return lose(describe(connection_->reply(), "the queue " + std::string(name)));
    }
    std::vector<std::string_view> exchanges = {settings_.exchange};
    if (settings_.exchange != kAppointmentsExchange) {
        amqp_exchange_declare(state, kChannel, amqp_text(kAppointmentsExchange), amqp_text("topic"), 0, 1, 0, 0,
                              amqp_empty_table);
        if (!connection_->succeeded()) {
            return lose(describe(connection_->reply(), "the exchange " + std::string(kAppointmentsExchange)));
        }
        exchanges.push_back(kAppointmentsExchange);
    }
    for (const auto exchange : exchanges) {
        for (const auto key : kRequestKeys) {
            amqp_queue_bind(state, kChannel, amqp_text(kRequestsQueue), amqp_text(exchange), amqp_text(key),
                            amqp_empty_table);
            if (!connection_->succeeded()) {
                return lose(describe(connection_->reply(), "a binding of the queue " + std::string(kRequestsQueue)));
            }
        }
    }
    return {};
}

core::Result<void> BrokerLink::start_requests() {
    const auto state = connection_->state;
    amqp_basic_qos(state, kChannel, 0, settings_.prefetch, 0);
    if (!connection_->succeeded()) return lose(describe(connection_->reply(), "a prefetch limit"));
    amqp_basic_consume(state, kChannel, amqp_text(kRequestsQueue), amqp_empty_bytes, 0, 0, 0, amqp_empty_table);
    if (!connection_->succeeded()) {
        return lose(describe(connection_->reply(), "the queue " + std::string(kRequestsQueue)));
    }
    return {};
}

void BrokerLink::close(milliseconds limit) {
    if (connection_ != nullptr) {
        const auto patience = as_timeval(limit);
        amqp_set_rpc_timeout(connection_->state, &patience);
        amqp_connection_close(connection_->state, AMQP_REPLY_SUCCESS);
    }
    let_go();
}

core::Result<std::uint64_t> BrokerLink::publish(const Outgoing& message, const Route& route) {
    std::vector<amqp_table_entry_t> headers = {text_entry("session_id", message.session_id),
                                               number_entry("sequence", message.sequence)};
    const auto traceparent = core::trace::traceparent(message.trace);
    if (!traceparent.empty()) headers.push_back(text_entry("traceparent", traceparent));
    if (!traceparent.empty() && !message.trace.state.empty()) {
        headers.push_back(text_entry("tracestate", message.trace.state));
    }
    amqp_basic_properties_t properties{};
    properties._flags = AMQP_BASIC_CONTENT_TYPE_FLAG | AMQP_BASIC_DELIVERY_MODE_FLAG | AMQP_BASIC_MESSAGE_ID_FLAG |
                        AMQP_BASIC_TIMESTAMP_FLAG | AMQP_BASIC_TYPE_FLAG | AMQP_BASIC_APP_ID_FLAG |
                        AMQP_BASIC_HEADERS_FLAG;
    properties.content_type = amqp_text(route.content_type);
    properties.delivery_mode = kPersistent;
    properties.message_id = amqp_text(message.message_id);
    properties.timestamp = static_cast<std::uint64_t>(
        std::chrono::floor<std::chrono::seconds>(message.timestamp.time_since_epoch()).count());
    properties.type = amqp_text(message.type);
    properties.app_id = amqp_text(kAppId);
    properties.headers = table_of(headers);
    return send(route, properties, message.body, false);
}

core::Result<std::uint64_t> BrokerLink::park(const Delivery& delivery, std::string_view reason, core::Time at) {
    auto properties = delivery.properties->kept();
    std::vector<amqp_table_entry_t> headers;
    if ((properties._flags & AMQP_BASIC_HEADERS_FLAG) != 0) {
        headers.assign(properties.headers.entries, properties.headers.entries + properties.headers.num_entries);
    }
    // Whoever sent a parked message to the queue again left the old ones in it.
    std::erase_if(headers,
                  [](const amqp_table_entry_t& entry) { return from_amqp(entry.key).starts_with("x-parked-"); });
    const auto when = core::format_rfc3339(at);
    headers.push_back(text_entry("x-parked-reason", reason));
    headers.push_back(text_entry("x-parked-at", when));
    properties.headers = table_of(headers);
    properties.delivery_mode = kPersistent;
    properties._flags |= AMQP_BASIC_HEADERS_FLAG | AMQP_BASIC_DELIVERY_MODE_FLAG;
    return send({"", std::string(kParkedQueue), ""}, properties, delivery.body, true);
}

core::Result<std::uint64_t> BrokerLink::send(const Route& route, const amqp_basic_properties_t& properties,
                                             std::string_view body, bool must_arrive) {
    if (connection_ == nullptr) return lose(kBroken);
    const int status =
        amqp_basic_publish(connection_->state, kChannel, amqp_text(route.exchange), amqp_text(route.routing_key),
                           must_arrive ? 1 : 0, 0, &properties, amqp_text(body));
    if (status != AMQP_STATUS_OK) return lose(describe(status));
    const auto tag = connection_->next_tag++;
    connection_->inbox.expect(tag, must_arrive);
    return tag;
}

core::Result<void> BrokerLink::acknowledge(std::uint64_t delivery_tag) {
    if (connection_ == nullptr) return lose(kBroken);
    const int status = amqp_basic_ack(connection_->state, kChannel, delivery_tag, 0);
    if (status != AMQP_STATUS_OK) return lose(describe(status));
    return {};
}

core::Result<void> BrokerLink::wait(milliseconds limit) {
    if (connection_ == nullptr) return lose(kBroken);
    const auto state = connection_->state;
    if (amqp_frames_enqueued(state) == 0 && amqp_data_in_buffer(state) == 0) {
        pollfd polled[] = {{amqp_get_sockfd(state), POLLIN, 0}, {waker_->fd(), POLLIN, 0}};
        ::poll(polled, 2, static_cast<int>(limit.count()));
        if (polled[1].revents != 0) waker_->drain();
    }
    auto read = read_frames();
    std::ranges::move(std::exchange(connection_->inbox.settled, {}), std::back_inserter(settled_));
    if (!read) return lose(std::move(read.error().detail));
    return {};
}

core::Result<void> BrokerLink::read_frames() {
    const auto state = connection_->state;
    for (;;) {
        amqp_frame_t frame;
        const timeval at_once{};
        const int status = amqp_simple_wait_frame_noblock(state, &frame, &at_once);
        if (status == AMQP_STATUS_TIMEOUT) break;
        if (status != AMQP_STATUS_OK) return core::fail(core::ErrorKind::unavailable, describe(status));
        if (auto taken = connection_->inbox.take(frame); !taken) return taken;
    }
    amqp_maybe_release_buffers(state);
    return {};
}

std::vector<Settled> BrokerLink::take_settled() {
    return std::exchange(settled_, {});
}

std::optional<Delivery> BrokerLink::take_delivery() {
    if (connection_ == nullptr || connection_->inbox.deliveries.empty()) return std::nullopt;
    auto& waiting = connection_->inbox.deliveries;
    auto first = std::move(waiting.front());
    waiting.pop_front();
    return first;
}

/// Closes without a word and says why.
std::unexpected<core::Error> BrokerLink::lose(std::string why) {
    let_go();
    return core::fail(core::ErrorKind::unavailable, std::move(why));
}

core::Result<void> BrokerLink::hold(int socket) {
    {
        const std::scoped_lock lock(mutex_);
        if (!ended_) {
            socket_ = ::fcntl(socket, F_DUPFD_CLOEXEC, 0);
            if (socket_ >= 0) return {};
        }
    }
    return lose(kBroken);
}

void BrokerLink::let_go() {
    connection_.reset();
    const std::scoped_lock lock(mutex_);
    if (socket_ >= 0) ::close(std::exchange(socket_, -1));
}

void BrokerLink::drop() {
    const std::scoped_lock lock(mutex_);
    if (socket_ >= 0) ::shutdown(socket_, SHUT_RDWR);
}

void BrokerLink::end() {
    {
        const std::scoped_lock lock(mutex_);
        ended_ = true;
        if (socket_ >= 0) ::shutdown(socket_, SHUT_RDWR);
    }
    waker_->wake();
}

bool BrokerLink::ended() const {
    const std::scoped_lock lock(mutex_);
    return ended_;
}

}  // namespace events
