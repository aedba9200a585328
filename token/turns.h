#pragma once

#include <mutex>
#include <string>

namespace p11mime::token {

/// Turns has the processes that use one module log in one after another: what one reads of the tries left holds until
/// its own try is over, and SoftHSM, which writes a token's file at each login, is not read meanwhile. It locks the
/// module's own file (flock), which needs no place to agree on. Who waits too long goes on without.
class Turns {
  public:
    enum class Kind { reading, login };

    explicit Turns(std::string file) : file_(std::move(file)) {}

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

    std::string file_;
    std::recursive_mutex mutex_;  // held by the thread whose turn it is
    int depth_ = 0;
    int descriptor_ = -1;
};

}  // namespace p11mime::token
