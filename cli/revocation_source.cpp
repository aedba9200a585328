#include "cli/revocation_source.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "cli/directories.h"
#include "cli/input.h"
#include "cli/system_error.h"
#include "cms/der.h"
#include "cms/digests.h"
#include "cms/key_holder.h"
#include "mime/error.h"
#include "mime/hex.h"

namespace p11mime::cli {

namespace {

constexpr std::size_t kLongestFile = 64 * 1024 * 1024;
constexpr std::size_t kMostIssuerUrls = 100;      // asked in one run
constexpr auto kFairTime = kIssuersPatience / 3;  // in which a server that works has answered

bool is_certificate(ByteView bytes) {
    try {
        return !cms::Certificate::from_file_bytes(bytes).empty();
    } catch (const Error&) {
        return false;
    }
}

// is_broken_crl tells what cannot be read and was meant to be a CRL, by its name, its PEM, or as DER that is long and
// no certificate, from what is something else.
bool is_broken_crl(ByteView bytes, const std::string& file) {
    constexpr Byte kSequence = 0x30, kShortestLong = 0x81, kLongestLong = 0x84;
    const bool der = bytes.size() > 1 && bytes[0] == kSequence && bytes[1] >= kShortestLong && bytes[1] <= kLongestLong;
    return file.ends_with(".crl") || has_armour(bytes, "X509 CRL") || (der && !is_certificate(bytes));
}

std::string responder_key(const std::string& url, const cms::Certificate& certificate) {
    return fmt::format("{} {}", url, certificate.fingerprint_sha256());
}

std::string cached_response_key(const cms::Certificate& certificate) {
    return "ocsp " + certificate.fingerprint_sha256();
}

// issued_key names what an issuer has certified, whatever its signature looks like: of one by ECDSA (r, s) anybody can
// make another that verifies, (r, -s).
std::string issued_key(const cms::Certificate& certificate) {
    const Bytes issued = cms::concat({certificate.issuer_der(), certificate.serial_der(), certificate.spki_der()});
    return hex(cms::digest_of(cms::Hash::sha256, issued));
}

// released_key names it as what is no longer on hold: the newest hold there is the one that was lifted.
std::string released_key(const cms::Certificate& certificate) {
    return "released " + issued_key(certificate);
}

// holder_key names who has a key, by whatever certificate.
std::string holder_key(ByteView holder) {
    return "key " + hex(cms::digest_of(cms::Hash::sha256, holder));
}

// tells_of_key says whether what is told of a certificate is that others know its key.
bool tells_of_key(const cms::Telling& telling, const cms::Certificate& certificate) {
    const cms::Cause cause = telling.revoked.cause;
    return cause == cms::Cause::key_compromised || (cause == cms::Cause::authority_compromised && certificate.is_ca());
}

// as_holder names a certificate among those of its key.
std::string as_holder(const cms::Certificate& certificate) {
    return fmt::format("its certificate as {} by {} (serial {})", cms::display_name(certificate), certificate.issuer(),
                       certificate.serial_hex());
}

// of_its_key is what is told by that of each certificate of the key: in the cache, the reason is what was told of.
cms::Telling of_its_key(cms::Telling telling, const cms::Certificate& certificate) {
    telling.revoked.cause = cms::Cause::key_compromised;
    telling.revoked.reason = as_holder(certificate);
    return telling;
}

cms::Telling as_of_other(cms::Telling telling) {
    telling.revoked.other = std::exchange(telling.revoked.reason, cms::revocation_reason(CRL_REASON_KEY_COMPROMISE));
    return telling;
}

bool is_older_crl(const cms::Crl& crl, const cms::Crl& than) {
    return crl.is_delta() == than.is_delta() && crl.issuer_der() == than.issuer_der() && crl.scope() == than.scope() &&
           crl.this_update() < than.this_update();
}

// is_older says whether CRLs, or a response, were fetched that are from before those in the cache: whoever is on the
// way may answer with what was true once.
bool is_older(ByteView fetched, ByteView cached) {
    try {
        const auto then = cms::Crl::from_file_bytes(cached), now = cms::Crl::from_file_bytes(fetched);
        return std::ranges::any_of(now, [&](const cms::Crl& crl) {
            return std::ranges::any_of(then, [&](const cms::Crl& than) { return is_older_crl(crl, than); });
        });
    } catch (const Error&) {
    }
    try {
        return cms::OcspResponse::from_der(fetched).produced_at() < cms::OcspResponse::from_der(cached).produced_at();
    } catch (const Error&) {
        return false;
    }
}

bool is_among(const std::vector<Bytes>& ders, ByteView der) {
    return std::any_of(ders.begin(), ders.end(), [&](const Bytes& each) { return std::ranges::equal(each, der); });
}

// why_none is why something could not be had that is at a URL: nothing is there, or something else than `what`.
cms::Missing why_none(const Error& error, const std::string& url, std::string_view what) {
    if (error.kind() != ErrorKind::io) return {fmt::format("what is at '{}' is no {}", url, what)};
    return {error.what(), error.hint()};
}

// note_missing adds why there is nothing at a URL: least of all counts what nobody could be asked for.
void note_missing(std::vector<cms::Missing>& missing, const cms::Missing& failure, const std::string& url) {
    if (!failure.why.empty()) missing.insert(cms::names_server(url) ? missing.end() : missing.begin(), failure);
}

template <class T>
void append(std::vector<T>& to, const std::vector<T>& from) {
    to.insert(to.end(), from.begin(), from.end());
}

}  // namespace

RevocationFiles::RevocationFiles(std::vector<std::string> files, RevocationCache cache,
                                 std::shared_ptr<Fetcher> fetcher, std::shared_ptr<const cms::Clock> clock, Warn warn)
    : files_(std::move(files)),
      fetcher_(std::move(fetcher)),
      clock_(std::move(clock)),
      warn_(std::move(warn)),
      cache_(std::move(cache)) {
    for (const std::string& path : files_) {
        struct stat status {};
        if (::stat(path.c_str(), &status) != 0) throw system_error(fmt::format("cannot open '{}'", path), errno);
    }
}

const std::vector<cms::Crl>& RevocationFiles::from_files() {
    const std::lock_guard lock(mutex_);
    if (files_read_) return file_crls_;
    file_crls_.clear();  // of a time that ended with an error
    for (const std::string& path : files_)
        for (const std::string& file : files_at(path))
            read_crls(file, file == path);
    files_read_ = true;
    return file_crls_;
}

// read_crls adds those of a file, which must have some where it was named and not found in a directory.
void RevocationFiles::read_crls(const std::string& file, bool named) {
    const auto input = FileInput::open_path(file, {});
    const auto source = input->open();
    const Bytes bytes = read_all(*source, kLongestFile, "a file with CRLs");
    try {
        append(file_crls_, cms::Crl::from_file_bytes(bytes));
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::malformed) throw;
        const bool broken = is_broken_crl(bytes, file);
        const std::string what =
            broken ? fmt::format("a CRL in '{}' is broken", file) : fmt::format("no CRL: '{}'", file);
        if (named) throw Error(ErrorKind::malformed, what, broken ? "get it anew" : "CRLs are read from PEM and DER");
        if (broken) warn_(fmt::format("{}; what is in that file does not count", what));
    }
}

