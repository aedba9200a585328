#include "cms/crl.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include <algorithm>
#include <array>
#include <unordered_map>

#include "cms/algorithms.h"
#include "cms/asn1.h"
#include "cms/encode.h"
#include "cms/key_fault.h"
#include "cms/pem.h"

namespace p11mime::cms {

namespace {

using CrlHandle = Handle<X509_CRL, X509_CRL_free>;
using IntegerHandle = Handle<ASN1_INTEGER, ASN1_INTEGER_free>;
using EnumeratedHandle = Handle<ASN1_ENUMERATED, ASN1_ENUMERATED_free>;
using NamesHandle = Handle<GENERAL_NAMES, GENERAL_NAMES_free>;
using TimeHandle = Handle<ASN1_GENERALIZEDTIME, ASN1_GENERALIZEDTIME_free>;

constexpr int kAbsent = -1;  // what X509V3_get_d2i says of an extension that is not there
constexpr const char* kExpiredCertsOnCrl = "2.5.29.60";
constexpr long kRemoveFromCrl = 8;

constexpr int kKnown[] = {NID_authority_key_identifier,   NID_issuer_alt_name, NID_crl_number,
                          NID_issuing_distribution_point, NID_delta_crl,       NID_freshest_crl};
constexpr int kKnownOfEntries[] = {NID_crl_reason, NID_invalidity_date, NID_certificate_issuer,
                                   NID_hold_instruction_code};

template <class Known>
bool is_known(X509_EXTENSION* extension, const Known& known) {
    const int nid = OBJ_obj2nid(X509_EXTENSION_get_object(extension));
    return std::find(std::begin(known), std::end(known), nid) != std::end(known);
}

std::string oid_of(X509_EXTENSION* extension) {
    return oid_text(X509_EXTENSION_get_object(extension));
}

bool is_space(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

bool has_extension(const X509_REVOKED* entry, int nid) {
    return X509_REVOKED_get_ext_by_NID(entry, nid, -1) >= 0;
}

// extension_of reads an entry's; null where it has none, one that is malformed, or two.
template <class Value>
Value extension_of(const X509_REVOKED* entry, int nid) {
    return Value(static_cast<typename Value::pointer>(X509_REVOKED_get_ext_d2i(entry, nid, nullptr, nullptr)));
}

template <class Value>
bool unreadable(const X509_REVOKED* entry, int nid) {
    return has_extension(entry, nid) && !extension_of<Value>(entry, nid);
}

Bytes extension_value(const X509_CRL* crl, int nid) {
    const int at = X509_CRL_get_ext_by_NID(crl, nid, -1);
    if (at < 0) return {};
    return to_bytes(asn1::octets(X509_EXTENSION_get_data(X509_CRL_get_ext(crl, at))));
}

CrlEntry read_entry(const X509_REVOKED* listed, bool of_delta) {
    CrlEntry entry;
    // A date that cannot be read is one long ago.
    entry.since = to_time(X509_REVOKED_get0_revocationDate(listed)).value_or(Time::min());
    if (has_extension(listed, NID_invalidity_date)) {
        const auto invalid = extension_of<TimeHandle>(listed, NID_invalidity_date);
        entry.since = std::min(entry.since, to_time(invalid.get()).value_or(Time::min()));
    }
    const auto code = extension_of<EnumeratedHandle>(listed, NID_crl_reason);
    ERR_clear_error();
    if (!code) return entry;
    const long reason = ASN1_ENUMERATED_get(code.get());
    entry.reason = revocation_reason(reason);
    entry.cause = revocation_cause(reason);
    entry.on_hold = reason == CRL_REASON_CERTIFICATE_HOLD;
    entry.removed = reason == kRemoveFromCrl && of_delta;
    return entry;
}

// worse is what two entries of one certificate say together: it is revoked rather than on hold rather than not, and
// since the earlier time.
CrlEntry worse(const CrlEntry& a, const CrlEntry& b) {
    if (a.removed != b.removed) return a.removed ? b : a;
    const bool first = a.on_hold == b.on_hold ? a.since <= b.since : b.on_hold;
    CrlEntry both = first ? a : b;
    both.since = std::min(a.since, b.since);
    both.cause = std::max(a.cause, b.cause);
    return both;
}

}  // namespace

struct Crl::State {
    CrlHandle crl;
    IssuingDistributionPoint scope;
    IntegerHandle number;
    IntegerHandle base_number;
    DistributionPoints freshest;
    std::optional<Time> keeps_ended_since;
    std::vector<NamesHandle> issuers;                                      // that entries of an indirect CRL name
    std::unordered_map<const X509_REVOKED*, const GENERAL_NAMES*> others;  // entries that are not of the CRL's issuer
    std::string unclear;  // why it is not known which certificates it lists
    std::string defect;   // why it cannot be used

