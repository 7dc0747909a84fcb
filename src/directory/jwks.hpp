// Where public keys come from: a file that is read once, or a URL that is read again every ten minutes and, no more
// often than every 30 s, when a token names a key that is not there. A set that cannot be had is a line in the log; the
// last good one stays in use, and while there was none, every token is refused.
//
// Owned by `app`. Any thread may ask for keys.
#pragma once

#include <atomic>
#include <boost/asio/any_io_executor.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "core/result.hpp"
#include "directory/key_set.hpp"
#include "net/http_client.hpp"

namespace directory {

class PublicKeys {
  public:
    virtual ~PublicKeys() = default;

    struct Current {
        std::shared_ptr<const KeySet> set;  ///< Never null.
        std::uint64_t generation = 0;       ///< Another set has another number.
    };
    Current current() const;
    std::uint64_t generation() const { return place_->generation.load(std::memory_order_acquire); }

    /// A token names a key that the present set has not. Does not block.
    virtual void missed() const {}

  protected:
    /// Where the set is kept; shared with whoever renews it.
    struct Place {
        std::mutex mutex;
        std::shared_ptr<const KeySet> set = std::make_shared<const KeySet>();
        std::atomic<std::uint64_t> generation{1};

        void put(KeySet keys);
    };
    const std::shared_ptr<Place>& place() const { return place_; }

  private:
    std::shared_ptr<Place> place_ = std::make_shared<Place>();
};

class KeyFile final : public PublicKeys {
  public:
    /// `invalid`, with a line for the operator, when the file cannot be read or is no key set.
    static core::Result<std::unique_ptr<KeyFile>> read(const std::string& path);
};

struct KeyUrlSettings {
    std::string url;
    std::chrono::milliseconds refresh{std::chrono::minutes{10}};
    std::chrono::milliseconds shortest_pause{std::chrono::seconds{30}};  ///< After a failure, or for a missing key.
    std::chrono::milliseconds timeout{5000};
};

class KeyUrl final : public PublicKeys {
  public:
    /// Reads for the first time as soon as the loop of `executor` (a single thread) runs. Client and loop must outlive
    /// it; the loop must have stopped when it is destroyed.
    KeyUrl(KeyUrlSettings settings, net::HttpClient& client, boost::asio::any_io_executor executor);
    ~KeyUrl() override;
    KeyUrl(const KeyUrl&) = delete;
    KeyUrl& operator=(const KeyUrl&) = delete;

    void missed() const override;

  private:
    class Reader;
    std::shared_ptr<Reader> reader_;
};

}  // namespace directory
