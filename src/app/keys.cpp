#include "app/keys.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <memory>
#include <utility>

#include "app/data_folder.hpp"
#include "app/service_process.hpp"
#include "net/executors.hpp"
#include "store/sealed/reseal.hpp"
#include "store/sealed/whole_store.hpp"

namespace app {
namespace {

using core::Result;
namespace sealed = store::sealed;

constexpr int kBatch = 200;

/// What was given, then what is made from the secret: so that a database from before ENCRYPTION_KEY was set opens, and
/// moves over.
sealed::MasterKeys master_keys(const PrivacyConfig& config, const std::string& secret) {
    std::vector<sealed::MasterKey> keys;
    if (auto given = sealed::parse_master_keys(config.encryption_keys)) keys = std::move(*given);
    keys.push_back(sealed::derived_master_key(secret));
    return sealed::MasterKeys(std::move(keys));
}

/// A loop for calls from the main thread.
class Caller {
  public:
    Caller() { loop_.start(); }
    Caller(const Caller&) = delete;
    Caller& operator=(const Caller&) = delete;
    ~Caller() {
        loop_.stop();
        loop_.drop();
    }
    template <class T>
    T run(service::Task<T> task) {
        return boost::asio::co_spawn(loop_.executor(0), std::move(task), boost::asio::use_future).get();
    }

  private:
    net::Executors loop_{1, "keys"};
};

Result<KeysReport> list(Caller& caller, service::KeyStore& store) {
    const auto keys = caller.run(store.data_keys());
    if (!keys) return std::unexpected(keys.error());
    std::string text;
    for (const auto& key : *keys) {
        text += "data key " + std::to_string(key.number) + ", made " + core::format_rfc3339(key.created_at) +
                ", wrapped by master key '" + key.master_id + "'";
        text += &key == &keys->back() ? ", in use\n" : "\n";
    }
    return KeysReport{std::move(text), true};
}

Result<KeysReport> rotate(Caller& caller, sealed::KeyRing& ring) {
    const auto number = caller.run(ring.rotate());
    if (!number) return std::unexpected(number.error());
    return KeysReport{"data key " + std::to_string(*number) +
                          " is in use; `keys reseal` takes older texts over, which stay readable meanwhile\n",
                      true};
}

Result<KeysReport> reseal(Caller& caller, service::KeyStore& store, sealed::KeyRing& ring) {
    const auto done = caller.run(sealed::reseal(store, ring, kBatch));
    if (!done) return std::unexpected(done.error());
    std::string text =
        std::to_string(done->texts) + " texts sealed under data key " + std::to_string(ring.keys()->current()) + "\n";
    if (done->damaged > 0) {
        text += std::to_string(done->damaged) + " texts are damaged and stay as they are; the log names their places\n";
    }
    return KeysReport{std::move(text), done->damaged == 0};
}

}  // namespace

Result<sealed::KeyRing*> seal_store(OpenStore& store, const Config& config, const std::string& secret,
                                    const core::Clock& clock) {
    auto whole = std::make_unique<sealed::WholeStore>(std::move(store.store), *store.keys, *store.archive,
                                                      master_keys(config.privacy, secret), clock);
    auto& ring = whole->ring();
    store.archive = &whole->archive();
    store.store = std::move(whole);
    const auto loaded = Caller().run(ring.load());
    if (!loaded) {
        store.stop();
        return std::unexpected(loaded.error());
    }
    return &ring;
}

Result<KeysReport> manage_keys(const Config& config, const std::string& verb) {
    if (config.needs_data_dir()) {
        if (auto opened = open_data_folder(config.data_dir); !opened) return std::unexpected(opened.error());
    }
    const auto secret = token_secret(config);
    if (!secret) return std::unexpected(secret.error());
    auto opened = open_store(config);
    if (!opened) return std::unexpected(opened.error());
    const core::SystemClock clock;
    const auto ring = seal_store(*opened, config, *secret, clock);
    if (!ring) return std::unexpected(ring.error());
    Result<KeysReport> report;
    {
        Caller caller;
        if (verb == "list") {
            report = list(caller, *opened->keys);
        } else if (verb == "rotate") {
            report = rotate(caller, **ring);
        } else {
            report = reseal(caller, *opened->keys, **ring);
        }
        opened->stop();
    }
    return report;
}

}  // namespace app
