// A participant of a room of Janus's videoroom plugin, over its WebSocket interface: one connection that publishes, and
// one, offered by Janus, that receives everybody else. Janus forwards every microphone by itself where our server
// mixes.
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "attendant.hpp"
#include "descriptions.hpp"
#include "media_receiver.hpp"
#include "media_sender.hpp"

namespace bench {

class JanusParticipant final : public Attendant {
  public:
    /// Takes the numbers `client` and `client + 1`. `room`: its number, made in Janus's configuration.
    JanusParticipant(const Stage& stage, std::uint32_t client, const std::string& url, const std::string& room,
                     std::size_t others);

    void beat(Nanos now) override;
    WebSocketClient& socket() override { return socket_; }
    std::vector<PeerConnection*> connections() override { return {&up_, &down_}; }
    bool flowing() const override {
        return subscribed_ && up_.media_ready() && down_.media_ready() && receiver_.flowing();
    }
    const std::string& trouble() const override { return trouble_; }
    void begin_window(Nanos now) override { receiver_.begin_window(now); }
    void end_window(Window& window, Nanos now) override { receiver_.end_window(window, now); }
    void leave() override;

  private:
    struct Up final : MediaEvents {
        explicit Up(JanusParticipant& owner) : of(owner) {}
        void on_rtp(std::span<std::uint8_t>, Nanos) override {}
        void on_rtcp(core::BytesView compound, Nanos arrived) override;
        JanusParticipant& of;
    };
    struct Down final : MediaEvents {
        explicit Down(JanusParticipant& owner) : of(owner) {}
        void on_rtp(std::span<std::uint8_t> packet, Nanos arrived) override {
            of.receiver_.take(packet, arrived, of.down_);
        }
        void on_rtcp(core::BytesView compound, Nanos arrived) override;
        JanusParticipant& of;
    };

    void say(boost::json::object message, std::string_view transaction, std::uint64_t handle);
    void on_message(std::string_view text);
    void on_success(std::string_view transaction, std::uint64_t id);
    void on_event(const boost::json::object& data, const std::string& sdp);
    void add_publishers(const boost::json::object& data);
    void publish();
    void subscribe();
    void on_publisher_answer(const std::string& sdp);
    void on_subscriber_offer(const std::string& sdp);
    void report(Nanos now);

    Up up_events_{*this};
    Down down_events_{*this};
    PeerConnection up_;
    PeerConnection down_;
    MediaSender sender_;
    MediaReceiver receiver_;
    std::uint64_t room_;
    std::size_t others_;
    std::string down_candidate_;
    OfferPlan offer_;
    std::uint64_t session_ = 0;
    std::uint64_t publisher_ = 0;
    std::uint64_t subscriber_ = 0;
    std::uint64_t private_id_ = 0;
    std::vector<std::uint64_t> feeds_;
    bool subscribing_ = false;
    bool subscribed_ = false;
    Nanos next_report_ = 0;
    Nanos next_keep_alive_ = 0;
    std::string trouble_;
    WebSocketClient socket_;
};

}  // namespace bench
