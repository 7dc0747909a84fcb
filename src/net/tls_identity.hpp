// The certificate that new connections are shown: the files' present one, read again whenever they change.
//
// Owned by `app` (or a test), shared with the HTTP server. A thread of its own looks at the files.
#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "net/tls_files.hpp"

namespace net {

class TlsIdentity {
  public:
    static constexpr std::chrono::milliseconds kLookEvery{2'000};

    /// Reads the files and begins to watch them. Blocks.
    static std::expected<std::shared_ptr<TlsIdentity>, TlsFault> open(
        TlsFiles files, std::chrono::milliseconds look_every = kLookEvery);
    ~TlsIdentity();
    TlsIdentity(const TlsIdentity&) = delete;
    TlsIdentity& operator=(const TlsIdentity&) = delete;

    /// What to make a connection with. Files that cannot be used (half written, say) change nothing: they are logged
    /// once, looked at again, and the last good pair goes on. Any thread.
    std::shared_ptr<ssl_ctx_st> context() const;

    /// When the certificate that is shown expires. Any thread.
    std::chrono::system_clock::time_point valid_until() const;

    /// Looks at the files now. Blocks; any thread but an event loop's.
    void look();

  private:
    TlsIdentity(TlsFiles files, std::chrono::milliseconds look_every);
    void watch();
    void take(TlsContext loaded);
    /// Changes whenever one of the files is written or replaced.
    std::string stamp() const;

    const TlsFiles files_;
    const std::chrono::milliseconds look_every_;

    std::mutex looking_;   ///< One look at a time; guards the next two.
    std::string seen_;     ///< Stamp of what was read last.
    std::string trouble_;  ///< Why that could not be used; empty: it could.

    mutable std::mutex mutex_;
    std::condition_variable stopping_;
    std::shared_ptr<ssl_ctx_st> context_;
    std::chrono::system_clock::time_point valid_until_;
    bool stop_ = false;
    std::thread thread_;
};

}  // namespace net
