#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "cli/fd.h"
#include "cli/file_stamp.h"
#include "cli/signals.h"

namespace p11mime::cli {

/// TemporaryFile is a file ".p11mime-unfinished-XXXXXX" beside the path that it is to have one day. As long as its
/// maker lives it is locked (flock), so that one that was left behind can be told and removed. Everything throws
/// Error(io).
class TemporaryFile {
  public:
    enum class OnSignal { remove, keep };          ///< one that is kept can be published after a signal too
    enum class Replacing { whatever, unchanged };  ///< what is there, or the very file that was replaced

    explicit TemporaryFile(std::string path, OnSignal on_signal = OnSignal::remove);
    ~TemporaryFile();  ///< removes what has the temporary name
    TemporaryFile(const TemporaryFile&) = delete;
    TemporaryFile& operator=(const TemporaryFile&) = delete;

    int fd() const { return fd_.get(); }
    void write_out() const;  ///< starts writing to disk, so that many files are written at a time
    void sync() const;

    /// publish gives the file its path. A file that is `replaced` has a temporary name until this ends, so that
    /// retract() can put it back. With Replacing::unchanged, Error(io) is thrown where it was written to or renamed, or
    /// another one is there by now, which stays; at worst it is kept under a name that the error tells.
    void publish(const std::optional<FileStamp>& replaced = {}, Replacing replacing = Replacing::whatever);
    void retract() noexcept;

  private:
    void make();
    bool exchange() const;
    void replace_unchanged(const FileStamp& replaced);
    void set_aside();

    std::string path_;
    std::string name_;  // for messages
    OnSignal on_signal_;
    std::string temporary_;  // "" where nothing has the temporary name
    enum class State { made, renamed, exchanged, final } state_ = State::made;
    Fd fd_;
    std::optional<RemovedOnSignal> guard_;
};

/// remove_stale_files removes the temporary files in a directory whose makers live no longer, but for those to be kept.
void remove_stale_files(const std::string& directory, const std::set<FileIdentity>& kept = {});

/// set_aside_files are the paths ".p11mime-replaced-XXXXXX" in a directory, left by makers that were killed while they
/// replaced a file: the new file, the old one, or one that had come in its place meanwhile.
std::vector<std::string> set_aside_files(const std::string& directory);

/// sync_directory makes new names in a directory last. Throws Error(io).
void sync_directory(const std::string& directory);

}  // namespace p11mime::cli
