// The SQL of nodes, places and orders. Made once for the program; any thread.
#pragma once

#include "store/postgres/statements.hpp"

namespace store::postgres {

struct NodeStatements {
    Statement enroll, beat, survey, take_place, move_place, vacate, vacate_others;
    Statement send_order, take_orders, tidy;
};
const NodeStatements& node_statements();

}  // namespace store::postgres
