#pragma once

#include <memory>
#include <optional>
#include <string>

#include "cli/fd.h"
#include "cli/temporary_file.h"

namespace p11mime::cli {

/// ReportLines is the report of a batch (--json), one line a mail: on standard output or a device at once, in a file
/// that appears at the end. Everything throws Error(io).
class ReportLines {
  public:
    explicit ReportLines(const std::optional<std::string>& path);  ///< nothing: there is none

    void add(const std::string& line);
    void finish();

  private:
    std::string name_;
    std::optional<TemporaryFile> file_;
    Fd owned_;
    int fd_ = -1;
};

}  // namespace p11mime::cli
