#include "cms/ocsp.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ocsp.h>

#include <algorithm>
#include <array>
#include <map>

#include "cms/algorithms.h"
#include "cms/asn1.h"
#include "cms/crl.h"
#include "cms/encode.h"
#include "cms/key_fault.h"

namespace p11mime::cms {

namespace {

using ResponseHandle = Handle<OCSP_RESPONSE, OCSP_RESPONSE_free>;
using BasicHandle = Handle<OCSP_BASICRESP, OCSP_BASICRESP_free>;
using RequestHandle = Handle<OCSP_REQUEST, OCSP_REQUEST_free>;
using CertIdHandle = Handle<OCSP_CERTID, OCSP_CERTID_free>;
using TimeHandle = Handle<ASN1_GENERALIZEDTIME, ASN1_GENERALIZEDTIME_free>;
void free_stack(STACK_OF(X509) * stack) {
    sk_X509_free(stack);
}
using BorrowedStack = Handle<STACK_OF(X509), free_stack>;

constexpr int kNonceBytes = 32;

Error no_response(ByteView answer) {
    return {ErrorKind::malformed, fmt::format("the answer of {} bytes is no OCSP response", answer.size())};
}

// status_text is what a response without an answer says (RFC 6960 section 4.2.1).
std::string status_text(int status) {
    switch (status) {
        case OCSP_RESPONSE_STATUS_MALFORMEDREQUEST:
            return "the OCSP server finds the request malformed";
        case OCSP_RESPONSE_STATUS_INTERNALERROR:
            return "the OCSP server has an error of its own";
        case OCSP_RESPONSE_STATUS_TRYLATER:
            return "the OCSP server says to try later";
        case OCSP_RESPONSE_STATUS_SIGREQUIRED:
            return "the OCSP server answers signed requests alone";
        case OCSP_RESPONSE_STATUS_UNAUTHORIZED:
            return "the OCSP server does not answer for this certificate";
        default:
            return fmt::format("the OCSP server answers with status {}", status);
    }
}

// Identifiers are those of one certificate, made as a response's are, for each digest once.
class Identifiers {
  public:
    Identifiers(const Certificate& certificate, const Certificate& issuer)
        : certificate_(certificate), issuer_(issuer) {}

    bool has(const OCSP_SINGLERESP* single) {
        auto* identifier = const_cast<OCSP_CERTID*>(OCSP_SINGLERESP_get0_id(single));
        ASN1_OBJECT* digest = nullptr;
        ASN1_INTEGER* serial = nullptr;
        OCSP_id_get0_info(nullptr, &digest, nullptr, &serial, identifier);
        if (ASN1_INTEGER_cmp(serial, X509_get0_serialNumber(certificate_.get())) != 0) return false;
        const OCSP_CERTID* own = made_with(OBJ_obj2nid(digest));
        return own != nullptr && OCSP_id_cmp(own, identifier) == 0;
    }

  private:
    // made_with is null where the digest is not known, or so broken that it does not tell one issuer's key from
    // another; SHA-1 is what most use.
    const OCSP_CERTID* made_with(int digest) {
        const auto [entry, fresh] = made_.try_emplace(digest);
        if (!fresh) return entry->second.get();
        const Algorithm* row = find_algorithm(AlgorithmKind::digest, oid_text(OBJ_nid2obj(digest)));
        if (row != nullptr && row->standing != Standing::refused && row->md != nullptr)
            entry->second.reset(OCSP_cert_to_id(row->md(), certificate_.get(), issuer_.get()));
        ERR_clear_error();
        return entry->second.get();
    }

