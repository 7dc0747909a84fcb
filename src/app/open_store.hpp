// The store that the configuration names, opened and brought up to date. Main thread.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "app/config.hpp"
#include "core/result.hpp"
#include "service/node_store.hpp"
#include "service/sdk_meeting_store.hpp"
#include "service/store.hpp"

namespace app {

/// A store and the way to stop it.
struct OpenStore {
    std::unique_ptr<service::Store> store;
    service::NodeStore* nodes = nullptr;               ///< The same one.
    service::SdkMeetingStore* sdk_meetings = nullptr;  ///< Likewise.
    std::function<void()> stop;
};

/// Fails with one line for the operator.
core::Result<OpenStore> open_store(const Config& config);

/// A file in the data folder.
std::string path_in(const Config& config, const char* name);

}  // namespace app
