#pragma once

#include <cstdint>

#include "mime/stream.h"

namespace p11mime::cms::smime {

/// What reading a mail may take, in all its layers and parts and until it is known what it holds. More is made to
/// exhaust whoever reads it, Error(malformed).
///
/// Work is in bytes: of content, for each level of the mail that it is read through and each digest that is made of
/// it, and of certificates, for each signer that is looked for among them; one more certificate counts as
/// kCertificateWork. It may come to kFreeWork and kMaxWork times what was read of the input: five levels or digests of
/// what expands as far as it may (kMaxExpansion).
inline constexpr std::uint64_t kFreeWork = 256 * 1024 * 1024;
inline constexpr std::uint64_t kMaxWork = 500;
inline constexpr std::uint64_t kCertificateWork = 16 * 1024;         ///< less than kMaxWork times the size of any
inline constexpr std::size_t kMaxVerifications = 1'000;              ///< of signatures
inline constexpr std::size_t kMaxMailSigners = 500;                  ///< in one pass over the mail
inline constexpr std::size_t kMaxMailSignerBytes = 8 * 1024 * 1024;  ///< of their SignerInfos, likewise

/// Workload counts what reading a mail has taken. All but add_input throw Error(malformed) where it is too much.
class Workload {
  public:
    void add_input(std::uint64_t bytes) { input_ += bytes; }
    void add_work(std::uint64_t bytes);
    void add_verifications(std::size_t count);

  private:
    std::uint64_t input_ = 0;
    std::uint64_t work_ = 0;
    std::size_t verifications_ = 0;
};

/// WorkSource counts a source as work, `times` over.
class WorkSource final : public Source {
  public:
    WorkSource(Source& from, Workload& workload, std::size_t times = 1)
        : from_(from), workload_(workload), times_(times) {}
    ByteView pull() override {
        const ByteView piece = from_.pull();
        workload_.add_work(piece.size() * times_);
        return piece;
    }

  private:
    Source& from_;
    Workload& workload_;
    std::size_t times_;
};

}  // namespace p11mime::cms::smime
