#include "events/amqp_values.hpp"

#include <cstring>
#include <new>

namespace events {

amqp_table_entry_t text_entry(std::string_view key, std::string_view value) {
    amqp_table_entry_t entry{};
    entry.key = amqp_text(key);
    entry.value.kind = AMQP_FIELD_KIND_UTF8;
    entry.value.value.bytes = amqp_text(value);
    return entry;
}

amqp_table_entry_t number_entry(std::string_view key, std::int64_t value) {
    amqp_table_entry_t entry{};
    entry.key = amqp_text(key);
    entry.value.kind = AMQP_FIELD_KIND_I64;
    entry.value.value.i64 = value;
    return entry;
}

amqp_table_entry_t flag_entry(std::string_view key, bool value) {
    amqp_table_entry_t entry{};
    entry.key = amqp_text(key);
    entry.value.kind = AMQP_FIELD_KIND_BOOLEAN;
    entry.value.value.boolean = value ? 1 : 0;
    return entry;
}

amqp_table_entry_t table_entry(std::string_view key, amqp_table_t& value) {
    amqp_table_entry_t entry{};
    entry.key = amqp_text(key);
    entry.value.kind = AMQP_FIELD_KIND_TABLE;
    entry.value.value.table = value;
    return entry;
}

amqp_table_t table_of(std::vector<amqp_table_entry_t>& entries) {
    return {static_cast<int>(entries.size()), entries.data()};
}

MessageProperties::MessageProperties(const amqp_basic_properties_t& original, std::size_t encoded_size)
    : pool_{}, kept_{} {
    init_amqp_pool(&pool_, 4096);
    const auto keep = [&](amqp_flags_t flag, amqp_bytes_t amqp_basic_properties_t::* field) {
        if ((original._flags & flag) == 0) return;
        kept_.*field = copy(original.*field);
        kept_._flags |= flag;
    };
    keep(AMQP_BASIC_CONTENT_TYPE_FLAG, &amqp_basic_properties_t::content_type);
    keep(AMQP_BASIC_CONTENT_ENCODING_FLAG, &amqp_basic_properties_t::content_encoding);
    keep(AMQP_BASIC_CORRELATION_ID_FLAG, &amqp_basic_properties_t::correlation_id);
    keep(AMQP_BASIC_REPLY_TO_FLAG, &amqp_basic_properties_t::reply_to);
    keep(AMQP_BASIC_MESSAGE_ID_FLAG, &amqp_basic_properties_t::message_id);
    keep(AMQP_BASIC_TYPE_FLAG, &amqp_basic_properties_t::type);
    keep(AMQP_BASIC_APP_ID_FLAG, &amqp_basic_properties_t::app_id);
    if ((original._flags & AMQP_BASIC_TIMESTAMP_FLAG) != 0) {
        kept_.timestamp = original.timestamp;
        kept_._flags |= AMQP_BASIC_TIMESTAMP_FLAG;
    }
    if ((original._flags & AMQP_BASIC_HEADERS_FLAG) != 0 && encoded_size <= kMostHeaders &&
        amqp_table_clone(&original.headers, &kept_.headers, &pool_) == AMQP_STATUS_OK) {
        kept_._flags |= AMQP_BASIC_HEADERS_FLAG;
    }
}

MessageProperties::~MessageProperties() {
    empty_amqp_pool(&pool_);
}

std::string_view MessageProperties::text_header(std::string_view name) const {
    constexpr std::size_t kLongest = 1024;
    if ((kept_._flags & AMQP_BASIC_HEADERS_FLAG) == 0) return {};
    for (int i = 0; i < kept_.headers.num_entries; ++i) {
        const auto& entry = kept_.headers.entries[i];
        if (from_amqp(entry.key) != name) continue;
        const bool text = entry.value.kind == AMQP_FIELD_KIND_UTF8 || entry.value.kind == AMQP_FIELD_KIND_BYTES;
        if (!text || entry.value.value.bytes.len > kLongest) return {};
        return from_amqp(entry.value.value.bytes);
    }
    return {};
}

amqp_bytes_t MessageProperties::copy(amqp_bytes_t original) {
    if (original.len == 0) return amqp_empty_bytes;
    amqp_bytes_t bytes{};
    amqp_pool_alloc_bytes(&pool_, original.len, &bytes);
    if (bytes.bytes == nullptr) throw std::bad_alloc();
    std::memcpy(bytes.bytes, original.bytes, original.len);
    return bytes;
}

}  // namespace events
