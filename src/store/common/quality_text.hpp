// A client's report of its call added to the running means of its row, as one statement that both engines understand.
#pragma once

#include <string>
#include <string_view>

#include "consultation/session.hpp"
#include "service/meter.hpp"

namespace store {

/// `mark` stands before the number of a parameter (`$` or `?`). The parameters are those of `write_quality`.
std::string quality_text(char mark);

/// Out as in tables.hpp, and real(double). Texts are not copied by every Out: all arguments must outlive it.
template <class Out>
void write_quality(Out& out, std::string_view metric_id, std::string_view session_id, std::string_view user_id,
                   consultation::Provider provider, const service::QualityReport& report, service::Time now) {
    out.text(metric_id);
    out.text(session_id);
    out.text(user_id);
    out.text(consultation::to_text(provider));
    out.time(now);
    out.optional(report.latency_ms);
    report.packet_loss_percentage ? out.real(*report.packet_loss_percentage) : out.null();
    out.optional(report.audio_score);
    out.optional(report.video_score);
    out.optional(report.technical_issues);
    out.optional(report.issue_description);
}

}  // namespace store
