#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/certificate_files.h"
#include "cli/sqlite.h"
#include "cms/sources.h"

namespace p11mime::cli {

/// RevocationCache keeps CRLs and OCSP responses (DER) on disk until they end, for all processes of the user, and what
/// they told of certificates that are revoked beside that, for longer, so that nothing newer that tells less takes its
/// place. The former are judged anew each time; the latter is believed, as the user's own word. Where it cannot be read
/// or written, a warning says so once and it is not tried again; a file that is broken is put aside, with a warning,
/// and made anew. For one thread at a time.
class RevocationCache {
  public:
    /// kMostBytes and kMostRevocations are what it holds at most; the largest evidence, and revocations that
    /// end first, make room.
    static constexpr std::int64_t kMostBytes = 64 * 1024 * 1024;
    static constexpr std::int64_t kMostRevocations = 100'000;

    static std::string default_path();
    RevocationCache(std::string path, Warn warn) : path_(std::move(path)), warn_(std::move(warn)) {}

    /// kLongestKept is how long evidence is kept at most: whoever made it says when it ends.
    static constexpr std::chrono::hours kLongestKept{366 * 24};

    /// find is what was put there under a key (a URL, say) and has not ended.
    std::optional<Bytes> find(std::string_view key, cms::Time now);
    void put(std::string_view key, ByteView der, cms::Time until, cms::Time now);

    /// find_revocations is what was put there of a certificate, or of all of one key (a key that names it), each in its
    /// newest form.
    std::vector<cms::Telling> find_revocations(std::string_view certificate);
    /// find_revocations_of is that of several at once, one list each: a question costs more than what it asks for.
    std::vector<std::vector<cms::Telling>> find_revocations_of(const std::vector<std::string>& certificates);
    void put_revocation(std::string_view certificate, const cms::Telling& telling, cms::Time until, cms::Time now);
    /// remove_holds takes out what was told of holds of a certificate before a time.
    void remove_holds(std::string_view certificate, cms::Time before);

  private:
    template <class Query>
    auto found(const Query& query) -> decltype(query(std::declval<Database&>()));
    template <class Change>
    void change(const Change& change);
    Database* opened_to_find();
    Database& opened_to_put();
    bool put_aside();

    std::string path_;
    Warn warn_;
    std::unique_ptr<Database> database_;
    bool readable_ = true;
    bool writable_ = true;
};

}  // namespace p11mime::cli
