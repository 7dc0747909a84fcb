// Which texts of a value are sealed: each is named once here, for both directions. Inside this room only.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "consultation/session.hpp"
#include "service/outbox.hpp"
#include "store/common/change_text.hpp"
#include "store/sealed/columns.hpp"
#include "store/sealed/sealed_store.hpp"

namespace store::sealed {

/// Calls `each(column, row, text)` for every text of the session that is kept sealed.
template <class Session, class Each>
void for_each_text(Session& session, Each each) {
    each(kComplaint, session.session_id, session.chief_complaint);
    each(kNotes, session.session_id, session.session_notes);
    each(kReason, session.session_id, session.cancellation_reason);
    for (auto& attendee : session.attendees) {
        each(kGuestName, attendee.row_id, attendee.guest_name);
        each(kBrowser, attendee.row_id, attendee.browser_info);
    }
}

template <class Entry, class Each>
void for_each_audit_text(Entry& entry, Each each) {
    each(kDescription, entry.event_id, entry.event_description);
}

/// Adds the text if it is sealed. The row must stay where it is until the slot is opened.
inline void add_slot(std::vector<SealedSlot>& slots, const service::SealedColumn& column, std::string_view row,
                     std::string& text) {
    if (key_number_of(text)) slots.push_back({column, row, &text});
}
inline void add_slot(std::vector<SealedSlot>& slots, const service::SealedColumn& column, std::string_view row,
                     std::optional<std::string>& text) {
    if (text) add_slot(slots, column, row, *text);
}

inline void seal(const DataKeys& keys, const service::SealedColumn& column, std::string_view row,
                 std::optional<std::string>& text) {
    if (text) text = keys.seal(column, row, *text);
}

/// The payload as one sealed member.
inline void seal(const DataKeys& keys, consultation::Event& event) {
    auto sealed = keys.seal(kPayload, event.event_id, payload_of(event));
    event.data.clear();
    event.data.emplace_back("sealed", std::move(sealed));
}

/// The sealed text within a payload; empty: it is not sealed.
inline std::string_view sealed_part(std::string_view payload) {
    // Head and tail share a quote.
    if (payload.size() < kPayloadHead.size() + kPayloadTail.size()) return {};
    if (!payload.starts_with(kPayloadHead) || !payload.ends_with(kPayloadTail)) return {};
    payload.remove_prefix(kPayloadHead.size());
    payload.remove_suffix(kPayloadTail.size());
    return key_number_of(payload) ? payload : std::string_view{};
}

inline std::string person_row(std::string_view session_id, std::string_view user_id, std::string_view provider) {
    return std::string{session_id}.append("/").append(user_id).append("/").append(provider);
}

}  // namespace store::sealed
