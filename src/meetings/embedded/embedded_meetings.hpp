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
#include "service/meeting_floor.hpp"
#include "service/meeting_owner.hpp"
#include "service/meeting_provider.hpp"
#include "service/nodes.hpp"

namespace meetings::embedded {

struct Settings {
    std::string secret;                                 ///< Tokens and ids are derived from it.
    std::string default_url = "http://localhost:8086";  ///< Stored with sessions when a node has no URL of its own.
    std::string region = "local";                       ///< Of meetings at nodes without a region.
};

/// Any thread. Order of construction: this; the meeting server (this is its observer); `attach_server`; the use cases
/// (this is their provider); `attach_owners`. Signalling is accepted from then on.
class EmbeddedMeetings final : public service::MeetingProvider,
                               public service::MeetingFloor,
                               public media::server::Observer {
  public:
    /// `nodes`: says which of the installation's meetings are here.
    EmbeddedMeetings(Settings settings, service::Nodes& nodes);

    void attach_server(media::server::MeetingServer& server) { server_ = &server; }
    /// Who has meetings here; `executor` is the event loop on which what happens is written down.
    void attach_owners(std::vector<service::MeetingOwner*> owners, boost::asio::any_io_executor executor);

    service::Task<core::Result<service::MadeMeeting>> create_meeting(service::MeetingPlan plan) override;
    service::Task<core::Result<service::Credentials>> credentials(consultation::Meeting meeting,
                                                                  std::string external_user_id,
                                                                  std::string known_attendee_id, bool renew,
                                                                  core::trace::Context of) override;
    consultation::Meeting placed_for(consultation::Meeting meeting, std::string_view reached_at) const override;
    consultation::Meeting through_relay(consultation::Meeting meeting) const override;
    service::Task<core::Result<void>> end_meeting(consultation::Provider provider, std::string meeting_id) override;
    service::Task<core::Result<void>> remove_attendee(consultation::Provider provider, std::string meeting_id,
                                                      std::string attendee_id) override;
    service::Task<core::Result<std::vector<std::string>>> roster(consultation::Meeting meeting) override;
    service::Task<core::Result<void>> start_transcription(consultation::Meeting meeting,
                                                          service::TranscriptionOptions options) override;
    service::Task<core::Result<void>> stop_transcription(consultation::Meeting meeting) override;
    Presence presence(consultation::Provider) const override { return Presence::heartbeats; }

    /// At whichever node the meeting is.
    service::Task<core::Result<void>> set_capabilities(std::string meeting_id, std::string attendee_id,
                                                       core::Capabilities capabilities);

    std::string join_token(const std::string& meeting_id, const std::string& attendee_id) const override;
    service::Task<core::Result<service::MediaPlacement>> place(std::string meeting_id, std::string media_region,
                                                               std::string reached_at) override;
    service::Task<core::Result<void>> close(std::string meeting_id) override;
    service::Task<core::Result<void>> put_out(std::string meeting_id, std::string attendee_id) override;
    service::Task<core::Result<void>> set_capabilities(std::string meeting_id, std::vector<std::string> attendee_ids,
                                                       core::Capabilities capabilities) override;
    service::Task<core::Result<void>> tell_transcription(std::string meeting_id,
                                                         service::TranscriptionStatus status) override;

    void happened(core::MeetingEvent event) override;

    /// True for `/control/<meeting id>`, the path of signaling_url, and for `/control/<meeting id>/relay`, which gives
    /// the client a TURN relay.
    static bool is_signalling(std::string_view path);
    /// Decides about a signalling connection: a good token of a running session gets in. A finished session closes with
    /// 4410, anything else with 4403 (after the upgrade: the Chime client takes a plain HTTP refusal for a passing
    /// fault, which it is when the meeting lives at another node).
    boost::asio::awaitable<std::variant<net::Response, net::Upgrade>> upgrade(const net::Request& request);

    /// Writes down who is connected; call every 15 s or so.
    service::Task<core::Result<void>> report_connected();
    /// This node lives; meetings that others have taken over are let go of. Call at every heartbeat of `nodes`.
    service::Task<core::Result<void>> beat();
    /// Does what other nodes were asked for, in meetings that are here. Call often, where there are other nodes.
    service::Task<core::Result<void>> obey();

  private:
    boost::asio::awaitable<core::Result<service::Admission>> admit(std::string meeting_id, std::string attendee_id);
    void perform(const service::MeetingOrder& order);
    /// Does it here, and has it done at the node that has the meeting.
    service::Task<core::Result<void>> command(service::MeetingOrder order);

    Settings settings_;
    service::Nodes& nodes_;
    JoinTokens tokens_;
    media::server::MeetingServer* server_ = nullptr;
    std::vector<service::MeetingOwner*> owners_;
    boost::asio::any_io_executor executor_;
};

}  // namespace meetings::embedded
