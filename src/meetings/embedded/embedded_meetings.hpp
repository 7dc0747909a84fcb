// Meetings on our own meeting server: the provider behind the use cases, the door for signalling connections, and the
// messenger that turns what the server sees into attendance. Thin: the work is done in `media` and `service`.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/time.hpp"
#include "media/server/meeting_server.hpp"
#include "meetings/embedded/join_token.hpp"
#include "net/websocket.hpp"
#include "service/meeting_owner.hpp"
#include "service/meeting_provider.hpp"

namespace meetings::embedded {

struct Settings {
    std::string secret;      ///< Tokens and ids are derived from it.
    std::string public_url;  ///< Where clients reach the service, `https://video.example.org`; empty: as they came.
    std::string default_url = "http://localhost:8086";  ///< Stored with sessions when `public_url` is empty.
    std::string region = "local";
};

/// Any thread. Order of construction: this; the meeting server (this is its observer); `attach_server`; the use cases
/// (this is their provider); `attach_owners`. Signalling is accepted from then on.
class EmbeddedMeetings final : public service::MeetingProvider, public media::server::Observer {
  public:
    explicit EmbeddedMeetings(Settings settings);

    void attach_server(media::server::MeetingServer& server) { server_ = &server; }
    /// Who has meetings here; `executor` is the event loop on which what happens is written down.
    void attach_owners(std::vector<service::MeetingOwner*> owners, boost::asio::any_io_executor executor);

    service::Task<core::Result<service::MadeMeeting>> create_meeting(service::MeetingPlan plan) override;
    service::Task<core::Result<service::Credentials>> credentials(consultation::Meeting meeting,
                                                                  std::string external_user_id,
                                                                  std::string known_attendee_id, bool renew) override;
    consultation::Meeting placed_for(consultation::Meeting meeting, std::string_view reached_at) const override;
    service::Task<core::Result<void>> end_meeting(consultation::Provider provider, std::string meeting_id) override;
    service::Task<core::Result<void>> remove_attendee(consultation::Provider provider, std::string meeting_id,
                                                      std::string attendee_id) override;
    service::Task<core::Result<std::vector<std::string>>> roster(consultation::Meeting meeting) override;
    service::Task<core::Result<void>> start_transcription(consultation::Meeting meeting,
                                                          service::TranscriptionOptions options) override;
    service::Task<core::Result<void>> stop_transcription(consultation::Meeting meeting) override;
    Presence presence(consultation::Provider) const override { return Presence::heartbeats; }

    void happened(core::MeetingEvent event) override;

    /// True for `/control/<meeting id>`, the path of signaling_url, and for `/control/<meeting id>/relay`, which gives
    /// the client a TURN relay.
    static bool is_signalling(std::string_view path);
    /// Decides about a signalling connection: a good token of a running session gets in. A finished session closes with
    /// 4410, anything else with 4403 (after the upgrade: the Chime client takes a plain HTTP refusal for a passing
    /// fault).
    boost::asio::awaitable<std::variant<net::Response, net::Upgrade>> upgrade(const net::Request& request);

    /// Writes down who is connected; call every 15 s or so.
    service::Task<core::Result<void>> report_connected();

  private:
    boost::asio::awaitable<core::Result<service::Admission>> admit(std::string meeting_id, std::string attendee_id);

    Settings settings_;
    JoinTokens tokens_;
    media::server::MeetingServer* server_ = nullptr;
    std::vector<service::MeetingOwner*> owners_;
    boost::asio::any_io_executor executor_;
};

}  // namespace meetings::embedded
