#include "cli/fetch.h"

#include <curl/curl.h>
#include <fmt/format.h>
#include <strings.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <mutex>
#include <optional>

#include "cli/public_address.h"
#include "cli/signals.h"
#include "mime/error.h"
#include "mime/shared_library.h"

namespace p11mime::cli {

namespace {

constexpr const char* kWeb = "http,https";
constexpr const char* kDirectory = "ldap,ldaps";
constexpr std::size_t kLongestUrl = 2'000;
constexpr int kMostRedirects = 3;
constexpr long kOk = 200;

Error cannot_fetch(const std::string& url, const std::string& cause, std::string hint = {}) {
    return {ErrorKind::io, fmt::format("cannot fetch '{}': {}", url.substr(0, kLongestUrl), cause), std::move(hint)};
}

bool equals_ignoring_case(const std::string& a, std::string_view b) {
    return a.size() == b.size() && strncasecmp(a.data(), b.data(), b.size()) == 0;
}

}  // namespace

// Library is libcurl, as far as it is used.
struct Fetcher::Library {
    Library() : file("libcurl.so.4", "libcurl4") {
        file.take(global_init, "curl_global_init");
        file.take(init, "curl_easy_init");
        file.take(cleanup, "curl_easy_cleanup");
        file.take(setopt, "curl_easy_setopt");
        file.take(perform, "curl_easy_perform");
        file.take(getinfo, "curl_easy_getinfo");
        file.take(error_text, "curl_easy_strerror");
        file.take(append, "curl_slist_append");
        file.take(free_list, "curl_slist_free_all");
        file.take(new_url, "curl_url");
        file.take(free_url, "curl_url_cleanup");
        file.take(set_part, "curl_url_set");
        file.take(get_part, "curl_url_get");
        file.take(free_text, "curl_free");
        if (global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) throw Error(ErrorKind::io, "libcurl cannot be used");
    }

    SharedLibrary file;
    decltype(&curl_global_init) global_init;
    decltype(&curl_easy_init) init;
    decltype(&curl_easy_cleanup) cleanup;
    decltype(&curl_easy_setopt) setopt;
    decltype(&curl_easy_perform) perform;
    decltype(&curl_easy_getinfo) getinfo;
    decltype(&curl_easy_strerror) error_text;
    decltype(&curl_slist_append) append;
    decltype(&curl_slist_free_all) free_list;
    decltype(&curl_url) new_url;
    decltype(&curl_url_cleanup) free_url;
    decltype(&curl_url_set) set_part;
    decltype(&curl_url_get) get_part;
    decltype(&curl_free) free_text;
};

struct Fetcher::Loaded {
    std::once_flag once;
    std::optional<Library> library;
};

struct Fetcher::Request {
    const std::string& url;
    const char* schemes;
    std::string_view type;  // of the body; empty for a GET
    ByteView body;
    std::chrono::milliseconds at_most = std::chrono::milliseconds::max();
};

struct Fetcher::Answer {
    Bytes body;
    std::string redirect;  // where the answer is to be had; empty where this is it
    std::string type;      // media type without parameters
};

namespace {

// Transfer is what libcurl's callbacks work on.
struct Transfer {
    bool private_allowed;
    std::size_t most;
    Bytes body;
    bool too_long = false;
    std::string refused;  // the address that was not connected to

    static curl_socket_t open_socket(void* self, curlsocktype, curl_sockaddr* address) {
        auto& transfer = *static_cast<Transfer*>(self);
        if (!transfer.private_allowed && !is_public(address->addr)) {
            transfer.refused = address_text(address->addr);
            return CURL_SOCKET_BAD;
        }
        return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    }

    // A signal ends the fetch.
    static int progress(void*, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
        return interrupting_signal() != 0 ? 1 : 0;
    }

