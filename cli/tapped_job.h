#pragma once

#include <functional>

#include "cms/job.h"

namespace p11mime::cli {

/// TappedJob is a job whose output is read meanwhile by somebody else, as a source, in a thread of its own and without
/// being kept. Of several passes each is read from the start, until one is good; those after it go untapped.
class TappedJob final : public cms::Job {
  public:
    /// The reader need not read to the end. What it throws, pass() throws. `job` must outlive this.
    using Reader = std::function<void(Source& content)>;
    TappedJob(cms::Job& job, Reader reader) : job_(job), reader_(std::move(reader)) {}

    bool pass(Source& input, Sink& output) override;

  private:
    cms::Job& job_;
    Reader reader_;
    bool read_ = false;
};

}  // namespace p11mime::cli
