#include "store/postgres/node_statements.hpp"

namespace store::postgres {
namespace {

/// Within a transaction of many operations `now()` is when the first of them began.
const std::string kNow = "(clock_timestamp() AT TIME ZONE 'UTC')";

/// Parameters 1 to 10: the node.
std::string upsert() {
    return "INSERT INTO video_consultation_nodes (node_id, url, region, secret_mark, seat, version, heartbeat_millis,"
           " capacity, load, state, started_at, heartbeat_at)"
           " VALUES ($1, $2, $3, $4, $5, $6, $7::integer, $8::integer, $9::integer, $10, " +
           kNow + ", " + kNow +
           ") ON CONFLICT (node_id) DO UPDATE SET load = excluded.load, state = excluded.state,"
           " heartbeat_at = excluded.heartbeat_at";
}

std::string enroll() {
    return "WITH earlier AS (UPDATE video_consultation_nodes SET state = 'GONE'"
           "  WHERE seat = $5 AND node_id <> $1 AND state <> 'GONE') " +
           upsert();
}

/// Parameters 11 and 12: the meetings that the node believes to have, and their epochs.
std::string beat() {
    return "WITH told AS (" + upsert() +
           ") SELECT h.meeting_id FROM unnest($11::text[], $12::bigint[]) AS h (meeting_id, epoch)"
           " WHERE NOT EXISTS (SELECT 1 FROM video_consultation_meeting_places p"
           "  WHERE p.meeting_id = h.meeting_id AND p.node_id = $1 AND p.epoch = h.epoch)";
}

/// The place stands in each node's row; without nodes in a row of its own.
std::string survey() {
    const std::string late = "(" + kNow + " - $2::bigint * interval '1 second')";
    return "SELECT p.node_id, p.epoch, p.region, n.node_id, n.url, n.region, n.secret_mark, n.seat, n.version,"
           " n.heartbeat_millis, n.capacity, n.load, n.state,"
           " greatest(0, extract(epoch FROM " +
           kNow +
           " - n.heartbeat_at) * 1000)::bigint,"
           " (SELECT count(*) FROM video_consultation_meeting_places m"
           "  WHERE m.node_id = n.node_id AND m.placed_at > " +
           late +
           ")"
           " FROM (SELECT $1::text AS meeting_id) w"
           " LEFT JOIN video_consultation_meeting_places p ON p.meeting_id = w.meeting_id"
           " LEFT JOIN video_consultation_nodes n ON true ORDER BY n.node_id";
}

std::string take_place() {
    return "INSERT INTO video_consultation_meeting_places (meeting_id, node_id, epoch, region, placed_at)"
           " VALUES ($1, $2, 1, $3, " +
           kNow + ") ON CONFLICT (meeting_id) DO NOTHING RETURNING node_id, epoch, region";
}

std::string move_place() {
    return "UPDATE video_consultation_meeting_places SET node_id = $2, epoch = epoch + 1, region = $3, placed_at = " +
           kNow + " WHERE meeting_id = $1 AND node_id = $4 AND epoch = $5::bigint RETURNING node_id, epoch, region";
}

std::string tidy() {
    const std::string old = "(" + kNow + " - $1::bigint * interval '1 second')";
    return "WITH nodes AS (DELETE FROM video_consultation_nodes WHERE heartbeat_at < " + old +
           " RETURNING 1),"
           " places AS (DELETE FROM video_consultation_meeting_places p WHERE placed_at < " +
           old +
           "  AND NOT EXISTS (SELECT 1 FROM video_consultation_nodes n WHERE n.node_id = p.node_id) RETURNING 1)"
           " DELETE FROM video_consultation_meeting_orders WHERE sent_at < " +
           old;
}

}  // namespace

const NodeStatements& node_statements() {
    static const NodeStatements statements{
        .enroll = {"node_enroll", enroll()},
        .beat = {"node_beat", beat()},
        .survey = {"node_survey", survey()},
        .take_place = {"place_take", take_place()},
        .move_place = {"place_move", move_place()},
        .vacate =
            {"place_vacate",
             "DELETE FROM video_consultation_meeting_places WHERE node_id = $1 AND meeting_id = ANY ($2::text[])"},
        .vacate_others = {"place_vacate_others",
                          "WITH gone AS (DELETE FROM video_consultation_meeting_places WHERE node_id = $1"
                          "  AND meeting_id <> ALL ($2::text[]) AND placed_at <= " +
                              kNow + " - $3::bigint * interval '1 millisecond' RETURNING 1) SELECT count(*) FROM gone"},
        .send_order = {"order_send",
                       "INSERT INTO video_consultation_meeting_orders (meeting_id, kind, attendee_id, detail, sent_at)"
                       " SELECT $1::text, $2::text, $3::text, $4::text, " +
                           kNow +
                           " FROM video_consultation_meeting_places WHERE meeting_id = $1::text AND node_id <> $5"
                           " RETURNING sequence"},
        .take_orders = {"order_take",
                        "WITH taken AS (DELETE FROM video_consultation_meeting_orders o"
                        "  USING video_consultation_meeting_places p"
                        "  WHERE p.meeting_id = o.meeting_id AND p.node_id = $1"
                        "  RETURNING o.sequence, o.meeting_id, o.kind, o.attendee_id, o.detail)"
                        " SELECT meeting_id, kind, attendee_id, detail FROM taken ORDER BY sequence"},
        .tidy = {"node_tidy", tidy()},
    };
    return statements;
}

}  // namespace store::postgres