std::optional<Bytes> RevocationFiles::in_cache(const std::string& key) {
    const std::lock_guard lock(mutex_);
    return cache_.find(key, clock_->now());
}

void RevocationFiles::warn_of_broken(const std::string& key) {
    const std::lock_guard lock(mutex_);
    warn_(fmt::format("what the revocation cache has of '{}' is broken, and does not count", key));
}

// What is broken in the cache is fetched anew where servers are asked.
template <class Parse>
auto RevocationFiles::parsed_in_cache(const std::string& key, const Parse& parse) -> decltype(parse(Bytes{})) {
    try {
        if (const auto der = in_cache(key)) return parse(*der);
    } catch (const Error&) {
        warn_of_broken(key);
    }
    return {};
}

void RevocationFiles::add_known_crls(const std::vector<cms::Alternatives>& points, std::vector<cms::Crl>& crls) {
    for (const cms::Alternatives& urls : points)
        for (const std::string& url : urls) {
            append(crls, cached_crls_.get(url, [&] {
                return parsed_in_cache(url, [](ByteView der) { return cms::Crl::from_file_bytes(der); });
            }));
            if (const auto* fetched = fetched_crls_.find(url)) append(crls, fetched->found);
        }
}

void RevocationFiles::add_known_responses(const cms::Certificate& certificate, cms::RevocationEvidence& evidence) {
    const std::string key = cached_response_key(certificate);
    append(evidence.ocsp, cached_responses_.get(key, [&] {
        return parsed_in_cache(key, [](ByteView der) { return Responses{{cms::OcspResponse::from_der(der)}}; });
    }));
    for (const std::string& url : cms::ocsp_urls(certificate))
        if (const auto* fetched = fetched_responses_.find(responder_key(url, certificate)))
            append(evidence.ocsp, fetched->found);
}

