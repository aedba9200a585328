#include "mime/concurrent_sink.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>

#include "mime/signals_held.h"

namespace p11mime {

namespace {

constexpr std::size_t kWorthAThread = 1024 * 1024;  // bytes; starting a thread takes as long as hashing some of them
constexpr std::size_t kPieces = 4;                  // on their way at once

// Place is one of the threads that may run at once in the process: each costs the memory of its pieces, and more than
// these gain nothing.
class Place {
  public:
    /// take gives nothing where all are taken.
    static std::unique_ptr<Place> take() {
        if (taken_.fetch_add(1) < kMost) return std::unique_ptr<Place>(new Place);
        taken_.fetch_sub(1);
        return nullptr;
    }
    ~Place() { taken_.fetch_sub(1); }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;

  private:
    Place() = default;
    static constexpr int kMost = 8;
    static std::atomic<int> taken_;
};
std::atomic<int> Place::taken_{0};

}  // namespace

// Pipe is a ring of pieces, filled by the caller's thread and emptied by its own.
class ConcurrentSink::Pipe {
  public:
    /// start gives nothing where no thread is to be had.
    static std::unique_ptr<Pipe> start(Sink& to) {
        std::unique_ptr<Place> place = Place::take();
        if (!place) return nullptr;
        try {
            return std::make_unique<Pipe>(to, std::move(place));
        } catch (const std::system_error&) {
            return nullptr;
        }
    }

    Pipe(Sink& to, std::unique_ptr<Place> place) : to_(to), place_(std::move(place)) {
        const SignalsHeld held;  // signals are for the threads that wait for input
        thread_ = std::thread([this] { run(); });
    }
    ~Pipe() {
        {
            const std::lock_guard lock(mutex_);
            stopped_ = true;
        }
        changed_.notify_one();
        thread_.join();
    }
    Pipe(const Pipe&) = delete;
    Pipe& operator=(const Pipe&) = delete;

    void push(ByteView bytes) {
        while (!bytes.empty()) {
            Piece& piece = filling();
            const std::size_t take = std::min(bytes.size(), piece.bytes.size() - piece.size);
            std::copy_n(bytes.begin(), take, piece.bytes.begin() + static_cast<std::ptrdiff_t>(piece.size));
            piece.size += take;
            bytes = bytes.subspan(take);
            if (piece.size == piece.bytes.size()) hand_over();
        }
    }

    void wait() {
        if (free_ && pieces_[filled_ % kPieces].size > 0) hand_over();
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return emptied_ == filled_; });
        if (error_) std::rethrow_exception(error_);
    }

  private:
    struct Piece {
        Bytes bytes;
        std::size_t size = 0;
    };

    // The piece that is being filled, once the other side is done with it.
    Piece& filling() {
        Piece& piece = pieces_[filled_ % kPieces];
        if (free_) return piece;
        {
            std::unique_lock lock(mutex_);
            changed_.wait(lock, [this] { return filled_ - emptied_ < kPieces; });
            if (error_) std::rethrow_exception(error_);
        }
        free_ = true;
        piece.size = 0;
        piece.bytes.resize(kPieceSize);
        return piece;
    }

    void hand_over() {
        {
            const std::lock_guard lock(mutex_);
            ++filled_;
        }
        free_ = false;
        changed_.notify_one();
    }

    void run() {
        std::unique_lock lock(mutex_);
        for (;;) {
            changed_.wait(lock, [this] { return stopped_ || emptied_ < filled_; });
            if (stopped_) return;
            const Piece& piece = pieces_[emptied_ % kPieces];
            if (!error_) {
                lock.unlock();
                std::exception_ptr error = pass_on(ByteView(piece.bytes).first(piece.size));
                lock.lock();
                error_ = std::move(error);
            }
            ++emptied_;
            // Woken at each piece, a caller that is ahead would only fall asleep again.
            if (filled_ - emptied_ <= kPieces / 2) changed_.notify_one();
        }
    }

    std::exception_ptr pass_on(ByteView bytes) noexcept {
        try {
            to_.push(bytes);
            return nullptr;
        } catch (...) {
            return std::current_exception();
        }
    }

    Sink& to_;
    std::unique_ptr<Place> place_;
    std::array<Piece, kPieces> pieces_;
    bool free_ = false;  // the piece to be filled next is the caller's; only its thread looks at this

    std::mutex mutex_;
    std::condition_variable changed_;  // at most one of the two threads waits
    std::uint64_t filled_ = 0, emptied_ = 0;
    bool stopped_ = false;
    std::exception_ptr error_;
    std::thread thread_;
};

ConcurrentSink::ConcurrentSink(Sink& to) : to_(to) {}

ConcurrentSink::~ConcurrentSink() = default;

void ConcurrentSink::push(ByteView bytes) {
    if (pipe_) return pipe_->push(bytes);
    to_.push(bytes);
    if (pushed_ >= kWorthAThread) return;  // no thread was to be had
    pushed_ += bytes.size();
    if (pushed_ >= kWorthAThread) pipe_ = Pipe::start(to_);
}

void ConcurrentSink::wait() const {
    if (pipe_) pipe_->wait();
}

}  // namespace p11mime
