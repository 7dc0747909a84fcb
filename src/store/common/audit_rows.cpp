#include "store/common/audit_rows.hpp"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace store {
namespace json = boost::json;

std::optional<std::string> metadata_of(const consultation::AuditEntry& entry) {
    if (!entry.subject_id) return {};
    return json::serialize(json::object{{"subject", *entry.subject_id}});
}

std::optional<std::string> subject_in(std::string_view metadata) {
    json::error_code failed;
    const auto value = json::parse(metadata, failed);
    const auto* object = failed ? nullptr : value.if_object();
    const auto* subject = object ? object->if_contains("subject") : nullptr;
    if (!subject || !subject->is_string()) return {};
    return std::string(subject->get_string());
}

}  // namespace store