    explicit State(CrlHandle parsed) : crl(std::move(parsed)) {
        read(scope, NID_issuing_distribution_point);
        read(number, NID_crl_number);
        read(base_number, NID_delta_crl);
        read(freshest, NID_freshest_crl);
        read_keeps_ended();
        read_issuers();
        if (scope && scope->distpoint != nullptr &&
            DIST_POINT_set_dpname(scope->distpoint, X509_CRL_get_issuer(crl.get())) != 1)
            unclear = "the name of its distribution point is malformed";
        if (defect.empty()) defect = find_defect();
        look_at_entries();
        if (!unclear.empty()) defect = unclear;
        ERR_clear_error();
    }

    template <class T, auto Free>
    void read(Handle<T, Free>& value, int nid) {
        int critical = 0;
        value.reset(static_cast<T*>(X509_CRL_get_ext_d2i(crl.get(), nid, &critical, nullptr)));
        if (value || critical == kAbsent) return;
        (nid == NID_issuing_distribution_point ? unclear : defect) =
            fmt::format("its extension {} is malformed", OBJ_nid2ln(nid));
    }

    void read_keeps_ended() {
        const ObjectHandle type(OBJ_txt2obj(kExpiredCertsOnCrl, 1));
        const int at = X509_CRL_get_ext_by_OBJ(crl.get(), type.get(), -1);
        if (at < 0) return;
        const ByteView value = asn1::octets(X509_EXTENSION_get_data(X509_CRL_get_ext(crl.get(), at)));
        const Byte* data = value.data();
        const TimeHandle time(d2i_ASN1_GENERALIZEDTIME(nullptr, &data, static_cast<long>(value.size())));
        keeps_ended_since = to_time(time.get());
    }

    // read_issuers finds whose certificates an indirect CRL's entries are: those of the issuer that the last one before
    // them names (section 5.3.3). OpenSSL sorts the entries at the first look-up.
    void read_issuers() {
        if (!indirect()) return;
        const GENERAL_NAMES* issuer = nullptr;
        STACK_OF(X509_REVOKED)* entries = X509_CRL_get_REVOKED(crl.get());
        for (int i = 0; i < sk_X509_REVOKED_num(entries); ++i) {
            const X509_REVOKED* entry = sk_X509_REVOKED_value(entries, i);
            if (auto names = extension_of<NamesHandle>(entry, NID_certificate_issuer)) {
                issuer = names.get();
                issuers.push_back(std::move(names));
            }
            if (issuer != nullptr) others.emplace(entry, issuer);
        }
    }

    bool indirect() const { return scope && scope->indirectCRL > 0; }

    bool is_of(const X509_REVOKED* entry, const Certificate& certificate) const {
        if (ASN1_INTEGER_cmp(X509_REVOKED_get0_serialNumber(entry), X509_get0_serialNumber(certificate.get())) != 0)
            return false;
        const X509_NAME* issuer = X509_get_issuer_name(certificate.get());
        const auto other = others.find(entry);
        return other == others.end() ? X509_NAME_cmp(issuer, X509_CRL_get_issuer(crl.get())) == 0
                                     : holds(other->second, issuer);
    }

    std::string find_defect() const {
        const auto begins = to_time(X509_CRL_get0_lastUpdate(crl.get()));
        const auto ends = to_time(X509_CRL_get0_nextUpdate(crl.get()));
        if (!begins) return "it does not say of when it is";
        if (!ends) return "it does not say until when it holds";
        if (*ends < *begins) return "it ends before it begins";
        for (int i = 0; i < X509_CRL_get_ext_count(crl.get()); ++i) {
            X509_EXTENSION* extension = X509_CRL_get_ext(crl.get(), i);
            if (X509_EXTENSION_get_critical(extension) != 0 && !is_known(extension, kKnown))
                return fmt::format("it has the critical extension {}, which is not known", oid_of(extension));
        }
        if (base_number && !number) return "it is a delta without a number";
        return {};
    }

