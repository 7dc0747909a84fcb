// A participant of a meeting on our server, as a browser with amazon-chime-sdk-js behaves: JOIN, SUBSCRIBE with camera,
// a second SUBSCRIBE when the INDEX lists the others, one connection for everything.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "attendant.hpp"
#include "descriptions.hpp"
#include "media/wire/signalling.pb.h"
#include "media_receiver.hpp"
#include "media_sender.hpp"

namespace bench {

class Participant final : public Attendant, private MediaEvents {
  public:
    /// `others`: how many cameras it waits for before it subscribes.
    Participant(const Stage& stage, std::uint32_t client, const std::string& url, const std::string& join_token,
                std::size_t others);

    void beat(Nanos now) override;
    WebSocketClient& socket() override { return socket_; }
    std::vector<PeerConnection*> connections() override { return {&connection_}; }
    bool flowing() const override;
    const std::string& trouble() const override { return trouble_; }
    void begin_window(Nanos now) override { receiver_.begin_window(now); }
    void end_window(Window& window, Nanos now) override { receiver_.end_window(window, now); }
    void leave() override;

  private:
    void on_rtp(std::span<std::uint8_t> packet, Nanos arrived) override {
        receiver_.take(packet, arrived, connection_);
    }
    void on_rtcp(core::BytesView compound, Nanos arrived) override;

    void say(media::wire::proto::Frame& frame, media::wire::proto::Frame::Type type);
    void join();
    void on_message(std::string_view message);
    void on_index(const media::wire::proto::Index& index);
    void on_answer(const std::string& sdp);
    void subscribe();
    void report(Nanos now);

    PeerConnection connection_;
    MediaSender sender_;
    MediaReceiver receiver_;
    std::size_t others_;
    OfferPlan offer_;
    std::vector<std::uint32_t> listed_;  ///< Stream ids of the newest INDEX, sorted.
    bool joined_ = false;
    bool negotiating_ = false;
    Nanos next_report_ = 0;
    Nanos next_ping_ = 0;
    std::uint32_t ping_id_ = 0;
    std::string trouble_;
    WebSocketClient socket_;
};

}  // namespace bench
