#pragma once

#include <string>
#include <utility>
#include <vector>

#include "softhsm-tests/matrix/people.h"

namespace p11mime::test::matrix {

/// JavaPeer collects jobs for the Java program (peer/Peer.java) and runs them all in one JVM.
class JavaPeer {
  public:
    using Values = std::vector<std::pair<std::string, std::string>>;

    /// add has a job done later; its values are as the program's source has them.
    void add(const Values& values);

    /// run does all jobs and returns their answers: "ok" or what went wrong. Throws where the program itself fails.
    std::vector<std::string> run(const People& people) const;

  private:
    std::size_t jobs_ = 0;
    std::string manifest_;
};

}  // namespace p11mime::test::matrix
