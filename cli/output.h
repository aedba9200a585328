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

    /// stage runs the job's passes until its output is good. Job and input must live until commit().
    virtual void stage(cms::Job& job, const Input& input) = 0;
    /// stage_bytes keeps bytes back in the same way.
    void stage_bytes(Bytes bytes);
    virtual void commit() = 0;
    /// retract takes back what commit() did, where that can be: a file that was replaced is there again.
    virtual void retract() noexcept {}
    /// revocable says whether retract() can.
    virtual bool revocable() const { return true; }

    /// to_file writes a temporary file beside `path` (beside what it links to), synced and renamed by commit(); a file
    /// that is there and is not a regular one is written through instead. Throws Error(io); Error(usage) where `path`
    /// is one of `inputs`.
    static std::unique_ptr<Output> to_file(const std::string& path, const std::vector<FileIdentity>& inputs = {});
    /// to_stdout writes through to standard output.
    static std::unique_ptr<Output> to_stdout(const std::vector<FileIdentity>& inputs = {});
    /// to_nowhere runs the job for what it finds out.
    static std::unique_ptr<Output> to_nowhere();

  private:
    std::unique_ptr<cms::Job> own_job_;  // of stage_bytes
    std::unique_ptr<Input> own_input_;
};

/// deliver commits outputs, files before what is written through, else in their order; where one fails, those before it
/// are retracted.
void deliver(std::vector<Output*> outputs);

}  // namespace p11mime::cli