    static std::size_t write(char* data, std::size_t, std::size_t size, void* self) {
        auto& transfer = *static_cast<Transfer*>(self);
        if (size > transfer.most - transfer.body.size()) {
            transfer.too_long = true;
            return 0;
        }
        const ByteView piece = bytes_of({data, size});
        transfer.body.insert(transfer.body.end(), piece.begin(), piece.end());
        return size;
    }
};

// without_parameters is the media type in a Content-Type field, in lower case.
std::string without_parameters(std::string_view type) {
    std::string bare(type.substr(0, type.find_first_of("; \t")));
    std::transform(bare.begin(), bare.end(), bare.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    return bare;
}

}  // namespace

std::string server_of(std::string_view url) {
    const std::size_t start = url.find("//");
    if (start == std::string_view::npos) return {};
    url.remove_prefix(start + 2);
    return std::string(url.substr(0, url.find_first_of("/?#")));
}

Fetcher::Fetcher(std::vector<std::string> private_hosts, FetchLimits limits)
    : private_hosts_(std::move(private_hosts)), limits_(limits), loaded_(std::make_unique<Loaded>()) {}

Fetcher::~Fetcher() = default;

const Fetcher::Library& Fetcher::library() {
    std::call_once(loaded_->once, [&] { loaded_->library.emplace(); });
    return *loaded_->library;
}

Bytes Fetcher::get(const std::string& url, std::chrono::milliseconds at_most) {
    return run({url, kWeb, {}, {}, at_most}).body;
}

Bytes Fetcher::post(const std::string& url, std::string_view type, ByteView body, std::string_view answer_type,
                    std::chrono::milliseconds at_most) {
    Answer answer = run({url, kWeb, type, body, at_most});
    if (!answer_type.empty() && answer.type != answer_type)
        throw cannot_fetch(url, fmt::format("the answer is not of type {}", answer_type));
    return std::move(answer.body);
}

std::vector<DirectoryEntry> Fetcher::search(const std::string& url, std::chrono::milliseconds at_most) {
    const Answer answer = run({url, kDirectory, {}, {}, at_most});
    try {
        return directory_entries(text_of(answer.body));
    } catch (const Error& error) {
        throw cannot_fetch(url, error.what());
    }
}

// Redirects are followed here, not by libcurl, so that each host is looked at.
Fetcher::Answer Fetcher::run(const Request& request) {
    using Clock = std::chrono::steady_clock;
    const auto deadline = Clock::now() + std::min(limits_.total, request.at_most);
    std::string url = request.url;
    for (int redirects = 0; redirects <= kMostRedirects; ++redirects) {
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now());
        if (left.count() <= 0) throw cannot_fetch(request.url, "the server is too slow");
        Answer answer = step(request, url, left);
        if (answer.redirect.empty()) return answer;
        url = std::move(answer.redirect);
    }
    throw cannot_fetch(request.url, fmt::format("it leads along more than {} redirects", kMostRedirects));
}

Fetcher::Answer Fetcher::step(const Request& request, const std::string& url, std::chrono::milliseconds left) {
    const Library& curl = library();
    if (url.size() > kLongestUrl) throw cannot_fetch(url, "the address is too long");

    const std::unique_ptr<CURLU, decltype(curl.free_url)> parts(curl.new_url(), curl.free_url);
    if (!parts) throw std::bad_alloc();
    if (curl.set_part(parts.get(), CURLUPART_URL, url.c_str(), 0) != CURLUE_OK)
        throw cannot_fetch(url, "this is no address of a server");
    const auto part = [&](CURLUPart which, unsigned flags = 0) -> std::string {
        char* text = nullptr;
        if (curl.get_part(parts.get(), which, &text, flags) != CURLUE_OK) return {};
        std::string copied = text;
        curl.free_text(text);
        return copied;
    };
    const std::string scheme = part(CURLUPART_SCHEME);
    const std::string host = part(CURLUPART_HOST);
    const std::string port = part(CURLUPART_PORT, CURLU_DEFAULT_PORT);
    const std::string schemes = fmt::format(",{},", request.schemes);
    if (schemes.find(fmt::format(",{},", scheme)) == std::string::npos)
        throw cannot_fetch(url, fmt::format("'{}' is none of {}", scheme, request.schemes));
    if (host.empty()) throw cannot_fetch(url, "it names no server");
    if (!part(CURLUPART_USER).empty() || !part(CURLUPART_PASSWORD).empty())
        throw cannot_fetch(url, "it holds a user's name");

    Transfer transfer{.private_allowed = std::any_of(private_hosts_.begin(), private_hosts_.end(),
                                                     [&](const std::string& allowed) {
                                                         return equals_ignoring_case(allowed, host) ||
                                                                equals_ignoring_case(allowed,
                                                                                     fmt::format("{}:{}", host, port));
                                                     }),
                      .most = limits_.most};

    const std::unique_ptr<CURL, decltype(curl.cleanup)> handle(curl.init(), curl.cleanup);
    if (!handle) throw std::bad_alloc();
    const auto set = [&](CURLoption option, auto value) {
        if (curl.setopt(handle.get(), option, value) != CURLE_OK)
            throw cannot_fetch(url, "libcurl does not do what is needed", "libcurl 7.85 or newer does");
    };
    std::array<char, CURL_ERROR_SIZE> error{};
    set(CURLOPT_ERRORBUFFER, error.data());
    set(CURLOPT_CURLU, parts.get());
    set(CURLOPT_PROTOCOLS_STR, request.schemes);
    set(CURLOPT_FOLLOWLOCATION, 0L);
    set(CURLOPT_PROXY, "");
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(std::min(left, limits_.connect).count()));
    set(CURLOPT_TIMEOUT_MS, static_cast<long>(left.count()));
    set(CURLOPT_LOW_SPEED_LIMIT, 1L);
    set(CURLOPT_LOW_SPEED_TIME, static_cast<long>(std::chrono::ceil<std::chrono::seconds>(limits_.silence).count()));
    set(CURLOPT_USERAGENT, "p11mime");
    set(CURLOPT_OPENSOCKETFUNCTION, &Transfer::open_socket);
    set(CURLOPT_OPENSOCKETDATA, &transfer);
    set(CURLOPT_WRITEFUNCTION, &Transfer::write);
    set(CURLOPT_WRITEDATA, &transfer);
    set(CURLOPT_NOPROGRESS, 0L);
    set(CURLOPT_XFERINFOFUNCTION, &Transfer::progress);
    std::unique_ptr<curl_slist, decltype(curl.free_list)> fields(nullptr, curl.free_list);
    if (!request.type.empty()) {
        const std::string field = fmt::format("Content-Type: {}", request.type);
        fields.reset(curl.append(nullptr, field.c_str()));
        if (!fields) throw std::bad_alloc();
        set(CURLOPT_HTTPHEADER, fields.get());
        set(CURLOPT_POST, 1L);
        set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
        set(CURLOPT_POSTFIELDS, reinterpret_cast<const char*>(request.body.data()));
    }

