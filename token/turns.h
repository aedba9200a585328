#pragma once

#include <atomic>
#include <chrono>
#include <mutex>
#include <string>

namespace p11mime::token {

/// Turns has the processes of one user log in one after another, whatever modules they reach a token by: what one reads
/// of the tries left holds until its own try is over, and SoftHSM, which writes a token's file at each login, is not
/// read meanwhile. They lock (flock) a file that is theirs alone, so that nobody else can hold them up.
class Turns {
  public:
    enum class Kind { reading, login };

    /// kLongestWait: a login to a slow card takes a few seconds, and several may come before.
    static constexpr std::chrono::seconds kLongestWait{20};

    /// `file` is made where there is none; "", or one that cannot be opened, keeps only the threads of this process
    /// apart. `longest_wait` is for another process's turn.
    explicit Turns(std::string file, std::chrono::seconds longest_wait = kLongestWait)
        : file_(std::move(file)), longest_wait_(longest_wait) {}

    /// waited_in_vain says that another process kept its turn for too long. It went on without then, and does not wait
    /// again.
    bool waited_in_vain() const { return waited_in_vain_; }

    /// Turn is the time between begin() and its end. A thread that has a turn may take another within it, but no login
    /// within a reading.
    class Turn {
      public:
        Turn(Turns& turns, Kind kind) : turns_(turns) { turns_.begin(kind); }
        ~Turn() { turns_.end(); }
        Turn(const Turn&) = delete;
        Turn& operator=(const Turn&) = delete;

      private:
        Turns& turns_;
    };

  private:
    void begin(Kind kind);
    void end();
    void lock(int operation);

    std::string file_;
    std::chrono::seconds longest_wait_;
    std::recursive_mutex mutex_;  // held by the thread whose turn it is
    int depth_ = 0;
    int descriptor_ = -1;
    std::atomic<bool> waited_in_vain_ = false;
};

}  // namespace p11mime::token
