// librabbitmq's values and ours.
#pragma once

#include <amqp.h>
#include <amqp_framing.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/time.hpp"

namespace events {

/// A view; the library only reads what it is given.
inline amqp_bytes_t amqp_text(std::string_view text) {
    return {text.size(), const_cast<char*>(text.data())};
}
inline std::string_view from_amqp(amqp_bytes_t bytes) {
    return {static_cast<const char*>(bytes.bytes), bytes.len};
}

amqp_table_entry_t text_entry(std::string_view key, std::string_view value);
amqp_table_entry_t number_entry(std::string_view key, std::int64_t value);
amqp_table_entry_t flag_entry(std::string_view key, bool value);
amqp_table_entry_t table_entry(std::string_view key, amqp_table_t& value);
/// A view of the entries.
amqp_table_t table_of(std::vector<amqp_table_entry_t>& entries);

/// The properties of a message that came, in memory of their own.
class MessageProperties {
  public:
    /// `encoded_size`: what they took on the wire.
    MessageProperties(const amqp_basic_properties_t& original, std::size_t encoded_size);
    ~MessageProperties();
    MessageProperties(const MessageProperties&) = delete;
    MessageProperties& operator=(const MessageProperties&) = delete;

    /// Those with which it is sent on and kept: not its life span, nor the user it came from, which the broker would
    /// not believe us. Points into this object.
    const amqp_basic_properties_t& kept() const { return kept_; }
    /// The headers are left out of `kept` when there would be no room for more in one frame.
    static constexpr std::size_t kMostHeaders = 64 * 1024;

    /// A header that is a text of at most 1 KiB; empty: there is none.
    std::string_view text_header(std::string_view name) const;

  private:
    amqp_bytes_t copy(amqp_bytes_t original);

    amqp_pool_t pool_;
    amqp_basic_properties_t kept_;
};

}  // namespace events
