#pragma once

#include <map>
#include <set>
#include <vector>

#include "cms/algorithms.h"
#include "mime/concurrent_sink.h"

namespace p11mime::cms {

/// Digests computes several digests of what is pushed, of much in a thread of its own.
class Digests final : public Sink {
  public:
    explicit Digests(const std::set<Hash>& hashes);
    void push(ByteView bytes) override { concurrent_.push(bytes); }

    /// value is the digest so far; nothing for a hash that is not being computed.
    std::optional<Bytes> value(Hash hash) const;
    std::vector<Bytes> values() const;  ///< all of them

  private:
    struct Contexts final : Sink {
        void push(ByteView bytes) override;
        std::map<Hash, DigestContext> of;
    };

    Contexts contexts_;
    ConcurrentSink concurrent_{contexts_};
};

/// digest_of digests memory.
Bytes digest_of(Hash hash, ByteView bytes);

}  // namespace p11mime::cms