    void look_at_entries() {
        STACK_OF(X509_REVOKED)* entries = X509_CRL_get_REVOKED(crl.get());
        for (int i = 0; i < sk_X509_REVOKED_num(entries); ++i) {
            const X509_REVOKED* entry = sk_X509_REVOKED_value(entries, i);
            for (int k = 0; k < X509_REVOKED_get_ext_count(entry); ++k) {
                X509_EXTENSION* extension = X509_REVOKED_get_ext(entry, k);
                if (X509_EXTENSION_get_critical(extension) != 0 && !is_known(extension, kKnownOfEntries))
                    defect =
                        fmt::format("an entry has the critical extension {}, which is not known", oid_of(extension));
                if (!indirect() && OBJ_obj2nid(X509_EXTENSION_get_object(extension)) == NID_certificate_issuer)
                    unclear = "it lists certificates of others without being an indirect CRL";
            }
            // OpenSSL takes an indirect CRL's entries to be of the issuers that they name up to the first such entry.
            if (indirect() && (unreadable<NamesHandle>(entry, NID_certificate_issuer) ||
                               unreadable<EnumeratedHandle>(entry, NID_crl_reason)))
                unclear = "an entry has a malformed extension";
        }
    }
};

Crl Crl::take(ByteView& der) {
    const Byte* at = der.data();
    CrlHandle crl(d2i_X509_CRL(nullptr, &at, static_cast<long>(der.size())));
    require(crl != nullptr, "not an X.509 CRL");
    der = der.subspan(static_cast<std::size_t>(at - der.data()));
    return Crl(std::make_shared<const State>(std::move(crl)));
}

Crl Crl::from_der(ByteView der) {
    Crl crl = take(der);
    require(der.empty(), "not an X.509 CRL");
    return crl;
}

std::vector<Crl> Crl::from_file_bytes(ByteView bytes) {
    require(!bytes.empty(), "not an X.509 CRL");
    std::vector<Crl> crls;
    const BioHandle pem(BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size())));
    if (!pem) throw std::bad_alloc();
    while (CrlHandle crl{PEM_read_bio_X509_CRL(pem.get(), nullptr, nullptr, nullptr)})
        crls.push_back(Crl(std::make_shared<const State>(std::move(crl))));
    if (!crls.empty()) {
        require_pem_end("a CRL is broken");
        return crls;
    }
    ERR_clear_error();
    const auto only_space = [](ByteView rest) {
        return std::all_of(rest.begin(), rest.end(), [](Byte byte) { return is_space(static_cast<char>(byte)); });
    };
    do
        crls.push_back(take(bytes));
    while (!only_space(bytes));
    return crls;
}

Bytes Crl::der() const {
    return encode(state_->crl.get(), i2d_X509_CRL);
}
const X509_NAME* Crl::issuer_name() const {
    return X509_CRL_get_issuer(state_->crl.get());
}
Bytes Crl::issuer_der() const {
    return encode(issuer_name(), i2d_X509_NAME);
}
std::string Crl::issuer() const {
    return name_text(issuer_name());
}
Time Crl::this_update() const {
    return to_time(X509_CRL_get0_lastUpdate(state_->crl.get())).value_or(Time::min());
}
std::optional<Time> Crl::next_update() const {
    return to_time(X509_CRL_get0_nextUpdate(state_->crl.get()));
}

const std::string& Crl::defect() const {
    return state_->defect;
}

bool Crl::lists_clearly() const {
    return state_->unclear.empty();
}

bool Crl::is_delta() const {
    // A defective one may be a delta too, and is not used anyway.
    return X509_CRL_get_ext_by_NID(state_->crl.get(), NID_delta_crl, -1) >= 0;
}

bool Crl::completes(const Crl& base) const {
    const State& own = *state_;
    const State& other = *base.state_;
    return is_delta_of_kind(base) && ASN1_INTEGER_cmp(own.base_number.get(), other.number.get()) <= 0 &&
           ASN1_INTEGER_cmp(other.number.get(), own.number.get()) < 0;
}

bool Crl::supersedes(const Crl& base) const {
    return is_delta_of_kind(base) && ASN1_INTEGER_cmp(state_->base_number.get(), base.state_->number.get()) > 0;
}

bool Crl::precedes(const Crl& base) const {
    return is_delta_of_scope(base) && ASN1_INTEGER_cmp(state_->number.get(), base.state_->number.get()) <= 0;
}