void RevocationFiles::add_remembered(const cms::Certificate& certificate, cms::RevocationEvidence& evidence) {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> keys{issued_key(certificate), released_key(certificate)};
    for (const Bytes& holder : cms::key_holders(certificate, false))
        keys.push_back(holder_key(holder));
    auto found = cache_.find_revocations_of(keys);
    if (found.empty()) return;
    evidence.remembered = std::move(found[0]);
    if (!found[1].empty()) evidence.released = found[1].front().of;
    for (const auto& of_key : std::span(found).subspan(2))
        for (const cms::Telling& each : of_key)
            if (each.revoked.reason != as_holder(certificate)) evidence.remembered.push_back(as_of_other(each));
}

cms::RevocationEvidence RevocationFiles::at_hand(const cms::Certificate& certificate) {
    cms::RevocationEvidence evidence;
    for (const cms::Crl& crl : from_files())
        if (cms::issues_crls_for(crl.issuer_name(), certificate)) evidence.crls.push_back(crl);
    add_known_crls(cms::crl_urls(certificate), evidence.at_points);
    add_known_crls(cms::freshest_urls(certificate), evidence.at_freshest);
    for (const auto* bases : {&evidence.crls, &evidence.at_points})
        for (const cms::Crl& base : *bases)
            add_known_crls(base.freshest_urls(), evidence.at_freshest);
    add_known_responses(certificate, evidence);
    add_remembered(certificate, evidence);
    return evidence;
}

cms::RevocationEvidence RevocationFiles::fetch(const cms::Certificate& certificate, const cms::Certificate& issuer,
                                               From from, const Inquiry& inquiry) {
    cms::RevocationEvidence evidence;
    const auto responders = cms::ocsp_urls(certificate);
    const auto points = cms::crl_urls(certificate);
    if (responders.empty() && points.empty())
        evidence.missing.push_back({"no CRL for it is at hand, and it names no server that would tell"});
    else if (!fetcher_)
        evidence.missing.push_back(
            {"no CRL and no OCSP response for it is at hand; --revocation online asks the servers that it names"});
    else if (from == From::responders)
        ask_responders(certificate, issuer, inquiry, evidence);
    else
        ask_points(points, inquiry, &cms::RevocationEvidence::at_points, evidence);
    return evidence;
}

cms::RevocationEvidence RevocationFiles::fetch_delta(const cms::Certificate& certificate,
                                                     const std::optional<cms::Crl>& base, const Inquiry& inquiry) {
    cms::RevocationEvidence evidence;
    if (!fetcher_) return evidence;
    ask_points(cms::freshest_urls(certificate), inquiry, &cms::RevocationEvidence::at_freshest, evidence);
    if (base) ask_points(base->freshest_urls(), inquiry, &cms::RevocationEvidence::at_freshest, evidence);
    return evidence;
}

void RevocationFiles::ask_responders(const cms::Certificate& certificate, const cms::Certificate& issuer,
                                     const Inquiry& inquiry, cms::RevocationEvidence& evidence) {
    Patience& patience = inquiry.patience;
    for (const std::string& url : cms::ocsp_urls(certificate)) {
        const auto [found, failure] = ask(fetched_responses_, responder_key(url, certificate), url, patience, [&] {
            return fetch_response(url, certificate, issuer, std::min(patience.left(), patience.share()));
        });
        append(evidence.ocsp, found);
        note_missing(evidence.missing, failure, url);
        if (!inquiry.tells({.ocsp = found})) continue;
        patience.forgive();
        return;
    }
}

