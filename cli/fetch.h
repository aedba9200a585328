#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "mime/bytes.h"

namespace p11mime::cli {

/// DirectoryEntry is what a directory (LDAP) tells of one object.
struct DirectoryEntry {
    struct Value {
        std::string attribute;  ///< its name as the server has it, options such as ";binary" taken off
        Bytes value;
    };
    std::string name;  ///< distinguished name
    std::vector<Value> values;
};

/// FetchLimits bound one fetch, redirects and all.
struct FetchLimits {
    std::size_t most = 32 * 1024 * 1024;  ///< bytes of the answer
    std::chrono::milliseconds connect{5'000};
    std::chrono::milliseconds silence{30'000};  ///< in which not a byte comes; whole seconds, over HTTP
    std::chrono::milliseconds total{30'000};
};

/// Fetcher gets what mail and certificates point to from the network, over libcurl, which is loaded at the first fetch.
/// Whoever wrote an address may be an attacker, so a fetch goes to http, https, ldap and ldaps alone, to public
/// addresses alone (checked on the address that is connected to), along few redirects, each held to the same, and those
/// to http and https alone. It takes no proxy from the environment (a proxy would look names up where the address
/// cannot be checked), keeps no cookies, and refuses URLs with a user's name. Safe for several threads.
///
/// Everything throws Error(io), one line that names the URL and the cause.
class Fetcher {
  public:
    /// `private_hosts` may have private addresses: names or addresses as a URL has them ("localhost", "[::1]"), each
    /// with or without ":port".
    explicit Fetcher(std::vector<std::string> private_hosts, FetchLimits limits = {});
    ~Fetcher();

    /// get is the body at an http or https URL; it takes no longer than `at_most` or the limit.
    Bytes get(const std::string& url, std::chrono::milliseconds at_most = std::chrono::milliseconds::max());

    /// post sends a body of a media type ("application/ocsp-request") and gives the answer's; where `answer_type` is
    /// not empty, an answer of another media type is refused. `at_most` as above.
    Bytes post(const std::string& url, std::string_view type, ByteView body, std::string_view answer_type,
               std::chrono::milliseconds at_most = std::chrono::milliseconds::max());

    /// search is what a directory answers to an ldap or ldaps URL (RFC 4516), asked without a name. Referrals are not
    /// followed. `at_most` as above.
    std::vector<DirectoryEntry> search(const std::string& url,
                                       std::chrono::milliseconds at_most = std::chrono::milliseconds::max());

  private:
    struct Library;
    struct Request;
    struct Answer;

    const Library& library();
    Answer run(const Request& request);
    Answer step(const Request& request, const std::string& url, std::chrono::milliseconds left);

    std::vector<std::string> private_hosts_;
    FetchLimits limits_;
    struct Loaded;
    std::unique_ptr<Loaded> loaded_;
};

/// server_of is the host of a URL, with its port where it has one, as `private_hosts` takes it: of a server that the
/// user names themselves, which may well be their organisation's own.
std::string server_of(std::string_view url);

/// is_directory_url says whether a URL is one for Fetcher::search().
bool is_directory_url(std::string_view url);

/// directory_entries reads what libcurl makes of a directory's answer. Throws Error(malformed).
std::vector<DirectoryEntry> directory_entries(std::string_view text);

}  // namespace p11mime::cli
