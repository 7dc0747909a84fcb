// What AWS knows an account's user or role by. Plain.
#pragma once

#include "net/sigv4.hpp"

namespace meetings::chime {

using net::AwsKeys;

}  // namespace meetings::chime