void RevocationFiles::ask_points(const std::vector<cms::Alternatives>& points, const Inquiry& inquiry, Crls crls,
                                 cms::RevocationEvidence& evidence) {
    for (const cms::Alternatives& urls : points)
        for (const std::string& url : urls) {
            const auto [found, failure] = ask(fetched_crls_, url, url, inquiry.patience,
                                              [&] { return fetch_crls(url, inquiry.patience.left()); });
            append(evidence.*crls, found);
            note_missing(evidence.missing, failure, url);
            cms::RevocationEvidence answer;
            answer.*crls = found;
            if (!inquiry.tells(answer)) continue;
            inquiry.patience.forgive();
            break;
        }
}

// What gave no answer in good time is taken to be silent; what had less of it may answer another mail's question. Of
// one server that is said of each address: whoever makes certificates may name a slow one of anybody's.
template <class T, class Fetch>
RevocationFiles::Fetched<T> RevocationFiles::ask(OnceEach<Fetched<T>>& answers, const std::string& key,
                                                 const std::string& url, Patience& patience, const Fetch& fetch) {
    using Clock = std::chrono::steady_clock;
    const auto make = [&]() -> Fetched<T> {
        if (is_silent(url))
            return {.failure = {fmt::format("'{}' did not answer before, and was not asked again", url)}};
        if (patience.left().count() <= 0)
            throw Error(ErrorKind::io, "the servers that tell of this mail's certificates are too slow");
        const bool fair = patience.fair();
        const auto begun = Clock::now();
        Fetched<T> fetched = fetch();
        if (!fetched.found.empty()) return fetched;
        if (!fair) throw Error(ErrorKind::io, fetched.failure.why, fetched.failure.remedy);
        if (Clock::now() - begun >= patience.share() * 2 / 5) note_silent(url);
        return fetched;
    };
    try {
        return patience.spend([&] { return answers.get(key, make); });
    } catch (const Error& error) {
        return {.failure = {error.what(), error.hint()}};
    }
}

bool RevocationFiles::is_silent(const std::string& url) {
    const std::lock_guard lock(mutex_);
    return silent_.count(url) != 0;
}

void RevocationFiles::note_silent(const std::string& url) {
    const std::lock_guard lock(mutex_);
    silent_.insert(url);
}

RevocationFiles::Fetched<cms::RevocationEvidence::Ocsp> RevocationFiles::fetch_response(
    const std::string& url, const cms::Certificate& certificate, const cms::Certificate& issuer,
    std::chrono::milliseconds at_most) {
    try {
        const Bytes request = cms::ocsp_request(certificate, issuer);
        const Bytes der =
            fetcher_->post(url, "application/ocsp-request", request, "application/ocsp-response", at_most);
        cms::RevocationEvidence::Ocsp answer{cms::OcspResponse::from_der(der), request};
        note_fetched(cached_response_key(certificate), {der});
        return {.found = {std::move(answer)}};
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::io) return {.failure = {fmt::format("{} ({})", error.what(), url)}};
        return {.failure = {error.what(), error.hint()}};
    }
}

RevocationFiles::Fetched<cms::Crl> RevocationFiles::fetch_crls(const std::string& url,
                                                               std::chrono::milliseconds at_most) {
    try {
        const auto [crls, broken] = is_directory_url(url)
                                        ? crls_of(fetcher_->search(url, at_most))
                                        : FoundCrls{cms::Crl::from_file_bytes(fetcher_->get(url, at_most))};
        if (crls.empty() && broken == 0)
            throw Error(ErrorKind::io, fmt::format("the directory has no CRL at '{}'", url));
        std::vector<Bytes> ders;
        for (const cms::Crl& crl : crls)
            ders.push_back(crl.der());
        note_fetched(url, std::move(ders));
        return {.found = crls, .failure = {broken == 0 ? "" : fmt::format("a CRL at '{}' is broken", url)}};
    } catch (const Error& error) {
        return {.failure = why_none(error, url, "CRL")};
    }
}

