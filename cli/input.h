#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "cli/fd.h"
#include "cli/file_stamp.h"
#include "mime/stream.h"

namespace p11mime::cli {

/// Watcher is told how far reading has come: the bytes read of one pass, and all bytes where their count is known.
using Watcher = std::function<void(std::uint64_t done, std::optional<std::uint64_t> total)>;

/// FileInput is an input that can be opened again and again: a regular file is read where it is, anything else goes
/// into an unlinked file in $TMPDIR on the way. Sources must not outlive it.
class FileInput : public Input {
  public:
    /// open_path opens a file, or standard input for "-". Throws Error(io).
    static std::unique_ptr<FileInput> open_path(const std::string& path, Watcher watcher);

    virtual const std::string& name() const = 0;         ///< as given, "-" for standard input
    virtual std::optional<FileStamp> stamp() const = 0;  ///< of a regular file, when it was opened
};

}  // namespace p11mime::cli
