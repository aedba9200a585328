#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "cli/batch_plan.h"
#include "cli/file_stamp.h"

namespace p11mime::cli {

class Database;
class Statement;

/// Done is the record of one mail that a batch is done with. It is written before the output gets its name, so an
/// output that is not the one recorded is not there yet, or has been changed.
struct Done {
    std::string input;  ///< path, links followed
    FileStamp input_stamp;
    FileStamp output_stamp;     ///< of the file that becomes the output
    std::string output_digest;  ///< of --in-place: SHA-256 in hex; whatever the file is called later
    int exit = 0;
    std::string result;
    std::vector<std::pair<std::string, FileStamp>> copies{};  ///< for Bcc, each with its path
};

/// Journal keeps the records of batches in an SQLite file, so that a batch that is run again goes on where it was. It
/// is one for each command and place of outputs. Everything throws Error(io). Safe for several threads.
class Journal {
  public:
    /// Opening it takes the lock of the plan's directories, held as long as this lives; another batch that has one of
    /// them is Error(io).
    Journal(const std::string& path, const Options& options, const BatchPlan& plan);
    ~Journal();
    static std::string default_path();  ///< below $XDG_STATE_HOME

    /// Finding is what is known of a mail; `done` where nothing needs to be done, `remark` what a person should know.
    struct Finding {
        std::optional<Done> done;
        std::string remark;
    };
    /// Of commands that read mail, those that judge it are never done with a mail that is there still; in place, one is
    /// done only where the very file that was put there is there still. Throws Error(usage) for a mail that was
    /// replaced with other options.
    Finding look_up(const Assignment& assignment);

    /// is_leftover says of a file that was set aside that it is a recorded mail whose output is in place, or such an
    /// output while the mail is in place still: either is needed no longer.
    bool is_leftover(const std::string& path);

    /// record writes all or none.
    void record(std::span<const Done> done);

    bool in_place() const { return in_place_; }
    bool reads() const { return reads_; }

  private:
    class Locks;
    struct Found;

    static std::optional<Found> found(Statement& query);
    std::optional<Found> by_input(const std::string& input);
    std::optional<Found> by_content(const std::string& path, std::uint64_t size);
    bool copies_are_there(const std::string& input);
    Finding look_up_in_place(const std::string& path, const FileStamp& now);
    Finding look_up_output(const std::string& path, const FileStamp& now, const std::string& output);

    std::string job_;      // command and destination
    std::string options_;  // digest of the options that matter to outputs
    bool in_place_;
    bool reads_;   // the command takes mail apart: verify, decrypt, open
    bool judges_;  // it gives verdicts: verify, open
    std::unique_ptr<Locks> locks_;
    std::mutex mutex_;
    std::unique_ptr<Database> database_;
    bool known_ = false;  // there are records of this job from before
};

/// file_digest is the SHA-256 of what a file holds, in hex. Throws Error(io).
std::string file_digest(int fd, const std::string& name);

}  // namespace p11mime::cli