void RevocationFiles::note_fetched(const std::string& key, std::vector<Bytes> ders) {
    const std::lock_guard lock(mutex_);
    fetched_[key].ders = std::move(ders);
}

// What came together is kept together, until the last of it that counts ends.
void RevocationFiles::keep(ByteView der, cms::Time until) {
    const std::lock_guard lock(mutex_);
    for (auto& [key, keepable] : fetched_) {
        if (!is_among(keepable.ders, der) || until <= keepable.until) continue;
        keepable.until = until;
        Bytes all;
        for (const Bytes& each : keepable.ders)
            all.insert(all.end(), each.begin(), each.end());
        const auto cached = cache_.find(key, clock_->now());
        if (cached && is_older(all, *cached)) continue;
        cache_.put(key, all, until, clock_->now());
    }
}

void RevocationFiles::remember(const cms::Certificate& revoked, bool limited, const cms::Telling& telling,
                               cms::Time until) {
    const std::lock_guard lock(mutex_);
    cache_.put_revocation(issued_key(revoked), telling, until, clock_->now());
    // Whoever has the key leaves the revoked certificate out.
    if (!tells_of_key(telling, revoked)) return;
    for (const Bytes& holder : cms::key_holders(revoked, limited))
        cache_.put_revocation(holder_key(holder), of_its_key(telling, revoked), until, clock_->now());
}

void RevocationFiles::forget_holds(const cms::Certificate& certificate, cms::Time before, cms::Time until) {
    const std::lock_guard lock(mutex_);
    cache_.remove_holds(issued_key(certificate), before);
    cache_.put_revocation(released_key(certificate), {{.on_hold = true}, before, std::nullopt}, until, clock_->now());
}

std::vector<cms::Certificate> FetchedIssuers::fetch(const std::string& url, std::chrono::milliseconds at_most) {
    if (!is_directory_url(url)) return cms::Certificate::from_file_bytes(fetcher_->get(url, at_most));
    return certificates_of(fetcher_->search(url, at_most), Holder::authority).certificates;
}

cms::IssuerSource::Found FetchedIssuers::at(const std::string& url, std::chrono::milliseconds& left) {
    using Clock = std::chrono::steady_clock;
    const auto ask = [&]() -> cms::IssuerSource::Found {
        if (++asked_ > kMostIssuerUrls) throw Error(ErrorKind::io, "too many issuers would have to be fetched");
        if (left.count() <= 0)
            throw Error(ErrorKind::io, "the servers that certificates of this mail name are too slow");
        const auto begun = Clock::now();
        const bool fair = left >= kFairTime;
        const auto take_off = [&] { left -= std::chrono::ceil<std::chrono::milliseconds>(Clock::now() - begun); };
        try {
            cms::IssuerSource::Found found{fetch(url, std::min<std::chrono::milliseconds>(left, kFairTime))};
            take_off();
            return found;
        } catch (const Error& error) {
            take_off();
            if (!fair) throw;  // such a server may answer another mail's
            return {{}, why_none(error, url, "certificate")};
        }
    };
    try {
        return found_.get(url, ask);
    } catch (const Error& error) {
        return {{}, why_none(error, url, "certificate")};
    }
}

IssuerFetcher::Found IssuerFetcher::issuers_of(const cms::Certificate& certificate) {
    Found all;
    const auto urls = cms::issuer_urls(certificate);
    std::vector<cms::Missing> missing;
    if (urls.empty()) missing.push_back({"its certificate does not say where its issuer's is"});
    for (const std::string& url : urls) {
        const Found found = fetched_->at(url, left_);
        note_missing(missing, found.missing, url);
        for (const cms::Certificate& each : found.certificates)
            if (X509_NAME_cmp(X509_get_subject_name(each.get()), X509_get_issuer_name(certificate.get())) == 0)
                all.certificates.push_back(each);
        if (!all.certificates.empty()) break;
    }
    if (!missing.empty()) all.missing = most_telling(missing);
    return all;
}

}  // namespace p11mime::cli
