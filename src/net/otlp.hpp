// Spans as an OTLP/HTTP JSON document: ExportTraceServiceRequest of opentelemetry-proto in its JSON mapping, where ids
// are hexadecimal and 64-bit numbers are texts (https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding).
// Pure.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "core/trace.hpp"

namespace net {

/// What sends spans: attributes `service.name` and `service.version` of the resource.
struct OtlpSource {
    std::string service_name;
    std::string service_version;
};

std::string otlp_document(const OtlpSource& source, std::span<const core::trace::Span> spans);

}  // namespace net
