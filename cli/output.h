#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/input.h"
#include "cms/job.h"

namespace p11mime::cli {

/// Output is where a job's data goes. stage() runs the job and keeps the data back; commit() makes it appear, whole.
/// What is not committed leaves nothing behind.
class Output {
  public:
    virtual ~Output() = default;

    /// stage runs the job's passes until its output is good. Job and input must live until commit() where the output is
    /// not revocable.
    virtual void stage(cms::Job& job, const Input& input) = 0;
    /// stage_bytes keeps bytes back in the same way.
    void stage_bytes(Bytes bytes);
    /// write_out starts what sync() completes: what was staged is on disk.
    virtual void write_out() {}
    virtual void sync() {}
    virtual void commit() = 0;
    /// path is the file that commit() makes, whose directory must be synced for it to last; "" where there is none.
    virtual std::string path() const { return {}; }
    /// retract takes back what commit() did, where that can be: a file that was replaced is there again.
    virtual void retract() noexcept {}
    /// revocable says whether retract() can.
    virtual bool revocable() const { return true; }
    /// on_terminal says whether a person sees the data at once, who is shown it as visible() does (VisibleSink).
    virtual bool on_terminal() const { return false; }
    /// staged is the file that holds what was staged, -1 where none does.
    virtual int staged() const { return -1; }

    /// to_file writes a temporary file beside `path` (beside what it links to), renamed by commit(); a file that is
    /// there and is not a regular one is written through instead, or refused. Throws Error(io); Error(usage) where
    /// `path` is one of `inputs`.
    enum class Others { written_through, refused };
    static std::unique_ptr<Output> to_file(const std::string& path, const std::vector<FileIdentity>& inputs = {},
                                           Others others = Others::written_through);
    /// in_place_of replaces an input. Throws Error(io) where it has changed by then.
    static std::unique_ptr<Output> in_place_of(const std::string& path, const FileStamp& input);
    /// to_stdout writes through to standard output.
    static std::unique_ptr<Output> to_stdout(const std::vector<FileIdentity>& inputs = {});
    /// to_nowhere runs the job for what it finds out.
    static std::unique_ptr<Output> to_nowhere();

  private:
    std::unique_ptr<cms::Job> own_job_;  // of stage_bytes
    std::unique_ptr<Input> own_input_;
};

using Outputs = std::vector<std::unique_ptr<Output>>;

}  // namespace p11mime::cli
