// One statement on its way: what is asked, and who waits for the answer. Lives on one event loop.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/result.hpp"
#include "net/completion.hpp"
#include "store/postgres/link.hpp"
#include "store/postgres/params.hpp"
#include "store/postgres/statements.hpp"

namespace store::postgres {

enum class Kind { read, write };

struct Operation {
    Kind kind = Kind::read;
    const Statement* statement = nullptr;  ///< Kept by the loop's Statements, or `rare`.
    std::unique_ptr<Statement> rare;
    Params params;
    /// Advisory locks of the transaction, taken one after the other before the statement. It then travels alone.
    std::optional<std::array<std::int64_t, 2>> locks;
    std::string order;  ///< Writes that travel together go by this, so that two such groups never lock crosswise.
    int attempts = 0;   ///< Those that the server has undone. After the first it travels alone.

    /// An answer may be a refusal of the server; an Error means that there is no answer.
    net::Completion<core::Result<Answer>> done;
};
using OperationPtr = std::shared_ptr<Operation>;

/// Operations that travel together: one transaction of the server.
using Segment = std::vector<OperationPtr>;

}  // namespace store::postgres
