#include "app/demo.hpp"

#include <algorithm>
#include <utility>

namespace app {
namespace {

constexpr int kMinutes = 60;
constexpr std::chrono::minutes kUsefulTime{10};
constexpr std::chrono::hours kTokenLife{24};

const service::Caller& doctor() {
    static const service::Caller caller{.user_id = "doctor-demo", .role = "DOCTOR"};
    return caller;
}

const service::Caller& patient() {
    static const service::Caller caller{.user_id = "patient-demo", .role = "PATIENT"};
    return caller;
}

std::string link(const std::string& base, const std::string& session, const std::string& token) {
    // In the fragment, which browsers do not send.
    return base + "/room/" + session + "#token=" + token;
}

}  // namespace

service::Task<core::Result<DemoLinks>> book_demo(service::Consultations& consultations,
                                                 const directory::JwtVerifier& tokens, std::string base_url) {
    const auto now = consultations.now();
    const auto earlier = co_await consultations.list(doctor(), service::SessionQuery{});
    if (!earlier) co_return std::unexpected(earlier.error());
    const auto usable = std::ranges::find_if(earlier->sessions, [&](const consultation::Session& session) {
        return !consultation::is_closed(session.status) && session.scheduled_start_time <= now &&
               session.scheduled_end_time > now + kUsefulTime && session.patient_id == patient().user_id;
    });
    std::string session_id;
    if (usable != earlier->sessions.end()) {
        session_id = usable->session_id;
    } else {
        service::CreateRequest request;
        request.booking_type = consultation::BookingType::direct_doctor;
        request.doctor_id = doctor().user_id;
        request.patient_id = patient().user_id;
        request.scheduled_start_time = std::chrono::floor<std::chrono::seconds>(now);
        request.duration_minutes = kMinutes;
        request.chief_complaint = "Demo";
        const auto created = co_await consultations.create(doctor(), std::move(request));
        if (!created) co_return std::unexpected(created.error());
        session_id = created->session.session_id;
    }
    co_return DemoLinks{.doctor = link(base_url, session_id, tokens.mint(doctor(), kTokenLife)),
                        .patient = link(base_url, session_id, tokens.mint(patient(), kTokenLife))};
}

std::string describe(const DemoLinks& links) {
    return "\nA demo consultation is ready. For trial only: whoever has a link is that person.\n\n"
           "  Doctor:   " +
           links.doctor + "\n\n  Patient:  " + links.patient +
           "\n\nOpen them in two browsers (or one window and a private one). Ctrl+C stops the service.\n\n";
}

}  // namespace app
