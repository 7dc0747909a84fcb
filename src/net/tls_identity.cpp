#include "net/tls_identity.hpp"

#include <pthread.h>
#include <sys/stat.h>

#include <utility>

#include "core/log.hpp"
#include "core/time.hpp"

namespace net {

std::expected<std::shared_ptr<TlsIdentity>, TlsFault> TlsIdentity::open(TlsFiles files,
                                                                        std::chrono::milliseconds look_every) {
    std::shared_ptr<TlsIdentity> identity(new TlsIdentity(std::move(files), look_every));
    identity->seen_ = identity->stamp();
    auto loaded = load_tls(identity->files_);
    if (!loaded) return std::unexpected(std::move(loaded.error()));
    identity->take(std::move(*loaded));
    auto& self = *identity;
    self.thread_ = std::thread([&self] { self.watch(); });
    pthread_setname_np(self.thread_.native_handle(), "tls-files");
    return identity;
}

TlsIdentity::TlsIdentity(TlsFiles files, std::chrono::milliseconds look_every)
    : files_(std::move(files)), look_every_(look_every) {}

TlsIdentity::~TlsIdentity() {
    {
        const std::lock_guard lock(mutex_);
        stop_ = true;
    }
    stopping_.notify_all();
    if (thread_.joinable()) thread_.join();
}

std::shared_ptr<ssl_ctx_st> TlsIdentity::context() const {
    const std::lock_guard lock(mutex_);
    return context_;
}

std::chrono::system_clock::time_point TlsIdentity::valid_until() const {
    const std::lock_guard lock(mutex_);
    return valid_until_;
}

void TlsIdentity::watch() {
    for (;;) {
        {
            std::unique_lock lock(mutex_);
            if (stopping_.wait_for(lock, look_every_, [this] { return stop_; })) return;
        }
        look();
    }
}

void TlsIdentity::look() {
    const std::lock_guard lock(looking_);
    // Taken before reading: what is written meanwhile is found the next time.
    auto stamp_now = stamp();
    const bool changed = stamp_now != seen_;
    if (!changed && trouble_.empty()) return;
    seen_ = std::move(stamp_now);
    auto loaded = load_tls(files_);
    if (loaded) {
        trouble_.clear();
        return take(std::move(*loaded));
    }
    if (changed || trouble_ != loaded.error().why) {
        core::log::warning("the changed TLS certificate cannot be used; the old one goes on",
                           {{"why", loaded.error().why}});
    }
    trouble_ = std::move(loaded.error().why);
}

void TlsIdentity::take(TlsContext loaded) {
    const auto now = std::chrono::system_clock::now();
    const auto until = core::format_rfc3339(std::chrono::time_point_cast<core::Time::duration>(loaded.valid_until));
    if (loaded.valid_until < now) {
        core::log::warning("the TLS certificate has expired", {{"valid_until", until}});
    } else {
        core::log::info("TLS certificate read", {{"valid_until", until}});
    }
    const std::lock_guard lock(mutex_);
    context_ = std::move(loaded.context);
    valid_until_ = loaded.valid_until;
}

std::string TlsIdentity::stamp() const {
    std::string text;
    for (const auto* path : {&files_.certificate_file, &files_.key_file, &files_.pkcs12_file, &files_.password_file}) {
        struct stat about{};
        if (!path->empty() && ::stat(path->c_str(), &about) == 0) {
            for (const auto number :
                 {std::int64_t(about.st_dev), std::int64_t(about.st_ino), std::int64_t(about.st_size),
                  std::int64_t(about.st_mtim.tv_sec), std::int64_t(about.st_mtim.tv_nsec)}) {
                text += std::to_string(number) + ":";
            }
        }
        text += ";";
    }
    return text;
}

}  // namespace net
