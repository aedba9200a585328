#include "cms/timestamp.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/ts.h>

#include <algorithm>

#include "cms/carried_evidence.h"
#include "cms/encode.h"
#include "cms/identifiers.h"
#include "cms/named_certificates.h"
#include "cms/signed_data.h"

namespace p11mime::cms {

namespace {

using TstInfo = Handle<TS_TST_INFO, TS_TST_INFO_free>;
using Request = Handle<TS_REQ, TS_REQ_free>;
using Response = Handle<TS_RESP, TS_RESP_free>;
using Imprint = Handle<TS_MSG_IMPRINT, TS_MSG_IMPRINT_free>;
using Integer = Handle<ASN1_INTEGER, ASN1_INTEGER_free>;
using KeyUsages = Handle<EXTENDED_KEY_USAGE, EXTENDED_KEY_USAGE_free>;

constexpr const char* kAllowWeak = "--allow-weak accepts it";
constexpr Hash kImprintHash = Hash::sha256;
constexpr std::size_t kNonceBytes = 16;
constexpr auto kFarOff = std::chrono::days(1);  // that no clock that is looked after is wrong by

// Token is a time-stamp token taken apart.
struct Token {
    std::vector<Certificate> certificates;  // its own, then those beside it
    RevocationEvidence evidence;            // that the token holds, where somebody asks
    SignerInfoVerdict signature;
    std::optional<Certificate> authority;
    TstInfo info;
};

Bytes read_content(SignedDataReader& reader, Sink& digests) {
    if (reader.content_type() != oid::kTstInfo || !reader.has_content())
        throw Error(ErrorKind::malformed, "it holds no time");
    Bytes content;
    for (ByteView piece = reader.content().pull(); !piece.empty(); piece = reader.content().pull()) {
        if (content.size() + piece.size() > kMaxTimestampBytes) throw Error(ErrorKind::malformed, "it is too long");
        content.insert(content.end(), piece.begin(), piece.end());
        digests.push(piece);
    }
    return content;
}

TstInfo parse(const Bytes& content) {
    const Byte* at = content.data();
    TstInfo info(d2i_TS_TST_INFO(nullptr, &at, static_cast<long>(content.size())));
    ERR_clear_error();
    if (!info || at != content.data() + content.size()) throw Error(ErrorKind::malformed, "its time cannot be read");
    return info;
}

// read_token throws Error(malformed). `beside` are certificates that came along with what it is attached to.
Token read_token(ByteView der, const Trust* trust, std::span<const Certificate> beside = {}) {
    ViewSource source(der);
    BerReader ber(source);
    if (enter_content_info(ber) != oid::kSignedData) throw Error(ErrorKind::malformed, "it is not signed");
    SignedDataReader reader(ber);
    Digests digests(reader.digest_algorithms());
    const Bytes content = read_content(reader, digests);
    reader.finish();
    leave_content_info(ber);
    Token token{.certificates = reader.certificates(), .info = parse(content)};
    token.certificates.insert(token.certificates.end(), beside.begin(), beside.end());
    if (trust != nullptr && trust->revocation) token.evidence = carried_evidence(reader);
    if (reader.signers().size() != 1) throw Error(ErrorKind::malformed, "it does not have exactly one signer");

    const asn1::SignerInfo& signer = *reader.signers().front();
    if (trust != nullptr && trust->revocation) token.evidence.add(archived_evidence(signer));
    const SignedContent stamped{digests, reader.content_type(), content};
    token.signature = judge_signer_info(signer, stamped, nullptr);
    for (const Certificate& each :
         find_certificates(asn1::identifier(*signer.sid), token.certificates, trust).certificates) {
        if (token.signature.integrity == Integrity::valid) break;
        token.authority = each;
        token.signature = judge_signer_info(signer, stamped, &each);
    }
    return token;
}

long value_of(const ASN1_INTEGER* integer) {
    return integer == nullptr ? 0 : ASN1_INTEGER_get(integer);
}

// generated_at is genTime, rounded down.
std::optional<Time> generated_at(const TS_TST_INFO* info) {
    return to_time(TS_TST_INFO_get_time(info));
}

// latest_time is genTime, rounded up, with the accuracy that the authority promises.
std::optional<Time> latest_time(TS_TST_INFO* info) {
    const ASN1_GENERALIZEDTIME* generated = TS_TST_INFO_get_time(info);
    auto time = generated_at(info);
    if (!time) return std::nullopt;
    bool rounds = asn1::octets(generated).size() > std::string_view("20260131120000Z").size();
    if (const TS_ACCURACY* accuracy = TS_TST_INFO_get_accuracy(info)) {
        constexpr long kLongest = 24 * 60 * 60;
        const long seconds = value_of(TS_ACCURACY_get_seconds(accuracy));
        if (seconds < 0 || seconds > kLongest) return std::nullopt;
        *time += std::chrono::seconds(seconds);
        rounds =
            rounds || value_of(TS_ACCURACY_get_millis(accuracy)) > 0 || value_of(TS_ACCURACY_get_micros(accuracy)) > 0;
    }
    return rounds ? *time + std::chrono::seconds(1) : *time;
}

const Algorithm* imprint_digest(TS_TST_INFO* info) {
    return find_algorithm(AlgorithmKind::digest, TS_MSG_IMPRINT_get_algo(TS_TST_INFO_get_msg_imprint(info)));
}

bool is_over(TS_TST_INFO* info, const Algorithm& digest, ByteView stamped) {
    const ByteView imprint = asn1::octets(TS_MSG_IMPRINT_get_msg(TS_TST_INFO_get_msg_imprint(info)));
    return digest.hash && std::ranges::equal(digest_of(*digest.hash, stamped), imprint);
}

// content_fault says why a TSTInfo is no stamp of these bytes, or nothing.
std::string content_fault(TS_TST_INFO* info, ByteView stamped) {
    if (TS_TST_INFO_get_version(info) != 1) return "it is of an unknown version";
    if (TS_TST_INFO_get_ext_by_critical(info, 1, -1) >= 0) return "it has an unknown critical extension";
    const Algorithm* digest = imprint_digest(info);
    if (digest == nullptr || !digest->hash || digest->standing == Standing::refused)
        return "its digest is not supported";
    return is_over(info, *digest, stamped) ? "" : "it is over something else";
}

bool names_signing_certificate(const SignerInfoVerdict& signature) {
    return std::any_of(signature.signed_attributes.begin(), signature.signed_attributes.end(),
                       [](const std::string& name) {
                           return name == OBJ_nid2sn(NID_id_smime_aa_signingCertificate) ||
                                  name == OBJ_nid2sn(NID_id_smime_aa_signingCertificateV2);
                       });
}

// signature_fault says why the authority's signature does not hold, or nothing.
std::string signature_fault(const SignerInfoVerdict& signature) {
    if (signature.integrity != Integrity::valid) return signature.reason;
    return names_signing_certificate(signature) ? "" : "it does not name the certificate that signed it";
}

// only_for_timestamps checks the extended key usage of an authority (RFC 3161 section 2.3).
bool only_for_timestamps(const Certificate& certificate) {
    int critical = 0;
    const KeyUsages usages(
        static_cast<EXTENDED_KEY_USAGE*>(X509_get_ext_d2i(certificate.get(), NID_ext_key_usage, &critical, nullptr)));
    return usages && critical == 1 && sk_ASN1_OBJECT_num(usages.get()) == 1 &&
           OBJ_obj2nid(sk_ASN1_OBJECT_value(usages.get(), 0)) == NID_time_stamp;
}

// fault_then says why an authority's certificate was not valid when it made a token, or nothing. Its path may have been
// another then. What was revoked by then is revoked now.
std::string fault_then(const Token& token, const PathVerdict& now, Trust stamps, std::size_t& verifications) {
    std::vector<Certificate> known = token.certificates;
    known.insert(known.end(), now.chain.begin(), now.chain.end());
    stamps.at = generated_at(token.info.get());
    stamps.revocation = nullptr;
    stamps.require_revocation = false;
    stamps.issuers = nullptr;
    const PathVerdict then = validate(*token.authority, known, stamps, Use::signing);
    verifications += now.chain.size() + then.verifications;
    return then.trusted ? "" : "it was not valid at the time that it tells: " + then.reason;
}

// trust_fault says why an authority is not to be trusted, or nothing.
std::optional<Fault> trust_fault(const Token& token, const Trust& trust, RevocationEvidence carried,
                                 std::size_t& verifications) {
    const Certificate& authority = *token.authority;
    if (!only_for_timestamps(authority))
        return Fault{fmt::format("the certificate of {} is not for time-stamps alone", authority.subject())};
    Trust stamps = trust;
    stamps.purpose = Purpose::timestamps;
    stamps.policy = {};  // those asked for are of mail
    carried.add(token.evidence);
    const auto judge_at = [&](std::optional<Time> at) {
        stamps.at = at;
        PathVerdict path = validate(authority, token.certificates, stamps, Use::signing, {}, carried);
        verifications += path.verifications;
        return path;
    };
    PathVerdict path = judge_at(trust.at);
    // What an authority stamped before its certificate was revoked counts on where its key is as good as before (RFC
    // 3161 section 4).
    const auto stamped_by = latest_time(token.info.get());
    const auto retired_later = [&] { return path.retired_since && stamped_by && *stamped_by < *path.retired_since; };
    if (retired_later()) {
        PathVerdict then = judge_at(generated_at(token.info.get()));
        verifications += then.chain.size();
        // Who was asked about that time may have told what is worse, and is heard about now.
        if (!std::ranges::all_of(then.revoked_since, &RevokedSince::orderly)) {
            path = judge_at(trust.at);
            verifications += path.chain.size();
        }
        if (retired_later()) path = std::move(then);
    }
    if (!path.trusted) {
        // What has ended stays so, whatever certificate is newer.
        const bool ended =
            path.at_fault && path.chain[*path.at_fault].not_after() <= trust.at.value_or(trust.clock->now());
        return Fault{path.reason, ended ? "" : path.hint};
    }
    if (std::string fault = fault_then(token, path, stamps, verifications); !fault.empty()) return Fault{fault};
    if (trust.allow_weak) return std::nullopt;
    const Algorithm* digest = imprint_digest(token.info.get());
    if (digest->standing == Standing::weak)
        return Fault{fmt::format("it is over a weak digest ({})", digest->name), kAllowWeak};
    if (token.signature.weak)
        return Fault{fmt::format("its signature is weak ({} with {}, {})", token.signature.signature,
                                 token.signature.digest, authority.key_type()),
                     kAllowWeak};
    if (path.weak) return Fault{fmt::format("the path of {} is weak", authority.subject()), kAllowWeak};
    return std::nullopt;
}

}  // namespace

TimestampVerdict judge_timestamp(ByteView token_der, ByteView stamped, const Trust* trust,
                                 const RevocationEvidence& carried, std::span<const Certificate> beside) {
    TimestampVerdict verdict;
    try {
        const Token token = read_token(token_der, trust, beside);
        verdict.authority = token.authority;
        verdict.time = latest_time(token.info.get());
        if (trust == nullptr) return verdict;
        ++verdict.verifications;
        verdict.reason = signature_fault(token.signature);
        if (verdict.reason.empty()) verdict.reason = content_fault(token.info.get(), stamped);
        if (verdict.reason.empty() && !verdict.time) verdict.reason = "its time cannot be read";
        if (verdict.reason.empty() && *verdict.time > trust->clock->now() + kClockSkew)
            verdict.reason = "its time has not come yet";
        if (verdict.reason.empty())
            if (const auto fault = trust_fault(token, *trust, carried, verdict.verifications)) {
                verdict.reason = fault->reason;
                verdict.hint = fault->hint;
            }
    } catch (const Error& error) {
        ERR_clear_error();
        verdict.reason = error.what();
    }
    verdict.integrity = verdict.reason.empty() ? Integrity::valid : Integrity::invalid;
    return verdict;
}

namespace {

Integer new_nonce() {
    Byte random[kNonceBytes];
    require(RAND_bytes(random, sizeof random) == 1, "no random numbers", ErrorKind::io);
    random[0] = static_cast<Byte>((random[0] & 0x7f) | 0x40);
    const BignumHandle number(BN_bin2bn(random, sizeof random, nullptr));
    return Integer(BN_to_ASN1_INTEGER(number.get(), nullptr));
}

Request new_request(ByteView stamped) {
    const Bytes algorithm = digest_identifier(kImprintHash);
    const Byte* at = algorithm.data();
    const asn1::AlgorithmHandle digest(d2i_X509_ALGOR(nullptr, &at, static_cast<long>(algorithm.size())));
    Bytes value = digest_of(kImprintHash, stamped);
    const Imprint imprint(TS_MSG_IMPRINT_new());
    const Integer nonce = new_nonce();
    Request request(TS_REQ_new());
    require(digest && imprint && nonce && request && TS_MSG_IMPRINT_set_algo(imprint.get(), digest.get()) == 1 &&
                TS_MSG_IMPRINT_set_msg(imprint.get(), value.data(), static_cast<int>(value.size())) == 1 &&
                TS_REQ_set_version(request.get(), 1) == 1 &&
                TS_REQ_set_msg_imprint(request.get(), imprint.get()) == 1 &&
                TS_REQ_set_nonce(request.get(), nonce.get()) == 1 && TS_REQ_set_cert_req(request.get(), 1) == 1,
            "cannot make a time-stamp request");
    return request;
}

[[noreturn]] void refuse(const std::string& why) {
    throw Error(ErrorKind::io, fmt::format("the time-stamping authority gave no time-stamp: {}", why),
                "try again, or another authority with --timestamp URL, or sign without");
}

std::string status_text(TS_STATUS_INFO* status) {
    std::string text;
    const STACK_OF(ASN1_UTF8STRING)* lines = TS_STATUS_INFO_get0_text(status);
    for (int i = 0; i < sk_ASN1_UTF8STRING_num(lines); ++i)
        text +=
            fmt::format("{}{}", text.empty() ? "" : ", ", text_of(asn1::octets(sk_ASN1_UTF8STRING_value(lines, i))));
    return text.empty() ? fmt::format("status {}", value_of(TS_STATUS_INFO_get0_status(status))) : text;
}

// granted_token is the token in an answer: DER of ContentInfo.
Bytes granted_token(ByteView answer) {
    const Byte* at = answer.data();
    const Response response(d2i_TS_RESP(nullptr, &at, static_cast<long>(answer.size())));
    ERR_clear_error();
    if (!response) refuse("its answer is malformed");
    TS_STATUS_INFO* status = TS_RESP_get_status_info(response.get());
    const long granted = value_of(TS_STATUS_INFO_get0_status(status));
    if (granted != TS_STATUS_GRANTED && granted != TS_STATUS_GRANTED_WITH_MODS) refuse(status_text(status));
    PKCS7* token = TS_RESP_get_token(response.get());
    if (token == nullptr) refuse("its answer holds none");
    return encode(token, i2d_PKCS7);
}

}  // namespace

Bytes get_timestamp(ByteView stamped, TimestampSource& authority) {
    const Request request = new_request(stamped);
    Bytes der = granted_token(authority.answer(encode(request.get(), i2d_TS_REQ)));
    try {
        const Token token = read_token(der, nullptr);
        std::string fault = signature_fault(token.signature);
        if (fault.empty()) fault = content_fault(token.info.get(), stamped);
        if (!fault.empty()) refuse(fault);
        const ASN1_INTEGER* nonce = TS_TST_INFO_get_nonce(token.info.get());
        if (nonce == nullptr || ASN1_INTEGER_cmp(nonce, TS_REQ_get_nonce(request.get())) != 0)
            refuse("its answer is to another request");
        if (!token.authority || !only_for_timestamps(*token.authority)) refuse("its certificate is not for that alone");
        const auto time = generated_at(token.info.get());
        const auto now = SystemClock().now();
        if (!time || *time < now - kFarOff || *time > now + kFarOff) refuse("its time is far off the clock's");
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::malformed) throw;
        refuse(error.what());
    }
    authority.took(der, stamped);
    return der;
}

}  // namespace p11mime::cms
