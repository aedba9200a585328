#pragma once

#include <memory>
#include <optional>
#include <string>

#include "cli/sqlite.h"
#include "cms/certificate.h"

namespace p11mime::cli {

/// RevocationCache keeps CRLs and OCSP responses (DER) on disk until they end, for all processes of the user. What is
/// in it is judged anew each time, so it need not be trusted; where it cannot be read or written, that is passed over.
/// For one thread at a time.
class RevocationCache {
  public:
    /// kMostBytes is what it holds at most; those that end first make room.
    static constexpr std::int64_t kMostBytes = 64 * 1024 * 1024;

    static std::string default_path();
    explicit RevocationCache(std::string path) : path_(std::move(path)) {}

    /// find is what was put there under a key (a URL, say) and has not ended.
    std::optional<Bytes> find(std::string_view key, cms::Time now);
    void put(std::string_view key, ByteView der, cms::Time until, cms::Time now);

  private:
    Database* opened(bool make);

    std::string path_;
    std::unique_ptr<Database> database_;
    bool useless_ = false;
};

}  // namespace p11mime::cli
