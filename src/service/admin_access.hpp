// `ADMIN_ACCESS`: what administrators see of sessions that they have no part in.
#pragma once

namespace service {

enum class AdminAccess {
    open,         ///< Everything, as the session's own people do.
    break_glass,  ///< Clinical texts only with a reason, which is written down and told.
};

}  // namespace service
