// The states of a node as they stand in a database. Pure; throws std::runtime_error on a word that this service cannot
// have written.
#pragma once

#include <stdexcept>
#include <string_view>

#include "service/placement.hpp"

namespace store {

constexpr std::string_view text_of(service::Node::State state) {
    switch (state) {
        case service::Node::State::live:
            return "LIVE";
        case service::Node::State::draining:
            return "DRAINING";
        case service::Node::State::gone:
            break;
    }
    return "GONE";
}

inline service::Node::State node_state_of(std::string_view text) {
    using State = service::Node::State;
    for (const auto state : {State::live, State::draining, State::gone}) {
        if (text == text_of(state)) return state;
    }
    throw std::runtime_error("a node in an unknown state");
}

}  // namespace store
