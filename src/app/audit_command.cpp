#include "app/audit_command.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <fstream>
#include <utility>
#include <vector>

#include "app/audit_parts.hpp"
#include "app/data_folder.hpp"
#include "app/open_store.hpp"
#include "app/service_process.hpp"
#include "core/time.hpp"
#include "net/executors.hpp"
#include "service/audit_verifier.hpp"

namespace app {
namespace {

using core::ErrorKind;
using core::fail;
using core::Result;

/// A checkpoint a minute for twenty years.
constexpr std::size_t kMostCheckpoints = 11'000'000;
constexpr std::size_t kLongestLine = 512;

/// Keys and store for one command, and a loop to call it from.
class Command {
  public:
    static Result<std::unique_ptr<Command>> open(const Config& config) {
        if (config.needs_data_dir()) {
            if (auto opened = open_data_folder(config.data_dir); !opened) return std::unexpected(opened.error());
        }
        const auto secret = token_secret(config);
        if (!secret) return std::unexpected(secret.error());
        auto command = std::make_unique<Command>();
        command->keys_ = audit_keys(config.audit, *secret);
        auto opened = open_store(config);
        if (!opened) return std::unexpected(opened.error());
        command->store_ = std::move(*opened);
        command->loop_.start();
        return command;
    }
    Command() = default;
    Command(const Command&) = delete;
    Command& operator=(const Command&) = delete;
    ~Command() {
        if (store_.stop) store_.stop();
        loop_.stop();
        loop_.drop();
    }

    const service::AuditKeys& keys() const { return *keys_; }
    service::AuditChain& chain() { return *store_.audit; }
    template <class T>
    T run(service::Task<T> task) {
        return boost::asio::co_spawn(loop_.executor(0), std::move(task), boost::asio::use_future).get();
    }

  private:
    std::shared_ptr<const service::AuditKeys> keys_;
    net::Executors loop_{1, "audit"};
    OpenStore store_;
};

Result<std::vector<service::Checkpoint>> read_checkpoints(const std::string& path, const service::AuditKeys& keys) {
    std::vector<service::Checkpoint> checkpoints;
    if (path.empty()) return checkpoints;
    std::ifstream file(path);
    if (!file) return fail(ErrorKind::invalid, "--since: cannot read " + path);
    std::string line;
    for (std::size_t number = 1; std::getline(file, line); ++number) {
        while (line.ends_with('\r') || line.ends_with(' ')) line.pop_back();
        if (line.empty()) continue;
        auto checkpoint = line.size() <= kLongestLine ? keys.read_checkpoint(line)
                                                      : fail(ErrorKind::invalid, "this is not a checkpoint");
        if (!checkpoint) {
            return fail(ErrorKind::invalid,
                        "--since: line " + std::to_string(number) + ": " + checkpoint.error().detail);
        }
        checkpoints.push_back(std::move(*checkpoint));
        if (checkpoints.size() > kMostCheckpoints) return fail(ErrorKind::invalid, "--since: too many checkpoints");
    }
    if (checkpoints.empty()) return fail(ErrorKind::invalid, "--since: no checkpoint in " + path);
    return checkpoints;
}

std::string counted(std::int64_t count, const char* what) {
    return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
}

std::string describe(const service::AuditFindings& found) {
    std::string text;
    for (const auto& line : found.lines) text += line + "\n";
    const auto listed = static_cast<std::int64_t>(found.lines.size());
    if (found.wrong > listed) text += "and " + std::to_string(found.wrong - listed) + " more\n";
    text += counted(found.rows, "row") + " in the chain";
    if (found.inherited > 0) text += ", " + std::to_string(found.inherited) + " of them from before it";
    if (found.fresh > 0) text += ", " + std::to_string(found.fresh) + " about to be chained";
    if (found.checkpoints > 0) text += ", " + counted(found.checkpoints, "checkpoint") + " contained";
    return text + (found.wrong == 0 ? ": the trail is whole.\n" : ": " + counted(found.wrong, "finding") + ".\n");
}

}  // namespace

Result<AuditReport> verify_audit_trail(const Config& config, const std::string& checkpoints) {
    auto command = Command::open(config);
    if (!command) return std::unexpected(command.error());
    auto known = read_checkpoints(checkpoints, (*command)->keys());
    if (!known) return std::unexpected(known.error());
    const core::SystemClock clock;
    const auto found =
        (*command)->run(service::verify_audit((*command)->chain(), (*command)->keys(), std::move(*known), clock));
    if (!found) return std::unexpected(found.error());
    return AuditReport{describe(*found), found->wrong == 0};
}

Result<AuditReport> audit_checkpoint(const Config& config) {
    auto command = Command::open(config);
    if (!command) return std::unexpected(command.error());
    const auto head = (*command)->run((*command)->chain().audit_head());
    if (!head) return std::unexpected(head.error());
    const auto& keys = (*command)->keys();
    if (!*head || keys.check_head(**head) != service::AuditKeys::Verdict::right) {
        return fail(ErrorKind::conflict, "the trail's head is not whole, run `audit verify`");
    }
    const auto now = core::SystemClock{}.now();
    return AuditReport{keys.checkpoint_line({(*head)->position, (*head)->chain_mac, now}) + "\n", true};
}

}  // namespace app
