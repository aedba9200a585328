#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "cli/report_json.h"

namespace p11mime::cli {

using Json = nlohmann::ordered_json;

template <class T>
Json or_null(const std::optional<T>& value) {
    return value ? Json(*value) : Json(nullptr);
}

/// frame_json is the members before a command's own, error_json the last one.
Json frame_json(const ReportFrame& frame);
Json error_json(const ReportFrame& frame);

/// one_line is the text of a report, with a line feed; bytes that are no UTF-8 are replaced.
std::string one_line(const Json& json);

}  // namespace p11mime::cli
