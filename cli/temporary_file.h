#pragma once

#include <optional>
#include <string>

#include "cli/fd.h"
#include "cli/file_stamp.h"
#include "cli/signals.h"

namespace p11mime::cli {

/// TemporaryFile is a file ".p11mime-XXXXXX" beside the path that it is to have one day. As long as its maker lives it
/// is locked (flock), so that one that was left behind can be told and removed. Everything throws Error(io).
class TemporaryFile {
  public:
    enum class OnSignal { remove, keep };
    enum class Replacing { whatever, unchanged };  ///< what is there, or the very file that was replaced

    explicit TemporaryFile(std::string path, OnSignal on_signal = OnSignal::remove);
    ~TemporaryFile();  ///< removes what has the temporary name
    TemporaryFile(const TemporaryFile&) = delete;
    TemporaryFile& operator=(const TemporaryFile&) = delete;

    int fd() const { return fd_.get(); }
    void write_out() const;  ///< starts writing to disk, so that many files are written at a time
    void sync() const;

    /// publish gives the file its path. A file that is `replaced` keeps the temporary name until this ends, so that
    /// retract() can put it back. With Replacing::unchanged it stays, and Error(io) is thrown, where it was written to
    /// or another one is there by now.
    void publish(const std::optional<FileStamp>& replaced = {}, Replacing replacing = Replacing::whatever);
    void retract() noexcept;

  private:
    void make();
    bool exchange(const FileStamp& replaced, Replacing replacing);

    std::string path_;
    std::string name_;       // for messages
    std::string temporary_;  // "" where nothing has the temporary name
    enum class State { made, renamed, exchanged } state_ = State::made;
    Fd fd_;
    std::optional<RemovedOnSignal> guard_;
};

/// remove_stale_files removes the temporary files in a directory whose makers live no longer.
void remove_stale_files(const std::string& directory);

/// sync_directory makes new names in a directory last. Throws Error(io).
void sync_directory(const std::string& directory);

}  // namespace p11mime::cli
