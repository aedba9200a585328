#include "cms/smime/read.h"

#include <fmt/format.h>

#include "cms/smime/walk.h"
#include "mime/limit.h"

namespace p11mime::cms::smime {

namespace {

constexpr int kMaxPasses = 20;  // each pass learns something of one layer more

class MailReader final : public ReadJob {
  public:
    MailReader(DecrypterSource* keys, const Trust* trust, ReadOptions options)
        : options_(std::move(options)), keys_(keys), trust_(trust) {}

    bool pass(Source& input, Sink& output) override {
        if (settled_) workload_ = {};  // what was within the limits is so again
        Walk walk(options_, keys_, trust_, knowledge_, workload_);
        try {
            walk.run(input, output);
        } catch (const Error& error) {
            if (settled_ && error.kind() != ErrorKind::io)
                throw Error(ErrorKind::io, "the input changed while it was read");
            if (error.kind() == ErrorKind::failed) keep_failed(walk.report(), error);
            throw;
        }
        if (walk.again()) {
            if (settled_) throw Error(ErrorKind::io, "the input changed while it was read");
            if (++passes_ > kMaxPasses)
                throw LimitExceeded(fmt::format("the mail needs more than {} passes", kMaxPasses));
            return false;
        }
        if (settled_ && (walk.report().result != report_.result || walk.evidence() != evidence_))
            throw Error(ErrorKind::io, "the input changed while it was read");
        report_ = walk.report();
        evidence_ = walk.evidence();
        settled_ = true;
        return true;
    }

    const Report& report() const override { return report_; }

  private:
    void keep_failed(Report report, const Error& error) {
        report_ = std::move(report);
        report_.result = Result::invalid;
        report_.reason = error.what();
        report_.hint = error.hint();
    }

    ReadOptions options_;
    DecrypterSource* keys_;
    const Trust* trust_;
    Knowledge knowledge_;
    Workload workload_;  // of all passes until it is settled
    Report report_;
    std::vector<Bytes> evidence_;  // of the pass that settled it
    bool settled_ = false;
    int passes_ = 0;
};

}  // namespace

std::unique_ptr<ReadJob> read_job(DecrypterSource* keys, const Trust* trust, ReadOptions options) {
    return std::make_unique<MailReader>(keys, trust, std::move(options));
}

}  // namespace p11mime::cms::smime