    const Certificate& certificate_;
    const Certificate& issuer_;
    std::map<int, CertIdHandle> made_;  // by the digest's NID
};

bool known_for_one(X509_EXTENSION* extension) {
    const int nid = OBJ_obj2nid(X509_EXTENSION_get_object(extension));
    return nid == NID_id_pkix_OCSP_archiveCutoff || nid == NID_invalidity_date;
}

TimeHandle time_extension(OCSP_SINGLERESP* single, int nid) {
    return TimeHandle(static_cast<ASN1_GENERALIZEDTIME*>(OCSP_SINGLERESP_get1_ext_d2i(single, nid, nullptr, nullptr)));
}

// since_when is the earlier of revocation and invalidity date (section 4.4.5). A date that cannot be read is one long
// ago.
Time since_when(OCSP_SINGLERESP* single, const ASN1_GENERALIZEDTIME* revoked) {
    const Time since = to_time(revoked).value_or(Time::min());
    if (OCSP_SINGLERESP_get_ext_by_NID(single, NID_invalidity_date, -1) < 0) return since;
    return std::min(since, to_time(time_extension(single, NID_invalidity_date).get()).value_or(Time::min()));
}

std::string find_defect(OCSP_BASICRESP* response) {
    if (!to_time(OCSP_resp_get0_produced_at(response))) return "it does not say of when it is";
    for (int i = 0; i < OCSP_BASICRESP_get_ext_count(response); ++i) {
        X509_EXTENSION* extension = OCSP_BASICRESP_get_ext(response, i);
        if (X509_EXTENSION_get_critical(extension) != 0 &&
            OBJ_obj2nid(X509_EXTENSION_get_object(extension)) != NID_id_pkix_OCSP_Nonce)
            return fmt::format("it has the critical extension {}, which is not known",
                               oid_text(X509_EXTENSION_get_object(extension)));
    }
    for (int i = 0; i < OCSP_resp_count(response); ++i) {
        OCSP_SINGLERESP* single = OCSP_resp_get0(response, i);
        for (int k = 0; k < OCSP_SINGLERESP_get_ext_count(single); ++k) {
            X509_EXTENSION* extension = OCSP_SINGLERESP_get_ext(single, k);
            if (X509_EXTENSION_get_critical(extension) != 0 && !known_for_one(extension))
                return fmt::format("it has the critical extension {}, which is not known",
                                   oid_text(X509_EXTENSION_get_object(extension)));
        }
    }
    return {};
}

OcspAnswer::Status status_of(int code) {
    if (code == V_OCSP_CERTSTATUS_GOOD) return OcspAnswer::Status::good;
    return code == V_OCSP_CERTSTATUS_REVOKED ? OcspAnswer::Status::revoked : OcspAnswer::Status::unknown;
}

// answer_of reads one answer; nothing where its dates are none.
std::optional<OcspAnswer> answer_of(OCSP_SINGLERESP* single) {
    int reason = -1;
    ASN1_GENERALIZEDTIME* since = nullptr;
    ASN1_GENERALIZEDTIME* this_update = nullptr;
    ASN1_GENERALIZEDTIME* next_update = nullptr;
    OcspAnswer answer;
    answer.status = status_of(OCSP_single_get0_status(single, &reason, &since, &this_update, &next_update));
    const auto begins = to_time(this_update);
    if (!begins) return std::nullopt;
    answer.this_update = *begins;
    answer.next_update = to_time(next_update);
    if (next_update != nullptr && !answer.next_update) return std::nullopt;
    if (answer.status == OcspAnswer::Status::revoked) {
        answer.since = since_when(single, since);
        answer.reason = revocation_reason(reason);
        answer.cause = revocation_cause(reason);
        // A hold since 1970 says that the certificate was never issued (RFC 6960 section 2.2), which no CRL lifts.
        answer.on_hold = reason == OCSP_REVOKED_STATUS_CERTIFICATEHOLD && answer.since != Time{};
    }
    answer.keeps_ended_since = to_time(time_extension(single, NID_id_pkix_OCSP_archiveCutoff).get());
    ERR_clear_error();
    return answer;
}

}  // namespace

struct OcspResponse::State {
    Bytes der;
    BasicHandle basic;
    std::string defect;
};

OcspResponse OcspResponse::from_der(ByteView der) {
    const Byte* at = der.data();
    const ResponseHandle response(d2i_OCSP_RESPONSE(nullptr, &at, static_cast<long>(der.size())));
    ERR_clear_error();
    if (!response || at != der.data() + der.size()) throw no_response(der);
    const int status = OCSP_response_status(response.get());
    if (status != OCSP_RESPONSE_STATUS_SUCCESSFUL) throw Error(ErrorKind::malformed, status_text(status));
    BasicHandle basic(OCSP_response_get1_basic(response.get()));
    ERR_clear_error();
    if (!basic) throw no_response(der);
    if (OCSP_resp_count(basic.get()) > kMaxOcspAnswers)
        throw Error(ErrorKind::malformed,
                    fmt::format("the OCSP response tells of more than {} certificates", kMaxOcspAnswers));
    std::string defect = find_defect(basic.get());
    ERR_clear_error();
    return OcspResponse(std::make_shared<const State>(State{to_bytes(der), std::move(basic), std::move(defect)}));
}

const Bytes& OcspResponse::der() const {
    return state_->der;
}
Time OcspResponse::produced_at() const {
    return to_time(OCSP_resp_get0_produced_at(state_->basic.get())).value_or(Time::min());
}
const std::string& OcspResponse::defect() const {
    return state_->defect;
}

std::vector<Certificate> OcspResponse::certificates() const {
    std::vector<Certificate> certificates;
    const STACK_OF(X509)* stack = OCSP_resp_get0_certs(state_->basic.get());
    for (int i = 0; i < sk_X509_num(stack); ++i) {
        X509* each = sk_X509_value(stack, i);
        X509_up_ref(each);
        certificates.emplace_back(X509Handle(each));
    }
    return certificates;
}

std::vector<OcspAnswer> OcspResponse::answers(const Certificate& certificate, const Certificate& issuer) const {
    std::vector<OcspAnswer> found;
    Identifiers identifiers(certificate, issuer);
    for (int i = 0; i < OCSP_resp_count(state_->basic.get()); ++i) {
        OCSP_SINGLERESP* single = OCSP_resp_get0(state_->basic.get(), i);
        if (!identifiers.has(single)) continue;
        if (auto answer = answer_of(single)) found.push_back(std::move(*answer));
    }
    return found;
}

OcspResponse::Nonce OcspResponse::nonce(ByteView request) const {
    const auto parsed = asn1::decode<RequestHandle>(request, d2i_OCSP_REQUEST, "not an OCSP request");
    switch (OCSP_check_nonce(parsed.get(), state_->basic.get())) {
        case 1:
            return Nonce::same;
        case -1:
        case 2:
            return Nonce::absent;
        default:
            return Nonce::other;
    }
}

Bytes OcspResponse::responder_name() const {
    const ASN1_OCTET_STRING* key = nullptr;
    const X509_NAME* name = nullptr;
    OCSP_resp_get0_id(state_->basic.get(), &key, &name);
    return name == nullptr ? Bytes{} : encode(name, i2d_X509_NAME);
}

Bytes OcspResponse::responder_key() const {
    const ASN1_OCTET_STRING* key = nullptr;
    const X509_NAME* name = nullptr;
    OCSP_resp_get0_id(state_->basic.get(), &key, &name);
    return key == nullptr ? Bytes{} : to_bytes(asn1::octets(key));
}

bool OcspResponse::names(const Certificate& signer) const {
    const ASN1_OCTET_STRING* key = nullptr;
    const X509_NAME* name = nullptr;
    OCSP_resp_get0_id(state_->basic.get(), &key, &name);
    if (name != nullptr) return X509_NAME_cmp(name, X509_get_subject_name(signer.get())) == 0;
    std::array<Byte, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    if (key == nullptr || X509_pubkey_digest(signer.get(), EVP_sha1(), digest.data(), &size) != 1) return false;
    const ByteView named = asn1::octets(key);
    return std::equal(named.begin(), named.end(), digest.begin(), digest.begin() + size);
}

bool OcspResponse::signed_by(const Certificate& signer) const {
    const EVP_PKEY* key = X509_get0_pubkey(signer.get());
    if (key == nullptr || !key_fault(key).empty()) return false;
    const BorrowedStack signers(sk_X509_new_null());
    if (!signers || sk_X509_push(signers.get(), signer.get()) == 0) throw std::bad_alloc();
    // Nothing but the signature: what its maker may do is judged by the caller.
    const bool holds =
        OCSP_basic_verify(state_->basic.get(), signers.get(), nullptr, OCSP_NOINTERN | OCSP_NOVERIFY) == 1;
    ERR_clear_error();
    return holds;
}

const X509_ALGOR* OcspResponse::signature_algorithm() const {
    return OCSP_resp_get0_tbs_sigalg(state_->basic.get());
}

Bytes ocsp_request(const Certificate& certificate, const Certificate& issuer) {
    const RequestHandle request(OCSP_REQUEST_new());
    CertIdHandle identifier(OCSP_cert_to_id(EVP_sha1(), certificate.get(), issuer.get()));
    require(request && identifier && OCSP_request_add0_id(request.get(), identifier.get()) != nullptr,
            "cannot make an OCSP request");
    (void)identifier.release();  // the request has it
    require(OCSP_request_add1_nonce(request.get(), nullptr, kNonceBytes) == 1, "cannot make an OCSP request");
    return encode(request.get(), i2d_OCSP_REQUEST);
}

bool may_sign_ocsp(const Certificate& certificate) {
    if ((X509_get_extension_flags(certificate.get()) & EXFLAG_XKUSAGE) == 0) return false;
    return (X509_get_extended_key_usage(certificate.get()) & XKU_OCSP_SIGN) != 0 && certificate.allows_signing();
}

bool has_no_check(const Certificate& certificate) {
    return X509_get_ext_by_NID(certificate.get(), NID_id_pkix_OCSP_noCheck, -1) >= 0;
}

}  // namespace p11mime::cms