    const CURLcode code = curl.perform(handle.get());
    throw_if_interrupted();
    if (transfer.too_long)
        throw cannot_fetch(
            url, fmt::format("the answer is over {} bytes", limits_.most),
            request.type.empty() ? "fetch it with another program" : "whoever runs that server can mend it");
    if (code != CURLE_OK && !transfer.refused.empty())
        throw cannot_fetch(url, fmt::format("{} is no public address", transfer.refused),
                           fmt::format("if that is a server of your own network, 'private-hosts = {}' in the config "
                                       "allows it",
                                       host));
    if (code != CURLE_OK) throw cannot_fetch(url, error[0] != '\0' ? error.data() : curl.error_text(code));

    Answer answer;
    answer.body = std::move(transfer.body);
    if (scheme.starts_with("ldap")) return answer;
    long status = 0;
    curl.getinfo(handle.get(), CURLINFO_RESPONSE_CODE, &status);
    const char* text = nullptr;
    if (curl.getinfo(handle.get(), CURLINFO_REDIRECT_URL, &text) == CURLE_OK && text != nullptr) {
        answer.redirect = text;
        return answer;
    }
    if (status != kOk) throw cannot_fetch(url, fmt::format("the server answers {}", status));
    if (curl.getinfo(handle.get(), CURLINFO_CONTENT_TYPE, &text) == CURLE_OK && text != nullptr)
        answer.type = without_parameters(text);
    return answer;
}

}  // namespace p11mime::cli
