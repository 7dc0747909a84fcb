// The memory behind ProfileNames: what is known of whom, since when, and what is being asked. Values and times only.
//
// Not synchronised.
#pragma once

#include <cstddef>
#include <list>
#include <optional>
#include <string>
#include <unordered_map>

#include "core/time.hpp"

namespace directory {

/// What the profile service says of a doctor, a patient or a clinic.
struct ProfileName {
    std::optional<std::string> name;
    std::optional<std::string> specialty;  ///< Doctors'.
};

class NameCache {
  public:
    struct Entry {
        std::optional<ProfileName> known;
        core::Time known_at;
        core::Time not_before;  ///< Not asked again until then.
    };

    explicit NameCache(std::size_t capacity) : capacity_(capacity) {}

    /// Null when nothing is remembered. The entry has then been used.
    const Entry* find(const std::string& key);
    /// A new entry makes room for itself.
    Entry& at(const std::string& key);
    std::size_t size() const { return entries_.size(); }

  private:
    struct Place {
        Entry entry;
        std::list<const std::string*>::iterator use;
    };

    std::size_t capacity_;
    std::unordered_map<std::string, Place> entries_;
    std::list<const std::string*> uses_;  ///< The last used first.
};

}  // namespace directory
