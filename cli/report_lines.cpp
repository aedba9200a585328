#include "cli/report_lines.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>

#include "cli/paths.h"
#include "cli/system_error.h"
#include "mime/error.h"

namespace p11mime::cli {

ReportLines::ReportLines(const std::optional<std::string>& path) {
    if (!path) return;
    name_ = *path == "-" ? "standard output" : fmt::format("'{}'", *path);
    if (*path == "-") {
        fd_ = 1;
    } else if (is_device(*path)) {
        owned_ = Fd(::open(path->c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY));
        if (!owned_) throw system_error(fmt::format("cannot write {}", name_), errno);
        fd_ = owned_.get();
    } else {
        // What was done is reported even where a signal ends the batch.
        file_.emplace(destination(*path), TemporaryFile::OnSignal::keep);
        fd_ = file_->fd();
    }
}

void ReportLines::add(const std::string& line) {
    if (fd_ >= 0 && !write_all(fd_, line)) throw system_error(fmt::format("cannot write {}", name_), errno);
}

void ReportLines::finish() {
    if (!file_) return;
    file_->sync();
    file_->publish();
    file_.reset();
}

}  // namespace p11mime::cli
