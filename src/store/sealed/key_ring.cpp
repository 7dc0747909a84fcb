#include "store/sealed/key_ring.hpp"

#include <openssl/crypto.h>

#include <utility>

#include "core/bytes.hpp"
#include "core/log.hpp"

namespace store::sealed {

using core::Result;
using service::StoredKey;
using service::Task;

std::shared_ptr<const DataKeys> KeyRing::keys() const {
    const std::lock_guard lock(mutex_);
    return keys_;
}

Result<void> KeyRing::take(const std::vector<StoredKey>& stored) {
    std::map<int, core::Aes256Gcm> opened;
    for (const auto& key : stored) {
        auto unwrapped = masters_.unwrap(key);
        if (!unwrapped) return std::unexpected(std::move(unwrapped.error()));
        opened.emplace(key.number, std::move(*unwrapped));
    }
    auto taken = std::make_shared<const DataKeys>(std::move(opened));
    const std::lock_guard lock(mutex_);
    keys_ = std::move(taken);
    return {};
}

Task<Result<bool>> KeyRing::add(int number) {
    core::Bytes fresh(core::Aes256Gcm::kKey);
    core::random_bytes(fresh);
    auto wrapped = masters_.wrap(number, fresh, clock_.now());
    OPENSSL_cleanse(fresh.data(), fresh.size());
    co_return co_await store_.add_data_key(std::move(wrapped));
}

Task<Result<void>> KeyRing::rewrap_all(std::vector<StoredKey> stored) {
    int count = 0;
    for (const auto& key : stored) {
        auto renewed = masters_.rewrap(key);
        if (!renewed) continue;
        const auto done = co_await store_.rewrap_data_key(key, std::move(*renewed));
        if (!done) co_return std::unexpected(done.error());
        // Where another process was faster it has done the same.
        if (*done) ++count;
    }
    if (count > 0) {
        core::log::info("data keys wrapped anew",
                        {{"master_key", masters_.current()}, {"keys", std::to_string(count)}});
    }
    co_return Result<void>{};
}

Task<Result<void>> KeyRing::load() {
    auto stored = co_await store_.data_keys();
    if (!stored) co_return std::unexpected(stored.error());
    if (stored->empty()) {
        // Of two processes that start together one makes it.
        const auto added = co_await add(1);
        if (!added) co_return std::unexpected(added.error());
        stored = co_await store_.data_keys();
        if (!stored) co_return std::unexpected(stored.error());
    }
    if (auto taken = take(*stored); !taken) co_return taken;
    co_return co_await rewrap_all(std::move(*stored));
}

Task<Result<void>> KeyRing::refresh() {
    const auto stored = co_await store_.data_keys();
    if (!stored) co_return std::unexpected(stored.error());
    const auto known = keys();
    // Keys do not change behind their numbers, and none goes.
    if (stored->empty() || (known && known->has(stored->back().number))) co_return Result<void>{};
    co_return take(*stored);
}

Task<Result<int>> KeyRing::rotate() {
    for (;;) {
        const auto stored = co_await store_.data_keys();
        if (!stored) co_return std::unexpected(stored.error());
        if (stored->empty()) co_return core::fail(core::ErrorKind::internal, "there is no data key yet");
        const int number = stored->back().number + 1;
        const auto added = co_await add(number);
        if (!added) co_return std::unexpected(added.error());
        if (!*added) continue;
        const auto read = co_await refresh();
        if (!read) co_return std::unexpected(read.error());
        co_return number;
    }
}

}  // namespace store::sealed
