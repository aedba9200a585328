#pragma once

#include "mime/stream.h"

namespace p11mime::cms {

/// Job is one mail being worked on as a stream. What is needed may show only on the way (a part that must be
/// re-encoded, a digest that micalg did not name, attributes behind the ciphertext that are its associated data), so a
/// job runs in passes over the same input and keeps what it has learned: keys and signatures are made once, however
/// many passes there are.
class Job {
  public:
    virtual ~Job() = default;

    /// pass reads the input from its start and writes the whole output. It returns true where the output is good; false
    /// where it has learned something and must be called again with a fresh source and an empty output. After true it
    /// may be called again to write the same output once more (for outputs that cannot be taken back); an input that
    /// changed in between ends in Error(io).
    virtual bool pass(Source& input, Sink& output) = 0;
};

}  // namespace p11mime::cms
