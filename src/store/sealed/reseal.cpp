#include "store/sealed/reseal.hpp"

#include <utility>

#include "core/log.hpp"
#include "store/sealed/columns.hpp"
#include "store/sealed/sealed_store.hpp"
#include "store/sealed/sealed_values.hpp"

namespace store::sealed {

using core::Result;
using service::ResealedText;
using service::SealedColumn;
using service::SealedText;
using service::Task;

namespace {

/// What the text says. A payload is sealed within its JSON.
Task<Result<std::string>> plain_of(KeyRing& ring, const SealedColumn& column, const SealedText& kept) {
    std::string text = kept.text;
    if (!column.head.empty()) {
        if (const auto part = sealed_part(kept.text); !part.empty()) text = std::string{part};
    }
    std::vector<SealedSlot> slots;
    add_slot(slots, column, kept.row, text);
    const auto opened = co_await open_slots(ring, std::move(slots));
    if (!opened) co_return std::unexpected(opened.error());
    co_return text;
}

Task<Result<void>> reseal_column(service::KeyStore& store, KeyRing& ring, SealedColumn column, int batch,
                                 Resealed& count) {
    std::string after;
    for (;;) {
        const auto keys = ring.keys();
        const auto current = std::string{column.head} + mark_of(keys->current());
        const auto found = co_await store.texts_unlike(column, current, after, batch);
        if (!found) co_return std::unexpected(found.error());
        if (found->empty()) co_return Result<void>{};
        std::vector<ResealedText> changed;
        for (const auto& kept : *found) {
            const auto plain = co_await plain_of(ring, column, kept);
            if (!plain) {
                ++count.damaged;
                core::log::error("text stays as it is", {{"why", plain.error().detail}});
                continue;
            }
            auto sealed = keys->seal(column, kept.row, *plain);
            if (!column.head.empty()) sealed = std::string{column.head} + sealed + std::string{kPayloadTail};
            changed.push_back({kept.row, kept.text, std::move(sealed)});
        }
        after = found->back().row;
        if (changed.empty()) continue;
        const auto written = co_await store.replace_texts(column, std::move(changed));
        if (!written) co_return std::unexpected(written.error());
        count.texts += *written;
    }
}

}  // namespace

Task<Result<Resealed>> reseal(service::KeyStore& store, KeyRing& ring, int batch) {
    Resealed count;
    for (const auto& column : kResealable) {
        const auto done = co_await reseal_column(store, ring, column, batch, count);
        if (!done) co_return std::unexpected(done.error());
    }
    co_return count;
}

}  // namespace store::sealed
