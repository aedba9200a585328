#include "softhsm-tests/support/evidence.h"

#include <openssl/evp.h>
#include <openssl/ocsp.h>
#include <openssl/x509v3.h>

#include <sstream>
#include <stdexcept>

#include "cms/encode.h"

namespace p11mime::test {

namespace {

using CrlHandle = Handle<X509_CRL, X509_CRL_free>;
using RevokedHandle = Handle<X509_REVOKED, X509_REVOKED_free>;
using TimeHandle = Handle<ASN1_TIME, ASN1_TIME_free>;
using IntegerHandle = Handle<ASN1_INTEGER, ASN1_INTEGER_free>;
using EnumeratedHandle = Handle<ASN1_ENUMERATED, ASN1_ENUMERATED_free>;
using ExtensionHandle = Handle<X509_EXTENSION, X509_EXTENSION_free>;
using BasicHandle = Handle<OCSP_BASICRESP, OCSP_BASICRESP_free>;
using ResponseHandle = Handle<OCSP_RESPONSE, OCSP_RESPONSE_free>;
using RequestHandle = Handle<OCSP_REQUEST, OCSP_REQUEST_free>;

void must(bool done, const std::string& what) {
    if (!done) throw std::runtime_error("evidence: " + what);
}

TimeHandle in_minutes(int minutes) {
    return TimeHandle(X509_time_adj_ex(nullptr, 0, minutes * 60L, nullptr));
}

// OCSP and invalidity dates are GeneralizedTime alone.
TimeHandle generalized(int minutes) {
    return TimeHandle(ASN1_TIME_to_generalizedtime(in_minutes(minutes).get(), nullptr));
}

ExtensionHandle extension_of(const std::string& line) {
    const auto equals = line.find('=');
    ExtensionHandle extension(
        X509V3_EXT_nconf(nullptr, nullptr, line.substr(0, equals).c_str(), line.substr(equals + 1).c_str()));
    must(extension != nullptr, line);
    return extension;
}

ExtensionHandle odd_extension() {
    return extension_of("1.2.3.4.5=critical,DER:0500");
}

void add_integer(X509_CRL* crl, int nid, int value, bool critical) {
    const IntegerHandle number(ASN1_INTEGER_new());
    must(ASN1_INTEGER_set(number.get(), value) == 1 && X509_CRL_add1_ext_i2d(crl, nid, number.get(), critical, 0) == 1,
         "a number");
}

void add_issuer(X509_REVOKED* revoked, const cms::Certificate& certificate) {
    const Handle<GENERAL_NAMES, GENERAL_NAMES_free> names(GENERAL_NAMES_new());
    GENERAL_NAME* name = GENERAL_NAME_new();
    GENERAL_NAME_set0_value(name, GEN_DIRNAME, X509_NAME_dup(X509_get_issuer_name(certificate.get())));
    must(sk_GENERAL_NAME_push(names.get(), name) > 0 &&
             X509_REVOKED_add1_ext_i2d(revoked, NID_certificate_issuer, names.get(), 1, 0) == 1,
         "an issuer");
}

void add_entry(X509_CRL* crl, const CrlSpec::Entry& entry) {
    RevokedHandle revoked(X509_REVOKED_new());
    X509_REVOKED_set_serialNumber(revoked.get(), X509_get_serialNumber(entry.certificate.get()));
    X509_REVOKED_set_revocationDate(revoked.get(), in_minutes(entry.since).get());
    if (!entry.reason.empty()) {
        const EnumeratedHandle code(ASN1_ENUMERATED_new());
        const auto* names = static_cast<const ENUMERATED_NAMES*>(X509V3_EXT_get_nid(NID_crl_reason)->usr_data);
        while (names->lname != nullptr && names->sname != entry.reason)
            ++names;
        must(names->lname != nullptr && ASN1_ENUMERATED_set(code.get(), names->bitnum) == 1 &&
                 X509_REVOKED_add1_ext_i2d(revoked.get(), NID_crl_reason, code.get(), 0, 0) == 1,
             entry.reason);
    }
    if (entry.invalid_since)
        X509_REVOKED_add1_ext_i2d(revoked.get(), NID_invalidity_date, generalized(*entry.invalid_since).get(), 0, 0);
    if (entry.names_issuer) add_issuer(revoked.get(), entry.certificate);
    if (entry.odd) X509_REVOKED_add_ext(revoked.get(), odd_extension().get(), -1);
    if (!entry.extension.empty()) X509_REVOKED_add_ext(revoked.get(), extension_of(entry.extension).get(), -1);
    must(X509_CRL_add0_revoked(crl, revoked.release()) == 1, "an entry");
}

}  // namespace

Bytes make_crl(const CrlSpec& spec, const SoftwareKey& issuer) {
    const CrlHandle crl(X509_CRL_new());
    X509_CRL_set_version(crl.get(), X509_CRL_VERSION_2);
    X509_CRL_set_issuer_name(crl.get(), X509_get_subject_name(issuer.certificate.get()));
    X509_CRL_set1_lastUpdate(crl.get(), in_minutes(spec.this_update).get());
    if (spec.next_update) X509_CRL_set1_nextUpdate(crl.get(), in_minutes(*spec.next_update).get());
    for (const CrlSpec::Entry& entry : spec.entries)
        add_entry(crl.get(), entry);
    add_integer(crl.get(), NID_crl_number, spec.number, false);
    if (spec.base_number) add_integer(crl.get(), NID_delta_crl, *spec.base_number, true);

    const auto config = config_of(spec.sections);
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer.certificate.get(), nullptr, nullptr, crl.get(), 0);
    X509V3_set_nconf(&context, config.get());
    std::istringstream lines(spec.extensions);
    for (std::string line; std::getline(lines, line);) {
        const auto equals = line.find('=');
        const ExtensionHandle extension(
            X509V3_EXT_nconf(config.get(), &context, line.substr(0, equals).c_str(), line.substr(equals + 1).c_str()));
        must(extension && X509_CRL_add_ext(crl.get(), extension.get(), -1) == 1, line);
    }
    X509_CRL_sort(crl.get());
    must(X509_CRL_sign(crl.get(), issuer.key.get(), EVP_get_digestbyname(spec.digest.c_str())) > 0, "signing a CRL");
    return cms::encode(crl.get(), i2d_X509_CRL);
}

