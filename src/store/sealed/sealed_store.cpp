#include "store/sealed/sealed_store.hpp"

#include <utility>

#include "core/log.hpp"
#include "store/sealed/columns.hpp"
#include "store/sealed/sealed_values.hpp"

namespace store::sealed {

using consultation::Session;
using core::Result;
using service::Task;

namespace {

bool knows_all(const DataKeys& keys, const std::vector<SealedSlot>& slots) {
    return std::ranges::all_of(slots, [&](const SealedSlot& slot) {
        const auto number = key_number_of(*slot.text);
        return !number || keys.has(*number);
    });
}

void collect(std::vector<SealedSlot>& slots, Session& session) {
    for_each_text(session,
                  [&](const auto& column, std::string_view row, auto& text) { add_slot(slots, column, row, text); });
}

/// Takes the sealed text out of the payload. False: it is not sealed.
bool unwrap(service::OutboxMessage& message) {
    const auto part = sealed_part(message.payload);
    if (part.empty()) return false;
    message.payload = std::string{part};
    return true;
}

/// Opens the message of each; those that cannot be opened are left out.
template <class T, class MessageOf>
Task<Result<std::vector<T>>> open_messages(KeyRing& ring, Result<std::vector<T>> found, MessageOf message_of) {
    if (!found) co_return found;
    std::vector<T> kept;
    kept.reserve(found->size());
    for (auto& item : *found) {
        auto& message = message_of(item);
        if (unwrap(message)) {
            std::vector<SealedSlot> slots{{kPayload, message.event_id, &message.payload}};
            const auto opened = co_await open_slots(ring, std::move(slots));
            if (!opened) {
                core::log::error("message left out", {{"why", opened.error().detail}});
                continue;
            }
        }
        kept.push_back(std::move(item));
    }
    co_return std::move(kept);
}

}  // namespace

Task<Result<void>> open_slots(KeyRing& ring, std::vector<SealedSlot> slots) {
    if (slots.empty()) co_return Result<void>{};
    auto keys = ring.keys();
    if (!knows_all(*keys, slots)) {
        // Another process has made a key since.
        if (const auto read = co_await ring.refresh(); !read) co_return std::unexpected(read.error());
        keys = ring.keys();
    }
    for (const auto& slot : slots) {
        auto opened = keys->open(slot.column, slot.row, *slot.text);
        if (!opened) co_return std::unexpected(std::move(opened.error()));
        *slot.text = std::move(*opened);
    }
    co_return Result<void>{};
}

Task<Result<std::optional<Session>>> SealedStore::opened(Result<std::optional<Session>> found) {
    if (!found || !*found) co_return found;
    std::vector<SealedSlot> slots;
    collect(slots, **found);
    if (slots.empty()) co_return found;
    const auto done = co_await open_slots(ring_, std::move(slots));
    if (!done) co_return std::unexpected(done.error());
    co_return found;
}

Task<Result<std::optional<Session>>> SealedStore::find(std::string session_id) {
    co_return co_await opened(co_await below().find(std::move(session_id)));
}

Task<Result<std::optional<Session>>> SealedStore::find_by_meeting(std::string meeting_id) {
    co_return co_await opened(co_await below().find_by_meeting(std::move(meeting_id)));
}

Task<Result<std::optional<Session>>> SealedStore::find_by_appointment(std::string appointment_id) {
    co_return co_await opened(co_await below().find_by_appointment(std::move(appointment_id)));
}

Task<Result<service::SessionPage>> SealedStore::list(service::SessionQuery query) {
    auto page = co_await below().list(std::move(query));
    if (!page) co_return page;
    std::vector<SealedSlot> slots;
    for (auto& session : page->sessions) collect(slots, session);
    const auto done = co_await open_slots(ring_, std::move(slots));
    if (!done) co_return std::unexpected(done.error());
    co_return page;
}

Task<Result<std::vector<consultation::AuditEntry>>> SealedStore::audit_trail(std::string session_id) {
    auto entries = co_await below().audit_trail(std::move(session_id));
    if (!entries) co_return entries;
    std::vector<SealedSlot> slots;
    for (auto& entry : *entries) {
        for_each_audit_text(
            entry, [&](const auto& column, std::string_view row, auto& text) { add_slot(slots, column, row, text); });
    }
    const auto done = co_await open_slots(ring_, std::move(slots));
    if (!done) co_return std::unexpected(done.error());
    co_return entries;
}

Task<Result<std::optional<service::IdempotencyRecord>>> SealedStore::find_idempotency(std::string user_id,
                                                                                      std::string key) {
    auto found = co_await below().find_idempotency(std::move(user_id), std::move(key));
    if (!found || !*found) co_return found;
    auto& record = **found;
    const auto row = record.user_id + "/" + record.key;
    std::vector<SealedSlot> slots;
    add_slot(slots, kBodyHash, row, record.body_hash);
    const auto done = co_await open_slots(ring_, std::move(slots));
    if (!done) co_return std::unexpected(done.error());
    co_return found;
}

Task<Result<service::Committed>> SealedStore::commit(consultation::Change change,
                                                     std::optional<service::IdempotencyRecord> idempotency) {
    const auto keys = ring_.keys();
    const auto seal_text = [&](const auto& column, std::string_view row, auto& text) {
        seal(*keys, column, row, text);
    };
    for_each_text(change.after, seal_text);
    for (auto& entry : change.audit) for_each_audit_text(entry, seal_text);
    for (auto& event : change.events) seal(*keys, event);
    if (idempotency) {
        // A plain hash of a booking could be guessed at.
        idempotency->body_hash =
            keys->seal(kBodyHash, idempotency->user_id + "/" + idempotency->key, idempotency->body_hash);
    }
    return below().commit(std::move(change), std::move(idempotency));
}

Task<Result<void>> SealedStore::append(consultation::Event event) {
    seal(*ring_.keys(), event);
    return below().append(std::move(event));
}

Task<Result<std::vector<service::OutboxMessage>>> SealedStore::unpublished(int limit) {
    co_return co_await open_messages(ring_, co_await below().unpublished(limit),
                                     [](auto& message) -> service::OutboxMessage& { return message; });
}

Task<Result<std::vector<service::Delivery>>> SealedStore::due_deliveries(service::Time now, int limit) {
    co_return co_await open_messages(ring_, co_await below().due_deliveries(now, limit),
                                     [](auto& delivery) -> service::OutboxMessage& { return delivery.message; });
}

Task<Result<bool>> SealedStore::note_threshold(std::string month, int percent, consultation::Event event) {
    seal(*ring_.keys(), event);
    return below().note_threshold(std::move(month), percent, std::move(event));
}

Task<Result<void>> SealedStore::record_quality(std::string session_id, std::string user_id,
                                               consultation::Provider provider, service::QualityReport report,
                                               service::Time now) {
    seal(*ring_.keys(), kIssue, person_row(session_id, user_id, consultation::to_text(provider)),
         report.issue_description);
    return below().record_quality(std::move(session_id), std::move(user_id), provider, std::move(report), now);
}

Task<Result<void>> SealedStore::record(std::vector<consultation::AuditEntry> entries,
                                       std::vector<consultation::Event> events) {
    const auto keys = ring_.keys();
    for (auto& entry : entries) {
        for_each_audit_text(
            entry, [&](const auto& column, std::string_view row, auto& text) { seal(*keys, column, row, text); });
    }
    for (auto& event : events) seal(*keys, event);
    return below().record(std::move(entries), std::move(events));
}

}  // namespace store::sealed