// is_delta_of_kind says whether this is a delta CRL to complete CRLs such as `base` is.
bool Crl::is_delta_of_kind(const Crl& base) const {
    return is_delta_of_scope(base) && extension_value(state_->crl.get(), NID_authority_key_identifier) ==
                                          extension_value(base.state_->crl.get(), NID_authority_key_identifier);
}

bool Crl::is_delta_of_scope(const Crl& base) const {
    const State& own = *state_;
    const State& other = *base.state_;
    return own.base_number && own.number && !other.base_number && other.number &&
           X509_NAME_cmp(issuer_name(), base.issuer_name()) == 0 && scope() == base.scope();
}

Bytes Crl::scope() const {
    return extension_value(state_->crl.get(), NID_issuing_distribution_point);
}

std::vector<Alternatives> Crl::freshest_urls() const {
    return urls_of(state_->freshest.get());
}

Reasons Crl::covers(const Certificate& certificate) const {
    return covered_reasons(certificate, X509_CRL_get_issuer(state_->crl.get()), state_->scope.get());
}

bool Crl::names_point_of(const Certificate& certificate) const {
    return names_point(certificate, issuer_name(), state_->scope.get());
}

bool Crl::of_one_key() const {
    const ObjectHandle type(OBJ_txt2obj(kKeyVersion, 1));
    return X509_CRL_get_ext_by_OBJ(state_->crl.get(), type.get(), -1) >= 0;
}

bool Crl::is_of_issuer(const Certificate& certificate) const {
    const ISSUING_DIST_POINT* scope = state_->scope.get();
    return X509_NAME_cmp(issuer_name(), X509_get_issuer_name(certificate.get())) == 0 &&
           (scope == nullptr || scope->onlyattr <= 0);
}

std::optional<CrlEntry> Crl::entry(const Certificate& certificate) const {
    X509_REVOKED* found = nullptr;
    if (X509_CRL_get0_by_cert(state_->crl.get(), &found, certificate.get()) == 0) return std::nullopt;
    CrlEntry worst = read_entry(found, is_delta());
    // Which of several that is, is left to chance.
    STACK_OF(X509_REVOKED)* entries = X509_CRL_get_REVOKED(state_->crl.get());
    for (int i = 0; i < sk_X509_REVOKED_num(entries); ++i) {
        const X509_REVOKED* each = sk_X509_REVOKED_value(entries, i);
        if (state_->is_of(each, certificate)) worst = worse(worst, read_entry(each, is_delta()));
    }
    return worst;
}

bool Crl::keeps_ended(Time time) const {
    return state_->keeps_ended_since && *state_->keeps_ended_since <= time;
}

bool Crl::signed_by(const Certificate& signer) const {
    EVP_PKEY* key = X509_get0_pubkey(signer.get());
    const bool holds = key != nullptr && key_fault(key).empty() && X509_CRL_verify(state_->crl.get(), key) == 1;
    ERR_clear_error();
    return holds;
}

const X509_ALGOR* Crl::signature_algorithm() const {
    const X509_ALGOR* algorithm = nullptr;
    X509_CRL_get0_signature(state_->crl.get(), nullptr, &algorithm);
    return algorithm;
}

std::string revocation_reason(long code) {
    constexpr std::array<const char*, 11> kReasons = {"",
                                                      "key compromise",
                                                      "compromise of the authority",
                                                      "its holder belongs elsewhere",
                                                      "superseded",
                                                      "no longer in use",
                                                      "on hold",
                                                      "",
                                                      "",
                                                      "privilege withdrawn",
                                                      "compromise of an attribute authority"};
    return code >= 0 && code < static_cast<long>(kReasons.size()) ? kReasons.at(static_cast<std::size_t>(code)) : "";
}

Cause revocation_cause(long code) {
    switch (code) {
        case CRL_REASON_UNSPECIFIED:
            return Cause::unspecified;
        case CRL_REASON_AFFILIATION_CHANGED:
        case CRL_REASON_SUPERSEDED:
        case CRL_REASON_CESSATION_OF_OPERATION:
            return Cause::orderly;
        case CRL_REASON_KEY_COMPROMISE:
            return Cause::key_compromised;
        case CRL_REASON_CA_COMPROMISE:
            return Cause::authority_compromised;
        default:
            return Cause::other;
    }
}

}  // namespace p11mime::cms