Bytes make_ocsp(const OcspSpec& spec, const cms::Certificate& certificate, const cms::Certificate& issuer,
                const SoftwareKey& responder) {
    const BasicHandle basic(OCSP_BASICRESP_new());
    const Handle<OCSP_CERTID, OCSP_CERTID_free> identifier(
        OCSP_cert_to_id(EVP_get_digestbyname(spec.identifier_digest.c_str()), certificate.get(), issuer.get()));
    const bool revoked = spec.status == OcspSpec::Status::revoked;
    const int status = revoked                                 ? V_OCSP_CERTSTATUS_REVOKED
                       : spec.status == OcspSpec::Status::good ? V_OCSP_CERTSTATUS_GOOD
                                                               : V_OCSP_CERTSTATUS_UNKNOWN;
    const TimeHandle since =
        spec.never_issued ? TimeHandle(ASN1_GENERALIZEDTIME_set(nullptr, 0)) : generalized(spec.since);
    const int reason = spec.never_issued ? OCSP_REVOKED_STATUS_CERTIFICATEHOLD : spec.reason;
    const TimeHandle begins = generalized(spec.this_update);
    const TimeHandle ends = spec.next_update ? generalized(*spec.next_update) : nullptr;
    for (int i = 0; i < spec.others; ++i) {
        const Handle<OCSP_CERTID, OCSP_CERTID_free> other(OCSP_CERTID_dup(identifier.get()));
        ASN1_INTEGER* serial = nullptr;
        OCSP_id_get0_info(nullptr, nullptr, nullptr, &serial, other.get());
        must(ASN1_INTEGER_set(serial, i) == 1 &&
                 OCSP_basic_add1_status(basic.get(), other.get(), V_OCSP_CERTSTATUS_GOOD, -1, nullptr, begins.get(),
                                        ends.get()) != nullptr,
             "another answer");
    }
    OCSP_SINGLERESP* single = OCSP_basic_add1_status(basic.get(), identifier.get(), status, revoked ? reason : -1,
                                                     since.get(), begins.get(), ends.get());
    must(single != nullptr, "a status");
    if (spec.keeps_ended_since) {
        const TimeHandle cutoff = generalized(*spec.keeps_ended_since);
        OCSP_SINGLERESP_add1_ext_i2d(single, NID_id_pkix_OCSP_archiveCutoff, cutoff.get(), 0, 0);
    }
    if (spec.invalid_since)
        OCSP_SINGLERESP_add1_ext_i2d(single, NID_invalidity_date, generalized(*spec.invalid_since).get(), 1, 0);
    if (spec.odd_single) OCSP_SINGLERESP_add_ext(single, odd_extension().get(), -1);
    if (spec.odd) OCSP_BASICRESP_add_ext(basic.get(), odd_extension().get(), -1);
    if (!spec.request.empty()) {
        const Byte* at = spec.request.data();
        const RequestHandle request(d2i_OCSP_REQUEST(nullptr, &at, static_cast<long>(spec.request.size())));
        must(request && OCSP_copy_nonce(basic.get(), request.get()) == 1, "a nonce");
    }
    for (const cms::Certificate& each : spec.before)
        must(OCSP_basic_add1_cert(basic.get(), each.get()) == 1, "a certificate");
    if (spec.with_certificate)
        must(OCSP_basic_add1_cert(basic.get(), responder.certificate.get()) == 1, "a certificate");
    auto* produced_at = const_cast<ASN1_GENERALIZEDTIME*>(OCSP_resp_get0_produced_at(basic.get()));
    must(ASN1_STRING_copy(produced_at, generalized(spec.produced_at).get()) == 1 &&
             OCSP_basic_sign(basic.get(), responder.certificate.get(), responder.key.get(),
                             EVP_get_digestbyname(spec.digest.c_str()), nullptr,
                             OCSP_NOCERTS | OCSP_NOTIME | (spec.by_key ? OCSP_RESPID_KEY : 0)) == 1,
         "signing an OCSP response");
    const ResponseHandle response(OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic.get()));
    return cms::encode(response.get(), i2d_OCSP_RESPONSE);
}

}  // namespace p11mime::test
