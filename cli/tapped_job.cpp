#include "cli/tapped_job.h"

#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>

#include "mime/signals_held.h"

namespace p11mime::cli {

namespace {

// Tap passes bytes on to a sink and hands them to the reader's thread in pieces, one at a time.
class Tap final : public Sink {
  public:
    Tap(Sink& to, const TappedJob::Reader& reader) : to_(to), source_(*this) {
        const SignalsHeld held;  // signals are the main thread's
        thread_ = std::thread([this, &reader] { run(reader); });
    }
    ~Tap() override { end(); }
    Tap(const Tap&) = delete;
    Tap& operator=(const Tap&) = delete;

    void push(ByteView bytes) override {
        to_.push(bytes);
        gathered_.insert(gathered_.end(), bytes.begin(), bytes.end());
        if (gathered_.size() >= kPieceSize) hand_over();
    }
    void finish() {
        hand_over();
        end();
        if (failure_) std::rethrow_exception(failure_);
    }

  private:
    class PieceSource final : public Source {
      public:
        explicit PieceSource(Tap& tap) : tap_(tap) {}
        ByteView pull() override { return tap_.next(); }

      private:
        Tap& tap_;
    };

    void run(const TappedJob::Reader& reader) {
        try {
            reader(source_);
        } catch (...) {
            failure_ = std::current_exception();
        }
        const std::lock_guard lock(mutex_);
        gone_ = true;
        taken_.notify_one();
    }

    void hand_over() {
        std::unique_lock lock(mutex_);
        taken_.wait(lock, [this] { return gone_ || !full_; });
        piece_.swap(gathered_);
        gathered_.clear();
        full_ = true;
        filled_.notify_one();
    }

    void end() {
        {
            const std::lock_guard lock(mutex_);
            ended_ = true;
            filled_.notify_one();
        }
        if (thread_.joinable()) thread_.join();
    }

    // The last piece was valid until now.
    ByteView next() {
        std::unique_lock lock(mutex_);
        if (out_) full_ = false;
        out_ = false;
        taken_.notify_one();
        filled_.wait(lock, [this] { return ended_ || full_; });
        if (!full_) return {};
        out_ = true;
        if (piece_.empty()) full_ = out_ = false;
        return piece_;
    }

    Sink& to_;
    Bytes gathered_;
    std::thread thread_;

    std::mutex mutex_;  // of the rest
    std::condition_variable filled_, taken_;
    Bytes piece_;
    bool full_ = false;   // there is a piece that the reader is not done with
    bool out_ = false;    // the reader has it
    bool ended_ = false;  // there will be no other
    bool gone_ = false;   // the reader needs no more
    std::exception_ptr failure_;
    PieceSource source_;
};

}  // namespace

bool TappedJob::pass(Source& input, Sink& output) {
    if (read_) return job_.pass(input, output);
    Tap tap(output, reader_);
    read_ = job_.pass(input, tap);
    tap.finish();
    return read_;
}

}  // namespace p11mime::cli
