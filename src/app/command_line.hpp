// What the program was asked to do.
#pragma once

#include <chrono>
#include <span>
#include <string>

#include "app/environment.hpp"
#include "core/result.hpp"

namespace app {

struct CommandLine {
    enum class Action {
        serve,
        token,
        reconcile,
        audit_verify,
        audit_checkpoint,
        keys,
        health,
        check_config,
        print_config,
        help,
        version
    };
    Action action = Action::serve;
    Environment::Values settings;  ///< Options that stand for variables: `--port 1` is PORT=1.

    std::string role;  ///< Of `token`.
    std::string user;
    std::chrono::hours life{24};

    std::string verb;   ///< Of `keys`: list, rotate or reseal.
    std::string month;  ///< Of `reconcile`: `2026-11`; empty: the present one.
    std::string since;  ///< Of `audit verify`: a file of checkpoints; empty: none.
};

/// `arguments` without the program's name. Fails with a line for the user.
core::Result<CommandLine> parse_command_line(std::span<const char* const> arguments);

/// What `--help` prints.
std::string help_text();

}  // namespace app
