// Answers about who waits in front of a session, and who was invited to it. Pure.
#pragma once

#include <string>
#include <string_view>

#include "service/consultations.hpp"

namespace api {

/// The place of somebody who has to wait, for a 202.
std::string waiting_answer(const service::Joined& waiting);
/// How long to wait before asking again.
inline constexpr int kPollSeconds = 5;

std::string queue_answer(const consultation::Session& session, core::Time now);

/// `link`: where the guest goes; with the secret, so only for the answer to the invitation itself.
std::string invited_answer(const service::Invited& invited, std::string_view link, core::Time now);
std::string invitations_answer(const consultation::Session& session, core::Time now);
std::string redeemed_answer(const service::Redeemed& redeemed);

}  // namespace api
