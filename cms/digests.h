#pragma once

#include <map>
#include <set>

#include "cms/algorithms.h"
#include "mime/stream.h"

namespace p11mime::cms {

/// Digests computes several digests of what is pushed.
class Digests final : public Sink {
  public:
    explicit Digests(const std::set<Hash>& hashes);
    void push(ByteView bytes) override;

    /// value is the digest so far; nothing for a hash that is not being computed.
    std::optional<Bytes> value(Hash hash) const;

  private:
    std::map<Hash, DigestContext> contexts_;
};

/// digest_of digests memory.
Bytes digest_of(Hash hash, ByteView bytes);

}  // namespace p11mime::cms
